"""The delivery of mails: which are due, and one try of one of them."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from lib import clock
from lib.errors import OutsideError, sentence
from models.notification import EmailDelivery

LEASE = timedelta(minutes=5)
"""How long one delivery may hold a mail; longer than all time-outs of one SMTP conversation together."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)

_DUE = (
    select(EmailDelivery.id)
    .where(EmailDelivery.status == "PENDING", EmailDelivery.next_try_at <= bindparam("now"))
    .order_by(EmailDelivery.next_try_at, EmailDelivery.id)
    .limit(bindparam("most"))
)

log = logging.getLogger(__name__)


class MailError(OutsideError):
    """A mail was not taken. `permanent`: this recipient or this message never will be."""


def due_mails(session: Session, now: datetime, limit: int) -> list[str]:
    """The ids of at most `limit` mails that may be tried at `now`, those that wait longest first."""
    return list(session.scalars(_DUE, {"now": now, "most": limit}))


def deliver(session: Session, mail_id: str, send: Callable[[EmailDelivery], None]) -> None:
    """Try one mail once and write down how it ended; nothing when it is not due or another delivery holds it.

    `send` hands the mail over and raises MailError. A passing failure is tried again after 1, 2, 4, ...
    minutes, at most an hour, until the mail is three days old; then, or at once for a permanent one, it is
    FAILED with the reason. Commits twice. A worker that dies between the server's yes and ours sends the mail
    again when the lease ends: rather twice than never.
    """
    mail = _claim(session, mail_id)
    if mail is None:
        return
    try:
        send(mail)
    except Exception as error:
        log.warning("Mail %s was not delivered", mail_id, exc_info=error)
        _finish(session, mail, **_after(mail, error))
    else:
        _finish(session, mail, status="SENT", sent_at=clock.now(), error=None)


def _claim(session: Session, mail_id: str) -> EmailDelivery | None:
    now = clock.now()
    claim = (
        update(EmailDelivery)
        .where(EmailDelivery.id == mail_id)
        .where(EmailDelivery.status == "PENDING", EmailDelivery.next_try_at <= now)
        .values(next_try_at=now + LEASE, attempts=EmailDelivery.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    won = cast(CursorResult[Any], session.execute(claim)).rowcount == 1
    mail = session.get(EmailDelivery, mail_id, populate_existing=True) if won else None
    if mail is not None:
        # Detached: reading it while the mail server is slow must open no transaction, which on SQLite locks
        # out every other writer.
        session.expunge(mail)
    session.commit()
    return mail


def _finish(session: Session, mail: EmailDelivery, **values: Any) -> None:
    """Write the outcome, unless the lease ran out and another delivery has begun."""
    session.execute(
        update(EmailDelivery)
        .where(EmailDelivery.id == mail.id, EmailDelivery.status == "PENDING")
        .where(EmailDelivery.attempts == mail.attempts)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def _after(mail: EmailDelivery, error: Exception) -> dict[str, Any]:
    now, end = clock.now(), mail.created_at + GIVEN_UP_AFTER
    if now >= end or (isinstance(error, OutsideError) and error.permanent):
        return {"status": "FAILED", "error": sentence(error)}
    # 2^10 minutes is far beyond the cap; the bound keeps the power small.
    wait = min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    return {"next_try_at": min(now + wait, end), "error": sentence(error)}
