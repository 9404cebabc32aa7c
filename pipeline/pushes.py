"""A push starts a run: what deliveries of GitHub's webhook ask for, when that is due, and what settles it.

Polling stays the truth: GitHub does not send a delivery again by itself ("Handling failed webhook
deliveries", docs.github.com, 2026-11-23), so one only brings forward what the next slot would tell anyhow.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, WebhookDelivery, unended
from models.base import reading, table, upsert
from models.values import Outcome, Status
from pipeline import spending
from pipeline.bells import Bell
from pipeline.jobs import forget_push, listens, lock_these
from pipeline.tariff import FREE, Tariff

DEBOUNCE = timedelta(minutes=10)
"""How long it must have been quiet before a run starts: whoever pushes once often pushes again."""
AT_MOST = timedelta(minutes=60)
"""After so long since the first of them a run starts anyhow: a busy repository is never quiet."""
KEPT = timedelta(days=30)
"""How long deliveries are remembered. GitHub sends one again for 3 days at most (docs.github.com,
"Redelivering webhooks", 2026-11-23)."""
MOST = 20
"""Pushes that one look takes up; the next one comes in a second."""

# Built once: building a statement costs more than running it.
_jobs = table(Job)
_NOW = bindparam("now", type_=_jobs.c.push_at.type)
# In the order of their ids, as everybody locks jobs; the key stays free for executions that are inserted.
_LISTENING = (
    select(_jobs.c.id, _jobs.c.push_since)
    .where(
        _jobs.c.project_id == bindparam("project"),
        _jobs.c.is_enabled,
        _jobs.c.paused_at.is_(None),
        or_(_jobs.c.paused_until.is_(None), _jobs.c.paused_until <= _NOW),
        _jobs.c.run_on_push,
    )
    .order_by(_jobs.c.id)
    .with_for_update(key_share=True)
)
_AWAIT = (
    update(_jobs)
    .where(_jobs.c.id == bindparam("job"))
    .values(push_since=bindparam("since"), push_at=bindparam("at"))
)
_LIVE = select(Execution.id).where(Execution.job_id == bindparam("job"), unended(Execution))
_DUE = (
    select(Job.id, Job.push_at)
    .where(
        Job.push_at <= _NOW,
        ~select(Execution.id).where(Execution.job_id == Job.id, unended(Execution)).exists(),
    )
    .order_by(Job.push_at)
    .limit(MOST)
)
_FIRST: dict[str, Any] = {}
_SETTLE = (
    update(_jobs)
    .where(_jobs.c.id == bindparam("job"), _jobs.c.push_at == bindparam("at"))
    .values(push_since=None, push_at=None)
)


@dataclass(frozen=True, slots=True)
class Noted:
    """What came of a delivery: whether it is the first with its id, how many jobs it starts, and when the
    first of them."""

    is_new: bool
    jobs: int = 0
    at: datetime | None = None


def note(session: Session, project_id: str, guid: str, event: str, *, concerns: bool) -> Noted:
    """Remember a delivery, once, and let the project's listening jobs run in a while if it `concerns` what
    they tell; commits.

    `guid`: GitHub's id of the delivery, the same again when it is delivered again. Each further delivery
    moves the run to DEBOUNCE after it, yet not beyond AT_MOST after the first. One short transaction. Raises
    IntegrityError when the project was deleted meanwhile.

    Jobs are locked before the delivery is inserted: that holds the project's key, for which whoever deletes
    the project waits while holding its jobs.
    """
    now = clock.now()
    with session.begin():
        connection = session.connection()
        found = connection.execute(_LISTENING, {"project": project_id, "now": now}).all() if concerns else []
        delivery = {"project_id": project_id, "guid": guid, "event": event, "received_at": now}
        if connection.execute(_first(connection), delivery).one_or_none() is None:
            return Noted(False)
        pushed = [(job.id, job.push_since or now) for job in found]
        if pushed:
            rows = [{"job": job, "since": since, "at": _when(since, now)} for job, since in pushed]
            connection.execute(_AWAIT, rows)
    return Noted(True, len(pushed), min((_when(since, now) for _, since in pushed), default=None))


def _first(connection: Connection) -> Any:
    """Inserts a delivery and returns its id, if it is the first with that id."""
    dialect = connection.dialect.name
    if dialect not in _FIRST:
        insert = upsert(connection, WebhookDelivery).on_conflict_do_nothing()
        _FIRST[dialect] = insert.returning(WebhookDelivery.guid)
    return _FIRST[dialect]


def _when(since: datetime, now: datetime) -> datetime:
    """Never before now: `_latest` reads off it that no delivery came after it."""
    return min(now + DEBOUNCE, max(since + AT_MOST, now))


def due(session: Session) -> list[tuple[str, datetime]]:
    """Jobs whose push is due, and since when; not those with a live execution: their push waits for its end,
    which may settle it. One index look-up where nothing is due. Ends the transaction."""
    with reading(session):
        rows = session.execute(_DUE, {"now": clock.now()}).all()
    return [(job_id, at) for job_id, at in rows if at is not None]


def start(session: Session, job_id: str, at: datetime, tariff: Tariff = FREE) -> list[Bell]:
    """Turn the push that is due since `at` into an execution, in one transaction; commits. The bell to ring;
    none where somebody else did, or the job listens no more or has a live execution. Its next slot stays.
    Where the project's monthly budget is spent the execution is SKIPPED, and says so.

    Locks the job alone, then looks whether it has a live execution: a run that ends holds its own row and
    waits for its job, so that to wait for the former would be a deadlock.
    """
    try:
        with session.begin():
            job = next(iter(lock_these(session, [job_id])), None)
            if job is None or job.push_at != at:
                return []
            if session.connection().execute(_LIVE, {"job": job_id}).first() is not None:
                return []
            forget_push(job)
            if not listens(job):
                return []
            over = spending.why_no_slot(session, job, tariff)
            execution = Execution(
                job_id=job.id, user_id=job.user_id, project_id=job.project_id, triggered_by="webhook"
            )
            if over is not None:
                execution.status, execution.outcome = Status.SKIPPED, Outcome.SKIPPED
                execution.completed_at, execution.reason = clock.now(), over
            session.add(execution)
            session.flush()
            return [Bell("run", execution.id)] if over is None else []
    except IntegrityError:  # Trigger Now came between the look and the insert: the push waits for its end
        return []


def settle(
    connection: Connection, job_id: str, since: datetime | None, at: datetime | None, began: datetime | None
) -> None:
    """Take back the run that a push asked for where another one has told it: it succeeded, and began after
    the last delivery. In the caller's transaction, which has the job locked.

    `since`, `at`: the job's `push_since` and `push_at`; `began`: the run's start. Both by our own clocks, for
    GitHub's may differ.
    """
    if since is not None and at is not None and began is not None and _latest(since, at) < began:
        connection.execute(_SETTLE, {"job": job_id, "at": at})


def _latest(since: datetime, at: datetime) -> datetime:
    """When the last delivery came, at the latest: a run that was put off as far as may be hides it."""
    return at - DEBOUNCE if at < since + AT_MOST else at
