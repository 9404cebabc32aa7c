"""What a job's owner does to its next slots: pause until a date, leave the next one out, undo both. None
commits."""

from datetime import datetime

from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job
from models.values import Outcome, Status
from pipeline.bells import Bell
from pipeline.control import ConflictError
from pipeline.jobs import (
    LEFT_OUT,
    forget_push,
    forget_skips,
    is_paused_by_hand,
    lock,
    near_bell,
    set_next,
)


def pause_until(session: Session, job: Job, until: datetime) -> list[Bell]:
    """No slot before `until`, and no push starts a run; what waits or runs already goes on. The next slot is
    the first at or after `until`, so nothing has to happen at that instant. A job that its failures paused
    stays paused by them; a disabled one cannot be paused."""
    lock(session, job.id)
    if not job.is_enabled:
        raise ConflictError("It is disabled: enable it first, then pause it.")
    job.paused_until = until
    forget_push(job)
    forget_skips(session, job)
    set_next(job)
    session.flush()
    return near_bell(job)


def end_pause(session: Session, job: Job) -> list[Bell]:
    """The pause that its owner chose ends now; one of its failures, and being disabled, stay."""
    lock(session, job.id)
    paused, job.paused_until = is_paused_by_hand(job), None
    if paused:  # else a slot that is due by now would be passed over
        set_next(job)
    session.flush()
    return near_bell(job)


def skip_next(session: Session, job: Job, slot: datetime | None = None) -> tuple[datetime, list[Bell]]:
    """Leave out the next slot, which is recorded at once; it, and the bell of the one after it. `slot`: the
    one that is meant, where its owner saw it. Raises ConflictError if that is due or no longer the next."""
    lock(session, job.id)
    meant = job.next_run_at
    if meant is None:
        raise ConflictError("It has no next slot that could be skipped.")
    if slot is not None and slot != meant:
        raise ConflictError("Its next slot is another one by now: look again before you skip it.")
    if meant <= clock.now():
        raise ConflictError("Its slot is due now and starts: it cannot be skipped any more.")
    session.add(
        Execution(
            job_id=job.id,
            user_id=job.user_id,
            project_id=job.project_id,
            triggered_by="scheduled",
            scheduled_for=meant,
            status=Status.SKIPPED,
            outcome=Outcome.SKIPPED,
            completed_at=clock.now(),
            reason=LEFT_OUT,
        )
    )
    job.skipped_until = meant
    set_next(job)
    session.flush()
    return meant, near_bell(job)


def undo_skips(session: Session, job: Job) -> list[Bell]:
    """The slots that were left out and have not passed yet come after all."""
    lock(session, job.id)
    forget_skips(session, job)
    set_next(job)
    session.flush()
    return near_bell(job)
