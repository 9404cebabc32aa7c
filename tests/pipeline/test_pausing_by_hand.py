"""A job's owner pauses it until a date, or leaves its next slot out; no other slot is lost or runs twice."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Execution, Job
from pipeline import byhand, claim, control, jobs
from pipeline.schedule import Schedule
from tests.pipeline.conftest import make_job

BASE = "https://repocast.example"


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


def again(session, job: Job) -> Job:
    found = session.get_one(Job, job.id, populate_existing=True)
    session.commit()
    return found


def rows(session) -> list[tuple[datetime, str, str | None]]:
    found = session.scalars(select(Execution).order_by(Execution.scheduled_for)).all()
    session.commit()
    return [(row.scheduled_for, row.status, row.reason) for row in found]


def pause(session, job: Job, until: datetime) -> None:
    byhand.pause_until(session, job, until)
    session.commit()


def test_the_next_slot_is_the_first_at_or_after_the_end(session, clock, job):
    slot = job.next_run_at
    for until, following in ((slot + timedelta(days=3), 3), (slot + timedelta(days=3, seconds=1), 4)):
        pause(session, job, until)
        row = again(session, job)
        assert row.next_run_at == slot + timedelta(days=following)
        assert jobs.status_of(row, None) == "PAUSED"
        assert claim.claim(session, job.id, slot, BASE) == (None, [])
    clock.move_to(until)
    assert jobs.status_of(again(session, job), None) == "IDLE"
    clock.move_to(row.next_run_at)
    assert claim.claim(session, job.id, row.next_run_at, BASE)[0] is not None
    assert [when for when, *_ in rows(session)] == [slot + timedelta(days=4)]


def test_a_pause_between_bell_and_claim_stops_the_claim(session, clock, job):
    slot = job.next_run_at
    clock.move_to(slot)
    pause(session, job, slot + timedelta(days=2))
    assert claim.claim(session, job.id, slot, BASE) == (None, [])
    assert rows(session) == []


def test_a_slot_that_was_claimed_before_the_pause_runs(session, clock, job):
    slot = job.next_run_at
    clock.move_to(slot)
    assert claim.claim(session, job.id, slot, BASE)[0]
    pause(session, job, slot + timedelta(days=2))
    assert rows(session) == [(slot, "QUEUED", None)]
    assert again(session, job).next_run_at == slot + timedelta(days=2)


def test_a_new_schedule_waits_for_the_end_of_the_pause(session, clock, job):
    until = job.next_run_at + timedelta(days=5)
    pause(session, job, until)
    jobs.edit(session, job, {"schedule": Schedule.parse("DAILY", {"hour": 11, "timezone": "UTC"})})
    session.commit()
    row = again(session, job)
    assert (row.next_run_at, row.paused_until) == (until + timedelta(hours=2), until)


def test_disabling_ends_the_pause_and_a_disabled_job_cannot_be_paused(session, clock, job):
    slot = job.next_run_at
    pause(session, job, slot + timedelta(days=5))
    jobs.edit(session, job, {"is_enabled": False})
    session.commit()
    assert (again(session, job).next_run_at, job.paused_until) == (None, None)
    with pytest.raises(control.ConflictError):
        byhand.pause_until(session, job, slot + timedelta(days=5))
    session.rollback()
    jobs.edit(session, job, {"is_enabled": True})
    session.commit()
    assert again(session, job).next_run_at == slot


def test_resuming_brings_the_next_slot_back(session, clock, job):
    slot = job.next_run_at
    pause(session, job, slot + timedelta(days=5))
    jobs.edit(session, job, {"is_enabled": True})
    session.commit()
    row = again(session, job)
    assert (row.next_run_at, row.paused_until, jobs.status_of(row, None)) == (slot, None, "IDLE")


def test_a_skipped_slot_is_recorded_and_never_runs(session, clock, job):
    slot = job.next_run_at
    assert byhand.skip_next(session, job, slot)[0] == slot
    session.commit()
    assert rows(session) == [(slot, "SKIPPED", jobs.LEFT_OUT)]
    assert again(session, job).next_run_at == slot + timedelta(days=1)
    clock.move_to(slot)
    assert claim.claim(session, job.id, slot, BASE) == (None, [])
    clock.move_to(slot + timedelta(days=1))
    assert claim.claim(session, job.id, slot + timedelta(days=1), BASE)[0] is not None
    assert [status for _, status, _ in rows(session)] == ["SKIPPED", "QUEUED"]


def test_a_second_click_skips_no_second_slot(session, clock, job):
    slot = job.next_run_at
    byhand.skip_next(session, job, slot)
    session.commit()
    with pytest.raises(control.ConflictError):
        byhand.skip_next(session, job, slot)
    session.rollback()
    assert len(rows(session)) == 1


def test_at_the_very_instant_the_slot_runs(session, clock, job):
    slot = job.next_run_at
    clock.move_to(slot)
    with pytest.raises(control.ConflictError):
        byhand.skip_next(session, job, slot)
    session.rollback()
    again(session, job)
    assert claim.claim(session, job.id, slot, BASE)[0] is not None


def test_undone_the_slot_runs_once(session, clock, job):
    slot = job.next_run_at
    for _ in range(2):
        byhand.skip_next(session, job)
    byhand.undo_skips(session, job)
    session.commit()
    assert (rows(session), again(session, job).next_run_at) == ([], slot)
    clock.move_to(slot)
    assert claim.claim(session, job.id, slot, BASE)[0] is not None
    assert claim.claim(session, job.id, slot, BASE)[0] is None


def test_what_passed_stays_skipped(session, clock, job):
    slot = job.next_run_at
    byhand.skip_next(session, job)
    session.commit()
    clock.move_to(slot + timedelta(minutes=1))
    byhand.undo_skips(session, job)
    session.commit()
    assert rows(session) == [(slot, "SKIPPED", jobs.LEFT_OUT)]
    assert again(session, job).next_run_at == slot + timedelta(days=1)


def test_a_new_schedule_forgets_the_skip(session, clock, job):
    slot = job.next_run_at
    byhand.skip_next(session, job)
    jobs.edit(session, job, {"schedule": Schedule.parse("DAILY", {"hour": 12, "timezone": "UTC"})})
    session.commit()
    assert (rows(session), again(session, job).next_run_at) == ([], slot - timedelta(hours=21))


def test_a_pause_by_hand_outlasts_a_success(session, clock, job, adapters):
    from pipeline import execute

    until = datetime(2026, 1, 1, tzinfo=UTC)
    pause(session, job, until)
    execute.run(session, control.trigger(session, job)[0].id, adapters)
    row = again(session, job)
    assert (row.paused_until, row.next_run_at) == (until, datetime(2026, 1, 1, 9, tzinfo=UTC))
