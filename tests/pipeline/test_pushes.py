"""A delivery starts one run, in a while; what happens meanwhile settles it or puts it off."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from models import Execution, Job, WebhookDelivery
from pipeline import claim, control, execute, housekeeping, jobs, projects, pushes, webhook
from pipeline.housekeeping import Ward
from pipeline.schedule import Schedule
from pipeline.take import take_next
from sources.base import SourceError
from tests.pipeline.conftest import make_job
from tests.standins.stack import until

BASE = "https://repocast.example"
NOON = datetime(2025, 10, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def job(session, clock) -> Job:
    """Its own slot is far away."""
    clock.move_to(NOON)
    return make_job(session, run_on_push=True)


@pytest.fixture
def deliver(session, job):
    """One more delivery that concerns the job's project."""
    numbers, project_id = iter(range(1, 1000)), job.project_id

    def once(guid: str | None = None, *, concerns: bool = True) -> pushes.Noted:
        session.rollback()
        name = guid or f"guid-{next(numbers)}"
        return pushes.note(session, project_id, name, "push", concerns=concerns)

    return once


def pending(session, job) -> tuple[datetime | None, datetime | None]:
    stored = session.get_one(Job, job.id, populate_existing=True)
    found = (stored.push_since, stored.push_at)
    session.commit()
    return found


def look(session) -> list[str]:
    """What a worker starts at its look."""
    return [bell.id for bell in claim.look(session, BASE, Ward()) if bell.kind == "run"]


def runs(session) -> list[tuple[str, str]]:
    found = session.execute(
        select(Execution.triggered_by, Execution.status).order_by(Execution.created_at, Execution.id)
    ).all()
    session.commit()
    return [tuple(row) for row in found]


def test_a_push_starts_one_run_ten_minutes_later(session, clock, job, deliver):
    assert deliver() == pushes.Noted(True, 1, NOON + 10 * MINUTE)
    assert pending(session, job) == (NOON, NOON + 10 * MINUTE)
    slot = session.get_one(Job, job.id).next_run_at
    clock.move_to(NOON + 10 * MINUTE - timedelta(milliseconds=1))
    assert look(session) == []
    clock.move_to(NOON + 10 * MINUTE)
    (started,) = set(look(session))
    execution = session.get_one(Execution, started)
    assert (execution.triggered_by, execution.scheduled_for, execution.status) == ("webhook", None, "QUEUED")
    assert execution.moves_cursor
    assert pending(session, job) == (None, None)
    assert session.get_one(Job, job.id, populate_existing=True).next_run_at == slot
    assert len(runs(session)) == 1


def test_each_further_push_puts_it_off(session, clock, job, deliver):
    deliver()
    clock.advance(8 * 60)
    assert deliver().at == NOON + 18 * MINUTE
    assert pending(session, job) == (NOON, NOON + 18 * MINUTE)
    clock.move_to(NOON + 17 * MINUTE)
    assert look(session) == []


def test_a_busy_repository_is_not_starved(session, clock, job, deliver):
    for _ in range(12):
        deliver()
        clock.advance(5 * 60)
    clock.move_to(NOON + 59 * MINUTE)
    assert deliver().at == NOON + 60 * MINUTE
    clock.move_to(NOON + 60 * MINUTE)
    assert len(set(look(session))) == 1


def test_the_same_delivery_again_changes_nothing(session, clock, job, deliver):
    deliver("one")
    clock.advance(300)
    assert deliver("one") == pushes.Noted(False)
    assert pending(session, job) == (NOON, NOON + 10 * MINUTE)
    assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 1


def test_what_concerns_nobody_is_remembered_and_starts_nothing(session, job, deliver):
    assert deliver(concerns=False) == pushes.Noted(True)
    assert pending(session, job) == (None, None)
    assert session.scalars(select(WebhookDelivery.guid)).all() == ["guid-1"]


@pytest.mark.parametrize(
    "change",
    [{"is_enabled": False}, {"run_on_push": False}, {"paused_at": NOON}],
    ids=lambda one: next(iter(one)),
)
def test_a_job_that_does_not_listen_is_left_alone(session, job, deliver, change):
    session.execute(update(Job).values(**change))
    session.commit()
    assert deliver() == pushes.Noted(True)
    assert pending(session, job) == (None, None)


def test_all_listening_jobs_of_the_project_and_no_other(session, clock, job, deliver):
    second, _ = jobs.create(
        session, job.project, jobs.JobFields("Second", jobs.schedule_of(job), run_on_push=True)
    )
    jobs.create(session, job.project, jobs.JobFields("By the clock alone", jobs.schedule_of(job)))
    session.commit()
    other = make_job(session, run_on_push=True)
    assert deliver().jobs == 2
    assert pending(session, other) == (None, None)
    clock.advance(600)
    started = {session.get_one(Execution, one).job_id for one in look(session)}
    assert started == {job.id, second.id}


def test_any_number_of_workers_start_it_once(session, sessions, clock, job, deliver):
    deliver()
    clock.advance(600)
    at, barrier, bells = NOON + 10 * MINUTE, threading.Barrier(4), []

    def one() -> None:
        with sessions() as own:
            barrier.wait(5)
            bells.extend(pushes.start(own, job.id, at))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bells) == 1
    assert runs(session) == [("webhook", "QUEUED")]


def test_deliveries_at_once_are_all_remembered(session, sessions, job):
    barrier, noted = threading.Barrier(8), []

    def one(number: int) -> None:
        with sessions() as own:
            barrier.wait(5)
            for guid in (f"own-{number}", "shared"):
                noted.append(pushes.note(own, job.project_id, guid, "push", concerns=True).is_new)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (noted.count(True), noted.count(False)) == (9, 7)
    assert session.scalar(select(func.count()).select_from(WebhookDelivery)) == 9


def test_it_waits_for_the_end_of_a_run_that_began_before(session, clock, job, deliver, adapters):
    execution, _ = control.trigger(session, job)
    clock.advance(1)
    deliver_during = deliver  # while the run is under way
    adapters.github.before_answer = lambda: deliver_during()
    execute.run(session, execution.id, adapters)
    assert session.get_one(Execution, execution.id, populate_existing=True).status == "COMPLETED"
    since, at = pending(session, job)
    assert (since, at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=601))
    clock.move_to(at)
    assert len(set(look(session))) == 1


def test_a_live_execution_keeps_it_waiting(session, clock, job, deliver, adapters):
    deliver()
    clock.advance(600)
    adapters.github.failures = [SourceError("down")]
    execution_id = control.trigger(session, job)[0].id
    assert look(session) == [execution_id]  # nothing but that
    execute.run(session, execution_id, adapters)
    assert pending(session, job)[1] == NOON + 10 * MINUTE
    assert pushes.due(session) == []
    control.cancel(session, session.get_one(Execution, execution_id, populate_existing=True))
    assert len(pushes.due(session)) == 1
    look(session)
    assert [one for one in runs(session) if one[0] == "webhook"] == [("webhook", "QUEUED")]


def test_trigger_now_between_the_look_and_the_start(session, clock, job, deliver):
    deliver()
    clock.advance(600)
    ((job_id, at),) = pushes.due(session)
    control.trigger(session, job)
    assert pushes.start(session, job_id, at) == []
    assert pending(session, job) == (NOON, at)
    assert runs(session) == [("manual", "QUEUED")]


def test_a_delivery_between_the_look_and_the_start_puts_it_off(session, clock, job, deliver):
    deliver()
    clock.advance(600)
    ((job_id, at),) = pushes.due(session)
    deliver()
    assert pushes.start(session, job_id, at) == []
    assert pending(session, job) == (NOON, NOON + 20 * MINUTE)
    assert runs(session) == []


@pytest.mark.parametrize("how", ["slot", "manual"])
def test_a_run_that_begins_later_settles_it(session, clock, job, deliver, adapters, how):
    deliver()
    clock.advance(60)
    if how == "slot":
        session.execute(update(Job).values(next_run_at=clock.now()))
        session.commit()
        execution_id, _ = claim.claim(session, job.id, clock.now(), BASE)
    else:
        execution_id = control.trigger(session, job)[0].id
    execute.run(session, execution_id, adapters)
    assert pending(session, job) == (None, None)
    clock.advance(3600)
    assert look(session) == []


@pytest.mark.parametrize("kind", ["dry run", "failure"])
def test_a_run_that_told_nothing_settles_nothing(session, clock, job, deliver, adapters, kind):
    deliver()
    clock.advance(60)
    if kind == "failure":
        adapters.github.failures = [SourceError("gone", permanent=True)]
    execution, _ = control.trigger(session, job, dry_run=kind == "dry run")
    execute.run(session, execution.id, adapters)
    assert session.get_one(Execution, execution.id, populate_existing=True).completed_at is not None
    assert pending(session, job) == (NOON, NOON + 10 * MINUTE)


def test_a_run_before_the_last_of_many_deliveries_settles_nothing(session, clock, job, deliver, adapters):
    """The run was put off to the hour, which hides when the last one came: then it is not taken back."""
    for _ in range(11):
        deliver()
        clock.advance(5 * 60)
    execution, _ = control.trigger(session, job)
    clock.advance(60)
    deliver()
    execute.run(session, execution.id, adapters)
    # It began, as the row says, when the worker took it: after that delivery.
    assert session.get_one(Execution, execution.id, populate_existing=True).started_at == NOON + 56 * MINUTE
    assert pending(session, job) == (NOON, NOON + 60 * MINUTE)
    clock.move_to(NOON + 60 * MINUTE)
    assert len(set(look(session))) == 1


def test_a_delivery_after_a_put_off_run_was_due_is_not_lost(session, clock, job, deliver, adapters):
    deliver()
    clock.move_to(NOON + 70 * MINUTE)
    execution, _ = control.trigger(session, job)
    adapters.github.before_answer = lambda: (clock.advance(60), deliver())
    execute.run(session, execution.id, adapters)
    assert pending(session, job) == (NOON, NOON + 71 * MINUTE)
    assert len(set(look(session))) == 1


@pytest.mark.parametrize(
    "change", [{"is_enabled": False}, {"run_on_push": False}], ids=lambda one: next(iter(one))
)
def test_a_job_that_listens_no_more_forgets_it(session, clock, job, deliver, change):
    deliver()
    jobs.edit(session, job, change)
    session.commit()
    assert pending(session, job) == (None, None)
    clock.advance(600)
    assert look(session) == []


def test_another_name_or_schedule_keeps_it(session, clock, job, deliver):
    deliver()
    jobs.edit(session, job, {"name": "New", "schedule": Schedule.parse("DAILY", {"hour": 10})})
    session.commit()
    assert pending(session, job) == (NOON, NOON + 10 * MINUTE)


def test_a_paused_job_forgets_it(session, clock, job, deliver, adapters):
    jobs.edit(session, job, {"pause_after": 1, "max_retries": 0})
    session.commit()
    deliver()
    adapters.github.failures = [SourceError("down")]
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    assert session.get_one(Job, job.id, populate_existing=True).paused_at is not None
    assert pending(session, job) == (None, None)


def test_a_deleted_job_starts_nothing(session, clock, job, deliver):
    deliver()
    clock.advance(600)
    ((job_id, at),) = pushes.due(session)
    jobs.delete(session, session.get_one(Job, job_id))
    session.commit()
    assert pushes.start(session, job_id, at) == []


def test_disabling_cancels_what_a_push_has_queued(session, clock, job, deliver):
    deliver()
    clock.advance(600)
    look(session)
    jobs.edit(session, session.get_one(Job, job.id), {"is_enabled": False})
    session.commit()
    assert runs(session) == [("webhook", "CANCELLED")]


@pytest.mark.parametrize(
    ("change", "keeps_webhook"),
    [({"github_repo_name": "other"}, True), ({"source_type": "GIT", "git_path": "/srv/lib"}, False)],
)
def test_another_repository_forgets_it(session, clock, job, deliver, change, keeps_webhook):
    webhook.turn_on(session, job.project, Box())
    session.commit()
    deliver()
    projects.edit(session, job.project, change, None)
    session.commit()
    assert pending(session, job) == (None, None)
    assert (job.project.webhook_secret is not None) is keeps_webhook


def test_a_project_is_deleted_with_its_deliveries(session, job, deliver):
    deliver()
    projects.delete(session, job.project)
    session.commit()
    assert session.scalars(select(WebhookDelivery.guid)).all() == []


class Box:
    """Seals nothing, so that the test sees what is stored."""

    def seal(self, text: str) -> str:
        return f"sealed {text}"


def test_turning_the_webhook_on_off_and_on(session, clock, job, deliver):
    secret = webhook.turn_on(session, job.project, Box())
    session.commit()
    assert job.project.webhook_secret == f"sealed {secret}"
    assert len(secret) >= 43
    deliver()
    webhook.turn_off(session, job.project)
    session.commit()
    assert (job.project.webhook_secret, pending(session, job)) == (None, (None, None))
    assert session.scalars(select(WebhookDelivery.guid)).all() == []
    assert webhook.turn_on(session, job.project, Box()) != secret


def test_a_local_repository_has_no_webhook(session, job):
    job.project.source_type = "GIT"
    with pytest.raises(control.ConflictError, match="local repository"):
        webhook.turn_on(session, job.project, Box())


def test_old_deliveries_are_forgotten(session, clock, job, deliver):
    deliver("old")
    clock.advance(pushes.KEPT.total_seconds())
    deliver("new")
    clock.advance(1)
    housekeeping.prune(session, timedelta(days=365))
    assert session.scalars(select(WebhookDelivery.guid)).all() == ["new"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one lock
def test_a_delivery_and_the_end_of_a_run_wait_for_each_other(session, sessions, clock, job):
    """Nobody is broken off, nothing is lost."""
    control.trigger(session, job)
    hold = take_next(session)
    job_id, project_id, noted = job.id, job.project_id, []
    session.commit()

    def deliver() -> None:
        with sessions() as own:
            noted.append(pushes.note(own, project_id, "one", "push", concerns=True))

    thread = threading.Thread(target=deliver)
    with session.begin():
        hold.take(session.connection())
        session.execute(update(Job).where(Job.id == job_id).values(run_count=Job.run_count + 1))
        thread.start()
        with sessions() as watching:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            until(lambda: watching.connection().exec_driver_sql(waiting).scalar(), 5, "delivery that waits")
    thread.join(10)
    assert noted == [pushes.Noted(True, 1, NOON + 10 * MINUTE)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_start_waits_for_no_run_that_ends(session, sessions, clock, job, deliver):
    """It holds the job, for which that run waits: to wait for the run would be a deadlock."""
    deliver()
    clock.advance(600)
    ((job_id, at),) = pushes.due(session)
    control.trigger(session, job)
    hold = take_next(session)
    with session.begin():
        hold.take(session.connection(), status="COMPLETED", completed_at=clock.now())
        with sessions() as own:
            assert pushes.start(own, job_id, at) == []
    assert pending(session, job)[1] == at
