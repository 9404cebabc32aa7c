"""The worker's tick announces tokens that end soon, and the mail goes out."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lib import clock as our_clock
from models import EmailDelivery
from tasks import deliver, worker
from tests.pipeline.conftest import FakeAdapters, make_job


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def installed(settings, engine, sent, app, monkeypatch) -> worker.Worker:
    """This process as a worker, without its threads; `app` opens the queue."""
    made = worker.Worker(settings, engine, FakeAdapters(), lambda mail: sent.append(mail.subject))
    monkeypatch.setattr(worker, "_current", made)
    return made


def test_each_of_two_ticks_in_a_minute_tells_once(session, clock, installed, sent):
    project = make_job(session).project
    project.github_token, project.token_expires_at = "sealed", our_clock.now() + timedelta(days=7)
    session.commit()
    installed.tick()
    installed.tick()
    mails = session.scalars(select(EmailDelivery)).all()
    session.commit()
    for mail in mails:
        deliver.deliver(mail.id)
    assert sent == ["🔑 The GitHub token of My Open Source Library expires in 7 days"]
