"""How the commits of a window hang together: their order, and what each merge brought into its branch."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence

from models.values import Commit


class Lineage:
    """The commits of one window and their parents among them.

    Sets of commits are whole numbers with a bit for each: 2,000 commits with all their ancestors are then
    500 kB, and a window with 600 merges takes milliseconds.
    """

    def __init__(self, commits: Sequence[Commit]) -> None:
        self.by_sha = {commit.sha: commit for commit in commits}
        self.order = self._ordered()
        self._place = {commit.sha: place for place, commit in enumerate(self.order)}

    def _ordered(self) -> list[Commit]:
        """Parents first. What names itself as its own ancestor, as no git history can, is left out."""
        children: dict[str, list[str]] = {}
        waits: dict[str, int] = {}
        for commit in self.by_sha.values():
            parents = {sha for sha in commit.parents if sha in self.by_sha}
            waits[commit.sha] = len(parents)
            for sha in parents:
                children.setdefault(sha, []).append(commit.sha)
        ready = deque(sha for sha in reversed(self.by_sha) if not waits[sha])
        order = []
        while ready:
            sha = ready.popleft()
            order.append(self.by_sha[sha])
            for child in children.get(sha, ()):
                waits[child] -= 1
                if not waits[child]:
                    ready.append(child)
        return order

    def brought(self, merges: Collection[str]) -> Iterator[tuple[Commit, int]]:
        """Each of these merges, ancestors first, with the set of commits that it brought into its branch:
        those that its other parents reach and its first one does not.
        """
        waiting = dict.fromkeys(self.by_sha, 0)
        for commit in self.order:
            for sha in commit.parents:
                if sha in waiting:
                    waiting[sha] += 1
        reach: dict[str, int] = {}
        for place, commit in enumerate(self.order):
            sets = [reach.get(sha, 0) for sha in commit.parents]
            if commit.sha in merges and len(sets) > 1:
                yield commit, _union(sets[1:]) & ~sets[0]
            if waiting[commit.sha]:
                reach[commit.sha] = _union(sets) | 1 << place
            for sha in commit.parents:
                if sha in waiting:
                    waiting[sha] -= 1
                    if not waiting[sha]:  # nobody asks for it again
                        reach.pop(sha, None)

    def set_of(self, shas: Iterable[str]) -> int:
        """These commits as a set."""
        found = 0
        for sha in shas:
            if sha in self._place:
                found |= 1 << self._place[sha]
        return found

    def commits_of(self, found: int) -> Iterator[Commit]:
        """The commits of a set, children first."""
        while found:
            place = found.bit_length() - 1
            found ^= 1 << place
            yield self.order[place]


def _union(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found
