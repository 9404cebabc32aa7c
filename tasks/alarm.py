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
    """Calls `claim(job_id, slot)` when the slot's instant has come, once for each slot that is set."""

    def __init__(self, claim: Callable[[str, datetime], None]) -> None:
        self._claim = claim
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
            slot, job_id = self._next()
            guarded(partial(self._claim, job_id, slot), f"The slot of {job_id} is claimed by the next look.")

    def _next(self) -> Slot:
        """The earliest slot, when its instant has come."""
        with self._changed:
            while True:
                left = (self._slots[0][0] - clock.now()).total_seconds() if self._slots else LONGEST
                if left <= 0:
                    self._known.discard(self._slots[0])
                    return heapq.heappop(self._slots)
                self._changed.wait(min(left, LONGEST))
