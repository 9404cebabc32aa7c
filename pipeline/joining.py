"""What belongs together is one change: a pull request, its merge or squash commit, its own commits."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from models.values import Activity, Commit, Key, LeftOutReason, Person, PullRequest
from pipeline.lineage import Lineage

LeftOut = dict[Key, LeftOutReason]

_TRAILER = re.compile(
    r"[A-Z][A-Za-z]*(?:-[A-Za-z]+)+: .*|(?:refs?|see|fix\w*|clos\w*|resolv\w*):?\s+\S*#\d+.*", re.I
)
_PLAIN_MERGE = re.compile(
    r"(?:Merge (?:pull request|branch|remote-tracking|tag|commit|branches)|Merged in)\b"
)
_MERGED_PULL = re.compile(r"Merge pull request #(\d{1,9}) from\b")
_NUMBERED = re.compile(r"^(.*?)\s*\(#(\d{1,9})\)$")
_ABSENT = -1


@dataclass(eq=False)
class Change:
    """A pull request with its commits, or a commit by itself.

    `commits`: its own without merges, newest first. `merges`: those among them, `merge` the one that brought
    it into the branch. `is_whole`: that merge brought nothing that another change tells. `copies`: the same
    once more, picked from it.
    """

    commits: list[Commit] = field(default_factory=list)
    pull: PullRequest | None = None
    merges: list[Commit] = field(default_factory=list)
    merge: Commit | None = None
    is_whole: bool = True
    copies: list["Change"] = field(default_factory=list)

    @property
    def named_by(self) -> Commit | None:
        """The commit whose title it bears where there is no pull request."""
        return self.merge or next(iter((*self.commits, *self.merges)), None)

    @property
    def title(self) -> str:
        if self.pull:
            return self.pull.title
        return said(self.named_by)[0] if self.named_by else ""

    @property
    def body(self) -> str:
        if self.pull and self.pull.body.strip():
            return self.pull.body
        if self.merge and not self.pull:
            return without_trailers(said(self.merge)[1])
        # Several commits explain only their own parts.
        return without_trailers(said(self.commits[0])[1]) if len(self.commits) == 1 else ""

    @property
    def all_commits(self) -> list[Commit]:
        return [*self.merges, *self.commits]

    @property
    def key(self) -> Key:
        if self.pull:
            return self.pull.key
        assert self.named_by is not None  # noqa: S101 - a change without both is never made
        return self.named_by.key

    @property
    def keys(self) -> list[Key]:
        """Of all it stands for, its own first."""
        keys = [self.key, *(commit.key for commit in self.all_commits)]
        return list(dict.fromkeys([*keys, *(key for copy in self.copies for key in copy.keys)]))

    @property
    def named(self) -> list[Person]:
        """Authors and co-authors."""
        named = [self.pull.author] if self.pull and self.pull.author else []
        return named + [one for commit in self.commits for one in (commit.author, *commit.co_authors)]

    @property
    def source(self) -> list[Commit]:
        """Where its files are told. The merge has what remained in the end, and nothing twice; its own
        commits serve where the merge was read without files, or brought more than this change.
        """
        if self.merge and self.is_whole and (self.merge.files or not self.commits):
            return [self.merge]
        return self.commits or self.merges

    @property
    def when(self) -> datetime:
        if self.pull:
            return self.pull.merged_at
        assert self.named_by is not None  # noqa: S101 - as above
        return self.named_by.date


def said(commit: Commit) -> tuple[str, str]:
    """Title and body. A merge of a pull request has the title that people gave it in its second paragraph."""
    if _MERGED_PULL.match(commit.title) and commit.body:
        title, _, body = commit.body.partition("\n")
        return title.strip(), body.strip()
    return commit.title, commit.body


def without_trailers(body: str) -> str:
    """Without the last paragraph where it holds nothing but trailers (`Signed-off-by: …`, `Fixes #12`)."""
    head, _, last = body.rstrip().rpartition("\n\n")
    lines = last.splitlines()
    return head if lines and all(_TRAILER.fullmatch(line.strip()) for line in lines) else body


def asked(activity: Activity) -> set[Key]:
    """What an earlier run may have told of the same things: the pull requests that commits of the window
    name though it has none of that number, and the merge commits of its pull requests that it has not.
    """
    numbers = {pull.number for pull in activity.pulls}
    shas = {commit.sha for commit in activity.commits}
    keys: set[Key] = {("pull", str(n)) for c in activity.commits if (n := _landed(c)) and n not in numbers}
    return keys | {("commit", p.merge_sha) for p in activity.pulls if p.merge_sha and p.merge_sha not in shas}


def _landed(commit: Commit) -> int | None:
    """The pull request that this commit surely brought in: it says so, and is a merge or the forge's own."""
    is_merge = len(commit.parents) > 1
    if is_merge and (named := _MERGED_PULL.match(commit.title)):
        return int(named[1])
    # `(#12)` may as well name an issue (contracts of GitHub, seen 2026-11-23).
    numbered = _NUMBERED.match(commit.title) if is_merge or commit.by_forge else None
    return int(numbered[2]) if numbered else None


def _mentioned(commit: Commit) -> int | None:
    """The number that its title ends with, or that it says it merges; a pull request has to prove it."""
    found = _MERGED_PULL.match(commit.title)
    number = found[1] if found else (n[2] if (n := _NUMBERED.match(commit.title)) else None)
    return int(number) if number else None


def join(activity: Activity, lineage: Lineage, told: Collection[Key] = ()) -> tuple[list[Change], LeftOut]:
    """The changes of a window, each commit and pull request in one of them, or left out for a reason.

    By ids first: merge commits and other commits that a pull request names, and what its merge brought into
    the branch, inner merges before outer ones. By text last: `Merge pull request #N`, and a title that ends
    with `(#N)` where there is a pull request N. `told`: which of `asked` were told by an earlier run.
    """
    work = _Join(activity, lineage)
    work.by_ids()
    work.by_number(lambda change, _: not change.all_commits)
    work.by_merges({change.merge.sha: change for change in work.changes if change.merge})
    work.by_number(_is_copy)
    work.lone_merges(told)
    return work.rest(told), work.left_out


def _is_copy(change: Change, commit: Commit) -> bool:
    """Whether a commit that names this pull request says what it says: a follow-up does not."""
    title = _bare(said(commit)[0])
    return title in {_bare(one) for one in (change.title, *(said(c)[0] for c in change.all_commits))}


def _bare(title: str) -> str:
    numbered = _NUMBERED.match(title)
    return (numbered[1] if numbered else title).strip().casefold()


class _Join:
    """The work of `join`, step by step: each commit is claimed once."""

    def __init__(self, activity: Activity, lineage: Lineage) -> None:
        self.lineage = lineage
        self.changes = [Change(pull=pull) for pull in activity.pulls]
        self.left_out: LeftOut = {}
        self._commits = list(lineage.by_sha.values())
        self._claimed: set[str] = set()

    def by_ids(self) -> None:
        by_sha = self.lineage.by_sha
        for change in self.changes:
            if change.pull and change.pull.merge_sha in by_sha:
                self._claim(change, by_sha[change.pull.merge_sha], lands=True)
        for (
            change
        ) in self.changes:  # only now: an outer pull request may name an inner one's merge as its own
            for sha in change.pull.commits if change.pull else ():
                if sha in by_sha:
                    self._claim(change, by_sha[sha])

    def by_number(self, fits: Callable[[Change, Commit], bool]) -> None:
        numbers = {change.pull.number: change for change in self.changes if change.pull}
        found = [
            (change, commit)
            for commit in self._free()
            if (change := numbers.get(_mentioned(commit) or _ABSENT)) and fits(change, commit)
        ]
        for change, commit in found:
            self._claim(change, commit, lands=True)

    def by_merges(self, owners: dict[str, Change]) -> None:
        claimed = self.lineage.set_of(self._claimed)
        for merge, brought in self.lineage.brought(owners.keys()):
            change = owners[merge.sha]
            own = self.lineage.set_of(commit.sha for commit in change.all_commits)
            change.is_whole = not brought & claimed & ~own
            fresh = brought & ~claimed
            claimed |= fresh
            for commit in self.lineage.commits_of(fresh):
                self._claim(change, commit)

    def lone_merges(self, told: Collection[Key]) -> None:
        """Merges without a pull request of the window: one that lands a numbered piece of work is that work,
        or repeats what was told; any other tells nothing of its own, as long as its commits do.
        """
        landing: dict[str, Change] = {}
        for commit in self._free():
            if len(commit.parents) < 2:
                continue
            number = _landed(commit)
            is_told = ("pull", str(number)) in told
            if number and (is_told or not _PLAIN_MERGE.match(said(commit)[0])):
                landing[commit.sha] = Change()
                self._claim(landing[commit.sha], commit, lands=True)
            elif _PLAIN_MERGE.match(commit.title) or any(
                p in self.lineage.by_sha for p in commit.parents[1:]
            ):
                self._leave(commit.key, "merge")
        self.by_merges(landing)
        for change in landing.values():
            if change.merge and ("pull", str(_landed(change.merge))) in told:
                for key in change.keys:
                    self._leave(key, "told")
            else:
                self.changes.append(change)

    def rest(self, told: Collection[Key]) -> list[Change]:
        for commit in self._free():
            if len(commit.parents) < 2 and ("pull", str(_landed(commit))) in told:
                self._leave(commit.key, "told")
        alone = [Change([c]) if len(c.parents) < 2 else Change(merges=[c], merge=c) for c in self._free()]
        return [change for change in self.changes if not self._was_told(change, told)] + alone

    def _was_told(self, change: Change, told: Collection[Key]) -> bool:
        """Whether an earlier run told the commit that merged it, and nothing of it came since."""
        pull = change.pull
        is_told = bool(pull and not change.all_commits and ("commit", pull.merge_sha) in told)
        if is_told:
            self._leave(change.key, "told")
        return is_told

    def _free(self) -> Iterator[Commit]:
        yield from [c for c in self._commits if c.sha not in self._claimed and c.key not in self.left_out]

    def _claim(self, change: Change, commit: Commit, *, lands: bool = False) -> None:
        if commit.sha in self._claimed:
            return
        self._claimed.add(commit.sha)
        is_merge = len(commit.parents) > 1
        (change.merges if is_merge else change.commits).append(commit)
        if is_merge and lands and not change.merge:
            change.merge = commit

    def _leave(self, key: Key, reason: LeftOutReason) -> None:
        self.left_out[key] = reason
        if key[0] == "commit":
            self._claimed.add(key[1])
