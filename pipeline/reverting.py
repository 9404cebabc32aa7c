"""What was undone inside the window cancels, and so does what undid it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from models.values import Commit
from pipeline.joining import Change, LeftOut, said
from pipeline.lineage import Lineage

# The words of git itself (git-revert; since 2.43 a reverted revert says `Reapply`) and of GitHub's Revert
# button, whose pull request says `Reverts owner/name#12` (both seen 2026-11-23).
_SHAS = re.compile(
    r"\bThis reverts (?:merge )?commits?\s+"
    r"([0-9a-f]{7,64}\b(?:(?:\s*,\s*and\s+|\s*,\s*|\s+and\s+)[0-9a-f]{7,64}\b)*)"
)
_SHA = re.compile(r"[0-9a-f]{7,64}")
_REVERTS = re.compile(r"^Reverts (?:([\w.-]+/[\w.-]+)?#|https?://[^/\s]+/(\S+)/pull/)(\d{1,9})\s*$", re.M)
_QUOTED = re.compile(r'(Revert|Reapply) "(.*)"(?:\s*\(#\d{1,9}\))?$')
_NUMBER = re.compile(r"\(#(\d{1,9})\)$|^Merge pull request #(\d{1,9}) from\b")
_PURE = re.compile(r"\W*(?:revert\w*|reapply|back(?:ed|s)? out)\b", re.I)


@dataclass
class _Undoing:
    """What one change undoes: changes as a whole, and single commits of changes that have several; whether
    it does nothing else; whether it also undoes what is not in the window.
    """

    whole: list[Change] = field(default_factory=list)
    parts: list[tuple[Change, str]] = field(default_factory=list)
    is_pure: bool = False
    reaches_back: bool = False

    @property
    def targets(self) -> set[Change]:
        return {*self.whole, *(change for change, _ in self.parts)}


def lasting(changes: Sequence[Change], lineage: Lineage, repository: str, left_out: LeftOut) -> list[Change]:
    """The changes without those that another one of them undid, and without what undid them.

    A revert that is itself undone undoes nothing. One commit of a pull request that has several is taken out
    of it, and the pull request stays. A revert of what is not in the window stays, because that was told.
    `left_out` gets what goes. Commits are found by id, pull requests by number, and both by title only where
    neither is given. `repository`: its `owner/name`; other ones' pull requests do not count.
    """
    undoing = _Finder(changes, lineage, repository).found()
    undone_by: dict[Change, list[Change]] = {change: [] for change in changes}
    for change, found in undoing.items():
        for target in found.targets:
            undone_by[target].append(change)
    try:
        order = list(TopologicalSorter(undone_by).static_order())
    except CycleError:  # no honest history undoes in a circle
        return list(changes)
    gone: set[Change] = set()
    for change in order:  # what undoes comes before what it undoes
        undoers = [one for one in undone_by[change] if one not in gone]
        parts = {sha for one in undoers for target, sha in undoing[one].parts if target is change}
        own = {commit.sha for commit in change.commits}
        if any(change in undoing[one].whole for one in undoers) or (parts and own <= parts):
            gone.add(change)
        elif parts:
            _take_out(change, parts, left_out)
    gone |= {change for change, found in undoing.items() if found.is_pure and not found.reaches_back}
    for change in gone:
        left_out.update(dict.fromkeys(change.keys, "reverted"))
    return [change for change in changes if change not in gone]


def _take_out(change: Change, parts: set[str], left_out: LeftOut) -> None:
    left_out.update({commit.key: "reverted" for commit in change.commits if commit.sha in parts})
    change.commits = [commit for commit in change.commits if commit.sha not in parts]
    change.is_whole = False


class _Finder:
    """Finds what changes say they undo."""

    def __init__(self, changes: Sequence[Change], lineage: Lineage, repository: str) -> None:
        self._changes = changes
        self._lineage = lineage
        self._repository = repository.casefold()
        self._owners = {commit.sha: change for change in changes for commit in change.all_commits}
        self._by_number = {change.pull.number: change for change in changes if change.pull}
        self._by_title: dict[str, list[Change]] = {}
        self._by_start: dict[str, list[str]] = {}

    def found(self) -> dict[Change, _Undoing]:
        """The changes that undo something of the window, and what."""
        undoers = [change for change in self._changes if any(_says(text) for text in _texts(change))]
        if not undoers:
            return {}
        for change in self._changes:
            commits = change.all_commits if len(change.all_commits) == 1 else []
            for title in {change.title, *(said(commit)[0] for commit in commits)}:
                self._by_title.setdefault(title, []).append(change)
        for sha in self._lineage.by_sha:
            self._by_start.setdefault(sha[:7], []).append(sha)
        found = {change: self._undoing(change) for change in undoers}
        return {change: undoing for change, undoing in found.items() if undoing.targets}

    def _undoing(self, change: Change) -> _Undoing:
        undoing = _Undoing(is_pure=_is_pure(change))
        pulls = set(self._pulls(change))
        known = [self._by_number[number] for number in pulls if number in self._by_number]
        undoing.whole += [one for one in known if one is not change]
        shas = [sha for commit in change.all_commits for sha in _shas(commit.message)]
        shas += _shas(change.pull.body) if change.pull else []
        are_here = [self._add(undoing, change, sha) for sha in dict.fromkeys(shas)]
        # A number and an id in one text are two names of the same thing.
        undoing.reaches_back = not known and (not all(are_here) or (bool(pulls) and not are_here))
        if not pulls and not shas:
            undoing.whole += self._titled(change)
        return undoing

    def _pulls(self, change: Change) -> Iterator[int]:
        """Pull requests that it says it undoes: `Revert "x (#1)" (#2)` is number 2 and undoes number 1."""
        for name, path, number in _REVERTS.findall(change.pull.body if change.pull else ""):
            if (name or path or self._repository).casefold() == self._repository:
                yield int(number)
        for title in _titles(change):
            quoted = _QUOTED.match(title)
            if quoted and quoted[1] == "Revert" and (number := _NUMBER.search(quoted[2])):
                yield int(number[1] or number[2])

    def _add(self, undoing: _Undoing, change: Change, sha: str) -> bool:
        """Whether the commit is in the window; then it is undone."""
        full = next((one for one in self._by_start.get(sha[:7], ()) if one.startswith(sha)), None)
        if full is None:
            return False
        owner = self._owners.get(full)
        if owner is None:  # a merge that tells nothing of its own: all that it brought
            self._add_brought(undoing, change, full)
        elif owner is not change:
            if (owner.merge and owner.merge.sha == full) or [c.sha for c in owner.commits] == [full]:
                undoing.whole.append(owner)
            else:
                undoing.parts.append((owner, full))
        return True

    def _add_brought(self, undoing: _Undoing, change: Change, sha: str) -> None:
        for _, brought in self._lineage.brought({sha}):
            for commit in self._lineage.commits_of(brought):
                owner = self._owners.get(commit.sha)
                if owner is not None and owner is not change:
                    undoing.parts.append((owner, commit.sha))

    def _titled(self, change: Change) -> Iterator[Change]:
        """The newest of what has exactly the title that it quotes, and is not newer than itself."""
        for title in _titles(change):
            if quoted := _QUOTED.match(title):
                wanted = quoted[2] if quoted[1] == "Revert" else f'Revert "{quoted[2]}"'
                older = [one for one in self._by_title.get(wanted, ()) if one.when <= change.when]
                yield from sorted(older, key=lambda one: one.when)[-1:]


def _titles(change: Change) -> Iterator[str]:
    yield change.title
    yield from (commit.title for commit in change.all_commits)


def _texts(change: Change) -> Iterator[str]:
    if change.pull:
        yield f"{change.pull.title}\n{change.pull.body}"
    yield from (commit.message for commit in change.all_commits)


def _says(text: str) -> bool:
    return "This reverts " in text or bool(_PURE.match(text)) or bool(_REVERTS.search(text))


def _shas(text: str) -> list[str]:
    return [sha for listed in _SHAS.findall(text) for sha in _SHA.findall(listed)]


def _is_pure(change: Change) -> bool:
    """Whether undoing is all that it does, by its title, or by each of its commits."""
    return bool(_PURE.match(change.title)) or (
        bool(change.commits) and all(_is_pure_commit(commit) for commit in change.commits)
    )


def _is_pure_commit(commit: Commit) -> bool:
    return bool(_PURE.match(commit.title)) or bool(_SHAS.match(commit.body))
