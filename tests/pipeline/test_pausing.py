"""After so many failed executions in a row a job is paused, its owner told, and a success makes it go on."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import EmailDelivery, Execution, Job, Notification
from pipeline import claim, control, execute, jobs
from pipeline.housekeeping import Ward
from sources.base import SourceError
from tests.pipeline.conftest import make_job

BASE = "https://repocast.example"
SLOT = datetime(2025, 10, 3, 9, tzinfo=UTC)


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session, max_retries=0, pause_after=3)


def again(session, job: Job) -> Job:
    found = session.get_one(Job, job.id, populate_existing=True)
    session.commit()
    return found


def fail(session, job: Job, adapters, times: int = 1) -> Execution:
    for _ in range(times):
        adapters.github.failures = [SourceError("GitHub API error: 404", permanent=True)]
        execution, _ = control.trigger(session, job)
        execute.run(session, execution.id, adapters)
    return execution


def told(session, model):
    found = session.scalars(select(model).order_by(model.created_at, model.id)).all()
    session.commit()
    return list(found)


def test_the_third_failure_in_a_row_pauses_the_job(session, clock, job, adapters):
    fail(session, job, adapters, 2)
    assert (again(session, job).paused_at, again(session, job).failures_in_row) == (None, 2)
    fail(session, job, adapters)
    row = again(session, job)
    assert (row.paused_at, row.next_run_at, row.is_enabled) == (clock.now(), None, True)
    assert jobs.status_of(row, None) == "PAUSED"


def test_a_success_between_them_begins_the_count_anew(session, clock, job, adapters):
    fail(session, job, adapters, 2)
    execute.run(session, control.trigger(session, job)[0].id, adapters)
    fail(session, job, adapters, 2)
    assert again(session, job).paused_at is None


def test_zero_never_pauses(session, clock, job, adapters):
    jobs.edit(session, job, {"pause_after": 0})
    session.commit()
    fail(session, job, adapters, 7)
    row = again(session, job)
    assert (row.paused_at, row.failures_in_row) == (None, 7)


def test_the_owner_is_told_once_by_mail_and_in_the_app(session, clock, job, adapters):
    last = fail(session, job, adapters, 3)
    mails = told(session, EmailDelivery)
    (paused,) = (mail for mail in mails if mail.execution_id == last.id)
    others = [mail.subject for mail in mails if mail is not paused]
    assert others == ["❌ Daily Content Generation failed"] * 2
    assert paused.subject == "⏸️ Daily Content Generation is paused"
    assert "GitHub API error: 404" in paused.text
    assert (
        "\nWhat happens next:\nIts last 3 runs failed, so its schedule is paused. It goes on" in paused.text
    )
    assert (
        "Trigger Now), or when you press Resume; what happened meanwhile is told then.\n\n[View"
        in paused.text
    )
    assert "Its last 3 runs failed" in paused.html
    assert "planned" not in paused.text
    entries = {(entry.type, entry.title) for entry in told(session, Notification)}
    assert ("JOB_PAUSED", "Daily Content Generation is paused") in entries
    assert sum(entry.type == "JOB_PAUSED" for entry in told(session, Notification)) == 1


def test_an_owner_who_wants_no_mail_finds_the_pause_in_the_app(session, clock, job, adapters):
    jobs.edit(session, job, {"notify": "NONE"})
    session.commit()
    fail(session, job, adapters, 3)
    assert [entry.type for entry in told(session, Notification)] == ["JOB_PAUSED"]
    assert told(session, EmailDelivery) == []


def test_a_paused_job_has_no_slots(session, clock, job, adapters):
    fail(session, job, adapters, 3)
    clock.advance(7 * 86_400)
    assert [b for b in claim.tick(session, BASE, Ward()) if b.kind in ("start", "run")] == []


def test_a_run_by_hand_that_succeeds_makes_it_go_on(session, clock, job, adapters):
    fail(session, job, adapters, 3)
    clock.advance(3600)
    execute.run(session, control.trigger(session, job)[0].id, adapters)
    row = again(session, job)
    assert (row.paused_at, row.failures_in_row) == (None, 0)
    assert row.next_run_at == SLOT + timedelta(days=1)


def test_enabling_it_makes_it_go_on_and_any_other_change_does_not(session, clock, job, adapters):
    fail(session, job, adapters, 3)
    jobs.edit(session, job, {"name": "Renamed"})
    session.commit()
    assert again(session, job).paused_at is not None
    jobs.edit(session, job, {"is_enabled": True})
    session.commit()
    row = again(session, job)
    assert (row.paused_at, row.failures_in_row, row.next_run_at) == (None, 0, SLOT + timedelta(days=1))


def test_a_failure_that_the_next_slot_ends_pauses_before_that_slot(session, clock, job, adapters):
    """The mail says that the schedule is paused, so the slot does not run; it is shown with the reason."""
    fail(session, job, adapters, 2)
    jobs.edit(session, job, {"max_retries": 1, "retry_delay": 3600})
    session.commit()
    clock.move_to(SLOT + timedelta(days=1) - timedelta(minutes=1))
    adapters.github.failures = [SourceError("down")]
    execute.run(session, control.trigger(session, job)[0].id, adapters)
    clock.move_to(SLOT + timedelta(days=1))
    execution_id, bells = claim.claim(session, job.id, clock.now(), BASE)
    assert (execution_id, [bell.kind for bell in bells]) == (None, ["deliver"])
    row = again(session, job)
    assert (row.paused_at, row.next_run_at) == (clock.now(), None)
    skipped = session.scalars(select(Execution).where(Execution.scheduled_for == clock.now())).one()
    assert (skipped.status, skipped.reason) == ("SKIPPED", "The job is paused: its last 3 runs failed.")


def test_a_failure_while_paused_says_that_it_is_paused(session, clock, job, adapters):
    last = fail(session, job, adapters, 4)
    (mail,) = (mail for mail in told(session, EmailDelivery) if mail.execution_id == last.id)
    assert mail.subject == "❌ Daily Content Generation failed"
    assert "Its last 4 runs failed, so its schedule is paused." in mail.text
    assert "disabled" not in mail.text + mail.html
