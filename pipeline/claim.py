"""The clock's side: claim due slots, ring near ones, and ring again whatever waits without a bell."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock, ids
from models import Attempt, Execution, Job, Pulse, unended
from models.base import reading, table, upsert
from models.values import Outcome, Status
from pipeline import housekeeping, notify, record
from pipeline.bells import Bell
from pipeline.hold import LAPSE
from pipeline.housekeeping import Ward
from pipeline.jobs import NEAR, lock, schedule_of, start_bell

log = logging.getLogger(__name__)
ENOUGH = 20
"""Bells for executions that wait: each worker that is woken takes one after the other by itself."""
TOO_LATE = timedelta(minutes=10)
NOT_STARTED = "Nothing was started in time: no worker was running, or the clock was set forward."


def due(columns: Any, now: Any) -> ColumnElement[bool]:
    """The condition under which an execution may run now: it is queued, or its wait for a retry is over."""
    retry = and_(columns.status == Status.RETRYING, columns.next_retry_at <= now)
    return and_(unended(columns), or_(columns.status == Status.QUEUED, retry))


# Built once: building a statement costs more than running it.
_NOW = bindparam("now", type_=table(Job).c.next_run_at.type)
_DUE_JOBS = (
    select(Job.id, Job.next_run_at).where(Job.is_enabled, Job.next_run_at <= _NOW).order_by(Job.next_run_at)
)
_NEAR_JOBS = select(Job.id, Job.next_run_at).where(
    Job.is_enabled, Job.next_run_at > _NOW, Job.next_run_at <= bindparam("soon")
)
_WAITING = (
    select(Execution.id).where(due(Execution, _NOW)).order_by(Execution.created_at).limit(bindparam("most"))
)
_jobs, _executions = table(Job), table(Execution)
_SLOT = bindparam("slot", type_=_jobs.c.next_run_at.type)
_MOVE = (
    update(_jobs)
    .where(_jobs.c.id == bindparam("job"), _jobs.c.next_run_at == _SLOT, _jobs.c.is_enabled)
    .values(next_run_at=bindparam("following"))
)
_INSERT = insert(_executions)
# Those of the slots that have an execution already, as after the clock was set back: they are done.
_KNOWN = select(_executions.c.scheduled_for).where(
    _executions.c.job_id == bindparam("job"),
    _executions.c.scheduled_for.in_(bindparam("slots", expanding=True)),
)


def tick(session: Session, base_url: str, ward: Ward) -> list[Bell]:
    """What happens every minute; any number of workers may tick at once. Commits."""
    now = clock.now()
    with session.begin():
        beat = upsert(session, Pulse).values(name="tick", at=now)
        session.execute(beat.on_conflict_do_update(index_elements=["name"], set_={"at": now}))
    return [*look(session, base_url, ward), *_near(session, now)]


def look(
    session: Session,
    base_url: str,
    ward: Ward,
    overdue: timedelta = timedelta(),
    awaited: Callable[[str, datetime], bool] = lambda job_id, slot: False,
) -> list[Bell]:
    """What every worker looks at each second, so that a bell that is lost costs a second: runs whose worker
    died, slots and mails that are so much overdue, executions that may run. Commits.

    `awaited`: whether this process is about to claim that slot anyhow; to claim it here is work done twice.
    """
    bells: list[Bell] = []
    for beat in ward.dead(session):
        bells += _apart(session, housekeeping.recover, beat, base_url)
    for job_id, slot in _due(session, clock.now() - overdue):
        if not awaited(job_id, slot):
            bells += _apart(session, _claimed, job_id, slot, base_url)
    with reading(session):  # who delivers one mail goes on to all others
        mails = notify.due_mails(session, clock.now() - overdue, 1)
    return [*bells, *waiting(session, limit=ENOUGH), *(Bell("deliver", mail_id) for mail_id in mails)]


def _apart(session: Session, act: Callable[..., list[Bell]], *arguments: Any) -> list[Bell]:
    """One job that cannot be claimed or recovered, whatever the reason, must not hold up all the others."""
    try:
        return act(session, *arguments)
    except Exception:
        log.exception("The tick could not %s %s", act.__name__.strip("_"), arguments[0])
        session.rollback()
        return []


def _due(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    with reading(session):
        rows = session.execute(_DUE_JOBS, {"now": now}).all()
    return [(job_id, slot) for job_id, slot in rows if slot is not None]


def _near(session: Session, now: datetime) -> list[Bell]:
    with reading(session):
        rows = session.execute(_NEAR_JOBS, {"now": now, "soon": now + NEAR}).all()
    return [start_bell(job_id, slot) for job_id, slot in rows if slot is not None]


def waiting(session: Session, limit: int) -> list[Bell]:
    """Bells for executions that may run now, longest waiting first."""
    with reading(session):
        rows = session.scalars(_WAITING, {"now": clock.now(), "most": limit}).all()
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
    if _dead(live, now):
        return None, []
    gap, connection = _gap(job, slot, now), session.connection()
    moved = connection.execute(_MOVE, {"job": job_id, "slot": slot, "following": gap.following})
    if moved.rowcount != 1:
        return None, []
    known = set(connection.execute(_KNOWN, {"job": job_id, "slots": [slot, gap.run]}).scalars())
    if gap.missed is not None and slot not in known:
        _insert(connection, job, slot, **_skipped(NOT_STARTED), missed=gap.missed)
    if gap.run is None or gap.run in known:
        return None, []
    bells, in_the_way = _make_way(session, live, job, now, base_url)
    if in_the_way is not None:
        _insert(connection, job, gap.run, **_skipped(in_the_way))
        return None, bells
    return _insert(connection, job, gap.run), bells


def _make_way(
    session: Session, live: Execution | None, job: Job, now: datetime, base_url: str
) -> tuple[list[Bell], str | None]:
    """End what only waits for its retry; else the reason why the slot does not run."""
    if live is None:
        return [], None
    if live.status != Status.RETRYING or _interrupted(session, live):
        return [], f"The execution before it was still {live.status.lower()}."
    said = "Its next slot came before the retry: that run covers this window too."
    bells = record.end(session, live, Status.FAILED, said, base_url)
    if job.paused_at is not None:
        return bells, f"The job is paused: its last {job.failures_in_row} runs failed."
    return bells, None


def _interrupted(session: Session, live: Execution) -> bool:
    """Its worker stopped or died, so it waits for the next free place and not because it failed."""
    last = (Attempt.execution_id == live.id) & (Attempt.number == live.attempt)
    return session.scalar(select(Attempt.status).where(last)) == Status.CANCELLED


def _dead(live: Execution | None, now: datetime) -> bool:
    """Its worker died, as it seems: the slot waits until it has been recovered, which the next looks do."""
    if live is None or live.status != Status.RUNNING or live.heartbeat_at is None:
        return False
    return live.heartbeat_at < now - LAPSE


@dataclass(frozen=True, slots=True)
class _Gap:
    """Between a due slot and now: the slot to run, the next to come, and what was missed."""

    run: datetime | None
    following: datetime
    missed: dict[str, Any] | None


def _gap(job: Job, slot: datetime, now: datetime) -> _Gap:
    """A slot is missed when the next one has passed too or, under SKIP, ten minutes after its instant."""
    passed = schedule_of(job).passed(slot, now)
    too_late = job.on_missed == "SKIP" and now - passed.newest > TOO_LATE
    count, last = (passed.count, passed.newest) if too_late else (passed.count - 1, passed.previous)
    missed = {"count": count, "from": clock.iso(slot), "to": clock.iso(last)} if count else None
    return _Gap(None if too_late else passed.newest, passed.following, missed)


def _insert(connection: Connection, job: Job, slot: datetime, **more: Any) -> str:
    """The execution of a slot; its id."""
    execution_id = ids.new("exec")
    values = {
        "id": execution_id,
        "job_id": job.id,
        "user_id": job.user_id,
        "project_id": job.project_id,
        "triggered_by": "scheduled",
        "scheduled_for": slot,
    }
    connection.execute(_INSERT, values | more)
    return execution_id


def _skipped(reason: str) -> dict[str, Any]:
    return {
        "status": Status.SKIPPED,
        "outcome": Outcome.SKIPPED,
        "completed_at": clock.now(),
        "reason": reason,
    }
