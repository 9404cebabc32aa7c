"""A worker that is suspended past its lease, and a clock that steps under one that runs."""

import signal
from datetime import timedelta

import pytest

from lib import clock
from models import Attempt, Execution
from pipeline.claim import NOT_STARTED
from pipeline.housekeeping import WORDS
from pipeline.schedule import Schedule
from tests.standins.github import error
from tests.standins.house import PLATFORMS
from tests.standins.stack import until

pytestmark = pytest.mark.loopback

HOUR = timedelta(hours=1)
LAPSED = timedelta(seconds=5)
"""Longer than the lease of a hasty worker."""
ONCE = dict.fromkeys(PLATFORMS, 1)


def test_a_worker_that_is_suspended_past_its_lease(house):
    """Another one goes on from what is stored; the first wakes, finds its run gone, and works on."""
    first = house.start_hasty_worker()
    house.llm.held.add("LINKEDIN")
    running = house.trigger(house.job())
    until(lambda: len(house.written(running)) == 2, 20, "two posts")
    house.llm.await_calls(3)
    first.send_signal(signal.SIGSTOP)
    second = house.start_hasty_worker()
    until(lambda: house.row(running).attempt == 2, 20, "second attempt")
    house.llm.release()
    house.await_whole(running)
    first.send_signal(signal.SIGCONT)
    house.await_log(f"Attempt 1 of {running} was taken away")
    attempts = house.rows(Attempt, execution_id=running)
    assert [(a.status, a.error) for a in attempts] == [("CANCELLED", WORDS), ("COMPLETED", None)]
    assert [name.partition(":")[0] for name in attempts[1].reused] == ["scan", "write", "write"]
    # The answer that was under way to the suspended worker never came to a row: it alone is asked for again.
    assert house.llm.calls == {"HASHNODE": 1, "DEVTO": 1, "LINKEDIN": 2}
    second.terminate()
    second.wait(20)
    later = house.trigger(house.job())
    house.await_whole(later)
    house.await_whole(running)
    assert len(house.mailbox.messages) == 2


def test_a_lone_worker_that_is_suspended_past_its_lease(house):
    """Nobody took its run meanwhile: it goes on where it was."""
    worker = house.start_hasty_worker()
    house.llm.held.update(PLATFORMS)
    running = house.trigger(house.job())
    house.llm.await_calls(3)
    worker.send_signal(signal.SIGSTOP)
    beat = house.row(running).heartbeat_at
    until(lambda: clock.now() - beat > LAPSED, 10, "lapse of the lease")
    worker.send_signal(signal.SIGCONT)
    house.llm.release()
    done = house.await_whole(running)
    assert (done.attempt, done.recoveries) == (1, 0)
    assert house.llm.calls == ONCE


@pytest.fixture
def off_by(house, tmp_path):
    """Steps the worker's clock: `off_by(HOUR)`."""
    file = tmp_path / "clock"
    house.env["CLOCK_FILE"] = str(file)

    def step(span: timedelta) -> None:
        file.with_suffix(".new").write_text(str(span.total_seconds()))
        file.with_suffix(".new").replace(file)

    step(timedelta())
    return step


def test_a_clock_that_steps_under_a_run(house, off_by):
    """Its heart goes on beating, so that nobody takes it for dead."""
    house.start_hasty_worker()
    house.llm.held.update(PLATFORMS)
    running = house.trigger(house.job())
    house.llm.await_calls(3)
    for step in (HOUR, -HOUR, timedelta()):
        off_by(step)
        until(lambda at=step: beats_by(house, running, at), 10, "heartbeat by the new clock")
    house.llm.release()
    done = house.await_whole(running)
    assert (done.attempt, done.recoveries) == (1, 0)
    assert house.llm.calls == ONCE


def beats_by(house, execution_id, step: timedelta) -> bool:
    return abs(house.row(execution_id).heartbeat_at - step - clock.now()) < timedelta(minutes=1)


def test_a_clock_that_steps_between_runs(house, off_by):
    """Forth: what was missed is said once, the newest slot runs, and so does what waited for its retry. Back:
    nothing comes twice, and what is asked for runs."""
    house.start_hasty_worker()
    house.world.github.fail_once("/repos/", error(500, "Server Error"))
    waiting = house.trigger(house.job())
    house.await_status(waiting, "RETRYING")
    minutely = house.job(schedule=Schedule.parse("CUSTOM", {"expression": "* * * * *", "timezone": "UTC"}))
    off_by(HOUR)
    assert house.await_whole(waiting).attempt == 2
    until(lambda: len(house.rows(Execution, job_id=minutely.id)) == 2, 10, "slots of the lost hour")
    skipped, newest = sorted(house.rows(Execution, job_id=minutely.id), key=lambda e: e.scheduled_for)
    assert (skipped.status, skipped.reason) == ("SKIPPED", NOT_STARTED)
    assert skipped.missed["count"] in (59, 60)
    house.await_whole(newest.id)
    off_by(timedelta())
    assert house.await_status(house.trigger(minutely)).outcome == "NO_ACTIVITY"
    house.check_statistics(minutely.id)
    assert len([e for e in house.rows(Execution, job_id=minutely.id) if e.triggered_by == "scheduled"]) == 2
    assert house.llm.calls == dict.fromkeys(PLATFORMS, 2)
    assert len(house.mailbox.messages) == 2
