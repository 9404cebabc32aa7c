"""The bell that delivers one mail."""

from pipeline import notify
from tasks.queue import answers
from tasks.worker import current


@answers("deliver")
def deliver(mail_id: str) -> None:
    """Hand the mail to the server; what fails waits for its next try."""
    worker = current()
    with worker.sessions() as session:
        notify.deliver(session, mail_id, worker.send)
