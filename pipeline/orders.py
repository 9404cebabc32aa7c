"""The orders to write drafts anew, as workers find them: which wait, who takes one, whose worker died."""

from typing import Any

from sqlalchemy import bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Ordered, Regeneration
from models.base import reading, table
from models.draft import unfinished
from pipeline.bells import Bell
from pipeline.hold import Hold, proof_on
from pipeline.housekeeping import Beat, Ward

TRIES = 3
DIED = "The worker that wrote the new text stopped."

_orders = table(Regeneration)
_PROOF = proof_on(_orders)
_NOW = bindparam("now", type_=_orders.c.next_try_at.type)


def _due(columns: Any) -> Any:
    is_time = or_(columns.next_try_at.is_(None), columns.next_try_at <= _NOW)
    return unfinished(columns) & (columns.status == Ordered.QUEUED) & is_time


_other = _orders.alias("waiting")
_LONGEST = (
    select(_other.c.id)
    .where(_due(_other.c))
    .order_by(_other.c.created_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKE = (
    update(_orders)
    .where(_orders.c.id == _LONGEST, _orders.c.status == Ordered.QUEUED)
    .values(status=Ordered.RUNNING, attempt=_orders.c.attempt + 1, heartbeat_at=_NOW, next_try_at=None)
    .returning(_orders.c.id, _orders.c.attempt)
)
_WAITING = select(_orders.c.id).where(_due(_orders.c)).order_by(_orders.c.created_at).limit(1)
_RUNNING = select(_orders.c.id, _orders.c.attempt, _orders.c.heartbeat_at).where(
    unfinished(_orders.c), _orders.c.status == Ordered.RUNNING
)


def ward() -> Ward:
    """What tells which orders nobody works on any more; one per process."""
    return Ward(_RUNNING)


def look(session: Session, watch: Ward) -> list[Bell]:
    """What every worker looks at each second: orders whose worker died are handed on, and those that may be
    taken are told. Commits."""
    for beat in watch.dead(session):
        recover(session, beat)
    with reading(session):
        waiting = session.scalars(_WAITING, {"now": clock.now()}).all()
    return [Bell("regenerate", order_id) for order_id in waiting]


def recover(session: Session, beat: Beat) -> None:
    """Hand on an order whose worker died, or end it when that was its last try; commits. The worker that
    comes back finds its hold lost."""
    order_id, attempt, heartbeat = beat
    this = (_orders.c.id == order_id) & (_orders.c.attempt == attempt)
    is_last = _orders.c.failures >= TRIES - 1
    with session.begin():
        session.execute(
            update(_orders)
            .where(this, _orders.c.status == Ordered.RUNNING, _orders.c.heartbeat_at == heartbeat)
            .values(
                status=case((is_last, Ordered.FAILED.value), else_=Ordered.QUEUED.value),
                completed_at=case((is_last, clock.now()), else_=None),
                failures=_orders.c.failures + 1,
                heartbeat_at=None,
                next_try_at=None,
                error=DIED,
            )
        )


def take_next(session: Session) -> Hold | None:
    """Take the order that waits longest, if one is due; commits."""
    now = clock.now()
    with session.begin():
        taken = session.connection().execute(_TAKE, {"now": now}).one_or_none()
    return None if taken is None else Hold(taken.id, taken.attempt, now, proof=_PROOF)
