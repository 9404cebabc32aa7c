"""Whether a live execution's page would show anything new: one query, however much the page holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import abort
from flask_login import current_user
from sqlalchemy import func, select

from blueprints.extensions import db
from blueprints.htmx import version
from lib import clock
from models import Execution, Step
from models.values import Status

TURN = {Status.RUNNING: 10, Status.RETRYING: 60}
"""Seconds after which lengths of time that the page names have grown old, by state."""
_COLUMNS = (
    *(Execution.status, Execution.attempt, Execution.failures, Execution.recoveries),
    *(Execution.next_retry_at, Execution.window_until),
)


def stamp(execution: Execution, steps: Sequence[Step]) -> str:
    """Of what was loaded for the page."""
    ended = sum(step.completed_at is not None for step in steps)
    return _stamp(*(getattr(execution, column.key) for column in _COLUMNS), len(steps), ended)


def stamp_now(execution_id: str) -> str:
    """Of the rows as they are; 404 where the signed-in user has no such execution."""
    steps = select(Step).where(Step.execution_id == Execution.id)
    begun = steps.with_only_columns(func.count(Step.id)).scalar_subquery()
    ended = steps.with_only_columns(func.count(Step.completed_at)).scalar_subquery()
    mine = (Execution.id == execution_id) & (Execution.user_id == current_user.id)
    found = db.session.execute(select(*_COLUMNS, begun, ended).where(mine)).one_or_none()
    if found is None:
        abort(404)
    return _stamp(*found)


def _stamp(status: str, *rest: Any) -> str:
    now, at = clock.now(), next((one for one in rest if isinstance(one, datetime)), None)
    is_due = at is not None and at <= now
    turn = TURN.get(Status(status))
    return version((status, rest, is_due, int(now.timestamp()) // turn if turn else 0))
