"""What became of the mail about an execution."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from blueprints import view
from blueprints.access import settings
from blueprints.extensions import db
from blueprints.view import Mark, Moment
from models import EmailDelivery, Execution


@dataclass(frozen=True, slots=True)
class MailLine:
    """`error`: why the last try failed; `at`: when it was sent, or is tried next."""

    mark: Mark
    recipient: str
    error: str
    note: str
    at: Moment | None


WAITING = Mark("wait", "Waiting to be sent", "live")
DELAYED = Mark("wait", "Not taken yet", "warn")
SENT = Mark("ok", "Sent", "ok")
SAVED = Mark("ok", "Saved as a file", "quiet")
GIVEN_UP = Mark("bad", "Not delivered", "bad")


def mails(execution: Execution, zone: str) -> Iterator[MailLine]:
    """The mails about an execution; one is pending until a server took it or it was given up."""
    rows = select(EmailDelivery).where(EmailDelivery.execution_id == execution.id)
    for row in db.session.scalars(rows.order_by(EmailDelivery.created_at)):
        yield line_of(row, zone)


def line_of(row: EmailDelivery, zone: str) -> MailLine:
    """What became of one mail."""
    mark = _mark(row)
    note = "no mail server is set" if mark is SAVED else ""
    return MailLine(mark, row.recipient, row.error or "", note, _at(row, zone))


def _mark(row: EmailDelivery) -> Mark:
    if row.status == "PENDING":
        return DELAYED if row.error else WAITING
    if row.status != "SENT":
        return GIVEN_UP
    return SENT if settings().mail_server else SAVED


def _at(row: EmailDelivery, zone: str) -> Moment | None:
    if row.status == "PENDING" and row.error:
        return view.upcoming(row.next_try_at, zone)
    return view.exactly(row.sent_at, zone) if row.sent_at else None
