"""The contract of a source: it reads one repository's activity in one window and raises SourceError for
all that fails."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lib.errors import OutsideError
from models.values import Activity, ItemKind

Told = Callable[[Collection[tuple[ItemKind, str]]], set[tuple[ItemKind, str]]]


class SourceError(OutsideError):
    """The repository could not be read."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of a window is read. `commits`: with their messages; `details`: the newest of them with their
    files; `files`: of one commit; `text`: characters of a body or of notes."""

    commits: int = 2_000
    details: int = 50
    files: int = 100
    text: int = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier scans learned: the repository's own id, and the ETag of its description at the last scan
    that read everything."""

    id: int | None = None
    etag: str | None = None


class Source(Protocol):
    """One repository."""

    def scan(
        self,
        since: datetime,
        *,
        margin_from: datetime | None = None,
        base: str | None = None,
        told: Told | None = None,
        known: Known | None = None,
    ) -> Activity:
        """The activity in (since, until], newest first, where `until` is the source's own clock at the
        scan's first answer.

        Commits are those reachable from the branch's head and not from `base`, its head at the last scan,
        whatever their dates; without `base`, or when it is lost, they are taken by date like all else.
        `margin_from`: read again from there (before `since`) and keep of it only what `told` does not
        know, because items can appear late. `told`: given keys, returns those that this job told already;
        they are dropped wherever they stand, and no details are fetched for them. `known`: lets a source
        that finds nothing changed answer with `unchanged`. Raises SourceError.
        """
        ...

    def contains(self, tag: str, sha: str) -> bool:
        """Whether the release's or tag's commit has this one among its ancestors, or is it. Raises
        SourceError."""
        ...
