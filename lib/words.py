"""Numbers, lists, times and lengths, as a person would write them."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONVENTIONAL = re.compile(r"([A-Za-z]+)(?:\(([^()]{1,40})\))?(!)?:\s+(?=\S)")
_KINDS = re.compile(
    "feat|feature|fix|bugfix|hotfix|perf|docs?|chore|ci|build|tests?|style|refactor|revert|deps", re.I
)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Prefixed(NamedTuple):
    """A title taken apart: `kind(scope)!: rest`. Without such a prefix `kind` and `scope` are empty."""

    kind: str
    scope: str
    is_breaking: bool
    rest: str


def conventional(title: str) -> Prefixed:
    """A commit title by conventionalcommits.org 1.0.0; a prefix of no known kind stays in the title."""
    found = _CONVENTIONAL.match(title)
    if not found or not _KINDS.fullmatch(found[1]):
        return Prefixed("", "", False, title)
    return Prefixed(found[1].lower(), found[2] or "", bool(found[3]), title[found.end() :])


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 commit`, `3 commits`, `1,024 commits`; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`; empty for none."""
    *head, last = words or [""]
    return f"{', '.join(head)} and {last}" if head else last


def duration(milliseconds: int) -> str:
    """`0.4s`, `14s`, `1m 5s`, `2h 3m`."""
    if 0 < milliseconds < 950:
        return f"{max(milliseconds, 100) / 1000:.1f}s"
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    big, small = (f"{hours}h", f"{minutes}m") if hours else (f"{minutes}m", f"{rest}s")
    return big if int(small[:-1]) == 0 else f"{big} {small}"


def day(value: date) -> str:
    """`3 October 2025`, the same in every locale."""
    return f"{value.day} {month(value)}"


def days_ahead(end: datetime, now: datetime) -> str:
    """How far off a future instant is, by the calendar of UTC: `today`, `tomorrow`, `in 14 days`."""
    days = (end.astimezone(UTC).date() - now.astimezone(UTC).date()).days
    return "today" if days <= 0 else "tomorrow" if days == 1 else f"in {plural(days, 'day')}"


def month(value: date) -> str:
    """`October 2025`."""
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return f"{names[value.month - 1]} {value.year}"


def span(since: date, until: date, length: timedelta, cadence: str) -> str:
    """A window in words that fit after `in`: its own length decides, never the schedule alone.

    `since`, `until`: its two ends on the readers' calendar. `length`: between the two instants.
    `cadence`: how often it is told (`daily`, `weekly`, `monthly` or anything else); a week or month is named
    only to those who read of it weekly or monthly, the others are told the number of days.
    """
    hours = length / timedelta(hours=1)
    days = round(hours / 24)
    if hours < 1.5:
        minutes = round(hours * 60)
        return (
            "the last hour"
            if minutes > 54
            else f"the last {minutes} minutes"
            if minutes > 1
            else "the last minute"
        )
    if hours < 47:
        return f"the last {24 if 22 <= hours <= 26 else round(hours)} hours"
    if days <= 5:
        return f"the last {days} days"
    if days == 7 and cadence == "weekly":
        return f"the week to {day(until)}"
    if 27 <= days <= 32 and cadence == "monthly":
        return month(since) if _is_month(since, until) else f"the month to {day(until)}"
    if since.year < 2000:  # nobody means the epoch
        return f"the whole history up to {day(until)}"
    if days >= 700:
        return f"the {round(days / 365.25)} years to {day(until)}"
    if days >= 60:
        return f"the {round(days / 30.44)} months to {day(until)}"
    return f"the {days} days to {day(until)}"


def _is_month(since: date, until: date) -> bool:
    return since.day == 1 and 1 in (until.day, (until + timedelta(days=1)).day)


def one_line(text: str) -> str:
    """Without control and invisible characters (which hide text or turn its direction), spaces joined."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(_CONTROL.sub(" ", text).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences if a good part remains, else whole words and `…`."""
    if len(text) <= limit:
        return text
    head = text[: max(limit - 1, 0)]
    ends = [found.end() for found in re.finditer(r"[.!?](?=\s)", text[:limit])]
    if ends and ends[-1] >= limit // 2:
        return text[: ends[-1]]
    kept = head.rpartition(" ")[0] if " " in head and not text[len(head)].isspace() else head
    return (kept or head).rstrip(" ,;:-–(") + "…" if limit > 0 else ""


def utf16(text: str) -> int:
    """The length that LinkedIn and JavaScript count: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
