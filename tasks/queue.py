"""The Huey instance. It starts on an in-memory queue and is put on its real storage by `connect`, so that
importing a task opens no file and no connection."""

import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from lib.settings import Settings
from models.base import POSTGRES_CONNECT
from pipeline.bells import Bell, Kind
from tasks.drivers import storage_with  # before huey: it decides what huey imports

# isort: split
from huey import MemoryHuey
from huey.serializer import SignedSerializer

log = logging.getLogger(__name__)
T = TypeVar("T")
HANDS = 3
"""Huey's threads: one may tick and one may mail while one answers the other bells. Executions have threads of
their own."""

OPENING = 0x5265706F63617374
"""The key of the advisory lock: "Repocast" in ASCII."""
TROUBLE_PAUSE, TROUBLE_SAID_EVERY = 1.0, 30.0
"""Seconds to wait after a queue could not be read, and between two lines in the log about it."""


class Bells(MemoryHuey):  # type: ignore[misc]
    """A queue that cannot be read is said once in a while and asked again each second; Huey's consumer itself
    would write thousands of tracebacks a minute."""

    _said = -TROUBLE_SAID_EVERY

    def dequeue(self) -> Any:
        try:
            return super().dequeue()
        except queue_errors() as error:
            return self._trouble(error, None)

    def read_schedule(self, timestamp: Any = None) -> Any:
        try:
            return super().read_schedule(timestamp)
        except queue_errors() as error:
            return self._trouble(error, [])

    def _trouble(self, error: Exception, answer: T) -> T:
        now = time.monotonic()
        if now - self._said >= TROUBLE_SAID_EVERY:
            self._said = now
            log.warning(
                "The queue cannot be read (%s). It is asked again each second; nothing is lost, for the rows"
                " are looked at meanwhile.",
                " ".join(str(error).split()),
            )
        time.sleep(TROUBLE_PAUSE)
        return answer


# results=False: nobody reads a task's result, and storing them halves the rate at which tasks are consumed.
huey = Bells("repocast", results=False)


def connect(settings: Settings) -> None:
    """Put the queue on QUEUE_URL. Payloads are pickles, so they are signed: a stranger's row runs nothing."""
    huey.serializer = SignedSerializer(secret=settings.secret_key.get_secret_value(), salt="repocast.queue")
    huey.storage = _storage(settings.queue_url)


def _storage(url: str) -> Any:
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from tasks.sqlite_queue import WatchedSqliteStorage

        return WatchedSqliteStorage("repocast", filename=url.removeprefix("sqlite:///"), fsync=False)
    if scheme.startswith("postgresql"):
        return _postgres_storage(url.replace("postgresql+psycopg", "postgresql", 1))
    return storage_with("redis").RedisStorage("repocast", url=url, read_timeout=1)


def _postgres_storage(dsn: str) -> Any:
    """One process at a time: Huey makes its tables on opening, and of two that do so at once PostgreSQL
    refuses one, even with IF NOT EXISTS."""
    module = storage_with("psycopg")
    with module.psycopg.connect(dsn, **POSTGRES_CONNECT) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (OPENING,))
        return module.PostgresStorage("repocast", dsn=dsn, **POSTGRES_CONNECT)


def disconnect() -> None:
    """Close the storage and go back to a fresh in-memory queue."""
    huey.storage.close()
    huey.storage = huey.get_storage()


def queue_errors() -> tuple[type[Exception], ...]:
    """What a queue that is out of order raises, whichever it is."""
    drivers = (("psycopg", "Error"), ("redis", "RedisError"))
    loaded = [getattr(sys.modules[name], error) for name, error in drivers if name in sys.modules]
    return (OSError, sqlite3.Error, *loaded)


Answer = Callable[..., None]
_answers: dict[str, Answer] = {}


def answers(kind: str) -> Callable[[Answer], Answer]:
    """Declare what a worker does when a kind of bell rings. Who only rings need not import it."""

    def register(function: Answer) -> Answer:
        _answers[kind] = function
        return function

    return register


def _task(kind: str) -> Any:
    def answer(*arguments: str) -> None:
        _answers[kind](*arguments)

    return huey.task(name=kind)(answer)


_tasks = {kind: _task(kind) for kind in get_args(Kind)}


def ring(bells: Iterable[Bell]) -> None:
    """Enqueue each bell's task. A queue that is out of order costs a second where a worker is there, for it
    looks at the rows; only what lies ahead waits for the next tick."""
    for bell in bells:
        try:
            _enqueue(bell)
        except queue_errors():
            _once_more(bell)


def _once_more(bell: Bell) -> None:
    """A connection that a restart of the queue's server has broken is found so by its first use."""
    try:
        _enqueue(bell)
    except queue_errors():
        log.warning("The queue did not take %s; a worker finds it in the rows.", bell, exc_info=True)


def _enqueue(bell: Bell) -> None:
    task = _tasks[bell.kind]
    arguments = (bell.id,) if bell.slot is None else (bell.id, bell.slot.isoformat())
    if bell.eta is None:
        task(*arguments)
    else:
        task.schedule(args=arguments, eta=bell.eta)


def worker_command() -> list[str]:
    """`huey_consumer` as a worker process runs it.

    -d, -m and -b keep a polling queue at a flat 50 ms; -g TERM -t 8 lets tasks finish for 8 s when the worker
    is asked to stop (huey's default is to interrupt them), after the runs have had theirs.
    """
    flags = f"-k thread -w {HANDS} -d 0.05 -m 0.05 -b 1 -g TERM -t 8 -q"
    return [sys.executable, "-m", "huey.bin.huey_consumer", "tasks.consumer.huey", *flags.split()]
