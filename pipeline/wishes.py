"""What a person wants to be told of, in the app and by mail. A job's own setting is the outer limit."""

from dataclasses import dataclass, replace
from typing import Any

from models.user import User

EVENTS = {
    "success": "A run succeeded",
    "partial": "A run succeeded for some platforms",
    "failure": "A run failed or timed out",
    "recovery": "A job works again after a failure",
    "paused": "A job was paused after failures",
    "expiry": "A GitHub token expires soon",
}
EVENT_OF = {
    "JOB_SUCCESS": "success",
    "JOB_PARTIAL": "partial",
    "JOB_FAILED": "failure",
    "JOB_TIMEOUT": "failure",
    "JOB_RECOVERED": "recovery",
    "JOB_PAUSED": "paused",
    "TOKEN_EXPIRES": "expiry",
}
"""A notification's type -> the event that it tells of."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """`app_off` and `email_off` hold the events not wanted there; with `only_changes` a run is mailed only
    when it ended otherwise than the one told before."""

    app_off: frozenset[str] = frozenset()
    email_off: frozenset[str] = frozenset()
    only_changes: bool = False

    @classmethod
    def of(cls, user: User) -> "Wishes":
        """Whoever has chosen nothing is told everything, as before there was a choice."""
        stored = user.notices or {}
        return cls(
            frozenset(stored.get("appOff", ())),
            frozenset(stored.get("emailOff", ())),
            bool(stored.get("onlyChanges")),
        )

    def stored(self) -> dict[str, Any]:
        """What `User.notices` keeps."""
        return {
            "appOff": sorted(self.app_off),
            "emailOff": sorted(self.email_off),
            "onlyChanges": self.only_changes,
        }

    def mailed(self, event: str, wanted: bool) -> "Wishes":
        """The same, with mails about this event on or off."""
        off = self.email_off - {event} if wanted else self.email_off | {event}
        return replace(self, email_off=off)

    def in_app(self, kind: str) -> bool:
        return EVENT_OF[kind] not in self.app_off

    def by_mail(self, kind: str, *, is_change: bool = True) -> bool:
        return EVENT_OF[kind] not in self.email_off and (is_change or not self.only_changes)
