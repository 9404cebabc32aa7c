"""Trigger, cancel and retry: what each does, and what it refuses."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Attempt, Execution, Job, Step
from pipeline import control
from pipeline.bells import Bell
from pipeline.control import ConflictError
from tests.pipeline.conftest import make_job
from tests.plugins.moves import lawless

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


def ended(session, job, status="COMPLETED", **values) -> Execution:
    execution = Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        triggered_by="scheduled",
        status=status,
        **values,
    )
    session.add(execution)
    session.commit()
    return execution


class TestTrigger:
    def test_a_run_of_its_own(self, session, job, clock):
        before = job.next_run_at
        execution, bells = control.trigger(session, job)
        assert bells == [Bell("run", execution.id)]
        session.expire_all()
        assert (execution.status, execution.triggered_by) == ("QUEUED", "manual")
        assert (execution.scheduled_for, execution.created_at) == (None, clock.now())
        assert (execution.dry_run, execution.moves_cursor, execution.tell_since) == (False, True, None)
        assert job.next_run_at == before

    def test_a_dry_run_moves_nothing(self, session, job):
        execution, _ = control.trigger(session, job, dry_run=True)
        assert (execution.dry_run, execution.moves_cursor) == (True, False)

    def test_since(self, session, job):
        execution, _ = control.trigger(session, job, since=NOW - WEEK)
        assert execution.tell_since == NOW - WEEK

    def test_a_disabled_job_too(self, session, clock):
        execution, _ = control.trigger(session, make_job(session, is_enabled=False))
        assert execution.status == "QUEUED"

    @pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "RETRYING"])
    def test_one_at_a_time(self, session, job, status):
        live = ended(session, job, status)
        with pytest.raises(ConflictError) as caught:
            control.trigger(session, job)
        assert caught.value.execution is live
        assert len(session.scalars(select(Execution)).all()) == 1

    def test_two_at_the_same_instant(self, sessions, session, job):
        """Both pass the first look; the index decides, and the loser is shown the winner."""
        outcomes, ready = [], threading.Barrier(2)

        def press():
            with sessions() as mine:
                row = mine.get_one(Job, job.id)
                mine.commit()
                ready.wait(10)
                try:
                    outcomes.append(("won", control.trigger(mine, row)[0].id))
                except ConflictError as error:
                    outcomes.append(("lost", error.execution.id))

        session.commit()
        threads = [threading.Thread(target=press) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(kind for kind, _ in outcomes) == ["lost", "won"]
        assert len({execution_id for _, execution_id in outcomes}) == 1
        assert len(session.scalars(select(Execution)).all()) == 1


class TestCancel:
    @pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "RETRYING"])
    def test_what_lives(self, session, job, clock, status):
        live = ended(session, job, status, next_retry_at=NOW + WEEK)
        session.add(Attempt(execution_id=live.id, number=1, status="FAILED", completed_at=NOW - WEEK))
        session.add(Attempt(execution_id=live.id, number=2))
        session.add(Step(execution_id=live.id, attempt=2, name="scan"))
        session.commit()
        clock.advance(60)
        control.cancel(session, live)
        session.expire_all()
        assert (live.status, live.outcome, live.completed_at) == ("CANCELLED", "CANCELLED", clock.now())
        assert (live.next_retry_at, live.reason) == (None, "Cancelled by its owner.")
        assert [attempt.status for attempt in live.attempts] == ["FAILED", "CANCELLED"]
        assert [(step.status, step.completed_at) for step in live.steps] == [("CANCELLED", clock.now())]
        assert (job.run_count, job.failure_count) == (0, 0)

    @pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "SKIPPED"])
    def test_what_ended(self, session, job, status):
        execution = ended(session, job, status)
        with pytest.raises(ConflictError, match="ended already"):
            control.cancel(session, execution)
        session.refresh(execution)
        assert execution.status == status

    def test_then_another_may_start(self, session, job):
        control.cancel(session, ended(session, job, "RUNNING"))
        execution, _ = control.trigger(session, job)
        assert execution.status == "QUEUED"


class TestRetry:
    @pytest.mark.parametrize("status", ["FAILED", "TIMEOUT"])
    def test_the_same_window_again(self, session, job, status):
        failed = ended(session, job, status, outcome=status, tell_since=NOW - WEEK)
        successor, bells = control.retry(session, failed)
        assert bells == [Bell("run", successor.id)]
        assert (successor.triggered_by, successor.retry_of) == ("retry", failed.id)
        assert (successor.tell_since, successor.moves_cursor) == (NOW - WEEK, True)
        assert successor.scheduled_for is None

    def test_not_once_the_cursor_moved_on(self, session, job):
        failed = ended(session, job, "FAILED", outcome="FAILED", cursor_at=NOW - WEEK)
        job.cursor_until = NOW
        session.commit()
        with pytest.raises(ConflictError, match="covered this window already"):
            control.retry(session, failed)

    @pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED", "SKIPPED", "QUEUED", "RUNNING"])
    def test_nothing_else_is_retried(self, session, job, status):
        execution = ended(session, job, status, outcome="SUCCESS" if status == "COMPLETED" else None)
        with pytest.raises(ConflictError, match="Only a failed or partly failed"):
            control.retry(session, execution)

    def test_a_waiting_one_at_once(self, session, job, clock):
        waiting = ended(session, job, "RETRYING", next_retry_at=NOW + WEEK)
        again, bells = control.retry(session, waiting)
        session.expire_all()
        assert again is waiting
        assert (waiting.status, waiting.next_retry_at) == ("RETRYING", clock.now())
        assert bells == [Bell("run", waiting.id)]

    def test_while_another_lives(self, session, job):
        failed = ended(session, job, "FAILED", outcome="FAILED")
        live = ended(session, job, "RUNNING")
        with pytest.raises(ConflictError) as caught:
            control.retry(session, failed)
        assert caught.value.execution is live

    def test_a_dry_run_is_triggered_anew(self, session, job):
        failed = ended(session, job, "FAILED", outcome="FAILED", dry_run=True, moves_cursor=False)
        with pytest.raises(ConflictError, match="dry run"):
            control.retry(session, failed)


class TestRetryOfPlatforms:
    @pytest.fixture
    def partial(self, session, job) -> Execution:
        results = [{"platformId": "plat_1", "success": True}, {"platformId": "plat_2", "success": False}]
        execution = ended(
            session,
            job,
            outcome="PARTIAL",
            window_since=NOW - WEEK,
            window_until=NOW,
            output={"results": results},
        )
        done = {"status": "COMPLETED", "completed_at": NOW}
        session.add(Step(execution_id=execution.id, attempt=1, name="scan", result={"a": 1}, **done))
        session.commit()
        return execution

    def test_from_the_stored_activity_with_the_cursor_unmoved(self, session, job, partial):
        job.cursor_until = NOW
        session.commit()
        successor, _ = control.retry(session, partial)
        session.expire_all()
        assert (successor.retry_of, successor.moves_cursor) == (partial.id, False)
        assert (successor.window_since, successor.window_until) == (NOW - WEEK, NOW)
        assert [(step.name, step.status, step.result) for step in successor.steps] == [
            ("scan", "COMPLETED", {"a": 1})
        ]

    def test_not_without_it(self, session, job):
        with pytest.raises(ConflictError, match="stored activity"):
            control.retry(session, ended(session, job, outcome="PARTIAL"))

    def test_one_that_failed_retries_those_platforms_and_no_new_window(self, session, partial):
        again, _ = control.retry(session, partial)
        lawless(session)
        again.status, again.outcome = "FAILED", "FAILED"
        session.commit()
        successor, _ = control.retry(session, again)
        session.expire_all()
        assert (successor.retry_of, successor.moves_cursor) == (partial.id, False)
        assert [step.result for step in successor.steps] == [{"a": 1}]
