"""The bell that says that an execution may run."""

from tasks.queue import answers
from tasks.worker import current


@answers("run")
def run(_execution_id: str) -> None:
    """Wake a runner; it takes what waits longest, which is this execution or one that came before it."""
    current().runners.wake()
