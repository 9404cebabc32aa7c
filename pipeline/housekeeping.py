"""What keeps the house in order: recover runs whose worker died, and forget what is too old."""

import logging
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, Select, bindparam, delete, select, update
from sqlalchemy.orm import Session, aliased

from lib import clock
from lib.codes import Code
from models import (
    LIVE,
    Draft,
    EmailDelivery,
    Execution,
    Notification,
    Pulse,
    Spend,
    WebhookDelivery,
    unended,
)
from models.base import reading, table, upsert
from models.values import Status
from pipeline import account, pushes, record
from pipeline.bells import Bell
from pipeline.hold import BEAT, LAPSE
from pipeline.record import Fault, close_attempt
from pipeline.spending import Month

log = logging.getLogger(__name__)
RECOVERIES = 3
"""How many workers may die under a run; then something in it kills them."""
GLANCE = BEAT + 5.0
"""Seconds after which a living heart has beaten again."""
GAP = 10.0
"""Seconds between two looks that still are one watch; a worker looks each second."""
PRUNED_AT_MOST, PRUNED_AT_ONCE = 5000, 100
"""Executions forgotten in one hour, and in one transaction."""
WORDS = (
    "The worker that ran this attempt stopped, or could not reach the database. What it had finished is kept,"
    " and the run goes on from there."
)
_RUNNING = select(Execution.id, Execution.attempt, Execution.heartbeat_at).where(
    Execution.status == Status.RUNNING, unended(Execution)
)
Beat = tuple[str, int, datetime | None]
"""An execution's id, its attempt, and when its heart beat last."""
_table = table(Execution)

_newer, _retry = aliased(Execution), aliased(Execution)
_CHOSEN = select(Draft.id).where(
    Draft.execution_id == _table.c.id, Draft.state.in_(("APPROVED", "PUBLISHED"))
)
_OLD = (
    select(_table.c.id)
    .where(
        _table.c.created_at < bindparam("before"),
        _table.c.status.not_in(LIVE),
        select(_newer.id)
        .where(_newer.job_id == _table.c.job_id, _newer.created_at > _table.c.created_at)
        .exists(),
        ~select(_retry.id).where(_retry.retry_of == _table.c.id).exists(),
        ~_CHOSEN.exists(),
    )
    .limit(bindparam("most"))
)
_FORGET = delete(_table).where(_table.c.id.in_(bindparam("ids", expanding=True)), ~_CHOSEN.exists())


class Ward:
    """Tells which runs are dead by watching their hearts; one per process. `running` asks for their ids,
    attempts and heartbeats.

    A heart is dead when it has stood still for LAPSE before our eyes or, where the clock says so already, for
    GLANCE. The clock alone would kill every run when it is set forward an hour, and spare the dead for an
    hour when it is set back. Time in which nobody looked is no evidence: after the database was away, or this
    process suspended, the watch begins anew.
    """

    def __init__(self, running: Select[str, int, datetime | None] = _RUNNING) -> None:
        self._running = running
        self._seen: dict[Beat, float] = {}
        self._looked = 0.0

    def dead(self, session: Session) -> list[Beat]:
        """The runs that nobody works on any more. Ends the transaction."""
        with reading(session):
            rows = [(row[0], row[1], row[2]) for row in session.execute(self._running)]
        at, lapsed = monotonic(), clock.now() - LAPSE
        if at - self._looked > GAP:
            self._seen = {}
        self._looked = at
        self._seen = {beat: self._seen.get(beat, at) for beat in rows}
        return [beat for beat, since in self._seen.items() if at - since >= _allowed(beat, lapsed)]


def _allowed(beat: Beat, lapsed: datetime) -> float:
    late = beat[2] is None or beat[2] < lapsed
    return GLANCE if late else LAPSE.total_seconds()


def recover(session: Session, beat: Beat, base_url: str) -> list[Bell]:
    """Hand on a run whose worker died; commits. The worker that comes back finds its hold lost.

    A death is no failure: it uses up no retry and nobody waits for it; only RECOVERIES of them end a run.
    """
    with session.begin():
        return _recover(session, session.connection(), beat, base_url)


def _recover(session: Session, connection: Connection, beat: Beat, base_url: str) -> list[Bell]:
    now, fault = clock.now(), Fault(WORDS, f"Error: {WORDS}", code=Code.WORKER_DIED)
    execution_id, attempt, heartbeat = beat
    this = (_table.c.id == execution_id) & (_table.c.attempt == attempt)
    taken = connection.execute(
        update(_table)
        .where(this, _table.c.status == Status.RUNNING, _table.c.heartbeat_at == heartbeat)
        .values(status=Status.RETRYING, next_retry_at=now, recoveries=_table.c.recoveries + 1)
        .values(error=WORDS, error_code=Code.WORKER_DIED)
        .returning(_table.c.recoveries)
    ).scalar_one_or_none()
    if taken is None:
        return []
    spent = close_attempt(connection, execution_id, attempt, now, Status.CANCELLED, fault)
    execution = session.get_one(Execution, execution_id, populate_existing=True)
    execution.duration = (execution.duration or 0) + spent
    if taken > RECOVERIES:
        said = f"{taken} workers stopped while they ran it: it is not tried again."
        return record.end(session, execution, Status.FAILED, said, base_url, Code.WORKER_DIED)
    return [Bell("run", execution_id)]


def prune(session: Session, kept: timedelta) -> int:
    """Delete ended executions, notifications, settled mails and what was spent, where older than `kept`, old
    deliveries of webhooks, and sessions and mailed links that have ended; how many executions.

    Once an hour, by whoever ticks first, in small transactions so that nobody waits for it. What stays: each
    job's newest execution, whatever its age; what has an approved or published draft; what a retry stems
    from; what this month's budgets are kept by; statistics, cursors and the ids of what was told. Commits.
    """
    now = clock.now()
    with session.begin():
        if not first_this_hour(session, "prune", now):
            return 0
    before = now - kept
    with reading(session):
        old = session.scalars(_OLD, {"before": before, "most": PRUNED_AT_MOST}).all()
    for start in range(0, len(old), PRUNED_AT_ONCE):
        with session.begin():
            session.connection().execute(_FORGET, {"ids": old[start : start + PRUNED_AT_ONCE]})
    with session.begin():
        settled = (EmailDelivery.status != "PENDING") & (EmailDelivery.created_at < before)
        session.execute(delete(EmailDelivery).where(settled))
        session.execute(delete(Notification).where(Notification.created_at < before))
        session.execute(delete(Spend).where(Spend.at < min(before, Month.of(now).first)))
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.received_at < now - pushes.KEPT))
        account.forget_ended(session)
    if old:
        log.info("Deleted %d executions older than %d days.", len(old), kept.days)
    return len(old)


def first_this_hour(session: Session, name: str, now: datetime) -> bool:
    """One winner for each `name`: the row moves from more than an hour ago to now. A clock that was set back
    counts as an hour. Does not commit."""
    insert = upsert(session, Pulse).values(name=name, at=now)
    stale = (Pulse.at <= now - timedelta(hours=1)) | (Pulse.at > now)
    move = insert.on_conflict_do_update(index_elements=["name"], set_={"at": now}, where=stale)
    return session.execute(move.returning(Pulse.name)).one_or_none() is not None
