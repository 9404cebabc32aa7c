"""What keeps the house in order: recover runs whose worker died."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Execution
from models.values import Status
from pipeline import record
from pipeline.bells import Bell
from pipeline.hold import LAPSE
from pipeline.record import Fault, close_attempt

RECOVERIES = 3
"""Attempts that a run may have beyond its retries because workers died under it; then something in it
kills them."""
WORDS = (
    "The worker that ran this attempt stopped. What it had finished is kept, and the run goes on from there."
)


def lost(session: Session, now: datetime) -> list[tuple[str, int]]:
    """The runs whose heartbeat lapsed, and which attempt it was."""
    rows = session.execute(
        select(Execution.id, Execution.attempt).where(
            Execution.status == Status.RUNNING, Execution.heartbeat_at < now - LAPSE
        )
    ).all()
    session.rollback()
    return [(row[0], row[1]) for row in rows]


def recover(session: Session, execution_id: str, attempt: int, base_url: str) -> list[Bell]:
    """Hand on a run whose heartbeat lapsed; commits. The worker that comes back finds its hold lost."""
    now = clock.now()
    with session.begin():
        taken = session.execute(
            update(Execution)
            .where(
                Execution.id == execution_id,
                Execution.attempt == attempt,
                Execution.status == Status.RUNNING,
                Execution.heartbeat_at < now - LAPSE,
            )
            .values(status=Status.RETRYING, next_retry_at=now, error=WORDS)
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            return []
        fault = Fault(WORDS, f"Error: {WORDS}")
        close_attempt(session, execution_id, attempt, now, Status.FAILED, fault)
        execution = session.get_one(Execution, execution_id, populate_existing=True)
        if attempt > execution.job.max_retries + RECOVERIES:
            said = f"Workers stopped under it {RECOVERIES} times or more: it is not tried again."
            return record.end(session, execution, Status.FAILED, said, base_url)
    return [Bell("run", execution_id)]
