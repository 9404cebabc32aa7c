"""The bell that runs one execution."""

from pipeline import claim, execute
from tasks.queue import answers, ring
from tasks.worker import current


@answers("run")
def run(execution_id: str) -> None:
    """Run it if this process has a place; else its row stays as it is and is rung when one is free."""
    worker = current()
    with worker.place() as got:
        if not got:
            return
        with worker.sessions() as session:
            bells = execute.run(session, execution_id, worker.adapters)
    with worker.sessions() as session:
        ring([*bells, *claim.waiting(session, limit=1)])
