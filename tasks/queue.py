"""The Huey instance. It starts on an in-memory queue and is put on its real storage by `connect`, so that
importing a task opens no file and no connection."""

import logging
import sqlite3
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from huey import MemoryHuey
from huey.serializer import SignedSerializer

from lib.settings import Settings
from pipeline.bells import Bell

log = logging.getLogger(__name__)
SPARE = 2
"""Threads beyond WORKERS, for the tick, mails and recovery."""
QUEUE_ERRORS = (OSError, sqlite3.Error, psycopg.Error, redis.RedisError)

# results=False: nobody reads a task's result, and storing them halves the rate at which tasks are consumed.
huey = MemoryHuey("repocast", results=False)


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
        from huey.storage import PostgresStorage

        return PostgresStorage("repocast", dsn=url.replace("postgresql+psycopg", "postgresql", 1))
    from huey.storage import RedisStorage

    return RedisStorage("repocast", url=url, read_timeout=1)


def reset() -> None:
    """Back to a fresh in-memory queue, for tests."""
    huey.storage = huey.get_storage()


_tasks: dict[str, Any] = {}


def answers(kind: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare the task that a kind of bell starts."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        _tasks[kind] = huey.task(name=kind)(function)
        return function

    return register


def ring(bells: Iterable[Bell]) -> None:
    """Enqueue each bell's task. A queue that is out of order costs at most a minute: the tick rings again
    from the rows."""
    for bell in bells:
        try:
            _enqueue(bell)
        except QUEUE_ERRORS:
            log.warning("The queue did not take %s; the next tick rings again.", bell, exc_info=True)


def _enqueue(bell: Bell) -> None:
    task = _tasks[bell.kind]
    arguments = (bell.id,) if bell.slot is None else (bell.id, bell.slot.isoformat())
    if bell.eta is None:
        task(*arguments)
    else:
        task.schedule(args=arguments, eta=bell.eta)


def worker_command(workers: int) -> list[str]:
    """`huey_consumer` for at most `workers` executions at once.

    -d, -m and -b keep a polling queue at a flat 50 ms; -g TERM -t 30 lets running tasks finish for 30 s when
    the worker is asked to stop (huey's default is to interrupt them).
    """
    flags = f"-k thread -w {workers + SPARE} -d 0.05 -m 0.05 -b 1 -g TERM -t 30 -q"
    return [sys.executable, "-m", "huey.bin.huey_consumer", "tasks.consumer.huey", *flags.split()]
