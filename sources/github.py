"""A GitHub repository's activity, in two rounds of parallel requests: four lists, then new commits' files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote, urlsplit

from lib import clock
from lib.http import Limits
from models.values import Activity, Commit, FileChange, Issue, ItemKind, PullRequest, Release, Window
from sources import github_shapes as shapes
from sources.base import Known, Told
from sources.github_api import Api, Listing, Page
from sources.github_errors import SERVICE, GitHubError, clean

Item = Commit | PullRequest | Issue | Release

# A request per commit: fifty are seven waves of CONCURRENT calls, and no post tells more commits in detail.
DETAILS_MAX = 50
# Items per page, 100 at most. Pull requests and releases are large (two repositories each, notes of 125,000
# characters), and the lists' first page nearly always reaches back far enough.
_PER_PAGE = {"commits": "100", "issues": "100", "pulls": "50", "releases": "30"}
_BY_UPDATE = {"state": "closed", "sort": "updated", "direction": "desc"}


class GitHub:
    """One repository, as `sources.base.Source` asks.

    `api_url`: `https://api.github.com`, or `https://HOST/api/v3` for an Enterprise Server. `branch`: None for
    the default branch; a chosen one also keeps out pull requests that went elsewhere. `token`: classic or
    fine-grained. `details_max`: how many of the newest commits get their files. `limits`: those of
    each call.
    """

    def __init__(
        self,
        api_url: str,
        owner: str,
        name: str,
        *,
        branch: str | None = None,
        token: str | None = None,
        details_max: int = DETAILS_MAX,
        limits: Limits | None = None,
    ) -> None:
        self.repository = f"{owner}/{name}"
        self.branch = branch
        self.details_max = details_max
        self._api_url = api_url.rstrip("/")
        self._path = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        self._token = token
        self._limits = limits

    def scan(
        self,
        since: datetime,
        *,
        margin_from: datetime | None = None,
        base: str | None = None,
        told: Told | None = None,
        known: Known | None = None,
    ) -> Activity:
        """The activity in (since, until], newest first; see `sources.base.Source.scan`.

        `until` is the earliest `Date` of the first four answers. Without `told` the margin is not read:
        nothing could say what of it is new. `told` is called once, from this thread. Raises GitHubError.
        """
        start = min(since, margin_from) if margin_from and told else since
        with Api(self._api_url, self._token, self._limits) as api:
            asked = clock.now()
            listings = self._lists(api, start)
            until = min((found.date for found in listings if found.date), default=asked)
            window = Window(since, max(since, until), base)
            found = self._within(listings, start, window)
            fresh = _without(found, told(found.keys())) if told and found.has_activity else found
            commits = self._with_files(api, fresh.commits)
            return replace(fresh, commits=commits, requests=api.requests)

    def contains(self, tag: str, sha: str) -> bool:
        """As `Source.contains`. Raises GitHubError."""
        raise NotImplementedError

    def _lists(self, api: Api, start: datetime) -> Sequence[Listing[Item]]:
        since = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        def updated_before(page: Page) -> bool:
            return bool(page) and clock.parse_iso(page[-1]["updated_at"]) <= start

        def published_before(page: Page) -> bool:
            # Listed by creation, not by publication: one old release says nothing, a page of them does.
            dates = [raw["published_at"] for raw in page if raw["published_at"]]
            return bool(dates) and all(clock.parse_iso(date) <= start for date in dates)

        pulls = _BY_UPDATE | {"per_page": _PER_PAGE["pulls"]} | ({"base": self.branch} if self.branch else {})
        issues = _BY_UPDATE | {"per_page": _PER_PAGE["issues"], "since": since}
        releases = {"per_page": _PER_PAGE["releases"]}
        # Commits last: of two errors of one rank the first is raised, and theirs may be about the branch.
        return api.together(
            [
                partial(api.listing, f"{self._path}/pulls", pulls, shapes.pull, updated_before),
                partial(api.listing, f"{self._path}/issues", issues, shapes.issue),
                partial(api.listing, f"{self._path}/releases", releases, shapes.release, published_before),
                partial(self._commits, api, since),
            ]
        )

    def _commits(self, api: Api, since: str) -> Listing[Commit]:
        params = {"per_page": _PER_PAGE["commits"], "since": since}
        if not self.branch:
            return api.listing(f"{self._path}/commits", params, shapes.commit)
        try:
            return api.listing(f"{self._path}/commits", params | {"sha": self.branch}, shapes.commit)
        except GitHubError as error:
            if error.status != 404:
                raise
            sentence = f"{SERVICE} error: there is no branch {clean(self.branch)}"
            raise GitHubError(sentence, status=404) from None

    def _within(self, listings: Sequence[Listing[Item]], start: datetime, window: Window) -> Activity:
        """What lies in (start, until], each item once. What came later belongs to the next window."""
        listed = [item for found in listings for item in found.items if start < _when(item) <= window.until]
        # Sorting keeps the list's order where dates are equal, as after a rebase; the first one is the head.
        head = next((item.sha for item in listed if isinstance(item, Commit)), window.base)
        activity = _activity(
            Activity(self.repository, replace(window, head=head), self._page(listed)),
            sorted(listed, key=_when, reverse=True),
        )
        return _without(activity, set())

    def _with_files(self, api: Api, commits: Sequence[Commit]) -> tuple[Commit, ...]:
        newest, older = commits[: self.details_max], commits[self.details_max :]
        changes = api.together([partial(self._files, api, commit.sha) for commit in newest]) if newest else []
        detailed = [
            replace(c, files=files, more_files=more) for c, (files, more) in zip(newest, changes, strict=True)
        ]
        return (*detailed, *older)

    def _files(self, api: Api, sha: str) -> tuple[tuple[FileChange, ...], int]:
        try:
            return api.files(f"{self._path}/commits/{quote(sha, safe='')}")
        except GitHubError as error:
            # Gone by a force push, or too large to be shown: no retry helps, and the commit is told still.
            if error.permanent or error.status in (404, 409):
                return (), 0
            raise

    def _page(self, items: Sequence[Item]) -> str:
        """The repository's page for people: as the items' links tell it, else from the API's address."""
        for item in items:
            if item.url and item.url.count("/") > 4:
                return "/".join(item.url.split("/")[:5])
        api = urlsplit(self._api_url)
        return f"{api.scheme}://{api.netloc.removeprefix('api.')}/{self.repository}"


def _when(item: Item) -> datetime:
    match item:
        case Commit():
            return item.date
        case PullRequest():
            return item.merged_at
        case Issue():
            return item.closed_at
        case Release():
            return item.published_at


def _without(activity: Activity, known: set[tuple[ItemKind, str]]) -> Activity:
    """The same without what is known, and each item once: lists shift while their pages are read."""
    items: list[Item] = [*activity.commits, *activity.pulls, *activity.issues, *activity.releases]
    unique = dict(zip(activity.keys(), items, strict=True))
    return _activity(activity, [item for key, item in unique.items() if key not in known])


def _activity(activity: Activity, items: Sequence[Item]) -> Activity:
    return replace(
        activity,
        commits=tuple(item for item in items if isinstance(item, Commit)),
        pulls=tuple(item for item in items if isinstance(item, PullRequest)),
        issues=tuple(item for item in items if isinstance(item, Issue)),
        releases=tuple(item for item in items if isinstance(item, Release)),
    )
