"""One worker's hold on one attempt: every write of a run names its attempt, and a run that lost it writes
nothing more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution
from models.values import Status

BEAT = 15.0
"""Seconds between heartbeats."""
LAPSE = timedelta(seconds=60)
"""A run whose heart stopped for this long is dead (DESIGN promise 6)."""


class LostError(Exception):
    """The attempt was cancelled, recovered by another worker or deleted: whatever it still had to say is
    void."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`take` is called first in every transaction of a run."""

    execution_id: str
    attempt: int

    def take(self, session: Session, **values: Any) -> None:
        """Prove the hold and write `values` to the execution, in the caller's transaction. Raises
        LostError."""
        done = session.execute(
            update(Execution)
            .where(
                Execution.id == self.execution_id,
                Execution.attempt == self.attempt,
                Execution.status == Status.RUNNING,
            )
            .values(**({"heartbeat_at": clock.now()} | values))
            .execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise LostError


@contextmanager
def beating(engine: Engine, hold: Hold) -> Iterator[None]:
    """Keep the heartbeat going in a thread of its own while the body works."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(engine, hold, stop), name=f"heart-{hold.execution_id}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(engine: Engine, hold: Hold, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        try:
            with Session(engine) as session, session.begin():
                hold.take(session)
        except LostError:
            return
        except SQLAlchemyError:
            continue  # The database is away; if it stays away the heartbeat lapses, which is the truth.
