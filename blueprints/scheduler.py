"""Whether the scheduler ticks: for the light on every page, and for whoever watches from outside."""

from datetime import datetime

from sqlalchemy import ScalarSelect, select

from lib import clock
from models import Pulse

LATE = 150
"""Seconds after which a tick is late: it comes every minute, and one of them may be lost."""


def last_tick() -> ScalarSelect[datetime]:
    """For a query of one's own, or as a part of another."""
    return select(Pulse.at).where(Pulse.name == "tick").scalar_subquery()


def age(since: datetime) -> float:
    """Seconds since then; a clock that stepped back makes nobody younger than now."""
    return max(0.0, round((clock.now() - since).total_seconds(), 3))


def state(tick: datetime | None) -> str:
    """`ok`, `late`, or `never` where none has ticked yet."""
    if tick is None:
        return "never"
    return "ok" if age(tick) <= LATE else "late"
