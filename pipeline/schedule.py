"""When a job is due: the schedule as the user sets it, and its next slots, previewed by the same function."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Self, TypeGuard

from lib.cron import (
    WEEKDAYS,
    Cron,
    CronError,
    Firing,
    and_words,
    clock_words,
    count_between,
    describe,
    firing_after,
    newest_between,
    parse,
)
from lib.zones import MINUTE, UnknownZone, happens_twice, zone

DEFAULT_HOUR = 9
WORKDAYS = (1, 2, 3, 4, 5)


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    CUSTOM = "CUSTOM"


_KEYS = ("hour", "minute", "timezone", "dayOfWeek", "dayOfMonth", "expression")


class ScheduleError(ValueError):
    """The settings make no schedule. `details`: (field, sentence) pairs, fields named as in the API."""

    def __init__(self, details: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in details))
        self.details = details


@dataclass(frozen=True, slots=True)
class Passed:
    """The slots from a due one up to now, all instants UTC; made by `Schedule.passed`.

    `count`: how many there are, at least the due one. `newest`: the last of them. `previous`: the one before
    it, None if there is no other. `following`: the first that is still to come.
    """

    count: int
    previous: datetime | None
    newest: datetime
    following: datetime


@dataclass(frozen=True)
class Schedule:
    """A validated schedule; made by `Schedule.parse`.

    DAILY, WEEKLY and MONTHLY have `hour` and `minute`; WEEKLY has `days_of_week` (sorted, 0 is Sunday);
    MONTHLY has `day_of_month`, which in a shorter month means its last day; CUSTOM has `expression` alone.
    All of them are wall-clock times of `timezone`, an IANA name.
    """

    frequency: Frequency
    hour: int = DEFAULT_HOUR
    minute: int = 0
    timezone: str = "UTC"
    days_of_week: tuple[int, ...] = ()
    day_of_month: int | None = None
    expression: str = ""

    @classmethod
    def parse(cls, frequency: object, time_config: object) -> Self:
        """Read the API's `frequency` and `timeConfig`, strictly typed; an absent key and null mean the same.

        Defaults: hour 9, minute 0, timezone UTC. WEEKLY needs dayOfWeek, MONTHLY dayOfMonth, CUSTOM
        expression. A known key that the frequency has no use for is left out. Raises ScheduleError with all
        that is wrong.
        """
        reader = _Reader(time_config)
        kind = reader.frequency(frequency)
        fields: dict[str, object] = {"timezone": reader.timezone()}
        if kind is Frequency.CUSTOM:
            fields["expression"] = reader.expression()
        else:
            fields |= {
                "hour": reader.number("hour", 0, 23, DEFAULT_HOUR),
                "minute": reader.number("minute", 0, 59, 0),
            }
        if kind is Frequency.WEEKLY:
            fields["days_of_week"] = reader.days_of_week()
        if kind is Frequency.MONTHLY:
            fields["day_of_month"] = reader.number("dayOfMonth", 1, 31)
        if reader.details:
            raise ScheduleError(reader.details)
        return cls(kind, **fields)  # type: ignore[arg-type]

    @property
    def cron(self) -> str:
        """The five fields; for MONTHLY on 29, 30 and 31 the nearest that cron can say."""
        if self.frequency is Frequency.CUSTOM:
            return parse(self.expression).expression
        days = "*" if self.day_of_month is None else str(self.day_of_month)
        weekdays = ",".join(map(str, self.days_of_week)) or "*"
        return f"{self.minute} {self.hour} {days} * {weekdays}"

    @cached_property
    def _rule(self) -> Cron:
        rule = parse(self.cron)
        return replace(rule, clip=True) if self.frequency is Frequency.MONTHLY else rule

    def time_config(self) -> dict[str, object]:
        """The canonical `timeConfig`: the keys that apply. One weekday is a number, several are a list."""
        if self.frequency is Frequency.CUSTOM:
            return {"expression": self.expression, "timezone": self.timezone}
        config: dict[str, object] = {"hour": self.hour, "minute": self.minute, "timezone": self.timezone}
        if self.days_of_week:
            days = list(self.days_of_week)
            config["dayOfWeek"] = days if len(days) > 1 else days[0]
        if self.day_of_month is not None:
            config["dayOfMonth"] = self.day_of_month
        return config

    def next_after(self, after: datetime) -> datetime:
        """The first slot (UTC) later than `after` (aware); clock changes as in `lib.cron.next_after`."""
        return self.firing_after(after).at

    def firing_after(self, after: datetime) -> Firing:
        """As `next_after`, with the local times that tell whether a clock change moved the slot."""
        return firing_after(self._rule, zone(self.timezone), after)

    def passed(self, slot: datetime, now: datetime) -> Passed:
        """What has come due since `slot` (included, on the schedule or not) up to `now`; both aware.

        What repeated steps of `next_after` from `slot` on would find, at a cost that hardly grows with the
        gap: years of a minutely schedule take a millisecond or two.
        """
        following = self.next_after(slot)
        if following > now:
            return Passed(1, None, slot, following)
        rule, place = self._rule, zone(self.timezone)
        later = count_between(rule, place, slot, now)
        newest = newest_between(rule, place, slot, now)
        previous = newest_between(rule, place, slot, newest - MINUTE) if later > 1 else slot
        return Passed(later + 1, previous, newest, self.next_after(now))

    def words(self) -> str:
        """The schedule as a person says it, such as `Every Monday and Thursday at 9:00 AM Europe/Berlin`."""
        if self.frequency is Frequency.CUSTOM:
            return f"{describe(self._rule)} ({self.timezone})"
        return f"{self._day_words()} at {clock_words(self.hour, self.minute)} {self.timezone}"

    def _day_words(self) -> str:
        if self.day_of_month is not None:
            short = " (or its last day)" if self.day_of_month > 28 else ""
            return f"On day {self.day_of_month} of every month{short}"
        if len(self.days_of_week) in (0, 7):
            return "Every day"
        if self.days_of_week == WORKDAYS:
            return "Every weekday"
        week = sorted(self.days_of_week, key=lambda day: (day - 1) % 7)
        return f"Every {and_words([WEEKDAYS[day] for day in week])}"

    def warnings(self) -> list[str]:
        """Sentences about what the user may not have meant; none is an error."""
        times = self._rule.minutes.bit_count()
        if times == 1:
            return []
        return [f"Runs up to {times} times an hour; every run may cost money."]


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of a preview. `at` is UTC, `local` reads `2026-11-24 09:00 CET`.

    `note`: GAP if a clock change skips the time asked for and the slot stands right after it, REPEATED if its
    local time occurs twice that day, otherwise None.
    """

    at: datetime
    local: str
    note: str | None


def preview(schedule: Schedule, after: datetime, count: int = 6) -> list[Slot]:
    """The next `count` slots later than `after` (aware), by the function that will run them."""
    slots = []
    for _ in range(count):
        firing = schedule.firing_after(after)
        slots.append(_slot(schedule, firing))
        after = firing.at
    return slots


def _slot(schedule: Schedule, firing: Firing) -> Slot:
    place = zone(schedule.timezone)
    note = None
    if firing.meant != firing.local:
        note = "GAP"
    elif happens_twice(place, firing.local):
        note = "REPEATED"
    return Slot(firing.at, f"{firing.at.astimezone(place):%Y-%m-%d %H:%M %Z}", note)


class _Reader:
    """Takes values out of an untrusted timeConfig and collects what is wrong with them."""

    def __init__(self, config: object) -> None:
        self.details: list[tuple[str, str]] = []
        self.config: Mapping[object, object] = {}
        if isinstance(config, Mapping):
            self.config = config
        else:
            self.details.append(("timeConfig", "Must be an object."))
        for key in self.config:
            if key not in _KEYS:
                self._wrong(str(key)[:40], f"Is not known; the keys are {and_words(_KEYS)}.")

    def _wrong(self, key: str, message: str) -> None:
        self.details.append((f"timeConfig.{key}", message))

    def frequency(self, value: object) -> Frequency:
        if isinstance(value, str) and value in list(Frequency):
            return Frequency(value)
        self.details.append(("frequency", f"Must be {and_words(list(Frequency), 'or')}."))
        return Frequency.DAILY

    def timezone(self) -> str:
        value = self.config.get("timezone")
        if value is None:
            return "UTC"
        try:
            if isinstance(value, str):
                return zone(value).key
            self._wrong("timezone", "Must be a name such as 'Europe/Berlin' or 'UTC'.")
        except UnknownZone as error:
            self._wrong("timezone", str(error))
        return "UTC"

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.config.get(key, default)
        if value is None:
            value = default
        if _is_whole(value, low, high):
            return value
        needed = "Is needed: a" if value is None else "Must be a"
        self._wrong(key, f"{needed} whole number from {low} to {high}.")
        return low

    def days_of_week(self) -> tuple[int, ...]:
        value = self.config.get("dayOfWeek")
        days = value if isinstance(value, list) else [value]
        if days and all(_is_whole(day, 0, 6) for day in days):
            return tuple(sorted(set(days)))
        needed = "Is needed" if value in (None, []) else "Is wrong"
        self._wrong(
            "dayOfWeek", f"{needed}: choose one day or a list of days, from 0 (Sunday) to 6 (Saturday)."
        )
        return ()

    def expression(self) -> str:
        value = self.config.get("expression")
        if not isinstance(value, str):
            self._wrong("expression", "Is needed: five cron fields, such as '0 9 * * 1-5'.")
            return ""
        try:
            parse(value)
        except CronError as error:
            self._wrong("expression", str(error))
        return " ".join(value.split())


def _is_whole(value: object, low: int, high: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
