"""The bells of the clock: the minute's tick, and the start of one slot."""

import time
from datetime import datetime

from huey import crontab

from lib import clock
from pipeline import claim
from tasks.queue import answers, huey, ring
from tasks.run import run
from tasks.worker import current


@huey.periodic_task(crontab(), name="tick")
def tick() -> None:
    """Claim what is due, ring what is near, and ring again what waits."""
    with current().sessions() as session:
        ring(claim.tick(session))


@answers("start")
def start(job_id: str, slot: str) -> None:
    """Wait for the slot's instant, claim it and run it."""
    instant = datetime.fromisoformat(slot)
    time.sleep(max(0.0, min(2.0, (instant - clock.now()).total_seconds())))
    with current().sessions() as session:
        execution_id = claim.claim(session, job_id, instant)
    if execution_id is not None:
        run.call_local(execution_id)  # type: ignore[attr-defined]
