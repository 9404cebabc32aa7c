"""The contract of a source: it reads one repository's activity in one window and raises SourceError for
all that fails."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from lib.errors import OutsideError
from models.values import Activity, ItemKind

Told = Callable[[Collection[tuple[ItemKind, str]]], set[tuple[ItemKind, str]]]


class SourceError(OutsideError):
    """The repository could not be read."""


class Source(Protocol):
    """One repository."""

    def scan(
        self,
        since: datetime,
        *,
        margin_from: datetime | None = None,
        base: str | None = None,
        told: Told | None = None,
    ) -> Activity:
        """The activity in (since, until], newest first, where `until` is the source's own clock at the
        scan's first answer.

        `margin_from`: read again from there (before `since`) and keep of it only what `told` does not
        know, because items can appear late. `base`: the branch's head at the last scan. `told`: given
        keys, returns those that this job told already; they are dropped wherever they stand, and no
        details are fetched for them. Raises SourceError.
        """
        ...
