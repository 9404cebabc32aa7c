"""The chapter that makes of an activity what a writer is shown: each thing once, ranked, noise marked."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from lib import words
from models.values import (
    Activity,
    Commit,
    Digest,
    DigestItem,
    FileChange,
    Issue,
    ItemKind,
    Person,
    PullRequest,
    Release,
)
from pipeline import ranking
from pipeline.people import People, is_bot

FILES_MAX = 50
"""Changed files that an item lists, the most changed first."""

RELEASED, ROUTINE, UNCHANGED = 1_000, 500, 2
"""What the score of a release is, what routine takes from it, and what an issue closed without a change
does.
"""

_FIXES = re.compile(r"\bfix(?:e[sd])?:?\s+\S*#\d", re.I)
_CLOSES = re.compile(
    r"\b(fix(?:e[sd])?|clos(?:e[sd]?)|resolve[sd]?):?\s+(?:[\w.-]+/[\w.-]+)?#(\d{1,9})\b", re.I
)
_TRAILER = re.compile(
    r"[A-Z][A-Za-z]*(?:-[A-Za-z]+)+: .*|(?:refs?|see|fix\w*|clos\w*|resolv\w*):?\s+\S*#\d+.*", re.I
)
_MERGE_TITLE = re.compile(r"Merge (?:pull request|branch|remote-tracking|tag|commit|branches)\b")
_NUMBERED = re.compile(r"\(#(\d{1,9})\)$|^Merge pull request #(\d{1,9}) ")
_REVERTED = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_REVERTED_PULL = re.compile(r'Revert ".*\(#(\d{1,9})\)"')


def digest(activity: Activity, *, cadence: str, zone: ZoneInfo) -> Digest:
    """What a writer is shown of `activity`.

    `cadence`: how often the job tells (`daily`, `weekly`, `monthly` or `custom`). `zone`: whose calendar
    names the days. Pull requests stand for their commits, and changes for the issues that they close;
    merges, what was undone inside the window and issues closed without a change are left out, yet counted
    in the summary.
    """
    window = activity.window
    since = window.since.astimezone(zone).date()
    until = (window.until - timedelta(seconds=1)).astimezone(zone).date()  # midnight ends the day before
    files = [file for commit in activity.commits if len(commit.parents) < 2 for file in commit.files]
    more = sum(commit.more_files for commit in activity.commits if len(commit.parents) < 2)
    people = People(activity)
    return Digest(
        repository=activity.repository,
        url=activity.url,
        summary=activity.summary,
        words=words.span(since, until, window.until - window.since, cadence),
        cadence=cadence,
        window=window,
        items=tuple(_items(activity, people)),
        people=tuple(people.credits()),
        additions=sum(file.additions or 0 for file in files),
        deletions=sum(file.deletions or 0 for file in files),
        files_changed=len({file.path for file in files}) + more,
    )


@dataclass
class _Change:
    """A pull request with its commits, or a commit by itself."""

    commits: list[Commit]
    pull: PullRequest | None = None
    merges: list[Commit] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.pull.title if self.pull else self.commits[0].title

    @property
    def body(self) -> str:
        if self.pull and self.pull.body.strip():
            return self.pull.body
        # Several commits explain only their own parts.
        return _without_trailers(self.commits[0].body) if len(self.commits) == 1 else ""

    @property
    def named(self) -> list[Person]:
        """Authors and co-authors."""
        named = [self.pull.author] if self.pull and self.pull.author else []
        return named + [one for commit in self.commits for one in (commit.author, *commit.co_authors)]

    @property
    def source(self) -> list[Commit]:
        """Where its files are told: its own commits, else the merge, which has them all."""
        return self.commits or self.merges

    @property
    def text(self) -> str:
        """Everything that may name an issue it closes."""
        return "\n".join([self.title, self.body, *(c.message for c in (*self.commits, *self.merges))])


def _without_trailers(body: str) -> str:
    """Without the last paragraph where it holds nothing but trailers (`Signed-off-by: …`, `Fixes #12`)."""
    head, _, last = body.rstrip().rpartition("\n\n")
    lines = last.splitlines()
    return head if lines and all(_TRAILER.fullmatch(line.strip()) for line in lines) else body


def _items(activity: Activity, people: People) -> list[DigestItem]:
    issues = {
        issue.number: issue for issue in activity.issues if issue.reason not in ("not_planned", "duplicate")
    }
    ranked: list[tuple[float, DigestItem]] = []
    for release in activity.releases:
        ranked.append((RELEASED, _release_item(release)))
    for change in _lasting(_changes(activity)):
        closed = [issues.pop(number) for number in _closed(change) if number in issues]
        ranked.append(_change_item(change, closed, people))
    ranked += [_scored_issue(issue) for issue in issues.values()]
    ranked.sort(key=lambda pair: (-pair[0], -(pair[1].date.timestamp() if pair[1].date else 0), pair[1].ref))
    return [item for _, item in ranked]


def _changes(activity: Activity) -> list[_Change]:
    """Each pull request with the commits it brought, then the commits that came by themselves."""
    by_sha = {commit.sha: commit for commit in activity.commits}
    taken: set[str] = set()
    changes = []
    for pull in activity.pulls:
        merge = _merge_of(pull, activity.commits, by_sha)
        change = _Change([], pull)
        if merge and len(merge.parents) > 1:
            change.merges.append(merge)
            change.commits = [by_sha[sha] for sha in _brought(merge, by_sha) if sha not in taken]
        elif merge:
            change.commits.append(merge)
        taken.update(commit.sha for commit in (*change.commits, *change.merges))
        changes.append(change)
    return changes + list(_alone([commit for commit in activity.commits if commit.sha not in taken]))


def _alone(commits: list[Commit]) -> Iterator[_Change]:
    """Merges tell nothing of their own; commits of one title and author are one thing in several steps."""
    steps: dict[tuple[str, str], list[Commit]] = {}
    for commit in commits:
        if len(commit.parents) < 2 or not _MERGE_TITLE.match(commit.title):
            steps.setdefault((commit.title.casefold(), commit.author.name), []).append(commit)
    yield from (_Change(same) for same in steps.values())


def _merge_of(pull: PullRequest, commits: Sequence[Commit], by_sha: dict[str, Commit]) -> Commit | None:
    if pull.merge_sha in by_sha:
        return by_sha[pull.merge_sha or ""]
    for commit in commits:
        numbered = _NUMBERED.search(commit.title)
        if numbered and int(numbered[1] or numbered[2]) == pull.number:
            return commit
    return None


def _brought(merge: Commit, by_sha: dict[str, Commit]) -> list[str]:
    """The commits in the window that `merge` brought into its branch, merges among them left out."""
    before = set(_reachable(merge.parents[:1], by_sha, frozenset()))
    brought = _reachable(merge.parents[1:], by_sha, before)
    return [sha for sha in brought if len(by_sha[sha].parents) < 2]


def _reachable(starts: Iterable[str], by_sha: dict[str, Commit], beyond: Iterable[str]) -> list[str]:
    seen, queue = set(beyond), list(starts)
    found = []
    while queue:
        sha = queue.pop()
        if sha in by_sha and sha not in seen:
            seen.add(sha)
            found.append(sha)
            queue.extend(by_sha[sha].parents)
    return found


def _lasting(changes: list[_Change]) -> list[_Change]:
    """Without what was reverted inside the window, and without those reverts; newest first, so that a
    reverted revert leaves the change.
    """
    by_sha = {commit.sha: change for change in changes for commit in (*change.commits, *change.merges)}
    by_number = {change.pull.number: change for change in changes if change.pull}
    gone: set[int] = set()
    for change in sorted(changes, key=_when, reverse=True):
        if id(change) in gone:
            continue
        sha, number = _REVERTED.search(change.text), _REVERTED_PULL.match(change.title)
        target = next((by_sha[s] for s in by_sha if sha and s.startswith(sha[1])), None)
        target = target or (by_number.get(int(number[1])) if number else None)
        if target and target is not change and _when(target) <= _when(change):
            gone |= {id(change), id(target)}
    return [change for change in changes if id(change) not in gone]


def _when(change: _Change) -> float:
    return (change.pull.merged_at if change.pull else change.commits[0].date).timestamp()


def _closed(change: _Change) -> Iterator[int]:
    yield from dict.fromkeys(int(number) for _, number in _CLOSES.findall(change.text))


def _change_item(change: _Change, closed: list[Issue], people: People) -> tuple[float, DigestItem]:
    pull, first = change.pull, change.commits[0] if change.commits else None
    files, more = _files(change)
    seen = _evidence(change, files, len(closed))
    kind = ranking.category(seen)
    if kind in ("upkeep", "other") and closed and _FIXES.search(change.text):
        kind = "fix"
    routine = ranking.is_routine(seen)
    item = DigestItem(
        ref=f"PR{pull.number}" if pull else f"C{first.sha[:7] if first else ''}",
        kind="pull" if pull else "commit",
        title=change.title,
        category=kind,
        people=tuple(people.once(change.named)),
        number=pull.number if pull else None,
        url=pull.url if pull else first.url if first else None,
        body=change.body,
        files=tuple(files[:FILES_MAX]),
        more_files=more + len(files[FILES_MAX:]),
        labels=pull.labels if pull else (),
        date=pull.merged_at if pull else first.date if first else None,
        is_routine=routine,
        closes=tuple(_issue_item(issue) for issue in closed),
        folded=tuple(_folded(change, closed)),
    )
    return ranking.score(seen, kind) - ROUTINE * routine, item


def _evidence(change: _Change, files: list[str], closes: int) -> ranking.Change:
    changed = [file for commit in change.source for file in commit.files]
    return ranking.Change(
        change.title,
        change.body,
        change.pull.labels if change.pull else (),
        files,
        lines=sum(_lines(file) for file in changed),
        new_lines=sum(_lines(f) for f in changed if f.status == "added" and not ranking.is_test(f.path)),
        test_lines=sum(_lines(f) for f in changed if ranking.is_test(f.path)),
        is_pull=change.pull is not None,
        closes=closes,
        by_bots=bool(change.named) and all(is_bot(one) for one in change.named),
    )


def _folded(change: _Change, closed: list[Issue]) -> Iterator[tuple[ItemKind, str]]:
    itself = () if change.pull else change.commits[:1]
    yield from (("commit", c.sha) for c in (*change.merges, *change.commits) if c not in itself)
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    yield from (("issue", f"{issue.number}@{issue.closed_at:{stamp}}") for issue in closed)


def _files(change: _Change) -> tuple[list[str], int]:
    """Paths, the most changed first; how many more there are."""
    sizes: Counter[str] = Counter()
    for file in (file for commit in change.source for file in commit.files):
        sizes[file.path] += _lines(file)
    return [path for path, _ in sizes.most_common()], sum(commit.more_files for commit in change.source)


def _lines(file: FileChange) -> int:
    return (file.additions or 0) + (file.deletions or 0)


def _release_item(release: Release) -> DigestItem:
    return DigestItem(
        ref=f"R{release.tag}",
        kind="release",
        title=release.name.strip() or release.tag,
        category="release",
        url=release.url,
        body=release.body,
        date=release.published_at,
    )


def _scored_issue(issue: Issue) -> tuple[float, DigestItem]:
    item = _issue_item(issue)
    return ranking.score(ranking.Change(issue.title), item.category) - UNCHANGED, item


def _issue_item(issue: Issue) -> DigestItem:
    return DigestItem(
        ref=f"I{issue.number}",
        kind="issue",
        title=issue.title,
        category=ranking.category(ranking.Change(issue.title, labels=issue.labels)),
        number=issue.number,
        url=issue.url,
        labels=issue.labels,
        date=issue.closed_at,
    )
