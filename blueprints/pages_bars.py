"""A job's newest executions as bars: how long each took, and how it ended.

A dashboard has 1,500 of them, so they are made here in one go: by a template each cost ten times as much.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.orm import aliased

from blueprints import view
from blueprints.extensions import db
from lib import clock
from models import LIVE, Execution, Job
from models.base import UtcDateTime

SHOWN, HEIGHTS, SAID = 30, 10, 120
"""How many bars, how many heights they have, and how much of a reason is said at one."""
_LIVE = frozenset(LIVE)
_WORDS = {name: mark.word for name, mark in view.MARKS.items()}
_SHAPES = {
    "SUCCESS": "full",
    "PARTIAL": "part",
    "FAILED": "fail",
    "TIMEOUT": "fail",
}


def bars(which: ColumnElement[bool], zones: dict[str, str]) -> dict[str, Markup]:
    """Of each job's newest executions, the oldest first, in one query with one index look-up a job. `zones`:
    by job. Each is a link with its words; one tab stop, the newest, from which the arrow keys move. Its class
    tells the outcome without colour (full, part, fail, run or dash) and the height (h1 to h10)."""
    found: dict[str, list[Row[Any]]] = {}
    for row in db.session.execute(_newest(which)):
        found.setdefault(row.job_id, []).append(row)
    short = {name: view.shorts(name) for name in set(zones.values())}
    return {job_id: _bars(rows[SHOWN - 1 :: -1], short[zones[job_id]]) for job_id, rows in found.items()}


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


def _bars(rows: Sequence[Row[Any]], short: Callable[[datetime], str]) -> Markup:
    longest = max((row.duration or 0 for row in rows), default=0)
    last = len(rows) - 1
    drawn = [_bar(row, longest, short, is_last=at == last) for at, row in enumerate(rows)]
    return Markup("".join(drawn))  # noqa: S704  (what others wrote is escaped)


def _bar(row: Any, longest: int, short: Callable[[datetime], str], *, is_last: bool) -> str:
    """Its words: `Failed, 3 Oct 9:00 AM, 12s: Bad credentials`."""
    row_id, _, status, outcome, duration, at, why = row
    ended = outcome or status
    words, shape, height = f"{_WORDS[ended]}, {short(at)}", _SHAPES.get(ended, "dash"), 2
    if status in _LIVE:
        shape, height = "run", HEIGHTS // 2
    elif duration is not None:
        words += f", {view.duration(duration)}"
        height = max(2, round(HEIGHTS * duration / longest)) if longest else 2
    if why:
        words += f": {escape(why)}"
    stop = "" if is_last else ' tabindex="-1"'
    return f'<a class="{shape} h{height}" href="/executions/{row_id}" title="{words}"{stop}></a>'
