"""The mail server is down for a day: the mail waits, its page says so, and it is delivered once."""

from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from models import EmailDelivery, Execution, User
from pipeline import claim, control, execute
from pipeline.housekeeping import Ward
from tasks import deliver, worker
from tasks.mailer import make_sender
from tests.blueprints.pages import Visitor, text
from tests.pipeline.conftest import FakeAdapters, make_job
from tests.standins.mail import Mailbox
from tests.standins.stack import free_port

pytestmark = pytest.mark.loopback

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TRIES = 30
"""After 1, 2, 4, 8, 16 and 32 minutes, then each hour."""


@pytest.fixture
def environ(environ):
    return environ | {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(free_port())}


@pytest.fixture
def installed(settings, engine, monkeypatch):
    """This process as a worker, without its threads."""
    made = worker.Worker(settings, engine, FakeAdapters(), make_sender(settings, timeout=5))
    monkeypatch.setattr(worker, "_current", made)
    return made


@pytest.fixture
def execution(session, clock) -> Execution:
    row, _ = control.trigger(session, make_job(session))
    execute.run(session, row.id, FakeAdapters())
    return row


def mail(session) -> EmailDelivery:
    (row,) = session.scalars(select(EmailDelivery).execution_options(populate_existing=True))
    session.commit()
    return row


def tick(session) -> None:
    """Of two workers in the same minute: each bell rings twice."""
    bells = [bell for _ in range(2) for bell in claim.tick(session, "https://repocast.example", Ward())]
    for bell in bells:
        if bell.kind == "deliver":
            deliver.deliver(bell.id)


def page_of(app, session, execution) -> str:
    owner = session.get_one(User, execution.user_id)
    session.commit()
    return text(Visitor(app, owner).get(f"/executions/{execution.id}"))


def test_a_mail_server_that_is_down_for_a_day(app, settings, session, clock, execution, installed):
    began, mailbox = clock.now(), Mailbox()
    tick(session)
    while clock.now() < began + DAY:
        waiting = mail(session)
        assert waiting.status == "PENDING"
        assert MINUTE <= waiting.next_try_at - clock.now() <= 60 * MINUTE
        clock.move_to(waiting.next_try_at)
        tick(session)
    waiting = mail(session)
    due, tries = waiting.next_try_at, waiting.attempts
    assert 24 < tries <= TRIES
    said = page_of(app, session, execution)
    server = f"127.0.0.1:{settings.mail_port}"
    assert f"Not taken yet to {waiting.recipient}: The mail server {server} cannot be reached" in said
    assert "Next try:" in said
    door = Controller(mailbox, hostname="127.0.0.1", port=settings.mail_port)
    door.start()
    try:
        clock.move_to(due)
        for _ in range(3):
            tick(session)
            clock.advance(3600)
    finally:
        door.stop()
    assert [message["to"] for message in mailbox.messages] == [waiting.recipient]
    sent = mail(session)
    assert (sent.status, sent.error) == ("SENT", None)
    assert (sent.sent_at, sent.attempts) == (due, tries + 1)
    assert f"Sent to {waiting.recipient}" in page_of(app, session, execution)
