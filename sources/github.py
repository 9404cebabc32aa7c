"""A GitHub repository's activity: what describes it, four lists at once, then the new commits' files.

The first scan, and one that tells again, ask all of that in two rounds. A later one asks first whether
anything changed at all, which costs nothing where the answer is no.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from lib import clock
from lib.http import Answer, Limits
from models.values import Activity, Commit, FileChange, Issue, ItemKind, PullRequest, Release, Seen, Window
from sources import github_shapes as shapes
from sources.base import Caps, Known, Told
from sources.github_api import PAGES_MAX, Api, Listing, Page, known_shape
from sources.github_commits import Branch, Found, rebased
from sources.github_errors import GitHubError, other_repository

Item = Commit | PullRequest | Issue | Release
NOT_MODIFIED = 304

# Items per page, 100 at most. Pull requests and releases are large (two repositories each, notes of 125,000
# characters), and the lists' first page nearly always reaches back far enough.
_PER_PAGE = {"issues": "100", "pulls": "50", "releases": "30"}
# So a release that was published late is found among the 300 whose commits are newest.
RELEASE_PAGES = 10
_BY_UPDATE = {"state": "closed", "sort": "updated", "direction": "desc"}


@dataclass(frozen=True, slots=True)
class _Lists:
    """What was read, and the server's clock at the earliest of these answers."""

    commits: Found
    pulls: Listing[PullRequest]
    issues: Listing[Issue]
    releases: Listing[Release]

    @property
    def date(self) -> datetime | None:
        dates = (self.commits.date, self.pulls.date, self.issues.date, self.releases.date)
        return min((date for date in dates if date), default=None)


class GitHub:
    """One repository, as `sources.base.Source` asks.

    `api_url`: `https://api.github.com`, or `https://HOST/api/v3` for an Enterprise Server. `branch`: None for
    the default branch; a chosen one also keeps out pull requests that went elsewhere. `token`: classic or
    fine-grained. `limits`: those of each call.
    """

    def __init__(
        self,
        api_url: str,
        owner: str,
        name: str,
        *,
        branch: str | None = None,
        token: str | None = None,
        caps: Caps | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.repository = f"{owner}/{name}"
        self.branch = branch
        self.caps = caps or Caps()
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

        `until` is the earliest `Date` of the first answers. Without `told` the margin is not read: nothing
        could say what of it is new. `told` is called once, from this thread. Raises GitHubError.
        """
        known = known or Known()
        start = min(since, margin_from) if margin_from and told else since
        with Api(self._api_url, self._token, self._limits) as api:
            asked = clock.now()
            reader = shapes.Reader(self.caps.text)
            if base is None:
                lists, described = self._all_at_once(api, reader, start)
                about = self._about(api, described, known)
                until = min(lists.date or asked, described.date or asked)
            else:
                described = api.ask(self._path, etag=known.etag)
                until = described.date or asked
                if described.status == NOT_MODIFIED:
                    return self._unchanged(Window(since, max(since, until), base, base), api)
                about = self._about(api, described, known)
                lists = self._lists(api, reader, start, about, base)
            window = Window(since, max(since, until), base, lists.commits.head or base)
            found = self._within(self._settled(api, reader, start, lists), start, window, about)
            fresh = _without(found, told(found.keys())) if told and found.has_activity else found
            return self._detailed(api, fresh, lists, reader, described)

    def contains(self, tag: str, sha: str) -> bool:
        """As `Source.contains`. Raises GitHubError."""
        path = f"{self._path}/compare/{quote(sha, safe='')}...{quote(tag, safe='')}"
        with Api(self._api_url, self._token, self._limits) as api:
            # The second page of one, because the first carries the files with their patches.
            answer = api.ask(path, {"per_page": "1", "page": "2"})
            if answer.status == 404:
                return False
            compared = api.read(answer)
            with known_shape():
                return bool(compared["status"] in ("ahead", "identical"))

    def _about(self, api: Api, answer: Answer, known: Known) -> shapes.Repository:
        """Raises GitHubError, for good when the name belongs to another repository by now."""
        with known_shape():
            about = shapes.repository(api.read(answer))
        if known.id is not None and about.id != known.id:
            raise other_repository(about.full_name)
        return about

    def _unchanged(self, window: Window, api: Api) -> Activity:
        page = self._page()
        return Activity(self.repository, window, page, requests=api.requests, unchanged=True)

    def _all_at_once(self, api: Api, reader: shapes.Reader, start: datetime) -> tuple[_Lists, Answer]:
        """The lists of a first scan, and what describes the repository: nothing waits for anything."""
        branch = Branch(api, self._path, self.branch, reader, self.caps)
        *lists, described = api.together(
            [
                *self._calls(api, reader, start, self._path),
                partial(branch.since, start),
                partial(api.ask, self._path),
            ]
        )
        pulls, issues, releases, commits = lists
        return _Lists(commits, pulls, issues, releases), described

    def _lists(
        self, api: Api, reader: shapes.Reader, start: datetime, about: shapes.Repository, base: str
    ) -> _Lists:
        path = f"/repos/{about.full_name}"
        branch = Branch(api, path, self.branch, reader, self.caps, about.default_branch)
        calls = self._calls(api, reader, start, path)
        pulls, issues, releases, commits = api.together([*calls, partial(branch.after, base, start)])
        return _Lists(commits, pulls, issues, releases)

    def _calls(self, api: Api, reader: shapes.Reader, start: datetime, path: str) -> list[Any]:
        since = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        issues = _BY_UPDATE | {"per_page": _PER_PAGE["issues"], "since": since}
        return [
            partial(self._pulls, api, reader, start, path),
            partial(api.listing, f"{path}/issues", issues, reader.issue, moves=_moves),
            partial(self._releases, api, reader, start, path),
        ]

    def _releases(self, api: Api, reader: shapes.Reader, start: datetime, path: str) -> Listing[Release]:
        """All of the first RELEASE_PAGES, then to the first page of old ones: they are listed by the date of
        their commit, so one that was drafted long ago and published now may stand on any page."""

        def published_before(page: Page) -> bool:
            return all(clock.parse_iso(raw["published_at"]) <= start for raw in page if raw["published_at"])

        def pages(number: int, most: int, is_last: Callable[[Page], bool] = _never) -> Listing[Release]:
            params = {"per_page": _PER_PAGE["releases"], "page": str(number)}
            return api.listing(f"{path}/releases", params, reader.release, is_last, most)

        first = pages(1, 1)
        calls = [partial(pages, n, 1) for n in range(2, min(first.pages, RELEASE_PAGES + 1))]
        if first.pages > RELEASE_PAGES:
            calls.append(partial(pages, RELEASE_PAGES + 1, PAGES_MAX, published_before))
        elif first.pages > 1:
            # A release that comes meanwhile moves the others on, to a page that was not counted.
            calls.append(partial(pages, first.pages, RELEASE_PAGES))
        found = [first, *api.together(calls)]
        return Listing([item for one in found for item in one.items], first.date, found[-1].is_cut)

    def _pulls(self, api: Api, reader: shapes.Reader, start: datetime, path: str) -> Listing[PullRequest]:
        def updated_before(page: Page) -> bool:
            return bool(page) and clock.parse_iso(page[-1]["updated_at"]) <= start

        params = (
            _BY_UPDATE | {"per_page": _PER_PAGE["pulls"]} | ({"base": self.branch} if self.branch else {})
        )
        return api.listing(f"{path}/pulls", params, reader.pull, updated_before, moves=_moves)

    def _settled(self, api: Api, reader: shapes.Reader, start: datetime, lists: _Lists) -> _Lists:
        """A pull request that was merged after its list was read and before the branch was would be told as
        a commit now and as itself later: its list is read once more."""
        asked = lists.pulls.date
        if asked is None or not any(commit.date >= asked for commit in lists.commits.commits):
            return lists
        again = self._pulls(api, reader, start, self._path)
        return replace(lists, pulls=Listing([*again.items, *lists.pulls.items], asked, again.is_cut))

    def _within(self, lists: _Lists, start: datetime, window: Window, about: shapes.Repository) -> Activity:
        """What belongs to the window, each item once. What came after it belongs to the next one, except pull
        requests whose commits are in this one: the branch was read after its end."""
        merged = {commit.sha for commit in lists.commits.commits}

        def inside(item: PullRequest | Issue | Release) -> bool:
            if isinstance(item, PullRequest) and item.merge_sha in merged:
                return True
            return start < _when(item) <= window.until

        others = [item for found in (lists.pulls, lists.issues, lists.releases) for item in found.items]
        listed = sorted((item for item in others if inside(item)), key=_when, reverse=True)
        activity = Activity(about.full_name, window, about.url or self._page())
        return _without(_activity(activity, [*lists.commits.commits, *listed]), set())

    def _detailed(
        self, api: Api, fresh: Activity, lists: _Lists, reader: shapes.Reader, described: Answer
    ) -> Activity:
        """With the newest commits' files, and what was learned on the way."""
        path = f"/repos/{fresh.repository}"
        pulls = rebased(api, path, fresh.pulls, fresh.commits)
        detailed = self._with_files(api, path, fresh.commits)
        about = shapes.repository(api.read(described))
        etag = described.headers.get("etag", "")
        seen = Seen(about.id, about.full_name, etag[:255] or None, api.budget, api.token_expires)
        cuts = tuple(self._cuts(fresh, lists, reader))
        return replace(fresh, commits=detailed, pulls=pulls, requests=api.requests, seen=seen, cuts=cuts)

    def _cuts(self, fresh: Activity, lists: _Lists, reader: shapes.Reader) -> Iterator[str]:
        yield from lists.commits.cuts
        for found, name in (
            (lists.pulls, "pull requests"),
            (lists.issues, "issues"),
            (lists.releases, "releases"),
        ):
            if found.is_cut:
                yield f"GitHub's list of {name} went on after {PAGES_MAX} pages and was cut there."
        if len(fresh.commits) > self.caps.details:
            count = len(fresh.commits)
            yield f"Changed files were read for the newest {self.caps.details:,} of {count:,} commits."
        if reader.texts_cut:
            texts = "1 text was" if reader.texts_cut == 1 else f"{reader.texts_cut:,} texts were"
            yield f"{texts} longer than {self.caps.text:,} characters and cut there."

    def _with_files(self, api: Api, path: str, commits: Sequence[Commit]) -> tuple[Commit, ...]:
        newest, older = commits[: self.caps.details], commits[self.caps.details :]
        calls = [partial(self._files, api, path, commit.sha) for commit in newest]
        changes = api.together(calls) if calls else []
        detailed = [
            replace(c, files=files, more_files=more) for c, (files, more) in zip(newest, changes, strict=True)
        ]
        return (*detailed, *older)

    def _files(self, api: Api, path: str, sha: str) -> tuple[tuple[FileChange, ...], int]:
        try:
            return api.files(f"{path}/commits/{quote(sha, safe='')}", self.caps.files)
        except GitHubError as error:
            # Gone by a force push, or too large to be shown: no retry helps, and the commit is told still.
            if error.permanent or error.status in (404, 409):
                return (), 0
            raise

    def _page(self) -> str:
        """The repository's page for people, from the API's address."""
        api = urlsplit(self._api_url)
        return f"{api.scheme}://{api.netloc.removeprefix('api.')}/{self.repository}"


def _never(page: Page) -> bool:
    return False


def _moves(raw: Any) -> str:
    return f"{raw['number']}@{raw['updated_at']}"


def _when(item: PullRequest | Issue | Release) -> datetime:
    match item:
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
