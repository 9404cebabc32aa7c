"""Drafts that wait are called to mind after three days, then once a week, once each."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import Draft, EmailDelivery, Execution, Job, Notification, User
from pipeline import reminders
from pipeline.wishes import Pace, Wishes
from tests.pipeline.conftest import make_job
from tests.plugins.moves import lawless

BASE = "https://repocast.example"


@pytest.fixture
def job(session, clock) -> Job:
    lawless(session)
    return make_job(session)


def add(session, job: Job, **values) -> Draft:
    execution = Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        triggered_by="manual",
        status="COMPLETED",
        outcome="SUCCESS",
    )
    session.add(execution)
    session.flush()
    given = {"platform_type": "DEVTO", "title": "A title", "content": "x", "tags": []}
    draft = Draft(execution_id=execution.id, user_id=job.user_id, job_id=job.id, **given | values)
    session.add(draft)
    session.commit()
    return draft


def count(session, model) -> int:
    found = session.scalar(select(func.count()).select_from(model))
    session.commit()
    return found


def told_days(session, clock, days: int) -> list[int]:
    """The days after the start on which something was told; one look an hour at most."""
    start, told = clock.now(), []
    for hours in range(1, days * 24, 6):
        clock.move_to(start + timedelta(hours=hours))
        if reminders.remind(session, BASE):
            told.append(hours // 24)
    return told


def test_after_three_days_then_weekly_while_any_wait(session, clock, job):
    draft = add(session, job)
    assert told_days(session, clock, 19) == [3, 10, 17]
    session.get_one(Draft, draft.id).state = "APPROVED"
    session.commit()
    assert told_days(session, clock, 20) == []


def test_what_is_told(session, clock, job):
    first = add(session, job, title="", content="Only a text\nof two lines", platform_type="LINKEDIN")
    clock.advance(86_400)
    add(session, job, title="A <b>second</b> one")
    clock.advance(3 * 86_400)
    [bell] = reminders.remind(session, BASE)
    note, mail = session.query(Notification).one(), session.query(EmailDelivery).one()
    assert (note.type, note.title, note.link) == (
        "DRAFTS_WAIT",
        "2 drafts wait for your review",
        "/drafts?state=DRAFT",
    )
    assert note.message == "They wait until you approve or reject them, the first for 4 days."
    assert (mail.id, mail.event) == (bell.id, "drafts")
    assert mail.subject == "📝 2 drafts wait for your review"
    assert f"- LinkedIn: Only a text of two lines ({job.name})\n  {BASE}/drafts/{first.id}\n" in mail.text
    assert "A &lt;b&gt;second&lt;/b&gt; one" in mail.html
    assert f'href="{BASE}/drafts?state=DRAFT"' in mail.html


@pytest.mark.parametrize(
    ("values", "notify"),
    [({"state": "APPROVED"}, "ALL"), ({"state": "REJECTED"}, "ALL"), ({}, "PROBLEMS"), ({}, "NONE")],
)
def test_what_is_not_told(session, clock, job, values, notify):
    add(session, job, **values)
    job.notify = notify
    session.commit()
    assert told_days(session, clock, 5) == []
    assert count(session, Notification) == 0


def test_many_are_counted_and_the_oldest_named(session, clock, job):
    for number in range(12):
        add(session, job, title=f"Number {number:02}")
        clock.advance(1)
    clock.advance(3 * 86_400)
    reminders.remind(session, BASE)
    mail = session.query(EmailDelivery).one()
    assert mail.subject == "📝 12 drafts wait for your review"
    assert ("Number 09" in mail.text, "Number 10" in mail.text) == (True, False)
    assert "and 2 more." in mail.text
    assert "and 2 more." in mail.html


def test_the_channels_are_the_owners_choice(session, clock, job):
    add(session, job)
    user = session.get_one(User, job.user_id)
    user.notices = Wishes(email_off=frozenset({"drafts"})).stored()
    session.commit()
    clock.advance(4 * 86_400)
    assert reminders.remind(session, BASE) == []
    assert (count(session, Notification), count(session, EmailDelivery)) == (1, 0)
    user.notices = Wishes(app_off=frozenset({"drafts"}), pace=Pace.EACH).stored()
    session.commit()
    clock.advance(8 * 86_400)
    assert len(reminders.remind(session, BASE)) == 1
    assert count(session, Notification) == 1


def test_a_clock_set_back_silences_nobody(session, clock, job):
    add(session, job)
    clock.advance(400 * 86_400)
    assert len(reminders.remind(session, BASE)) == 1
    clock.advance(-390 * 86_400)
    assert len(reminders.remind(session, BASE)) == 1


def test_two_at_once_tell_once(session, sessions, clock, job):
    add(session, job)
    clock.advance(4 * 86_400)
    barrier, told, errors = threading.Barrier(3), [], []

    def look() -> None:
        with sessions() as own:
            barrier.wait()
            try:
                with own.begin():
                    told.extend(reminders._remind(own, job.user_id, clock.now(), BASE))
            except Exception as error:  # noqa: BLE001  (a thread's error is looked at below)
                errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (errors, len(told), count(session, EmailDelivery)) == ([], 1, 1)
