"""Take an execution that may run: one winner each, with any number of takers."""

from typing import Any

from sqlalchemy import bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Attempt, Execution, Job, origins
from models.base import table
from models.values import Status
from pipeline.claim import due
from pipeline.hold import Hold, engine_of

# Built once: building a statement costs more than running it.
_execution, _attempts = table(Execution), table(Attempt)
_BEGIN_ATTEMPT = insert(_attempts).inline()  # nobody asks for its id
_NOW = bindparam("now", type_=_execution.c.started_at.type)
_CURSOR = select(Job.cursor_until).where(Job.id == _execution.c.job_id).scalar_subquery()
_TAKE = (
    update(_execution)
    .where(_execution.c.status.in_(origins(Status.RUNNING)), due(_execution.c, _NOW))
    .values(
        status=Status.RUNNING,
        attempt=_execution.c.attempt + 1,
        heartbeat_at=_NOW,
        started_at=func.coalesce(_execution.c.started_at, _NOW),
        next_retry_at=None,
        cursor_at=case((_execution.c.window_until.is_(None), _CURSOR), else_=_execution.c.cursor_at),
    )
    .returning(_execution.c.id, _execution.c.attempt)
)
_other = _execution.alias("waiting")
_LONGEST = (
    select(_other.c.id)
    .where(due(_other.c, _NOW))
    .order_by(_other.c.created_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKE_ONE = _TAKE.where(_execution.c.id == bindparam("wanted"))
_TAKE_NEXT = _TAKE.where(_execution.c.id == _LONGEST)


def take_next(session: Session) -> Hold | None:
    """Take the execution that waits longest, if one is due; commits. The attempt exists from here on."""
    return _take(session, _TAKE_NEXT)


def take_one(session: Session, execution_id: str) -> Hold | None:
    """Take this one, if it is due; commits."""
    return _take(session, _TAKE_ONE, wanted=execution_id)


def _take(session: Session, statement: Any, **more: str) -> Hold | None:
    now = clock.now()
    with engine_of(session).begin() as connection:
        taken = connection.execute(statement, {"now": now, **more}).one_or_none()
        if taken is None:
            return None
        attempt = {"execution_id": taken.id, "number": taken.attempt, "started_at": now}
        connection.execute(_BEGIN_ATTEMPT, attempt)
    return Hold(taken.id, taken.attempt, now)
