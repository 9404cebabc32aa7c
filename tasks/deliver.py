"""The bell that delivers mails."""

from lib import clock
from pipeline import outbox
from tasks.queue import answers
from tasks.worker import current


@answers("deliver")
def deliver(mail_id: str) -> None:
    """Hand this mail and all others that are due to the server; what fails waits for its next try.

    One thread at a time: a mail server that never answers must not take the threads of the clock.
    """
    worker, waiting = current(), [mail_id]
    while waiting and worker.mailing.acquire(blocking=False):
        try:
            with worker.sessions() as session:
                while waiting:
                    outbox.deliver(session, waiting[0], worker.send)
                    waiting = outbox.due_mails(session, clock.now(), 1)
                    session.rollback()
        finally:
            worker.mailing.release()
        with worker.sessions() as session:  # one whose bell rang in vain while we were about to stop
            waiting = outbox.due_mails(session, clock.now(), 1)
