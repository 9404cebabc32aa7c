"""Huey's SQLite storage with a dequeue that waits for another connection's commit instead of polling the
table, and that notices when its file was taken away."""

import logging
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from huey.storage import SqliteStorage

log = logging.getLogger(__name__)
POLL = 0.01
PATIENCE = 1.0
Identity = tuple[int, int]
"""Of a file: its device and its number there."""


class WatchedSqliteStorage(SqliteStorage):  # type: ignore[misc]
    """`PRAGMA data_version` costs about 3 µs and changes when another connection has committed, so one
    watcher per process can look every 10 ms for less than 1 % of a core. Waiting workers queue behind its
    lock. `dequeue` returns None after a second, so that a consumer that is asked to stop can.

    Whoever deletes the file leaves each process with a queue of its own that nobody else sees: so every use
    asks first whether the file is still the one that is open, and makes a new one if not.
    """

    blocking = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._watching = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._conn: sqlite3.Connection | None = None
        self._opened: Identity | None = None
        self._watched: Identity | None = None
        super().__init__(*args, **kwargs)

    @property
    def conn(self) -> Any:
        """Huey's connection, to the file that is there now. Called with Huey's lock held."""
        if self._conn is not None and self._opened != self._identity():
            log.warning(
                "The queue's file was taken away: a new one is made. What waited is found in the rows."
            )
            self._conn.close()
            self._conn = None
        if self._conn is None:
            self._conn = self._create_connection()
            for statement in self.ddl:
                self._conn.execute(statement)
            self._opened = self._identity()
        return self._conn

    def dequeue(self) -> bytes | None:
        deadline = time.monotonic() + PATIENCE
        if not self._watching.acquire(timeout=PATIENCE):
            return None
        try:
            return self._wait(deadline)
        finally:
            self._watching.release()

    def _wait(self, deadline: float) -> bytes | None:
        self._watch_anew()
        while True:
            seen = self._version()
            found: bytes | None = super().dequeue()
            if found is not None:
                return found
            while self._version() == seen:
                if time.monotonic() >= deadline:
                    return None
                time.sleep(POLL)

    def _watch_anew(self) -> None:
        """Once a second, which is how long a call of `dequeue` waits."""
        if self._watcher is not None and self._watched != self._identity():
            self._watcher.close()
            self._watcher = None

    def _version(self) -> int:
        """Of a connection that never writes: it sees every commit, those of this process too."""
        if self._watcher is None:
            self._watcher = sqlite3.connect(self.filename, check_same_thread=False)
            self._watched = self._identity()
        return int(self._watcher.execute("pragma data_version").fetchone()[0])

    def _identity(self) -> Identity | None:
        with suppress(FileNotFoundError):
            found = Path(self.filename).stat()
            return found.st_dev, found.st_ino
        return None
