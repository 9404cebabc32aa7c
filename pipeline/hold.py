"""One worker's hold on one attempt: every write of a run names its attempt, and a run that lost it writes
nothing more."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, update
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution
from models.base import table
from models.values import Status

log = logging.getLogger(__name__)
BEAT = 15.0
"""Seconds between heartbeats."""
LAPSE = timedelta(seconds=60)
"""A run whose heart stopped for this long is dead (DESIGN promise 6)."""
PAUSES = (0.1, 5.0)
"""Seconds between two offers, at first and at most."""
AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""What a database says that may take the same statement a moment later."""

_table = table(Execution)
# Without values(): the columns to set are those of the parameters. Built once, as building costs more than
# running.
_HELD = update(_table).where(
    _table.c.id == bindparam("held_id"),
    _table.c.attempt == bindparam("held_attempt"),
    _table.c.status == Status.RUNNING,
)
T = TypeVar("T")


def said(error: Exception) -> str:
    """What the database said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


class LostError(Exception):
    """The attempt was cancelled, recovered by another worker or deleted: whatever it still had to say is
    void."""


class StoppedError(Exception):
    """This worker has to stop before the attempt has ended: it is handed back."""


@dataclass(slots=True, eq=False)
class Hold:
    """`take` is called first in every transaction of a run. `ended` fails with LostError or StoppedError when
    the run has to end before its time; whoever waits for the outside waits for it, too. `proved` is when the
    hold was last known to be good, on the monotonic clock."""

    execution_id: str
    attempt: int
    began: datetime
    ended: Future[None] = field(default_factory=Future)
    proved: float = field(default_factory=time.monotonic)

    def take(self, connection: Connection, **values: Any) -> None:
        """Prove the hold and write `values` to the execution, in the caller's transaction. Raises
        LostError."""
        named = {"held_id": self.execution_id, "held_attempt": self.attempt, "heartbeat_at": clock.now()}
        if connection.execute(_HELD, named | values).rowcount != 1:
            raise LostError
        self.proved = time.monotonic()

    def prove(self, engine: Engine) -> None:
        """Make sure of the hold before something is paid for: a process that stood still for a while may have
        lost it and not know yet. Raises LostError."""
        if time.monotonic() - self.proved > BEAT:
            with Session(engine) as session:
                self.store(session, self.take)

    def store(self, session: Session, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction; again and again while the database cannot take it.

        What a run found out has been paid for: a lock, a full disk or a database that is away, for however
        long, must not lose it. If another worker has taken the run over meanwhile, the first write that
        succeeds says so. `work` may be called several times, each time on a clean session. Raises what
        the last try raised once this process has to stop, or the run is known to be lost.
        """
        pause = PAUSES[0]
        while True:
            try:
                with session.begin():
                    return work(session.connection())
            except AWAY as error:
                if self.ended.done():
                    raise
                log.warning("The database took nothing (%s); trying again in %.1f s.", said(error), pause)
            wait({self.ended}, timeout=pause)
            pause = min(2 * pause, PAUSES[1])

    def end(self, reason: Exception) -> None:
        """Tell whoever works on it, once."""
        with suppress(InvalidStateError):
            self.ended.set_exception(reason)


class Heart:
    """Beats for all runs of a process, in one thread that lives while there are any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._holds: set[Hold] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()

    @contextmanager
    def beating(self, hold: Hold) -> Iterator[None]:
        """Keep the heartbeat going while the body works."""
        with self._lock:
            self._holds.add(hold)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._holds.discard(hold)

    def abandon(self) -> None:
        """Every run of this process ends now and is handed back."""
        with self._lock:
            for hold in self._holds:
                hold.end(StoppedError())

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT)
            with self._lock:
                holds = list(self._holds)
                if not holds:
                    self._thread = None
                    return
            for hold in holds:
                self._beat_one(hold)

    def _beat_one(self, hold: Hold) -> None:
        try:
            with self._engine.begin() as connection:
                hold.take(connection)
        except LostError as error:
            hold.end(error)
        except SQLAlchemyError:
            # If the database stays away the heartbeat lapses, which is the truth.
            log.warning("The heartbeat of %s could not be written.", hold.execution_id, exc_info=True)
