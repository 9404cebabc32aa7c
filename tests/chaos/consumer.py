"""A worker that dies where it is told to: `python -m huey.bin.huey_consumer tests.chaos.consumer.huey`.

It is `tasks.consumer`, with two differences. At each boundary of `tests.chaos.boundaries` it looks whether
an order lies in CHAOS_FOLDER, and the one process that takes it sends itself the order's signal. And the
waits after a death are shorter (SHORT, TICK), or 200 of them would take hours. Nothing else is changed.
"""

import importlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from tests.chaos import boundaries

SHORT: dict[str, dict[str, object]] = {
    "pipeline.hold": {"BEAT": 0.5, "LAPSE": timedelta(seconds=4)},
    "pipeline.housekeeping": {"GLANCE": 0.8},
    "pipeline.outbox": {"LEASE": timedelta(seconds=6), "FIRST_WAIT": timedelta(seconds=1)},
    "pipeline.write": {"PAUSES": (0.3, 0.6, 0.9)},
}
"""In this order, before anything else of the product is imported: others take these constants by name."""
TICK = 2.0
"""Seconds between two ticks of a worker, for Huey's 60."""

folder = Path(os.environ["CHAOS_FOLDER"])
_diary = os.open(folder / "diaries" / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_said = threading.local()


def note(*words: str) -> None:
    """Write a line that outlives the process."""
    os.write(_diary, (" ".join(words) + "\n").encode())


def pass_boundary(name: str) -> None:
    """Take the order that lies for this boundary, if there is one, and obey it."""
    taken = folder / "taken" / f"{name}.{os.getpid()}"
    try:
        (folder / "orders" / name).rename(taken)
    except FileNotFoundError:
        return
    number = int(taken.read_text())
    taken.rename(folder / "obeyed" / taken.name)
    os.kill(os.getpid(), number)
    if number == signal.SIGSTOP:
        time.sleep(0.05)  # the signal may arrive at another thread first: this one must not run on


def shorten() -> None:
    for name, values in SHORT.items():
        module = importlib.import_module(name)
        for constant, value in values.items():
            if type(getattr(module, constant)) is not type(value):
                raise TypeError(f"{name}.{constant} is not what it was when the chaos test was written.")
            setattr(module, constant, value)


def watch_transactions() -> None:
    event.listen(Engine, "begin", lambda connection: connection.info.pop("statements", None))
    event.listen(Engine, "after_cursor_execute", _statement)
    event.listen(Engine, "commit", _commit)
    event.listen(Engine, "rollback", _rolled_back)
    event.listen(Pool, "checkin", _committed)


def _statement(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
    """One that found no row says nothing; where rows are returned the count is not known yet."""
    if statement.startswith("INSERT INTO attempt "):
        note("began", *re.findall(r"\bexec_\w+", str(parameters)))
    if not statement.startswith("SELECT") and (cursor.rowcount or "RETURNING" in statement):
        connection.info.setdefault("statements", []).append(statement)


def _commit(connection: Any) -> None:
    _said.stage = boundaries.stage_of(connection.info.pop("statements", ()))
    if _said.stage:
        pass_boundary(f"before the commit of {_said.stage}")


def _rolled_back(_connection: Any) -> None:
    """Also where the database refused the COMMIT."""
    _said.stage = None


def _committed(_connection: Any, _record: Any) -> None:
    """Whoever began a transaction, with a session or without, gives its connection back when it has ended."""
    stage, _said.stage = getattr(_said, "stage", None), None
    if stage == "mail" and hasattr(_said, "mail"):
        note("stored", _said.mail)
    if stage:
        pass_boundary(f"after the commit of {stage}")


def after(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **more: Any) -> Any:
        answer = function(*args, **more)
        if answer is not None:
            pass_boundary(name)
        return answer

    return wrapped


def watch_adapters() -> None:
    github, llm = importlib.import_module("sources.github"), importlib.import_module("writers.llm")
    github.GitHub.scan = after("the scan answered", github.GitHub.scan)
    llm.LlmWriter.write = after("the model answered", llm.LlmWriter.write)
    mailer = importlib.import_module("tasks.mailer")
    make = mailer.make_sender
    mailer.make_sender = lambda settings: partial(_send, make(settings))


def _send(send: Callable[[Any], None], mail: Any) -> None:
    _said.mail = mail.id
    pass_boundary("before a mail is sent")
    note("sending", mail.id)
    send(mail)
    pass_boundary("the mail server said yes")


def watch_queue(queue: Any) -> None:
    enqueue = queue.enqueue

    def watched(task: Any) -> Any:
        if task.name == "deliver":
            pass_boundary("before a mail is rung")
        return enqueue(task)

    queue.enqueue = watched
    queue.storage.dequeue = after("a bell was taken", queue.storage.dequeue)


shorten()
watch_transactions()
watch_adapters()
huey = importlib.import_module("tasks.consumer").huey
watch_queue(huey)
importlib.import_module("huey.consumer").Scheduler.periodic_task_seconds = TICK
note("ready")
