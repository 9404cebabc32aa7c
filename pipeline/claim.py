"""The clock's side: claim due slots, ring near ones, and ring again whatever waits without a bell."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock, ids
from lib.codes import Code
from models import Attempt, Execution, Job, Pulse, unended
from models.base import reading, table, upsert
from models.values import Outcome, Status
from pipeline import housekeeping, outbox, pushes, record, spending
from pipeline.bells import Bell
from pipeline.hold import LAPSE
from pipeline.housekeeping import Ward
from pipeline.jobs import NEAR, lock, lock_with_budgets, schedule_of, start_bell
from pipeline.tariff import FREE, Tariff

T = TypeVar("T")
log = logging.getLogger(__name__)
ENOUGH = 20
"""Bells for executions that wait: each worker that is woken takes one after the other by itself."""
TOGETHER = 20
"""Slots that are claimed in one transaction, for which edits of their jobs wait."""
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
# Slots that have an execution already, as after the clock was set back: they are done.
_KNOWN = select(_executions.c.job_id, _executions.c.scheduled_for).where(
    _executions.c.job_id.in_(bindparam("jobs", expanding=True)),
    _executions.c.scheduled_for.in_(bindparam("slots", expanding=True)),
)
_BUSY = select(_executions.c.job_id).where(
    _executions.c.job_id.in_(bindparam("jobs", expanding=True)), unended(_executions.c)
)
Slot = tuple[str, datetime]
"""A job's id and the instant."""


def tick(session: Session, base_url: str, ward: Ward, tariff: Tariff = FREE) -> list[Bell]:
    """What happens every minute; any number of workers may tick at once. Commits."""
    now = clock.now()
    with session.begin():
        beat = upsert(session, Pulse).values(name="tick", at=now)
        session.execute(beat.on_conflict_do_update(index_elements=["name"], set_={"at": now}))
    return [*look(session, base_url, ward, tariff=tariff), *_near(session, now)]


def look(
    session: Session,
    base_url: str,
    ward: Ward,
    overdue: timedelta = timedelta(),
    awaited: Callable[[str, datetime], bool] = lambda job_id, slot: False,
    tariff: Tariff = FREE,
) -> list[Bell]:
    """What every worker looks at each second, so that a bell that is lost costs a second: runs whose worker
    died, slots and mails that are so much overdue, pushes that are due, executions that may run. Commits.

    `awaited`: whether this process is about to claim that slot anyhow; to claim it here is work done twice.
    `tariff`: what models cost, by which slots and pushes of projects over their budget are skipped.
    """
    bells: list[Bell] = []
    for beat in ward.dead(session):
        bells += _apart(session, housekeeping.recover, beat, base_url) or []
    slots = [slot for slot in _due(session, clock.now() - overdue) if not awaited(*slot)]
    for start in range(0, len(slots), TOGETHER):
        bells += claim_all(session, slots[start : start + TOGETHER], base_url, tariff)
    for pushed in pushes.due(session):
        bells += _apart(session, pushes.start, *pushed, tariff) or []
    with reading(session):  # who delivers one mail goes on to all others
        mails = outbox.due_mails(session, clock.now() - overdue, 1)
    return [*bells, *waiting(session, limit=ENOUGH), *(Bell("deliver", mail_id) for mail_id in mails)]


def _apart(session: Session, act: Callable[..., T], *arguments: Any) -> T | None:
    """What `act` returns, or None. Jobs that cannot be claimed or recovered, whatever the reason, must not
    hold up all the others."""
    try:
        return act(session, *arguments)
    except Exception:
        log.exception("%s failed for %s", act.__name__.strip("_"), arguments[0])
        session.rollback()
        return None


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


def claim_all(session: Session, slots: Sequence[Slot], base_url: str, tariff: Tariff = FREE) -> list[Bell]:
    """`claim` of several slots, which costs a quarter where nothing stands in their way: those in one
    transaction, the others one by one. Never raises for a single job. Commits."""
    claimed, others = _apart(session, _claim_together, slots, tariff) or ([], slots)
    bells = [Bell("run", execution_id) for execution_id in claimed]
    for job_id, slot in others:
        bells += _apart(session, _claim_one, job_id, slot, base_url, tariff) or []
    return bells


def _claim_together(
    session: Session, slots: Sequence[Slot], tariff: Tariff
) -> tuple[list[str], Sequence[Slot]]:
    try:
        with session.begin():
            return _claim_plain(session, slots, tariff)
    except (IntegrityError, _MovedError):  # somebody claimed one of them another way
        return [], slots


def _claim_one(session: Session, job_id: str, slot: datetime, base_url: str, tariff: Tariff) -> list[Bell]:
    execution_id, bells = claim(session, job_id, slot, base_url, tariff)
    return [*bells, *([Bell("run", execution_id)] if execution_id else [])]


def claim(
    session: Session, job_id: str, slot: datetime, base_url: str, tariff: Tariff = FREE
) -> tuple[str | None, list[Bell]]:
    """Turn a due slot into an execution, in one transaction; commits.

    `next_run_at` moves from exactly this slot to the next, so a bell that rings twice, early, or for a job
    that was edited, disabled or deleted meanwhile does nothing. The execution's id, or None where there is
    nothing to run, and bells to ring.
    """
    for _ in range(2):  # the second time when Trigger Now came between the look and the insert
        try:
            with session.begin():
                return _claim(session, job_id, slot, base_url, tariff)
        except IntegrityError:
            continue
        except _MovedError:
            break
    return None, []


class _MovedError(Exception):
    """A job's next slot is not what its locked row said."""


def _claim(
    session: Session, job_id: str, slot: datetime, base_url: str, tariff: Tariff
) -> tuple[str | None, list[Bell]]:
    now = clock.now()
    live, job = lock(session, job_id)
    if job is None or not _is_due(job, slot, now) or _dead(live, now):
        return None, []
    connection = session.connection()
    for _, run in _move_on(connection, [(job, slot)], now):
        over = spending.why_no_slot(session, job, tariff)
        bells, in_the_way = _make_way(session, live, job, over, base_url)
        rows = [_row(job, run) | (_skipped(in_the_way) if in_the_way else {})]
        connection.execute(_INSERT, rows)
        return None if in_the_way else rows[0]["id"], bells
    return None, []


def _claim_plain(session: Session, slots: Sequence[Slot], tariff: Tariff) -> tuple[list[str], list[Slot]]:
    """Claim the slots of jobs without a live execution; the executions' ids, and the slots that are left.

    Locks jobs alone, in the order of their ids, and waits for no execution's row: a run that ends holds its
    own and waits for its job.
    """
    now, first = clock.now(), dict(reversed(slots))
    found = lock_with_budgets(session, list(first))
    jobs = [row[0] for row in found]
    connection = session.connection()
    busy = set(connection.execute(_BUSY, {"jobs": list(first)}).scalars())
    plain = [(job, first[job.id]) for job in jobs if _is_due(job, first[job.id], now) and job.id not in busy]
    over = spending.over(connection, spending.caps(found, tariff), tariff)
    rows = [(_row(job, run), _over(job, over, tariff)) for job, run in _move_on(connection, plain, now)]
    # One statement for each, as their columns differ.
    for some in ([row for row, why in rows if not why], [row | _skipped(why) for row, why in rows if why]):
        if some:
            connection.execute(_INSERT, some)
    return [row["id"] for row, why in rows if not why], [
        (j, at) for j, at in slots if j in busy or at != first[j]
    ]


def _over(job: Job, over: Mapping[str, str], tariff: Tariff) -> str | None:
    """Why the job's posts cannot be paid, if it is one whose posts cost something."""
    return over.get(job.project_id) if tariff.pays_for(job) else None


def _is_due(job: Job, slot: datetime, now: datetime) -> bool:
    return job.is_enabled and job.next_run_at == slot and slot <= now


def _move_on(
    connection: Connection, due: Sequence[tuple[Job, datetime]], now: datetime
) -> list[tuple[Job, datetime]]:
    """Move these locked jobs from their due slots to their next ones, and write down what was missed; the
    slots to run."""
    if not due:
        return []
    gaps = [(job, slot, _gap(job, slot, now)) for job, slot in due]
    moves = [{"job": job.id, "slot": slot, "following": gap.following} for job, slot, gap in gaps]
    if connection.execute(_MOVE, moves).rowcount != len(moves):
        raise _MovedError
    asked = {instant for _, slot, gap in gaps for instant in (slot, gap.run) if instant is not None}
    rows = connection.execute(_KNOWN, {"jobs": [job.id for job, _ in due], "slots": list(asked)})
    known = {(row.job_id, row.scheduled_for) for row in rows}
    missed = [
        _row(job, slot) | _skipped(NOT_STARTED) | {"missed": gap.missed}
        for job, slot, gap in gaps
        if gap.missed is not None and (job.id, slot) not in known
    ]
    if missed:
        connection.execute(_INSERT, missed)
    return [(job, gap.run) for job, _, gap in gaps if gap.run is not None and (job.id, gap.run) not in known]


def _make_way(
    session: Session, live: Execution | None, job: Job, over: str | None, base_url: str
) -> tuple[list[Bell], str | None]:
    """End what only waits for its retry; else the reason why the slot does not run. `over`: why it could not
    be paid; then what waits keeps its retry."""
    if live is None:
        return [], over
    if live.status != Status.RETRYING or _interrupted(session, live):
        return [], f"The execution before it was still {live.status.lower()}."
    if over is not None:
        return [], over
    said = "Its next slot came before the retry: that run covers this window too."
    bells = record.end(session, live, Status.FAILED, said, base_url, Code.SUPERSEDED)
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


def _row(job: Job, slot: datetime) -> dict[str, Any]:
    """The execution of a slot."""
    return {
        "id": ids.new("exec"),
        "job_id": job.id,
        "user_id": job.user_id,
        "project_id": job.project_id,
        "triggered_by": "scheduled",
        "scheduled_for": slot,
    }


def _skipped(reason: str) -> dict[str, Any]:
    return {
        "status": Status.SKIPPED,
        "outcome": Outcome.SKIPPED,
        "completed_at": clock.now(),
        "reason": reason,
    }
