"""The threads that run executions: each takes from the rows what waits longest, for as long as something
does."""

import threading
from collections.abc import Callable

from tasks.guard import guarded


class Runners:
    """`count` threads that call `step` until it answers that there was nothing to do; `wake` wakes one.

    A thread that finds something wakes another before it works, so that one bell is enough for any number of
    waiting rows.
    """

    def __init__(self, count: int, step: Callable[[], bool]) -> None:
        self._step = step
        self._rung, self._most, self._alive = 0, count, 0
        self._bell = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"runner-{number}", daemon=True)
            for number in range(1, count + 1)
        ]

    def start(self) -> None:
        self._alive = len(self._threads)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """One thread looks at the rows; nothing if all are at work, for each looks again by itself."""
        with self._bell:
            self._rung = min(self._rung + 1, self._most)
            self._bell.notify()

    def stop(self) -> None:
        """Take nothing more; what runs goes on."""
        with self._bell:
            self._stopping = True
            self._bell.notify_all()

    def join(self, seconds: float) -> bool:
        """Whether all have ended within so many seconds. Not by Thread.join: in Python 3.11 a signal that
        interrupts it makes a living thread look dead."""
        with self._bell:
            return self._bell.wait_for(lambda: not self._alive, timeout=seconds)

    def _work(self) -> None:
        while self._waited():
            while not self._stopping and guarded(self._step, "A run broke off; it is recovered in a minute."):
                pass
        with self._bell:
            self._alive -= 1
            self._bell.notify_all()

    def _waited(self) -> bool:
        with self._bell:
            self._bell.wait_for(lambda: self._rung or self._stopping)
            self._rung = max(0, self._rung - 1)
            return not self._stopping
