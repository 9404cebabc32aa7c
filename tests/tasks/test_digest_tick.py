"""The worker's tick mails digests and reminders, and they go out."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Draft, EmailDelivery, Execution, User
from pipeline.wishes import Pace, Wishes
from tasks import deliver, worker
from tests.pipeline.conftest import FakeAdapters, make_job
from tests.plugins.moves import lawless


@pytest.fixture
def sent() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def installed(settings, engine, sent, app, monkeypatch) -> worker.Worker:
    """This process as a worker, without its threads; `app` opens the queue."""
    made = worker.Worker(
        settings, engine, FakeAdapters(), lambda mail: sent.append((mail.subject, mail.event))
    )
    monkeypatch.setattr(worker, "_current", made)
    return made


def test_a_reminder_waits_for_the_digest_and_goes_out_with_it(session, clock, installed, sent):
    lawless(session)
    job = make_job(session)
    user = session.get_one(User, job.user_id)
    user.notices, user.digest_at = Wishes(pace=Pace.DAILY).stored(), clock.now() + timedelta(days=4)
    of = {"user_id": job.user_id, "job_id": job.id}
    run = Execution(**of, project_id=job.project_id, triggered_by="manual", status="COMPLETED")
    session.add(run)
    session.flush()
    session.add(Draft(**of, execution_id=run.id, platform_type="DEVTO", title="t", content="x", tags=[]))
    job.is_enabled, job.next_run_at = False, None
    session.commit()
    clock.advance(3 * 86_400 + 60)
    installed.tick()
    installed.tick()
    assert session.scalar(select(EmailDelivery.id)) is None
    session.commit()
    clock.advance(86_400)
    installed.tick()
    installed.tick()
    mails = session.scalars(select(EmailDelivery)).all()
    session.commit()
    for mail in mails:
        deliver.deliver(mail.id)
    assert sent == [("🗞️ Your daily digest: 1 notification", "daily")]
