"""What a person wants to be told of, in the app and by mail. A job's own setting is the outer limit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.user import User
from pipeline.schedule import Frequency, Schedule

EVENTS = {
    "success": "A run succeeded",
    "partial": "A run succeeded for some platforms",
    "failure": "A run failed or timed out",
    "recovery": "A job works again after a failure",
    "paused": "A job was paused after failures",
    "drafts": "Drafts wait for your review",
    "expiry": "A GitHub token expires soon",
}
EVENT_OF = {
    "JOB_SUCCESS": "success",
    "JOB_PARTIAL": "partial",
    "JOB_FAILED": "failure",
    "JOB_TIMEOUT": "failure",
    "JOB_RECOVERED": "recovery",
    "JOB_PAUSED": "paused",
    "DRAFTS_WAIT": "drafts",
    "TOKEN_EXPIRES": "expiry",
}
"""A notification's type -> the event that it tells of."""
URGENT = frozenset({"failure", "paused", "expiry"})
"""What may be mailed at once beside a digest: it gets worse by waiting."""
MONDAY, MORNING = 1, 8


class Pace(StrEnum):
    """How mails come: EACH by itself, together once a day or once a week, or not at all."""

    EACH = "EACH"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    NONE = "NONE"


class Way(StrEnum):
    """How one event is told by mail."""

    MAIL = "MAIL"
    DIGEST = "DIGEST"
    NONE = "NONE"


DIGESTS = {"daily": Pace.DAILY, "weekly": Pace.WEEKLY}
"""What a digest tells of, as a mail names its event."""
STOPPABLE = EVENTS | {"daily": "The daily digest", "weekly": "The weekly digest"}
"""The mails that the link in them stops."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """`app_off` and `email_off` hold the events not wanted there; with `only_changes` a run is mailed only
    when it ended otherwise than the one told before. A digest comes at `hour` o'clock of the account's zone,
    a weekly one on `weekday` (0 is Sunday); with `urgent_at_once` what is URGENT does not wait for it, and is
    mailed also where the pace is NONE."""

    app_off: frozenset[str] = frozenset()
    email_off: frozenset[str] = frozenset()
    only_changes: bool = False
    pace: Pace = Pace.EACH
    hour: int = MORNING
    weekday: int = MONDAY
    urgent_at_once: bool = True

    @classmethod
    def of(cls, user: User) -> "Wishes":
        """Whoever has chosen nothing is told everything, as before there was a choice."""
        stored = user.notices or {}
        return cls(
            frozenset(stored.get("appOff", ())),
            frozenset(stored.get("emailOff", ())),
            bool(stored.get("onlyChanges")),
            Pace(stored.get("pace", Pace.EACH)),
            int(stored.get("hour", MORNING)),
            int(stored.get("weekday", MONDAY)),
            bool(stored.get("urgentAtOnce", True)),
        )

    def stored(self) -> dict[str, Any]:
        """What `User.notices` keeps."""
        return {
            "appOff": sorted(self.app_off),
            "emailOff": sorted(self.email_off),
            "onlyChanges": self.only_changes,
            "pace": self.pace.value,
            "hour": self.hour,
            "weekday": self.weekday,
            "urgentAtOnce": self.urgent_at_once,
        }

    def changed(self, events: Mapping[str, Mapping[str, bool]], **others: Any) -> "Wishes":
        """The same, with the channels `app` and `email` of these events on or off; `others` are fields."""
        off = {"app": set(self.app_off), "email": set(self.email_off)}
        for event, channels in events.items():
            for channel, wanted in channels.items():
                (off[channel].discard if wanted else off[channel].add)(event)
        if "pace" in others:
            others["pace"] = Pace(others["pace"])
        given = {"app_off": frozenset(off["app"]), "email_off": frozenset(off["email"])} | others
        return replace(self, **given)

    def mailed(self, event: str, wanted: bool) -> "Wishes":
        """The same, with the mails about this event, one of STOPPABLE, on or off."""
        if event in DIGESTS:
            stopped = Pace.NONE if self.is_digest else self.pace
            return replace(self, pace=DIGESTS[event] if wanted else stopped)
        off = self.email_off - {event} if wanted else self.email_off | {event}
        return replace(self, email_off=off)

    def is_mailed(self, event: str) -> bool:
        """Whether mails about this event, one of STOPPABLE, are on."""
        return self.is_digest if event in DIGESTS else event not in self.email_off

    @property
    def is_digest(self) -> bool:
        return self.pace in (Pace.DAILY, Pace.WEEKLY)

    def in_app(self, kind: str) -> bool:
        return EVENT_OF[kind] not in self.app_off

    def by_mail(self, kind: str, *, is_change: bool = True) -> Way:
        """How a notification of this type is mailed."""
        event = EVENT_OF[kind]
        if event in self.email_off or (self.only_changes and not is_change):
            return Way.NONE
        if self.pace is Pace.EACH or (self.urgent_at_once and event in URGENT):
            return Way.MAIL
        return Way.DIGEST if self.is_digest else Way.NONE

    def next_digest(self, after: datetime, timezone: str) -> datetime | None:
        """When the next digest is due, later than `after`; None without one. Clock changes are those of any
        schedule: an hour that is skipped comes right after the gap, one that comes twice counts once."""
        if not self.is_digest:
            return None
        weekly = (self.weekday,) if self.pace is Pace.WEEKLY else ()
        return Schedule(
            Frequency(self.pace.value), hour=self.hour, timezone=timezone, days_of_week=weekly
        ).next_after(after)
