"""A job's slot and its waiting executions follow every edit."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Draft, Execution, Job
from pipeline import jobs
from pipeline.bells import Bell
from pipeline.schedule import Schedule
from tests.pipeline.conftest import DAILY, make_job

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
AT_TEN = Schedule.parse("DAILY", {"hour": 10})


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


def queued(session, job, status="QUEUED", triggered_by="scheduled") -> Execution:
    execution = Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        status=status,
        triggered_by=triggered_by,
        next_retry_at=NOW if status == "RETRYING" else None,
    )
    session.add(execution)
    session.commit()
    return execution


def test_a_new_job_knows_its_next_slot(session, job):
    session.expire_all()
    assert (job.schedule, job.timezone, job.next_run_at) == ("0 9 * * *", "UTC", TOMORROW)
    assert job.time_config == {"hour": 9, "minute": 0, "timezone": "UTC"}
    assert (job.run_count, job.platform_ids, job.first_run) == (0, None, {"days": 7})


def test_a_disabled_one_has_none(session, clock):
    job = make_job(session, is_enabled=False)
    assert job.next_run_at is None
    assert jobs.status_of(job, None) == "DISABLED"


@pytest.mark.parametrize(("seconds", "rung"), [(1, True), (90, True), (91, False)])
def test_a_near_slot_gets_its_bell(session, job, clock, seconds, rung):
    clock.move_to(TOMORROW - timedelta(seconds=seconds))
    _, bells = jobs.create(session, job.project, jobs.JobFields("Near", DAILY))
    near = [Bell("start", _.id, eta=TOMORROW - timedelta(seconds=1), slot=TOMORROW)]
    assert bells == (near if rung else [])


def test_a_new_schedule_moves_the_slot_and_rings_a_near_one(session, job, clock):
    clock.move_to(NOW + timedelta(minutes=59))
    bells = jobs.edit(session, job, {"schedule": AT_TEN})
    slot = datetime(2025, 10, 3, 10, tzinfo=UTC)
    assert (job.schedule, job.next_run_at) == ("0 10 * * *", slot)
    assert bells == [Bell("start", job.id, eta=slot - timedelta(seconds=1), slot=slot)]


def test_another_zone_is_another_schedule(session, job):
    berlin = Schedule.parse("DAILY", {"hour": 9, "timezone": "Europe/Berlin"})
    jobs.edit(session, job, {"schedule": berlin})
    assert (job.timezone, job.next_run_at) == ("Europe/Berlin", datetime(2025, 10, 4, 7, tzinfo=UTC))


def test_other_edits_leave_the_slot_and_what_waits(session, job, clock):
    waiting = queued(session, job)
    clock.advance(3600)
    assert jobs.edit(session, job, {"name": "Other", "schedule": DAILY, "max_retries": 0}) == []
    session.commit()
    session.expire_all()
    assert (job.name, job.max_retries, job.next_run_at) == ("Other", 0, TOMORROW)
    assert waiting.status == "QUEUED"


@pytest.mark.parametrize(
    ("status", "triggered_by", "rescheduled", "disabled"),
    [
        ("QUEUED", "scheduled", "CANCELLED", "CANCELLED"),
        ("QUEUED", "manual", "QUEUED", "QUEUED"),
        ("QUEUED", "retry", "QUEUED", "QUEUED"),
        ("RETRYING", "scheduled", "RETRYING", "CANCELLED"),
        ("RUNNING", "scheduled", "RUNNING", "RUNNING"),
        ("COMPLETED", "scheduled", "COMPLETED", "COMPLETED"),
    ],
)
@pytest.mark.parametrize("change", ["rescheduled", "disabled"])
def test_what_an_edit_cancels(session, job, clock, change, status, triggered_by, rescheduled, disabled):
    waiting = queued(session, job, status, triggered_by)
    clock.advance(60)
    jobs.edit(session, job, {"schedule": AT_TEN} if change == "rescheduled" else {"is_enabled": False})
    session.commit()
    session.refresh(waiting)
    assert waiting.status == (rescheduled if change == "rescheduled" else disabled)
    if waiting.status == "CANCELLED":
        assert (waiting.outcome, waiting.completed_at) == ("CANCELLED", clock.now())
        assert waiting.next_retry_at is None
        said = "schedule was changed" if change == "rescheduled" else "was disabled"
        assert said in waiting.reason


def test_disable_and_enable_again(session, job, clock):
    assert jobs.edit(session, job, {"is_enabled": False}) == []
    assert job.next_run_at is None
    clock.advance(3 * 24 * 3600)
    jobs.edit(session, job, {"is_enabled": True})
    assert job.next_run_at == TOMORROW + timedelta(days=3)


def test_an_edit_names_what_a_user_may_choose(session, job):
    for name in ("next_run_at", "cursor_until", "status"):
        with pytest.raises(KeyError):
            jobs.edit(session, job, {name: None})


def test_delete_takes_all_along(session, job):
    execution = queued(session, job, "RUNNING")
    session.add(
        Draft(user_id=job.user_id, execution_id=execution.id, platform_type="DEVTO", content="A post")
    )
    session.commit()
    jobs.delete(session, job)
    session.commit()
    assert [session.query(model).count() for model in (Job, Execution, Draft)] == [0, 0, 0]


def test_the_status_is_that_of_the_live_execution(session, job):
    assert jobs.status_of(job, jobs.live_execution(session, job.id)) == "IDLE"
    queued(session, job, "COMPLETED")
    assert jobs.live_execution(session, job.id) is None
    live = queued(session, job, "RETRYING")
    assert jobs.live_execution(session, job.id) is live
    assert jobs.status_of(job, live) == "RETRYING"
