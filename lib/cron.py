"""Cron expressions, and the one answer to "when does it run next?".

The rules are those of Debian cron 3.0pl1-162: crontab(5) and cron(8), read 2026-11-23, and the loop of cron.c
that they describe. The code is our own because croniter repeats fixed times in the autumn hour, and no
library both follows Debian's rules and answers from inside that hour. A set of numbers is an int whose bit n
means n.
"""

import calendar
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count, pairwise
from zoneinfo import ZoneInfo

from lib.zones import MINUTE, Span, spans

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LONGEST = 500  # characters; every value of every field, listed, has fewer
_WEEKS = sum(1 << 7 * week for week in range(5))
_MONTH_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# cron(8): a larger change is a correction, "the new time is used immediately"
_CORRECTION = timedelta(hours=3)
_RECENT = timedelta(days=2)  # a change further back has no effect any more, in any zone


class CronError(ValueError):
    """The expression cannot be used; the text names the field and the fix."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, tuple(name[:3].lower() for name in MONTHS)),
    _Field("day-of-week", 0, 7, tuple(name[:3].lower() for name in WEEKDAYS)),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A validated expression. Made by `parse`, never by hand.

    `wildcard`: the minute or hour field starts with `*`, so that clock changes are followed by elapsed time.
    `both_days`: day-of-month or day-of-week starts with `*`, so that a day must match both; otherwise either.
    `clip`: a day past the end of a month falls on that month's last day (which no cron expression can say).
    """

    expression: str
    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    wildcard: bool
    both_days: bool
    clip: bool = False

    def next_local(self, after: datetime) -> datetime:
        """The first matching wall-clock minute later than `after`; both naive, clock changes left aside."""
        start = after.replace(second=0, microsecond=0) + MINUTE
        if (self._days_of(start.year, start.month) >> start.day) & 1:
            hour, minute = self._time_from(start.hour, start.minute)
            if hour >= 0:
                return start.replace(hour=hour, minute=minute)
        return self._first_time_from_day(start, start.day + 1)

    def _time_from(self, hour: int, minute: int) -> tuple[int, int]:
        """The first matching time of day at or after this one; the hour is -1 where the day has none left."""
        if (self.hours >> hour) & 1:
            later = _lowest(self.minutes, minute)
            if later >= 0:
                return hour, later
        return _lowest(self.hours, hour + 1), _lowest(self.minutes, 0)

    def _first_time_from_day(self, start: datetime, day: int) -> datetime:
        year, month, hour, minute = start.year, start.month, _lowest(self.hours, 0), _lowest(self.minutes, 0)
        while (found := _lowest(self._days_of(year, month), day)) < 0:
            year, month, day = (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)
        return start.replace(year=year, month=month, day=found, hour=hour, minute=minute)

    def count_local(self, start: datetime, end: datetime) -> int:
        """How many matching wall-clock minutes lie from `start` on and before `end`, naive full minutes both.

        Counted by the month, not by the minute; clock changes left aside.
        """
        if end <= start:
            return 0
        months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month - 1)
        days = sum(self._days_of(month // 12, month % 12 + 1).bit_count() for month in months)
        return days * self._times_a_day() + self._earlier_in_month(end) - self._earlier_in_month(start)

    def _earlier_in_month(self, local: datetime) -> int:
        days = self._days_of(local.year, local.month)
        earlier = (days & (1 << local.day) - 1).bit_count() * self._times_a_day()
        return earlier + self._earlier_in_day(local) if (days >> local.day) & 1 else earlier

    def _earlier_in_day(self, local: datetime) -> int:
        earlier = (self.hours & (1 << local.hour) - 1).bit_count() * self.minutes.bit_count()
        if (self.hours >> local.hour) & 1:
            earlier += (self.minutes & (1 << local.minute) - 1).bit_count()
        return earlier

    def _times_a_day(self) -> int:
        return self.minutes.bit_count() * self.hours.bit_count()

    def _days_of(self, year: int, month: int) -> int:
        """The days of this month that match."""
        if not (self.months >> month) & 1:
            return 0
        weekday, length = calendar.monthrange(year, month)
        first = (weekday + 1) % 7  # Sunday is 0 here
        week = (self.weekdays >> first | self.weekdays << 7 - first) & 0x7F
        days, by_week = self.days, week * _WEEKS << 1
        if self.clip and days >> length + 1:
            days |= 1 << length
        return (days & by_week if self.both_days else days | by_week) & (2 << length) - 1


@dataclass(frozen=True, slots=True)
class Firing:
    """One slot: the instant (`at`, UTC), what the clocks of its zone show then (`local`, naive), and what
    they were meant to show (`meant`, naive), which is something else where a clock change moved the slot."""

    at: datetime
    local: datetime
    meant: datetime


@lru_cache(maxsize=4096)
def parse(expression: str) -> Cron:
    """Read five fields (minute, hour, day-of-month, month, day-of-week) or one of `ALIASES`.

    Numbers, `*`, ranges, lists, steps after `*` or a range, three-letter names of months and days; 7 is
    Sunday, and a range of days may end on it. Raises CronError, also for what could never run, such as 31
    February.
    """
    texts = _split(expression)
    minutes, hours, days, months, weekdays = map(_values, _FIELDS, texts)
    starred = [text.startswith("*") for text in texts]
    both_days = starred[2] or starred[4]
    if both_days and not _happens(days, months):
        raise CronError(
            f"The day-of-month field {texts[2]!r} names no day that the month field {texts[3]!r} has: "
            "choose an earlier day or other months."
        )
    wildcard = starred[0] or starred[1]
    return Cron(" ".join(texts), minutes, hours, days, months, weekdays, wildcard, both_days)


def next_after(cron: Cron, place: ZoneInfo, after: datetime) -> datetime:
    """The first instant (UTC) later than `after` (aware) at which the schedule is due in this zone.

    Over clock changes of less than three hours, as cron(8) has it: a fixed time that is skipped runs right
    after the change, one that is repeated runs the first time only, and wildcard schedules go by the new
    clock at once.
    """
    return firing_after(cron, place, after).at


def firing_after(cron: Cron, place: ZoneInfo, after: datetime) -> Firing:
    """As `next_after`, with the local times that tell whether a clock change moved the slot."""
    for span, earliest in _owed(cron, place, _minute(after)):
        meant = cron.next_local(earliest - MINUTE)
        at = max((meant - span.offset).replace(tzinfo=UTC), span.start)
        if at < span.end:
            return Firing(at, _wall(at, span.offset), meant)
    raise AssertionError("unreachable: years do not end")


def count_between(cron: Cron, place: ZoneInfo, after: datetime, until: datetime) -> int:
    """How many slots are later than `after` and no later than `until` (both aware).

    As many as steps of `next_after` lead from the one to the other, in a time that grows with the months
    between them and not with the slots.
    """
    last, total = _minute(until), 0
    for span, earliest in _owed(cron, place, _minute(after)):
        if span.start > last:
            break
        total += _count_in(cron, span, earliest, min(last + MINUTE, span.end))
    return total


def newest_between(cron: Cron, place: ZoneInfo, after: datetime, until: datetime) -> datetime:
    """The newest slot (UTC) later than `after` and no later than `until` (both aware); there must be one."""
    last = _minute(until)

    def slots_within(minutes: int) -> int:
        return count_between(cron, place, last - minutes * MINUTE, last)

    between = range((last - _minute(after)) // MINUTE)
    return last - (bisect_left(between, 1, key=slots_within) - 1) * MINUTE


def _count_in(cron: Cron, span: Span, earliest: datetime, end: datetime) -> int:
    """The slots of one span before `end`; whatever was owed when it began shares its first minute."""
    first, stop = _wall(span.start, span.offset), _wall(end, span.offset)
    if earliest >= first:
        return cron.count_local(earliest, stop)
    owed = cron.count_local(earliest, first + MINUTE) > 0
    return owed + cron.count_local(first + MINUTE, stop)


def _minute(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} must know its zone")
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


def _owed(cron: Cron, place: ZoneInfo, moment: datetime) -> Iterator[tuple[Span, datetime]]:
    """The spans that end later than `moment`, each with the wall-clock time from which it owes runs then."""
    reached = _wall(moment, -_RECENT)  # from here on nothing has run yet
    for span in _spans_from(place, moment):
        reached = _reached(cron, span, reached)
        if span.start > moment:
            yield span, reached
        elif span.end > moment:
            yield span, max(reached, _wall(moment + MINUTE, span.offset))


def _spans_from(place: ZoneInfo, moment: datetime) -> Iterator[Span]:
    for year in count((moment - _RECENT).year):
        yield from spans(place, year)


def _reached(cron: Cron, span: Span, reached: datetime) -> datetime:
    """From which wall-clock time on this span owes runs.

    Fixed times owe what a small change skipped and do not repeat what ran before it. The bounds are cron.c's,
    which looks a minute after the change: putting clocks back by exactly three hours still counts as small.
    """
    if cron.wildcard or not -_CORRECTION <= span.offset - span.before < _CORRECTION:
        return _wall(span.start, span.offset)
    return max(reached, _wall(span.start, span.before))


def _wall(instant: datetime, offset: timedelta) -> datetime:
    """What a clock at this offset shows, naive."""
    return (instant + offset).replace(tzinfo=None)


def describe(cron: Cron) -> str:
    """The schedule in words, for people: `At 9:00 AM from Monday to Friday`. It names no zone.

    Written from the values, not from the text, so that what the text hides (`*/40`: minutes 0 and 40) is
    said.
    """
    time, days = _time_words(_members(cron.minutes), _members(cron.hours)), _day_words(cron)
    if days and " from " in time:
        time += ","
    return " ".join(part for part in (time, days, _month_words(cron)) if part)


def clock_words(hour: int, minute: int) -> str:
    """A time of day as `9:00 AM`."""
    return f"{hour % 12 or 12}:{minute:02d} {'AM' if hour < 12 else 'PM'}"


def and_words(words: Sequence[object], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *head, tail = map(str, words)
    return f"{', '.join(head)} {last} {tail}" if head else tail


def _time_words(minutes: list[int], hours: list[int]) -> str:
    past = f"{_some(minutes)} {'minute' if minutes == [1] else 'minutes'} past"
    pace, hourly = _pace(minutes, 60), _pace(hours)
    whole = bool(pace) and minutes[0] == 0
    if len(hours) == 24:
        if whole:
            return f"Every {'minute' if pace == 1 else f'{pace} minutes'}"
        return "Every hour" if minutes == [0] else f"At {past} every hour"
    if len(minutes) == 1 and hourly:
        span = f"from {clock_words(hours[0], minutes[0])} to {clock_words(hours[-1], minutes[0])}"
        return f"Every {'hour' if hourly == 1 else f'{hourly} hours'} {span}"
    if len(minutes) * len(hours) <= 8 or len(minutes) == 1:
        return f"At {and_words([clock_words(hour, minute) for hour in hours for minute in minutes])}"
    if whole and (hourly == 1 or len(hours) == 1):
        span = f"from {clock_words(hours[0], 0)} to {clock_words(hours[-1], minutes[-1])}"
        return f"Every {'minute' if pace == 1 else f'{pace} minutes'} {span}"
    return f"At {past} {and_words([clock_words(hour, 0) for hour in hours])}"


def _day_words(cron: Cron) -> str:
    days, weekdays = _members(cron.days), _members(cron.weekdays)
    any_day, any_weekday = len(days) == 31, len(weekdays) == 7
    if (any_day and any_weekday) or (not cron.both_days and (any_day or any_weekday)):
        return "" if cron.months.bit_count() == 12 and cron.hours.bit_count() == 24 else "every day"
    date = f"on {'day' if len(days) == 1 else 'days'} {_some(days)} of the month"
    if any_weekday:
        return date
    if any_day:
        return weekday_words(weekdays)
    named = [WEEKDAYS[day] for day in sorted(weekdays, key=_from_monday)]
    if cron.both_days:
        return f"{date}, if that is a {and_words(named, 'or')}"
    return f"{date} and on every {and_words(named)}"


def weekday_words(weekdays: Sequence[int]) -> str:
    """`on Monday and Thursday`, or `from Monday to Friday`; 0 is Sunday, the week begins on Monday."""
    week = sorted(weekdays, key=_from_monday)
    if len(week) > 2 and _from_monday(week[-1]) - _from_monday(week[0]) == len(week) - 1:
        return f"from {WEEKDAYS[week[0]]} to {WEEKDAYS[week[-1]]}"
    return f"on {and_words([WEEKDAYS[day] for day in week])}"


def _month_words(cron: Cron) -> str:
    months = _members(cron.months)
    if len(months) == 12:
        return ""
    if len(months) > 2 and _pace(months) == 1:
        return f"from {MONTHS[months[0] - 1]} to {MONTHS[months[-1] - 1]}"
    return f"in {and_words([MONTHS[month - 1] for month in months])}"


def _from_monday(weekday: int) -> int:
    return (weekday - 1) % 7


def _members(values: int) -> list[int]:
    return [value for value in range(values.bit_length()) if (values >> value) & 1]


def _pace(values: list[int], around: int = 0) -> int:
    """The one distance between all values, 0 if there is none. With `around` the way back to the first value
    counts too, as minutes go around the hour; two values that do not go around have no pace."""
    closed = [*values, values[0] + around] if around else values
    paces = {late - early for early, late in pairwise(closed)}
    return paces.pop() if len(paces) == 1 and len(closed) > 2 else 0


def _some(values: list[int]) -> str:
    """Numbers in words, long regular runs shortened: `1 to 7`, `1, 3, 5 … 31`."""
    pace = _pace(values)
    if pace == 1:
        return f"{values[0]} to {values[-1]}"
    if pace and len(values) > 5:
        return f"{values[0]}, {values[1]}, {values[2]} … {values[-1]}"
    return and_words(values)


def _lowest(values: int, start: int) -> int:
    """The lowest value of the set that is at least `start`; -1 for none."""
    rest = values >> start
    return start + (rest & -rest).bit_length() - 1 if rest else -1


def _happens(days: int, months: int) -> bool:
    """Whether some month has some day; each weekday falls on every date in time, 29 February included."""
    return any((months >> month) & 1 and _lowest(days, 1) <= _MONTH_LENGTHS[month] for month in range(1, 13))


def _split(expression: str) -> list[str]:
    text = expression.strip().lower()
    if not text:
        raise CronError("The expression is empty: write five fields, such as 0 9 * * 1-5.")
    if len(text) > _LONGEST:
        raise CronError(f"The expression is too long: write at most {_LONGEST} characters.")
    if text.startswith("@") and text not in ALIASES:
        raise CronError(f"There is no alias {text[:20]!r}: use one of {', '.join(ALIASES)}, or five fields.")
    texts = ALIASES.get(text, text).split()
    if len(texts) != 5:
        hint = "leave out the seconds or the year" if len(texts) > 5 else "write * where any value will do"
        raise CronError(
            "An expression has five fields (minute, hour, day-of-month, month, day-of-week), "
            f"this one has {len(texts)}: {hint}."
        )
    return texts


def _values(field: _Field, text: str) -> int:
    values = 0
    for item in text.split(","):
        values |= _item(field, item, text)
    return values if field.high > 7 else (values | values >> 7) & 0x7F  # 7 is Sunday


def _item(field: _Field, item: str, text: str) -> int:
    """The values of one item of a list: `*`, `5`, `1-5`, `*/2` or `1-9/2`."""
    if not item:
        raise CronError(f"The {field.name} field {text!r} has a comma too many: remove it.")
    base, slash, step = item.partition("/")
    every = _step(field, item, step) if slash else 1
    if base == "*":
        return _set(field.low, field.high, every)
    first, dash, last = base.partition("-")
    low = _number(field, first, item)
    if not dash and slash:
        raise CronError(
            f"The {field.name} field has a step after a single value, {item!r}: "
            f"write {first}-{field.high}/{step}."
        )
    high = _number(field, last, item) if dash else low
    if last == "sun" and low > 0:
        high = 7
    if high < low:
        raise CronError(
            f"The {field.name} field has the range {base!r} the wrong way round: "
            f"write {first}-{field.high},{field.low}-{last} to go past the end."
        )
    return _set(low, high, every)


def _set(low: int, high: int, step: int) -> int:
    return sum(1 << value for value in range(low, high + 1, step))


def _step(field: _Field, item: str, step: str) -> int:
    widest = field.high - field.low
    if not _is_number(step) or not 1 <= int(step) <= widest:
        raise CronError(f"The {field.name} field has the step {step!r} in {item!r}: use 1 to {widest}.")
    return int(step)


def _number(field: _Field, text: str, item: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if not _is_number(text):
        named = f" or names {field.names[0].upper()} to {field.names[-1].upper()}" if field.names else ""
        raise CronError(
            f"The {field.name} field does not take {item[:40]!r}: use numbers {field.low}-{field.high}"
            f"{named}, *, ranges (1-5), lists (1,3) or steps (*/2)."
        )
    if not field.low <= int(text) <= field.high:
        raise CronError(
            f"The {field.name} field has {text[:40]}, out of range: use {field.low}-{field.high}."
        )
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
