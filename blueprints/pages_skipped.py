"""What did not run, and why: the slots of the last days that were skipped or missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import aliased

from blueprints import view
from blueprints.extensions import db
from blueprints.view import Moment
from lib import clock
from models import Execution, Job
from models.base import UtcDateTime
from models.values import Status

DAYS = timedelta(days=7)
SEEN = 200
"""How many of a job's newest executions are looked through: a week of an hourly job."""
_SLOT = func.coalesce(Execution.scheduled_for, Execution.created_at, type_=UtcDateTime())


@dataclass(frozen=True, slots=True)
class Skipped:
    """Slots that did not run for one reason; `first` and `last` are the same where it is one slot."""

    count: int
    first: Moment
    last: Moment
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """What is told of one skipped execution."""

    slot: datetime
    reason: str | None
    missed: dict[str, Any] | None


def skipped_rows(which: ColumnElement[bool]) -> dict[str, list[Left]]:
    """The skipped executions of each job, newest first, in one query with one index look-up a job."""
    query = (
        select(Execution.job_id, _SLOT.label("slot"), Execution.reason, Execution.missed)
        .join(Job, Execution.job_id == Job.id)
        .where(which, *_are_skipped())
        .order_by(Execution.created_at.desc(), Execution.id.desc())
    )
    found: dict[str, list[Left]] = {}
    for row in db.session.execute(query):
        found.setdefault(row.job_id, []).append(Left(row.slot, row.reason, row.missed))
    return found


def skipped_ids(job: Job) -> Select[str]:
    """The ids of one job's, for a query that asks for other executions as well."""
    joined = select(Execution.id).join(Job, Execution.job_id == Job.id)
    return joined.where(Job.id == job.id, *_are_skipped())


def skipped_among(rows: Iterable[Execution]) -> list[Left]:
    """Those of the executions found by `skipped_ids`, among others and in the same order."""
    now = clock.now()
    seen = (row for row in rows if row.status == Status.SKIPPED and row.created_at >= now - DAYS)
    left = (Left(row.scheduled_for or row.created_at, row.reason, row.missed) for row in seen)
    return [one for one in left if one.slot <= now]


def _are_skipped() -> tuple[ColumnElement[bool], ...]:
    week = literal(clock.now() - DAYS, UtcDateTime())
    newer = aliased(Execution)
    oldest_seen = (
        select(newer.created_at)
        .where(newer.job_id == Job.id, newer.created_at >= week)
        .order_by(newer.created_at.desc(), newer.id.desc())
        .offset(SEEN - 1)
        .limit(1)
        .correlate(Job)
        .scalar_subquery()
    )
    # What the other implies: PostgreSQL would read all executions without a bound that it knows beforehand.
    # SQLite would take this one for its index, and read a busy job's whole week.
    known = [Execution.created_at >= week] if db.session.get_bind().dialect.name == "postgresql" else []
    return (
        *known,
        Execution.created_at >= func.coalesce(oldest_seen, week),
        Execution.status == Status.SKIPPED,
        literal(clock.now(), UtcDateTime()) >= _SLOT,
    )


def by_reason(rows: Iterable[Left], zone: str) -> tuple[Skipped, ...]:
    """One line a reason, that of the newest first."""
    reasons: dict[str, list[tuple[int, datetime, datetime]]] = {}
    for row in rows:
        reasons.setdefault(row.reason or "", []).append(stretch(row.slot, row.missed))
    return tuple(_line(reason, found, zone) for reason, found in reasons.items())


def in_short(rows: Sequence[Left], zone: str) -> Skipped | None:
    """All in one line, with the newest reason."""
    found = [stretch(row.slot, row.missed) for row in rows]
    return _line(rows[0].reason or "", found, zone) if found else None


def stretch(slot: datetime, missed: dict[str, Any] | None) -> tuple[int, datetime, datetime]:
    """How many slots a skipped execution stands for, the first and the last of them."""
    if not missed:
        return 1, slot, slot
    return missed["count"], clock.parse_iso(missed["from"]), clock.parse_iso(missed["to"])


def line(slot: datetime, missed: dict[str, Any] | None, reason: str, zone: str) -> Skipped:
    """One skipped execution."""
    return _line(reason, [stretch(slot, missed)], zone)


def _line(reason: str, found: list[tuple[int, datetime, datetime]], zone: str) -> Skipped:
    first, last = min(one[1] for one in found), max(one[2] for one in found)
    return Skipped(sum(one[0] for one in found), *view.between(first, last, zone), view.sentence(reason))
