"""What keeps the house in order: recover runs whose worker died."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Attempt, Execution, Step
from models.values import Status
from pipeline import record
from pipeline.bells import Bell
from pipeline.hold import LAPSE
from pipeline.record import milliseconds

RECOVERIES = 3
"""Attempts that a run may have beyond its retries because workers died under it; then something in it
kills them."""
WORDS = (
    "The worker that ran this attempt stopped. What it had finished is kept, and the run goes on from there."
)


def recover(session: Session, base_url: str) -> list[Bell]:
    """Hand on every run whose heartbeat lapsed; commits. The worker that comes back finds its hold lost."""
    limit = clock.now() - LAPSE
    lost = session.execute(
        select(Execution.id, Execution.attempt).where(
            Execution.status == Status.RUNNING, Execution.heartbeat_at < limit
        )
    ).all()
    session.rollback()
    return [bell for row in lost for bell in _recover(session, row[0], row[1], limit, base_url)]


def _recover(session: Session, execution_id: str, attempt: int, limit: datetime, base_url: str) -> list[Bell]:
    now = clock.now()
    with session.begin():
        taken = session.execute(
            update(Execution)
            .where(
                Execution.id == execution_id,
                Execution.attempt == attempt,
                Execution.status == Status.RUNNING,
                Execution.heartbeat_at < limit,
            )
            .values(status=Status.RETRYING, next_retry_at=now, error=WORDS)
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            return []
        _close(session, execution_id, attempt, now)
        execution = session.get_one(Execution, execution_id, populate_existing=True)
        if attempt > execution.job.max_retries + RECOVERIES:
            said = f"Workers stopped under it {RECOVERIES} times or more: it is not tried again."
            return record.end(session, execution, Status.FAILED, said, base_url)
    return [Bell("run", execution_id)]


def _close(session: Session, execution_id: str, attempt: int, now: datetime) -> None:
    row = session.scalars(
        select(Attempt).where(Attempt.execution_id == execution_id, Attempt.number == attempt)
    ).one()
    row.status, row.completed_at, row.error = Status.FAILED, now, WORDS
    row.duration = milliseconds(now - row.started_at)
    session.execute(
        update(Step)
        .where(Step.execution_id == execution_id, Step.attempt == attempt, Step.status == Status.RUNNING)
        .values(status=Status.FAILED, completed_at=now, error=WORDS)
        .execution_options(synchronize_session=False)
    )
