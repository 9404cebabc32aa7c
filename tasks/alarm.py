"""Waits in one thread for the instants of near slots, so that no task has to sleep until then."""

import heapq
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

from lib import clock
from tasks.guard import guarded

LONGEST = 1.0
"""Seconds of one wait; a clock that is set meanwhile is noticed then."""
Slot = tuple[datetime, str]


class Alarm:
    """Calls `claim` with slots whose instant has come, at most `together` of them, once for each that is
    set."""

    def __init__(self, claim: Callable[[list[tuple[str, datetime]]], None], together: int) -> None:
        self._claim, self._together = claim, together
        self._slots: list[Slot] = []
        self._known: set[Slot] = set()
        self._changed = threading.Condition()

    def start(self) -> None:
        threading.Thread(target=self._work, name="alarm", daemon=True).start()

    def set(self, job_id: str, slot: datetime) -> None:
        """Remember it; a slot that is set already stays set once."""
        with self._changed:
            if (slot, job_id) not in self._known:
                self._known.add((slot, job_id))
                heapq.heappush(self._slots, (slot, job_id))
                self._changed.notify()

    def awaits(self, job_id: str, slot: datetime) -> bool:
        """Whether its turn is still to come."""
        return (slot, job_id) in self._known

    def _work(self) -> None:
        while True:
            guarded(partial(self._claim, self._next()), "Due slots are claimed by the next look.")

    def _next(self) -> list[tuple[str, datetime]]:
        """The earliest slots, when the instant of the first has come."""
        with self._changed:
            while not (due := self._due()):
                left = (self._slots[0][0] - clock.now()).total_seconds() if self._slots else LONGEST
                self._changed.wait(min(max(left, 0.0), LONGEST))
            return due

    def _due(self) -> list[tuple[str, datetime]]:
        now = clock.now()
        due: list[tuple[str, datetime]] = []
        while self._slots and self._slots[0][0] <= now and len(due) < self._together:
            slot, job_id = heapq.heappop(self._slots)
            self._known.discard((slot, job_id))
            due.append((job_id, slot))
        return due
