"""The bells of the clock: the minute's tick, and the start of one slot."""

import time
from datetime import datetime

from huey import crontab

from lib import clock
from pipeline import claim
from tasks.queue import answers, huey, ring
from tasks.run import run
from tasks.worker import current

LONGEST_WAIT = 2.0
"""Seconds; a bell that rings earlier than that claims nothing, and the tick rings it again."""


@huey.periodic_task(crontab(), name="tick")
def tick() -> None:
    """Claim what is due, ring what is near, and ring again what waits."""
    worker = current()
    with worker.sessions() as session:
        ring(claim.tick(session, worker.settings.base_url))


@answers("start")
def start(job_id: str, slot: str) -> None:
    """Wait for the slot's instant, claim it and run it."""
    worker, instant = current(), datetime.fromisoformat(slot)
    time.sleep(max(0.0, min(LONGEST_WAIT, (instant - clock.now()).total_seconds())))
    with worker.sessions() as session:
        execution_id, bells = claim.claim(session, job_id, instant, worker.settings.base_url)
    ring(bells)
    if execution_id is not None:
        run(execution_id)
