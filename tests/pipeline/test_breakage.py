"""The clock steps an hour forth or back, and jobs are edited while their slots are claimed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Execution, Job
from pipeline import claim, control, execute, jobs, take
from pipeline.claim import NOT_STARTED
from pipeline.housekeeping import Ward
from pipeline.schedule import Schedule
from sources.base import SourceError
from tests.pipeline.conftest import commit, make_job

BASE = "https://repocast.example"
NINE = datetime(2025, 10, 3, 9, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def custom(expression: str) -> Schedule:
    return Schedule.parse("CUSTOM", {"expression": expression, "timezone": "UTC"})


def tick(session, adapters) -> None:
    """One minute's tick, and the runs that it rings for."""
    for bell in claim.tick(session, BASE, Ward()):
        if bell.kind == "run":
            execute.run(session, bell.id, adapters)


def slots(session, job: Job, status: str) -> list[datetime]:
    query = select(Execution.scheduled_for).where(Execution.job_id == job.id, Execution.status == status)
    found = list(session.scalars(query.order_by(Execution.scheduled_for)))
    session.commit()
    return found


def again(session, row):
    found = session.get_one(type(row), row.id, populate_existing=True)
    session.commit()
    return found


@pytest.fixture
def job(session, clock) -> Job:
    """Minutely; its next slot is nine o'clock."""
    clock.move_to(NINE - MINUTE)
    return make_job(session, schedule=custom("* * * * *"))


class TestForthAnHour:
    def test_what_was_missed_is_said_once_and_the_newest_slot_runs(self, session, clock, job, adapters):
        hourly = make_job(session, schedule=custom("30 * * * *"))
        for at in (NINE, NINE + HOUR + timedelta(seconds=30), NINE + HOUR + MINUTE):
            clock.move_to(at)
            tick(session, adapters)
        assert slots(session, job, "COMPLETED") == [NINE, NINE + HOUR, NINE + HOUR + MINUTE]
        (skipped,) = session.scalars(select(Execution).where(Execution.status == "SKIPPED"))
        assert (skipped.scheduled_for, skipped.reason) == (NINE + MINUTE, NOT_STARTED)
        assert skipped.missed == {
            "count": 59,
            "from": "2025-10-03T09:01:00.000Z",
            "to": "2025-10-03T09:59:00.000Z",
        }
        session.commit()
        assert slots(session, hourly, "COMPLETED") == [NINE + HOUR / 2]
        assert again(session, hourly).next_run_at == NINE + 1.5 * HOUR
        assert again(session, job).run_count == 3

    def test_a_retry_comes_at_once(self, session, clock, job, adapters):
        waiting = failed_once(session, clock, adapters)
        clock.advance(3600)
        tick(session, adapters)
        assert (again(session, waiting).status, again(session, waiting).attempt) == ("COMPLETED", 2)


class TestBackAnHour:
    def test_no_slot_runs_twice_and_none_is_lost(self, session, clock, job, adapters):
        for minute in range(3):
            clock.move_to(NINE + minute * MINUTE)
            tick(session, adapters)
        for minute in (-60, -59, -30, *range(6)):
            clock.move_to(NINE + minute * MINUTE)
            tick(session, adapters)
        assert slots(session, job, "COMPLETED") == [NINE + minute * MINUTE for minute in range(6)]
        assert slots(session, job, "SKIPPED") == []
        assert again(session, job).run_count == 6

    def test_a_job_that_is_switched_off_and_on_meanwhile_passes_over_what_ran(
        self, session, clock, job, adapters
    ):
        for minute in range(3):
            clock.move_to(NINE + minute * MINUTE)
            tick(session, adapters)
        clock.move_to(NINE - 3 * MINUTE)
        for switch in (False, True):
            jobs.edit(session, job, {"is_enabled": switch})
            session.commit()
        assert again(session, job).next_run_at == NINE - 2 * MINUTE
        for minute in range(-2, 4):
            clock.move_to(NINE + minute * MINUTE)
            tick(session, adapters)
        assert slots(session, job, "COMPLETED") == [NINE + minute * MINUTE for minute in range(-2, 4)]
        assert again(session, job).run_count == 6

    def test_a_retry_keeps_its_time(self, session, clock, job, adapters):
        waiting = failed_once(session, clock, adapters)
        at = waiting.next_retry_at
        clock.advance(-3600)
        tick(session, adapters)
        assert again(session, waiting).status == "RETRYING"
        assert again(session, waiting).error == "down"
        clock.move_to(at)
        tick(session, adapters)
        assert (again(session, waiting).status, again(session, waiting).attempt) == ("COMPLETED", 2)

    def test_nothing_is_told_twice_and_nothing_missed(self, session, clock, job, adapters):
        clock.move_to(NINE)
        adapters.github.commits = [commit("c1", "Add TypeScript support")]
        tick(session, adapters)
        clock.advance(-3600)
        assert again(session, pressed(session, job, adapters)).outcome == "NO_ACTIVITY"
        adapters.github.commits.append(commit("c2", "Fix build errors"))
        assert again(session, pressed(session, job, adapters)).summary == "1 commit"
        clock.advance(3600)
        assert again(session, pressed(session, job, adapters)).outcome == "NO_ACTIVITY"

    def test_a_run_has_taken_no_time_rather_than_less(self, session, clock, job, adapters):
        adapters.github.before_answer = lambda: clock.advance(-3600)
        done = again(session, pressed(session, job, adapters))
        assert (done.status, done.duration) == ("COMPLETED", 0)
        assert again(session, job).total_duration == 0


def failed_once(session, clock, adapters) -> Execution:
    """It waits five minutes for its retry; its job's slots are far away."""
    adapters.github.failures = [SourceError("down")]
    clock.move_to(NINE)
    return again(session, pressed(session, make_job(session, schedule=custom("0 0 1 1 *")), adapters))


def pressed(session, job: Job, adapters) -> Execution:
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    return execution


class TestEditDuringAClaim:
    """Whichever comes first, nothing starts by the old schedule once the edit is committed."""

    TEN = Schedule.parse("DAILY", {"hour": 10, "minute": 0, "timezone": "UTC"})

    @pytest.fixture
    def daily(self, session, clock) -> Job:
        clock.move_to(NINE - MINUTE)
        job = make_job(session)
        clock.move_to(NINE)
        return job

    def edit(self, sessions, job: Job, before_commit: Callable[[], None] = lambda: None) -> None:
        with sessions() as own:
            jobs.edit(own, own.get_one(Job, job.id), {"schedule": self.TEN})
            before_commit()
            own.commit()

    def claim(self, sessions, job: Job) -> None:
        with sessions() as own:
            claim.claim(own, job.id, NINE, BASE)

    def check(self, session, job: Job, statuses: tuple[str, ...]) -> None:
        row = again(session, job)
        assert (row.next_run_at, row.schedule) == (NINE + HOUR, "0 10 * * *")
        found = list(session.scalars(select(Execution)))
        session.commit()
        assert tuple(e.status for e in found) == statuses
        assert all(e.reason == "The job's schedule was changed." for e in found)
        assert take.take_next(session) is None

    def test_an_edit_that_waits_for_a_claim_cancels_it(self, session, sessions, daily, monkeypatch):
        edit, gap = threading.Thread(target=self.edit, args=(sessions, daily)), claim._gap

        def slow_gap(*arguments):
            edit.start()
            edit.join(0.3)
            assert edit.is_alive()  # it waits for the claim's locks
            return gap(*arguments)

        monkeypatch.setattr(claim, "_gap", slow_gap)
        self.claim(sessions, daily)
        edit.join(10)
        self.check(session, daily, ("CANCELLED",))

    def test_a_claim_that_waits_for_an_edit_finds_nothing(self, session, sessions, daily):
        late = threading.Thread(target=self.claim, args=(sessions, daily))

        def claim_meanwhile() -> None:
            late.start()
            late.join(0.3)
            assert late.is_alive()

        self.edit(sessions, daily, claim_meanwhile)
        late.join(10)
        self.check(session, daily, ())

    @pytest.mark.parametrize("taken", [False, True])
    def test_both_at_once(self, session, sessions, clock, taken):
        """Ten times: what was taken before the edit runs on, what was not is cancelled or never was."""
        for _ in range(10):
            clock.move_to(NINE - MINUTE)
            job = make_job(session)
            clock.move_to(NINE)
            ready, holds = threading.Barrier(2, timeout=10), []

            def claim_and_take(job=job, ready=ready, holds=holds) -> None:
                ready.wait()
                self.claim(sessions, job)
                with sessions() as own:
                    holds.append(take.take_next(own) if taken else None)

            taker = threading.Thread(target=claim_and_take)
            taker.start()
            ready.wait()
            self.edit(sessions, job)
            taker.join(10)
            found = list(session.scalars(select(Execution).where(Execution.job_id == job.id)))
            session.commit()
            assert again(session, job).next_run_at == NINE + HOUR
            if holds != [None]:
                assert [e.status for e in found] == ["RUNNING"]
            else:
                assert {(e.status, e.reason) for e in found} <= {
                    ("CANCELLED", "The job's schedule was changed.")
                }
                assert take.take_next(session) is None
