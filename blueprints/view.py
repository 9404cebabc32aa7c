"""How things are said on a page: states, instants and durations as words, finished for the templates."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import g, has_request_context
from flask_login import current_user

from lib import clock, words
from lib.cron import clock_words
from lib.words import plural
from lib.zones import zone

TRIGGERS = {"scheduled": "on schedule", "manual": "by hand", "webhook": "by a webhook", "retry": "as a retry"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A state: the name of its icon, its word, and its tone (ok, warn, bad, live or quiet)."""

    icon: str
    word: str
    tone: str


MARKS = {
    "IDLE": Mark("ok", "Idle", "ok"),
    "DISABLED": Mark("pause", "Disabled", "quiet"),
    "PAUSED": Mark("pause", "Paused", "warn"),
    "QUEUED": Mark("wait", "Queued", "live"),
    "RUNNING": Mark("run", "Running", "live"),
    "RETRYING": Mark("wait", "Waiting to retry", "warn"),
    "COMPLETED": Mark("ok", "Done", "ok"),
    "SUCCESS": Mark("ok", "Success", "ok"),
    "PARTIAL": Mark("warn", "Partial", "warn"),
    "NO_ACTIVITY": Mark("none", "No activity", "quiet"),
    "NOT_SIGNIFICANT": Mark("none", "Too little to tell", "quiet"),
    "FAILED": Mark("bad", "Failed", "bad"),
    "TIMEOUT": Mark("time", "Timed out", "bad"),
    "CANCELLED": Mark("stop", "Cancelled", "quiet"),
    "SKIPPED": Mark("skip", "Skipped", "quiet"),
    "JOB_SUCCESS": Mark("ok", "Success", "ok"),
    "JOB_PARTIAL": Mark("warn", "Partial", "warn"),
    "JOB_FAILED": Mark("bad", "Failed", "bad"),
    "JOB_TIMEOUT": Mark("time", "Timed out", "bad"),
    "JOB_RECOVERED": Mark("ok", "Works again", "ok"),
    "JOB_PAUSED": Mark("pause", "Paused", "warn"),
    "DRAFTS_WAIT": Mark("wait", "Drafts wait", "live"),
    "TOKEN_EXPIRES": Mark("time", "Token expires", "warn"),
}
_MONTHS = tuple(f"{datetime(2000, month, 1, tzinfo=UTC):%b}" for month in range(1, 13))
_CLOCK = re.compile(r"\b(1?\d):(\d\d) (AM|PM)\b")
DID_NOT = "An attempt before did not succeed:"
HANDED_ON = Mark("skip", "Handed on", "quiet")
IDLE_AFTER_FAILURE = Mark("bad", "Idle, the last run failed", "bad")


def mark_of(execution: Any) -> Mark:
    """An execution's outcome, or its status while it has none."""
    return MARKS[execution.outcome or execution.status]


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `words` in a zone, `exact` for the tooltip, `iso` for machines, `relative` to now."""

    words: str
    exact: str
    iso: str
    relative: str


def upcoming(instant: datetime, zone_name: str) -> Moment:
    """`Tomorrow at 9:00 AM UTC`."""
    local = instant.astimezone(zone(zone_name))
    said = f"{_day(local)} at {_time(local)} {abbreviation(local)}"
    return _moment(instant, local, said)


def past(instant: datetime, zone_name: str, *, named: bool = False) -> Moment:
    """`Yesterday 9:00 AM`; `named` adds the zone where nothing beside it tells."""
    local = instant.astimezone(zone(zone_name))
    said = f"{_day(local)} {_time(local)}"
    return _moment(instant, local, f"{said} {abbreviation(local)}" if named else said)


def listed(instant: datetime, zone_name: str) -> Moment:
    """As `past`, for lists that say no more: without how long ago, so that it stays the same all day."""
    local = instant.astimezone(zone(zone_name))
    return _moment(instant, local, f"{_day(local)} {_time(local)}", "")


def day(instant: datetime, zone_name: str) -> str:
    """`Yesterday`: what heads the lines of a day."""
    return _day(instant.astimezone(zone(zone_name)))


def shorts(zone_name: str) -> Callable[[datetime], str]:
    """`3 Oct 9:00 AM`: words alone, for titles. For very many instants of one zone: what all of them share is
    looked up once."""
    place, is_24 = zone(zone_name), in_24_hours()
    this_year = clock.now().astimezone(place).year

    def said(instant: datetime) -> str:
        local = instant.astimezone(place)
        return f"{_date_in(local, this_year)} {_hour(local, is_24)}"

    return said


def dated(instant: datetime, zone_name: str) -> Moment:
    """`3 Oct at 9:00 AM UTC`: for within a sentence, where `Yesterday` would stand badly."""
    local = instant.astimezone(zone(zone_name))
    return _moment(instant, local, f"{_date(local)} at {_time(local)} {abbreviation(local)}")


def between(first: datetime, last: datetime, zone_name: str) -> tuple[Moment, Moment]:
    """Two instants of one sentence; what both have in common is said once, with the second."""
    one, other = (instant.astimezone(zone(zone_name)) for instant in (first, last))
    said = f"{_date(one)} at {_time(one)}"
    if first == last or abbreviation(one) != abbreviation(other):
        said += f" {abbreviation(one)}"
    return _moment(first, one, said), dated(last, zone_name)


def exactly(instant: datetime, zone_name: str) -> Moment:
    """`3 Oct 2025, 9:00:02 AM UTC`."""
    local = instant.astimezone(zone(zone_name))
    hours, *half = _time(local).split()
    time = " ".join([f"{hours}:{local.second:02d}", *half])
    said = f"{local.day} {local:%b %Y}, {time} {abbreviation(local)}"
    return _moment(instant, local, said)


def ends(first: datetime, last: datetime, zone_name: str) -> tuple[Moment, Moment]:
    """`3 Oct 2025, 9:00:02 AM` and `9:00:06 AM UTC`: what both have in common is said once."""
    one, other = (instant.astimezone(zone(zone_name)) for instant in (first, last))
    begun, ended = exactly(first, zone_name), exactly(last, zone_name)
    if one.date() == other.date():
        ended = replace(ended, words=ended.words.partition(", ")[2])
    if abbreviation(one) == abbreviation(other):
        begun = replace(begun, words=begun.words.removesuffix(f" {abbreviation(one)}"))
    return begun, ended


def _moment(instant: datetime, local: datetime, said: str, ago: str | None = None) -> Moment:
    exact = f"{_seconds(local)} {abbreviation(local)}"
    if local.utcoffset():
        exact += f" ({_seconds(instant.astimezone(UTC))} UTC)"
    return Moment(said, exact, clock.iso(instant) or "", relative(instant) if ago is None else ago)


def _seconds(local: datetime) -> str:
    """`2025-10-03 09:00:02`."""
    return local.isoformat(" ", "seconds")[:19]


def abbreviation(local: datetime) -> str:
    """`CET`; zones that have no letters are named by their offset, `UTC+05:30`."""
    name = local.tzname() or "UTC"
    return name if name.isalpha() else _by_offset(local)


def _by_offset(local: datetime) -> str:
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _time(local: datetime) -> str:
    return _hour(local, in_24_hours())


def _hour(local: datetime, is_24: bool) -> str:
    return f"{local.hour:02d}:{local.minute:02d}" if is_24 else clock_words(local.hour, local.minute)


def schedule(said: str) -> str:
    """A schedule's words with their times as the reader has chosen: `Daily at 21:00 UTC`."""
    return _CLOCK.sub(_of_24, said) if in_24_hours() else said


def _of_24(found: re.Match[str]) -> str:
    hour = int(found[1]) % 12 + (12 if found[3] == "PM" else 0)
    return f"{hour:02d}:{found[2]}"


def in_24_hours() -> bool:
    """As whoever is signed in has chosen; nobody is where a page is made outside a request. Looked up once a
    request: a page says hundreds of times."""
    if not has_request_context():
        return False
    if "in_24_hours" not in g:
        g.in_24_hours = bool(current_user.is_authenticated and current_user.time_format == "24")
    found: bool = g.in_24_hours
    return found


def _date(local: datetime) -> str:
    return _date_in(local, clock.now().astimezone(local.tzinfo).year)


def _date_in(local: datetime, this_year: int) -> str:
    said = f"{local.day} {_MONTHS[local.month - 1]}"
    return said if local.year == this_year else f"{said} {local.year}"


def _day(local: datetime) -> str:
    today = clock.now().astimezone(local.tzinfo).date()
    ahead = (local.date() - today).days
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}
    if ahead in near:
        return near[ahead]
    if -7 < ahead < 0:
        return f"{-ahead} days ago"
    if 0 < ahead < 7:
        return f"{local:%A}"
    return _date(local)


def relative(instant: datetime) -> str:
    """`in 14 h`, `3 min ago`, `just now`."""
    seconds = (instant - clock.now()).total_seconds()
    if abs(seconds) < 2:
        return "just now"
    about = amount(abs(seconds))
    return f"in {about}" if seconds > 0 else f"{about} ago"


def amount(seconds: float) -> str:
    """About so long: `12 min`."""
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "day" else 1) - 0.5:
            number = round(seconds / size)
            return f"{number} {unit}" + ("s" if unit == "day" and number != 1 else "")
    return f"{round(seconds)} s"


def duration(milliseconds: int | None) -> str:
    """`14s`; a dash for what has none."""
    return "–" if milliseconds is None else words.duration(milliseconds)


def span(seconds: int) -> str:
    """A chosen length of time: `5 minutes`, `90 seconds`, `1 hour`."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds and seconds % size == 0:
            return plural(seconds // size, unit)
    return plural(seconds, "second")


def sentence(text: str) -> str:
    """It begins with a capital."""
    return text[:1].upper() + text[1:]


def safe_url(url: object) -> str | None:
    """An address that may become a link: http or https, nothing else."""
    if isinstance(url, str) and urlsplit(url).scheme in ("http", "https"):
        return url
    return None
