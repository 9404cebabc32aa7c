"""What a worker process holds: its settings, its database, its adapters, its mailer, and its WORKERS
places."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from lib.settings import Settings
from models import EmailDelivery
from pipeline.adapters import Adapters


@dataclass
class Worker:
    """One per process. `places` bounds how many executions run at once, so that long runs never starve the
    tick or mails."""

    settings: Settings
    sessions: sessionmaker[Session]
    adapters: Adapters
    send: Callable[[EmailDelivery], None]
    places: threading.BoundedSemaphore = field(init=False)
    mailing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.places = threading.BoundedSemaphore(self.settings.workers)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was a place; it is given back at the end."""
        got = self.places.acquire(blocking=False)
        try:
            yield got
        finally:
            if got:
                self.places.release()


_current: Worker | None = None


def install(worker: Worker) -> None:
    """Make `worker` the one that this process's tasks use."""
    global _current
    _current = worker


def current() -> Worker:
    """This process's worker. Raises RuntimeError outside a worker process."""
    if _current is None:
        raise RuntimeError("This process is no worker: tasks.consumer assembles one.")
    return _current
