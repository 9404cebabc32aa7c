"""The bell that says that a draft is to be written anew."""

from tasks.queue import answers
from tasks.worker import current


@answers("regenerate")
def regenerate(_order_id: str) -> None:
    """Wake a thread that writes anew; it takes the order that waits longest."""
    current().rewriters.wake()
