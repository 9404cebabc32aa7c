"""One worker's hold on one attempt: every write of it names the attempt, and whoever lost it writes nothing
more."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, Update, bindparam, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution
from models.base import AWAY, may_pass, said, table
from models.values import Status
from pipeline.bells import Bell

log = logging.getLogger(__name__)
BEAT = 15.0
"""Seconds between heartbeats."""
LAPSE = timedelta(seconds=60)
"""A run whose heart stopped for this long is dead (DESIGN promise 6)."""
PAUSES = (0.1, 5.0)
"""Seconds between two offers, at first and at most."""
LAST_WORDS = 5.0
"""Seconds in which a run of a stopping worker may still write down that it is handed on."""

T = TypeVar("T")


def proof_on(rows: Table) -> Update:
    """The UPDATE that proves a hold on a row of this table, which has `attempt`, `status` and
    `heartbeat_at`.

    Without values(): the columns to set are those of the parameters. Build it once, as building costs more
    than running.
    """
    return update(rows).where(
        rows.c.id == bindparam("held_id"),
        rows.c.attempt == bindparam("held_attempt"),
        rows.c.status == Status.RUNNING,
    )


_EXECUTION = proof_on(table(Execution))


class LostError(Exception):
    """The attempt was cancelled, recovered by another worker or deleted: whatever it still had to say is
    void."""


class StoppedError(Exception):
    """This worker has to stop before the attempt has ended: it is handed back."""


@dataclass(slots=True, eq=False)
class Hold:
    """`take` is called first in every transaction of a run. `proof` is what it says, for work that is no
    execution: then `execution_id` is the id of its own row. `ended` fails with LostError or StoppedError when
    the run has to end before its time; whoever waits for the outside waits for it, too. `proved` is when the
    hold was last known to be good, on the monotonic clock; `waited` how many seconds the database took;
    `opened` which steps a transaction has begun, which may not have been taken."""

    execution_id: str
    attempt: int
    began: datetime
    ended: Future[None] = field(default_factory=Future)
    proved: float = field(default_factory=time.monotonic)
    waited: float = 0.0
    opened: set[str] = field(default_factory=set)
    proof: Update = field(default=_EXECUTION, repr=False)

    def take(self, connection: Connection, **values: Any) -> None:
        """Prove the hold and write `values` to the execution, in the caller's transaction. Raises
        LostError."""
        named = {"held_id": self.execution_id, "held_attempt": self.attempt, "heartbeat_at": clock.now()}
        if connection.execute(self.proof, named | values).rowcount != 1:
            raise LostError
        self.proved = time.monotonic()

    def prove(self, engine: Engine) -> None:
        """Make sure of the hold before something is paid for: a process that stood still for a while may have
        lost it and not know yet. Raises LostError."""
        if time.monotonic() - self.proved > BEAT:
            self.write(engine, self.take)

    def store(self, session: Session, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction; again and again while the database cannot take it.

        If another worker has taken the run over meanwhile, the first write that succeeds says so. `work` may
        be called several times, each time on a clean session.
        """

        def once() -> T:
            with session.begin():
                return work(session.connection())

        return self.patiently(once)

    def write(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        """As `store`, for work that needs no session: one costs as much as a statement."""

        def once() -> T:
            with engine.begin() as connection:
                return work(connection)

        return self.patiently(once)

    def patiently(self, once: Callable[[], T]) -> T:
        """The answer of `once`, which is asked again for as long as the database cannot answer.

        What a run found out has been paid for: a lock, a full disk or a database that is away, for however
        long, must not lose it. `waited` says how long that took, which is not the run's fault. Raises what
        the last try raised if no waiting mends it (`models.base.may_pass`), if the run is known to be
        lost, or LAST_WORDS after this process was asked to stop.
        """
        pause, began, give_up = PAUSES[0], time.monotonic(), math.inf
        try:
            while True:
                try:
                    return once()
                except AWAY as error:
                    if self.ended.done() and give_up is math.inf:
                        stopped = isinstance(self.ended.exception(), StoppedError)
                        give_up = time.monotonic() + (LAST_WORDS if stopped else 0.0)
                    if not may_pass(error) or time.monotonic() >= give_up:
                        raise
                    log.warning("The database took nothing (%s); trying again in %.1f s.", said(error), pause)
                self._pause(pause)
                pause = min(2 * pause, PAUSES[1])
        finally:
            self.waited += time.monotonic() - began

    def _pause(self, seconds: float) -> None:
        """Shorter when the run has to end; then briefly, for there is not much time."""
        if self.ended.done():
            time.sleep(PAUSES[0])
        else:
            wait({self.ended}, timeout=seconds)

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
                thread = threading.Thread(target=self._beat, name="heart", daemon=True)
                thread.start()
                self._thread = thread
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
        try:
            while holds := self._after_a_while():
                for hold in holds:
                    self._beat_one(hold)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():  # ended by what nobody foresaw
                    self._thread = None

    def _after_a_while(self) -> list[Hold]:
        time.sleep(BEAT)
        with self._lock:
            holds = list(self._holds)
            if not holds:
                self._thread = None
            return holds

    def _beat_one(self, hold: Hold) -> None:
        try:
            with self._engine.begin() as connection:
                hold.take(connection)
        except LostError as error:
            hold.end(error)
        except SQLAlchemyError:
            # If the database stays away the heartbeat lapses, which is the truth.
            log.warning("The heartbeat of %s could not be written.", hold.execution_id, exc_info=True)


def go_on(heart: Heart) -> None:
    """Begin nothing long in a worker that was asked to stop. Raises StoppedError."""
    if heart.stopping.is_set():
        raise StoppedError


def carried(session: Session, hold: Hold, heart: Heart, work: Callable[[Session], list[Bell]]) -> list[Bell]:
    """What `work` returns, which carries a held attempt to its end on the row; nothing where the hold or the
    database is lost meanwhile.

    No transaction is open while the outside is waited for: on SQLite it would keep everybody else from
    writing. So the work has a session of its own, whose rows nobody else can expire or hold.
    """
    try:
        with heart.beating(hold), Session(engine_of(session), expire_on_commit=False) as own:
            return work(own)
    except LostError:
        log.info("Attempt %d of %s was taken away; it writes nothing more.", hold.attempt, hold.execution_id)
        return []
    except AWAY:
        log.exception("The database did not take %s; it is recovered from what is stored.", hold.execution_id)
        return []
    finally:
        hold.end(LostError())  # whoever still works for it stops


def engine_of(session: Session) -> Engine:
    """The engine behind a session."""
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine
