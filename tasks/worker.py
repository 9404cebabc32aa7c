"""What a worker process holds: its settings, database, adapters and mailer, and the threads that run
executions and write drafts anew."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from lib.settings import Settings
from models import EmailDelivery
from pipeline import claim, execute, expiry, housekeeping, orders, reminders, rewrite, roundup
from pipeline.adapters import Adapters
from pipeline.bells import Bell
from pipeline.hold import LAST_WORDS, Heart
from pipeline.housekeeping import Ward
from pipeline.take import take_next
from pipeline.tariff import Tariff
from tasks.alarm import Alarm
from tasks.guard import guarded
from tasks.queue import ring
from tasks.runners import Runners

log = logging.getLogger(__name__)
LOOK = 1.0
"""Seconds between two looks at the rows for what no bell has told."""
OVERDUE = timedelta(seconds=0.5)
"""How late a slot is when a look takes it: until then its bell may still come."""
REWRITERS = 2
"""Drafts that are written anew at once, beside the executions: a person waits for them."""
GRACE = 20.0
"""Seconds that runs have to end after a worker was asked to stop; those that need longer are handed back."""


@dataclass
class Worker:
    """One per process. At most WORKERS executions run at once, in threads of their own, so that long runs
    never starve the tick or mails."""

    settings: Settings
    engine: Engine
    adapters: Adapters
    send: Callable[[EmailDelivery], None]
    mailing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.sessions: sessionmaker[Session] = sessionmaker(self.engine, expire_on_commit=False)
        self.tariff = Tariff.of(self.settings)
        self.heart, self.ward, self.alarm = Heart(self.engine), Ward(), Alarm(self.claim, claim.TOGETHER)
        self.runners = Runners(self.settings.workers, self._run_next)
        self.rewriters, self.rewrites = Runners(REWRITERS, self._rewrite_next), orders.ward()
        calls = (self.settings.workers + REWRITERS) * execute.CALLS
        self.calls = ThreadPoolExecutor(calls, thread_name_prefix="call")

    def start(self) -> None:
        """Start the threads."""
        log.info("This worker is up; at most %d executions run at once.", self.settings.workers)
        self.runners.start()
        self.rewriters.start()
        self.alarm.start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self, grace: float) -> None:
        """Take nothing more; hand back what has not ended after `grace` seconds."""
        log.info("This worker stops: runs have %g s to end, then they are handed on.", grace)
        self.heart.stopping.set()
        both = (self.runners, self.rewriters)
        for threads in both:
            threads.stop()
        if not _ended(both, grace):
            self.heart.abandon()
            _ended(both, LAST_WORDS + 1.0)

    def tick(self) -> None:
        """What happens every minute."""
        with self.sessions() as session:
            ring(claim.tick(session, self.settings.base_url, self.ward, self.tariff))
            self.runners.wake()
            housekeeping.prune(session, timedelta(days=self.settings.retention_days))
            ring(expiry.announce(session, self.settings.base_url))
            ring(reminders.remind(session, self.settings.base_url))
            ring(roundup.send_due(session, self.settings.base_url))

    def claim(self, slots: list[claim.Slot]) -> None:
        """Turn slots whose instant has come into executions, and run them."""
        with self.sessions() as session:
            self._ring(claim.claim_all(session, slots, self.settings.base_url, self.tariff))

    def look(self) -> None:
        """Take up what no bell has told, or whose bell was lost."""
        with self.sessions() as session:
            url, awaits = self.settings.base_url, self.alarm.awaits
            self._ring(claim.look(session, url, self.ward, OVERDUE, awaits, self.tariff))
            self._ring(orders.look(session, self.rewrites))

    def _ring(self, bells: list[Bell]) -> None:
        """Executions that may run, and drafts to be written anew, are for this process; the look of another
        one finds what it does not take."""
        threads = {"run": self.runners, "regenerate": self.rewriters}
        for kind in {bell.kind for bell in bells} & threads.keys():
            threads[kind].wake()
        ring(bell for bell in bells if bell.kind not in threads)

    def _run_next(self) -> bool:
        with self.sessions() as session:
            hold = take_next(session)
            if hold is None:
                return False
            self.runners.wake()
            bells = execute.carry(session, hold, self.adapters, self.heart, self.calls)
        ring(bells)
        return True

    def _rewrite_next(self) -> bool:
        with self.sessions() as session:
            hold = orders.take_next(session)
            if hold is None:
                return False
            self.rewriters.wake()
            bells = rewrite.carry(session, hold, self.adapters, self.heart, self.calls)
        ring(bells)
        return True

    def _watch(self) -> None:
        while not self.heart.stopping.wait(LOOK):
            guarded(self.look, "A look at the rows failed; another one comes in a second.")


def _ended(all_threads: Sequence[Runners], seconds: float) -> bool:
    """Whether all have ended within so many seconds."""
    until = time.monotonic() + seconds
    return all(threads.join(max(0.0, until - time.monotonic())) for threads in all_threads)


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
