"""The clock's side: claim due slots, ring near ones, and ring again whatever waits without a bell."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, Pulse
from models.base import upsert
from models.values import Outcome, Status
from pipeline import housekeeping, notify, record
from pipeline.bells import Bell
from pipeline.jobs import NEAR, lock, schedule_of, start_bell

log = logging.getLogger(__name__)
BATCH = 500
TOO_LATE = timedelta(minutes=10)


def tick(session: Session, base_url: str) -> list[Bell]:
    """What happens every minute; any number of workers may tick at once. Commits."""
    now = clock.now()
    with session.begin():
        beat = upsert(session, Pulse).values(name="tick", at=now)
        session.execute(beat.on_conflict_do_update(index_elements=["name"], set_={"at": now}))
    bells: list[Bell] = []
    for execution_id, attempt in housekeeping.lost(session, now):
        bells += _apart(session, housekeeping.recover, execution_id, attempt, base_url)
    for job_id, slot in _due(session, now):
        bells += _apart(session, _claimed, job_id, slot, base_url)
    bells += _near(session, now)
    bells += waiting(session, limit=BATCH)
    mails = notify.due_mails(session, now, BATCH)
    session.rollback()
    return [*bells, *(Bell("deliver", mail_id) for mail_id in mails)]


def _apart(session: Session, act: Callable[..., list[Bell]], *arguments: Any) -> list[Bell]:
    """One job that cannot be claimed or recovered, whatever the reason, must not hold up all the others."""
    try:
        return act(session, *arguments)
    except Exception:
        log.exception("The tick could not %s %s", act.__name__.strip("_"), arguments[0])
        session.rollback()
        return []


def _due(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    rows = session.execute(
        select(Job.id, Job.next_run_at)
        .where(Job.is_enabled, Job.next_run_at <= now)
        .order_by(Job.next_run_at)
    ).all()
    session.rollback()
    return [(job_id, slot) for job_id, slot in rows if slot is not None]


def _near(session: Session, now: datetime) -> list[Bell]:
    rows = session.execute(
        select(Job.id, Job.next_run_at).where(
            Job.is_enabled, Job.next_run_at > now, Job.next_run_at <= now + NEAR
        )
    ).all()
    session.rollback()
    return [start_bell(job_id, slot) for job_id, slot in rows if slot is not None]


def waiting(session: Session, limit: int) -> list[Bell]:
    """Bells for executions that may run now, longest waiting first."""
    now = clock.now()
    rows = session.scalars(
        select(Execution.id)
        .where(
            or_(
                Execution.status == Status.QUEUED,
                and_(Execution.status == Status.RETRYING, Execution.next_retry_at <= now),
            )
        )
        .order_by(Execution.created_at)
        .limit(limit)
    ).all()
    session.rollback()
    return [Bell("run", execution_id) for execution_id in rows]


def _claimed(session: Session, job_id: str, slot: datetime, base_url: str) -> list[Bell]:
    execution_id, bells = claim(session, job_id, slot, base_url)
    return [*bells, *([Bell("run", execution_id)] if execution_id else [])]


def claim(session: Session, job_id: str, slot: datetime, base_url: str) -> tuple[str | None, list[Bell]]:
    """Turn a due slot into an execution, in one transaction; commits.

    `next_run_at` moves from exactly this slot to the next, so a bell that rings twice, early, or for a job
    that was edited, disabled or deleted meanwhile does nothing. The execution's id, or None where there is
    nothing to run, and bells to ring.
    """
    for _ in range(2):  # the second time when Trigger Now came between the look and the insert
        try:
            with session.begin():
                return _claim(session, job_id, slot, base_url)
        except IntegrityError:
            continue
    return None, []


def _claim(session: Session, job_id: str, slot: datetime, base_url: str) -> tuple[str | None, list[Bell]]:
    now = clock.now()
    live, job = lock(session, job_id)
    if job is None or not job.is_enabled or job.next_run_at != slot or slot > now:
        return None, []
    gap = _gap(job, slot, now)
    moved = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.next_run_at == slot, Job.is_enabled)
        .values(next_run_at=gap.following)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        return None, []
    known = _known(session, job_id, slot, gap.run)
    if gap.missed is not None and slot not in known:
        session.add(_skipped(job, slot, "No worker was running when it was due.", gap.missed))
    if gap.run is None or gap.run in known:
        return None, []
    bells: list[Bell] = []
    if live is not None and live.status == Status.RETRYING:
        said = "Its next slot came before the retry: that run covers this window too."
        bells = record.end(session, live, Status.FAILED, said, base_url)
        live = None
    if live is not None:
        reason = f"The execution before it was still {live.status.lower()}."
        session.add(_skipped(job, gap.run, reason))
        return None, bells
    execution = _execution(job, gap.run)
    session.add(execution)
    session.flush()
    return execution.id, bells


def _known(session: Session, job_id: str, *slots: datetime | None) -> set[datetime | None]:
    """Those of the slots that have an execution already, as after the clock was set back: they are done."""
    rows = select(Execution.scheduled_for).where(
        Execution.job_id == job_id, Execution.scheduled_for.in_(slots)
    )
    return set(session.scalars(rows))


@dataclass(frozen=True, slots=True)
class _Gap:
    """Between a due slot and now: the slot to run, the next to come, and what was missed."""

    run: datetime | None
    following: datetime
    missed: dict[str, Any] | None


def _gap(job: Job, slot: datetime, now: datetime) -> _Gap:
    """A slot is missed when the next one has passed too or, under SKIP, ten minutes after its instant."""
    schedule = schedule_of(job)
    slots, following = [slot], schedule.next_after(slot)
    while following <= now:
        slots.append(following)
        following = schedule.next_after(following)
    run = slots[-1]
    if job.on_missed == "SKIP" and now - run > TOO_LATE:
        missed, chosen = slots, None
    else:
        missed, chosen = slots[:-1], run
    count = (
        {"count": len(missed), "from": clock.iso(missed[0]), "to": clock.iso(missed[-1])} if missed else None
    )
    return _Gap(chosen, following, count)


def _execution(job: Job, slot: datetime, **more: Any) -> Execution:
    return Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        triggered_by="scheduled",
        scheduled_for=slot,
        **more,
    )


def _skipped(job: Job, slot: datetime, reason: str, missed: dict[str, Any] | None = None) -> Execution:
    return _execution(
        job,
        slot,
        status=Status.SKIPPED,
        outcome=Outcome.SKIPPED,
        completed_at=clock.now(),
        reason=reason,
        missed=missed,
    )
