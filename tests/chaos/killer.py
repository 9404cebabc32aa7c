"""Two workers, and the hand that kills them: at boundaries by orders, at random by a signal."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from tasks.queue import worker_command
from tests.chaos import process


class NotReachedError(AssertionError):
    """Something did not happen in time; mostly, no worker came past a boundary."""


class Killer:
    """Use as a context manager. `kills` counts by boundary, "at random" among them; `in_doubt` says how often
    a mail was in the hands of a worker when that was killed or stopped; `went_on` when those that were
    stopped did."""

    def __init__(self, folder: Path, env: Mapping[str, str], dice: random.Random, count: int = 2) -> None:
        self.folder, self.dice, self.count = folder, dice, count
        self.env = {**env, "CHAOS_FOLDER": str(folder)}
        self.workers: list[BaseProcess] = []
        self.kills: Counter[str] = Counter()
        self.went_on: list[datetime] = []
        self.in_doubt: Counter[str] = Counter()
        for name in ("orders", "taken", "obeyed", "diaries"):
            (folder / name).mkdir(parents=True)
        _, _, _, _, *flags = worker_command()
        self.arguments = ["tests.chaos.consumer.huey", *flags]

    def __enter__(self) -> "Killer":
        self.workers = [self._start() for _ in range(self.count)]
        self._until(lambda: len(self._ready()) == self.count, 60, "start of the workers")
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()
            worker.join()

    def _start(self) -> BaseProcess:
        return process.start(self.arguments, self.env, self.folder / "log")

    def _lines(self, pid: int | None) -> list[str]:
        """A process's diary, without a line that its death cut short."""
        with suppress(FileNotFoundError):
            return (self.folder / "diaries" / str(pid)).read_text().split("\n")[:-1]
        return []

    def _ready(self) -> list[BaseProcess]:
        return [w for w in self.workers if w.is_alive() and "ready" in self._lines(w.pid)]

    def at_random(self, longest: float) -> None:
        """Kill one of the workers after a moment; mostly one that has begun to work."""
        time.sleep(self.dice.uniform(0.0, longest))
        chosen = self.dice.choice(self._ready() or self.workers)
        chosen.kill()
        self._bury("at random")

    def at_boundary(self, name: str, seconds: float) -> None:
        """Have whichever worker comes first past the boundary kill itself there."""
        self._obeyed(name, signal.SIGKILL, seconds)
        self._bury(name)

    def stop_at(
        self, name: str, seconds: float, standstill: float, running: Callable[[], dict[str, int]]
    ) -> None:
        """Have a worker stop at the boundary, and go on after so many seconds or, better, while another one
        runs what it held. `running`: the attempts under way by their executions."""
        pid = self._obeyed(name, signal.SIGSTOP, seconds)
        self._doubt(pid)
        begun = {line.split()[1] for line in self._lines(pid) if line.startswith("began")}
        held = {one: attempt for one, attempt in running().items() if one in begun}
        with suppress(NotReachedError):
            self._until(
                lambda: any(attempt > held.get(one, attempt) for one, attempt in running().items()),
                standstill,
                "other worker on its runs",
            )
        self.went_on.append(datetime.now(UTC))
        os.kill(pid, signal.SIGCONT)

    def _obeyed(self, name: str, number: int, seconds: float) -> int:
        order = self.folder / "orders" / name
        draft = self.folder / "taken" / name
        draft.write_text(str(int(number)))
        draft.rename(order)
        found: list[Path] = []

        def obeyed() -> bool:
            found[:] = (self.folder / "obeyed").glob(f"{name}.*")
            return bool(found)

        try:
            self._until(obeyed, seconds, f"worker at the boundary {name!r}")
        except NotReachedError:
            try:
                order.unlink()
            except FileNotFoundError:
                self._until(obeyed, 1, "trace of who took the order")  # in the last moment
            else:
                raise
        pid = int(found[0].suffix[1:])
        found[0].unlink()
        return pid

    def _until(self, true: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise NotReachedError(f"After {seconds} s still no {what}.")
            time.sleep(0.005)

    def _bury(self, reason: str) -> None:
        """See the one that dies, learn from its diary what it had in its hands, and start another."""
        self._until(lambda: any(not w.is_alive() for w in self.workers), 10, "death")
        for place, worker in enumerate(self.workers):
            if worker.is_alive():
                continue
            if worker.exitcode != -signal.SIGKILL:
                print((self.folder / "log").read_text()[-3000:], file=sys.stderr)
                raise AssertionError(f"A worker ended by itself: {worker.exitcode}.")
            self.kills[reason] += 1
            self._doubt(worker.pid)
            self.workers[place] = self._start()

    def _doubt(self, pid: int | None) -> None:
        words = [line.split() for line in self._lines(pid)]
        sent = Counter(line[1] for line in words if line[0] == "sending")
        self.in_doubt.update(sent - Counter(line[1] for line in words if line[0] == "stored"))
