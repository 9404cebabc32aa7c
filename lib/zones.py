"""Time zones, always from the pinned `tzdata` package.

Python prefers the system's zone files, which may be years old and name other offsets. Importing this module
turns the whole process away from them and forgets what was read from them before.
"""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

MINUTE = timedelta(minutes=1)
_PROBE = timedelta(days=4)  # no zone changes its offset twice within this time
_NOT_PLACES = {"Factory", "leapseconds", "localtime", "posixrules"}


class UnknownZone(ValueError):
    """The name is no IANA time zone; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one year under one UTC offset. `start` and `end` (excluded) are UTC.

    `before` is the offset in force just before `start`; it equals `offset` where only a new year begins.
    """

    start: datetime
    end: datetime
    before: timedelta
    offset: timedelta


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Europe/Berlin`, case and all. Raises UnknownZone with a hint."""
    if name not in _known():
        raise UnknownZone(f"There is no time zone {name[:60]!r}: {_suggestion(name[:60])}.")
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Every name that `zone` takes, sorted; aliases such as `US/Eastern` are among them."""
    return tuple(sorted(_known()))


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - _NOT_PLACES)


def _suggestion(name: str) -> str:
    by_lower = {known.lower(): known for known in names()}
    close = get_close_matches(name.lower().replace(" ", "_"), by_lower, n=1, cutoff=0.75)
    return f"did you mean {by_lower[close[0]]!r}" if close else "use a name such as 'Europe/Berlin' or 'UTC'"


def happens_twice(place: ZoneInfo, local: datetime) -> bool:
    """Whether this naive local time occurs twice because clocks are put back over it."""
    first = local.replace(tzinfo=place, fold=0).utcoffset() or timedelta()
    second = local.replace(tzinfo=place, fold=1).utcoffset() or timedelta()
    return first > second


@lru_cache(maxsize=4096)
def spans(place: ZoneInfo, year: int) -> tuple[Span, ...]:
    """The stretches of equal offset that make up one UTC year, in order and without holes."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    edges = [start, *_changes(place, start, end - MINUTE), end]
    return tuple(
        Span(since, until, _offset(place, since - MINUTE), _offset(place, since))
        for since, until in pairwise(edges)
    )


def _changes(place: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The minutes after `start` and up to `end` at which a new offset comes into force."""
    probes = [start]
    while probes[-1] < end:
        probes.append(min(probes[-1] + _PROBE, end))
    offsets = [_offset(place, probe) for probe in probes]
    return [
        _change(place, early, late)
        for (early, late), (old, new) in zip(pairwise(probes), pairwise(offsets), strict=True)
        if old != new
    ]


def _change(place: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The one change between two instants, found by halving."""
    old = _offset(place, early)
    while late - early > MINUTE:
        middle = early + (late - early) // (2 * MINUTE) * MINUTE
        if _offset(place, middle) == old:
            early = middle
        else:
            late = middle
    return late


def _offset(place: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(place).utcoffset() or timedelta()
