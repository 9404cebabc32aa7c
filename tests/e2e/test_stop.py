"""A worker that is asked to stop: its runs finish or are handed on, at once, and nothing is paid twice."""

import signal

import pytest

from models import Attempt
from tests.standins.house import PLATFORMS, House

pytestmark = pytest.mark.loopback
AT_ONCE = 8.0
"""Seconds in which a worker that was interrupted has to be gone, on a busy machine."""


def stop(worker, number: signal.Signals, seconds: float) -> None:
    worker.send_signal(number)
    assert worker.wait(seconds) == 0


def attempts(house: House, execution_id: str) -> list[tuple[int, str]]:
    found = house.rows(Attempt, execution_id=execution_id)
    return sorted((attempt.number, attempt.status) for attempt in found)


def test_what_runs_ends_in_the_worker_that_was_asked_to_stop(house):
    worker = house.start_worker()
    house.llm.held.update(PLATFORMS)
    running = house.trigger(house.job())
    house.llm.await_calls(3)
    worker.send_signal(signal.SIGTERM)
    house.await_log("stops: runs have 20 s to end")
    waiting = house.trigger(house.job())
    house.llm.release()
    assert worker.wait(20) == 0
    assert house.row(running).status == "COMPLETED"
    assert attempts(house, running) == [(1, "COMPLETED")]
    assert house.row(waiting).status == "QUEUED"
    house.start_worker()
    house.await_whole(waiting)


def test_what_does_not_end_is_handed_on_with_all_that_was_stored(house):
    worker = house.start_worker()
    house.llm.held.add("LINKEDIN")
    running = house.trigger(house.job())
    house.until(lambda: len(house.written(running)) == 2, 20, "two stored posts")
    stop(worker, signal.SIGINT, AT_ONCE)
    row = house.row(running)
    assert (row.status, row.failures, row.recoveries) == ("RETRYING", 0, 0)
    assert row.error.startswith("The worker was asked to stop while this attempt ran.")
    house.llm.release()
    house.start_worker()
    house.await_whole(running)
    assert attempts(house, running) == [(1, "CANCELLED"), (2, "COMPLETED")]
    assert house.llm.calls == {"HASHNODE": 1, "DEVTO": 1, "LINKEDIN": 2}


def test_asked_twice_it_hands_on_without_waiting(house):
    """As Ctrl-C pressed again."""
    worker = house.start_worker()
    house.llm.held.update(PLATFORMS)
    running = house.trigger(house.job())
    house.llm.await_calls(3)
    worker.send_signal(signal.SIGTERM)
    house.await_log("stops: runs have 20 s to end")
    stop(worker, signal.SIGTERM, AT_ONCE)
    assert house.row(running).status == "RETRYING", house.log()
