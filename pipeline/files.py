"""Which files a change touched, and by how much; where that was not read, nothing is claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.values import Commit, FileChange
from pipeline.joining import Change


@dataclass(frozen=True)
class Touched:
    """Files, the most changed first. `more` counts those that the source did not list, None where it is not
    known; `additions` and `deletions` are None where not all of them are known.
    """

    files: tuple[FileChange, ...] = ()
    more: int | None = 0
    additions: int | None = None
    deletions: int | None = None


class Files:
    """The files of one window's commits, which are given newest first.

    A source reads the files of the newest commits, up to a cap. So a commit without files touched none if an
    older one has some; else nobody knows.
    """

    def __init__(self, commits: Sequence[Commit]) -> None:
        last = max((place for place, commit in enumerate(commits) if commit.files), default=-1)
        self._unread = {commit.sha for commit in commits[last + 1 :]}

    def of(self, change: Change) -> Touched:
        """What one change touched, each file once."""
        source = change.source
        files = _most_changed_first(file for commit in source for file in commit.files)
        more: int | None = sum(commit.more_files for commit in source)
        if any(commit.sha in self._unread for commit in source) or (more and len(source) > 1):
            more = None  # the commits may have changed the same ones
        if more != 0 or not files:
            return Touched(files, more)
        return Touched(files, more, _sum(f.additions for f in files), _sum(f.deletions for f in files))

    def size_of(self, changes: Iterable[Change]) -> tuple[int | None, int | None, int | None]:
        """Lines added and deleted by all of them, and how many files they touched; None unless all of it is
        known.
        """
        paths: set[str] = set()
        additions = deletions = 0
        for change in changes:
            if not change.all_commits:
                continue  # its commits lie elsewhere, as those of another branch do
            found = self.of(change)
            if found.more != 0:
                return None, None, None
            paths.update(file.path for file in found.files)
            additions += found.additions or 0
            deletions += found.deletions or 0
        return additions, deletions, len(paths)


def lines(file: FileChange) -> int:
    """Added and deleted; 0 where the source does not count."""
    return (file.additions or 0) + (file.deletions or 0)


def _most_changed_first(files: Iterable[FileChange]) -> tuple[FileChange, ...]:
    merged: dict[str, FileChange] = {}
    for file in files:  # newest first
        known = merged.get(file.path)
        if known is None:
            merged[file.path] = file
            continue
        merged[file.path] = replace(
            known,
            status="added" if "added" in (known.status, file.status) else known.status,
            additions=_both(known.additions, file.additions),
            deletions=_both(known.deletions, file.deletions),
        )
    return tuple(sorted(merged.values(), key=lines, reverse=True))


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _sum(counts: Iterable[int | None]) -> int | None:
    """What was counted; None where nothing was, as in binary files alone."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
