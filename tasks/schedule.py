"""The bells of the clock: the minute's tick, and the start of one slot."""

from datetime import datetime

from huey import crontab

from tasks import healthcheck
from tasks.queue import answers, huey
from tasks.worker import current


@huey.periodic_task(crontab(), name="tick")
def tick() -> None:
    """Claim what is due, ring what is near, ring again what waits; then tell whoever watches from outside."""
    worker = current()
    worker.tick()
    if url := worker.settings.healthcheck_url:
        healthcheck.ping(url.get_secret_value())


@answers("start")
def start(job_id: str, slot: str) -> None:
    """Set the alarm for the slot's instant."""
    current().alarm.set(job_id, datetime.fromisoformat(slot))
