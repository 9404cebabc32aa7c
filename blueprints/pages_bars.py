"""A job's newest executions as bars: how long each took, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.orm import aliased

from blueprints import view
from blueprints.extensions import db
from lib import clock
from models import LIVE, Execution, Job
from models.base import UtcDateTime

SHOWN, HEIGHTS, SAID = 30, 10, 120
"""How many bars, how many heights they have, and how much of a reason is said at one."""
_SHAPES = {
    "SUCCESS": "full",
    "PARTIAL": "part",
    "FAILED": "fail",
    "TIMEOUT": "fail",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """`shape` tells the outcome without colour: full, part, fail, run or dash; `height` is 1 to `HEIGHTS`."""

    id: str
    shape: str
    height: int
    words: str


def bars(which: ColumnElement[bool], zones: dict[str, str]) -> dict[str, tuple[Bar, ...]]:
    """The newest of each job, oldest first, in one query with one index look-up a job. `zones`: by job."""
    found: dict[str, list[Row[Any]]] = {}
    for row in db.session.execute(_newest(which)):
        found.setdefault(row.job_id, []).append(row)
    return {job_id: _bars(rows[SHOWN - 1 :: -1], zones[job_id]) for job_id, rows in found.items()}


def among_newest(count: int) -> ColumnElement[bool]:
    """Whether an execution that is joined with its job is one of that job's `count` newest, found by one
    index look-up a job; more only where several were made at one instant."""
    newer = aliased(Execution)
    oldest = (
        select(newer.created_at)
        .where(newer.job_id == Job.id)
        .order_by(newer.created_at.desc(), newer.id.desc())
        .offset(count - 1)
        .limit(1)
        .correlate(Job)
        .scalar_subquery()
    )
    return Execution.created_at >= func.coalesce(oldest, literal(clock.EPOCH, UtcDateTime()))


def _newest(which: ColumnElement[bool]) -> Any:
    reason = func.substr(func.coalesce(Execution.error, Execution.reason, ""), 1, SAID).label("why")
    begun = func.coalesce(Execution.started_at, Execution.created_at, type_=UtcDateTime()).label("at")
    return (
        select(Execution.id, Execution.job_id, Execution.status, Execution.outcome)
        .add_columns(Execution.duration, begun, reason)
        .join(Job, Execution.job_id == Job.id)
        .where(which, among_newest(SHOWN))
        .order_by(Execution.created_at.desc(), Execution.id.desc())
    )


def _bars(rows: Sequence[Row[Any]], zone_name: str) -> tuple[Bar, ...]:
    longest = max((row.duration or 0 for row in rows), default=0)
    return tuple(Bar(row.id, _shape(row), _height(row, longest), _words(row, zone_name)) for row in rows)


def _shape(row: Row[Any]) -> str:
    return "run" if row.status in LIVE else _SHAPES.get(row.outcome or row.status, "dash")


def _height(row: Row[Any], longest: int) -> int:
    if row.status in LIVE:
        return HEIGHTS // 2
    return max(2, round(HEIGHTS * (row.duration or 0) / longest)) if longest else 2


def _words(row: Row[Any], zone_name: str) -> str:
    """`Failed, 3 Oct 9:00 AM, 12s: Bad credentials`."""
    parts = [view.MARKS[row.outcome or row.status].word, view.short(row.at, zone_name)]
    if row.duration is not None and row.status not in LIVE:
        parts.append(view.duration(row.duration))
    return ", ".join(parts) + (f": {row.why}" if row.why else "")
