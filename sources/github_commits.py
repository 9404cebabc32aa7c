"""Which commits are new on a branch: those that its head reaches and its last head did not, whatever their
dates.

Rules from docs.github.com/rest (compare two commits; list commits), read 2026-11-23: a comparison lists the
oldest first, carries at most 300 files with their patches on its first page alone, and ends with 404 where
one of its ends is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from lib.http import Answer
from models.values import Commit, PullRequest
from sources.base import Caps
from sources.github_api import NOTHING_THERE, Api, Listing, known_shape
from sources.github_errors import GitHubError, no_branch, refusal
from sources.github_shapes import Identity, Reader, identity

PER_PAGE = 100
# A rebased pull request's own commits are asked for one by one, from its last to its first: this many of
# each, and of all in one scan.
REBASED_MAX = 20
REBASED_IN_ALL = 60
NOT_COMPARED = (
    "GitHub could not compare the branch with its state at the last scan; its commits were taken by date, and"
    " those with older dates are missing."
)
BASE_LOST = (
    "GitHub knows the last scan's newest commit no more, as after a force push; commits were taken by date,"
    " and those with older dates are missing."
)
NOT_TOLD = "the others count as told."


@dataclass(frozen=True, slots=True)
class Found:
    """A branch's new commits, newest first, its head, and the server's clock at the first answer."""

    commits: Sequence[Commit]
    head: str | None = None
    date: datetime | None = None
    cuts: tuple[str, ...] = ()


class Branch:
    """One branch of the repository at `path`. `name`: the chosen one; else `default`, without which only
    `since` works."""

    def __init__(
        self, api: Api, path: str, name: str | None, reader: Reader, caps: Caps, default: str | None = None
    ) -> None:
        self._api, self._path, self._name = api, path, name or default
        self._by_default = name is None
        self._reader, self._caps = reader, caps

    def since(self, start: datetime, head: str | None = None, date: datetime | None = None) -> Found:
        """Those whose committer's date is after `start`, from `head` or the branch's own.

        There is no upper end: a commit that a fast clock dated into the future is reached from the head, and
        no later scan would tell it. Raises GitHubError.
        """
        if head is None:
            found = self._listed(start, self._name, pages=1)
            date = found.date
            # What a name stands for may change between two answers; a commit stays.
            head = found.items[0].sha if found.items else self._tip(found)
            if head is None or (found.items and not found.is_cut):
                return self._dated(found, start, head, date)
        found = self._listed(start, head, -(-self._caps.commits // PER_PAGE))
        return self._dated(found, start, head, date)

    def _listed(self, start: datetime, ref: str | None, pages: int) -> Listing[Commit]:
        params = {"per_page": str(PER_PAGE), "since": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        params |= {"sha": ref} if ref else {}
        try:
            return self._api.listing(f"{self._path}/commits", params, self._reader.commit, most=pages)
        except GitHubError as error:
            if error.status == 404 and self._name:
                raise no_branch(self._name) from None
            raise

    def _dated(
        self, found: Listing[Commit], start: datetime, head: str | None, date: datetime | None
    ) -> Found:
        commits = [commit for commit in found.items if commit.date > start]
        cuts: tuple[str, ...] = ()
        if found.is_cut:
            cuts = (f"Only the newest {len(commits):,} commits of the window were read; {NOT_TOLD}",)
        return Found(commits, head, date, cuts)

    def after(self, base: str, start: datetime) -> Found:
        """Those that the branch's head reaches and `base` does not; by date, as `since`, where `base` is
        lost. Raises GitHubError."""
        answer = self._compare(base, self._ref(self._name or ""), 1)
        if answer is not None and answer.status in NOTHING_THERE:
            return Found([], None, answer.date)
        if answer is None or answer.status == 404:
            date = answer.date if answer else None
            head = self._head()
            if answer is not None and head.moved:
                answer = self._compare(base, head.sha, 1)
            if answer is None or answer.status == 404:
                by_date = self.since(start, head.sha or None, date)
                return replace(by_date, cuts=(*by_date.cuts, BASE_LOST if answer else NOT_COMPARED))
        return self._compared(base, answer)

    def _compared(self, base: str, answer: Answer) -> Found:
        first = self._page_of(answer)
        pages = [first]
        if len(first.commits) < first.total:
            # The branch may move while its pages are read: a commit stays.
            head = self._head().sha
            pages = self._pages(base, head)
        elif first.commits:
            head = first.commits[-1][0].sha
        else:
            head = first.merge_base
        total = pages[0].total
        newest = [pair for page in pages for pair in page.commits][-self._caps.commits :]
        rewritten = self._identities(head, base) if first.status == "diverged" else Counter()
        commits = []
        for commit, same in reversed(newest):
            if rewritten[same]:
                rewritten[same] -= 1
            else:
                commits.append(commit)
        cuts: tuple[str, ...] = ()
        if total > len(newest):
            cuts = (f"Only the newest {len(newest):,} of {total:,} commits were read; {NOT_TOLD}",)
        return Found(commits, head, answer.date, cuts)

    def _pages(self, base: str, head: str) -> list["_Page"]:
        """The comparison's pages, the oldest first; of more commits than the cap only the newest."""
        first = self._page(base, head, 1)
        last = -(-first.total // PER_PAGE)
        earliest = max(1, last - -(-self._caps.commits // PER_PAGE) + 1)
        wanted = range(max(2, earliest), last + 1)
        pages = self._api.together([partial(self._page, base, head, number) for number in wanted])
        return [first, *pages] if earliest == 1 else pages

    def _page(self, base: str, head: str, number: int) -> "_Page":
        return self._page_of(self._ask(base, head, number))

    def _page_of(self, answer: Answer) -> "_Page":
        raw = self._api.read(answer)
        with known_shape():
            commits = [(self._reader.commit(one), identity(one)) for one in raw["commits"]]
            merge_base = str(raw["merge_base_commit"]["sha"])
            return _Page(str(raw["status"]), int(raw["total_commits"]), merge_base, commits)

    def _identities(self, base: str, head: str) -> Counter[Identity]:
        """Of the commits that a force push took off the branch: rebased ones come back under new ids, and
        they were told."""
        return Counter(same for page in self._pages(base, head) for _, same in page.commits)

    def _compare(self, base: str, head: str, page: int) -> Answer | None:
        """None where GitHub cannot show the difference, though it knows both ends: it is too large."""
        for attempt in range(3):
            # The next page has no files: where it fails as well, this is no size but an outage.
            if attempt == 2 and self._ask(base, head, page + 1).status >= 500:
                break
            try:
                answer = self._ask(base, head, page)
            except GitHubError as error:
                if not error.permanent:
                    raise
                return None  # larger than any answer that we read
            if answer.status < 500:
                return answer
        else:
            return None
        raise refusal(answer)

    def _ask(self, base: str, head: str, page: int) -> Answer:
        path = f"{self._path}/compare/{self._ref(base)}...{head}"
        return self._api.ask(path, {"per_page": str(PER_PAGE), "page": str(page)})

    def _head(self) -> "_Head":
        answer = self._api.ask(f"{self._path}/branches/{self._ref(self._name or '')}")
        if answer.status == 404 and self._by_default:  # as of a repository that was emptied
            self._name = None
            return _Head("", False)
        if answer.status == 404:
            raise no_branch(self._name or "")
        found = self._api.read(answer)
        with known_shape():
            return _Head(str(found["commit"]["sha"]), found["name"] != self._name)

    def _tip(self, found: Listing[Commit]) -> str | None:
        """The head of a branch on which nothing is new; None in a repository without commits."""
        if found.is_absent:
            return None
        params = {"per_page": "1"} | ({"sha": self._name} if self._name else {})
        answer = self._api.ask(f"{self._path}/commits", params)
        if answer.status in NOTHING_THERE:
            return None
        with known_shape():
            newest = self._api.read(answer)
            return str(newest[0]["sha"]) if newest else None

    def _ref(self, name: str) -> str:
        return quote(name, safe="")


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a comparison: how its ends relate, how many commits it has in all, and the oldest of
    them."""

    status: str
    total: int
    merge_base: str
    commits: Sequence[tuple[Commit, Identity]]


@dataclass(frozen=True, slots=True)
class _Head:
    sha: str
    moved: bool
    """It was found under another name: the branch was renamed."""


def rebased(
    api: Api, path: str, pulls: Iterable[PullRequest], commits: Iterable[Commit]
) -> tuple[PullRequest, ...]:
    """The pull requests, with the commits of those that were merged by rebasing: GitHub tells only the last
    of them with the pull request, and of each commit where it came from. Raises GitHubError."""
    by_sha = {commit.sha: commit for commit in commits}
    pulls = tuple(pulls)
    last = {pull.merge_sha for pull in pulls}

    def is_candidate(pull: PullRequest) -> bool:
        """A merge or a squash has its commits by itself."""
        commit = by_sha.get(pull.merge_sha or "")
        return bool(commit and len(commit.parents) == 1 and f"(#{pull.number})" not in commit.title)

    candidates = [pull for pull in pulls if is_candidate(pull)][:REBASED_IN_ALL]
    each = min(REBASED_MAX, REBASED_IN_ALL // max(1, len(candidates)))

    def own(pull: PullRequest) -> PullRequest:
        found = [commit := by_sha[pull.merge_sha or ""]]
        for _ in range(each):
            before = by_sha.get(commit.parents[0]) if len(commit.parents) == 1 else None
            if before is None or before.sha in last or not _came_from(api, path, before, pull.number):
                break
            found.append(commit := before)
        return replace(pull, commits=tuple(one.sha for one in found)) if len(found) > 1 else pull

    asked = api.together([partial(own, pull) for pull in candidates]) if candidates else []
    by_number = {pull.number: pull for pull in asked}
    return tuple(by_number.get(pull.number, pull) for pull in pulls)


def _came_from(api: Api, path: str, commit: Commit, number: int) -> bool:
    answer = api.ask(f"{path}/commits/{commit.sha}/pulls")
    if answer.status in (404, 409, 422):
        return False
    with known_shape():
        return any(item["number"] == number for item in api.read(answer))
