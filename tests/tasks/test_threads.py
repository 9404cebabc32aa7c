"""The worker's own threads: runners, the alarm, and what both survive."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from tasks.alarm import Alarm
from tasks.guard import guarded
from tasks.runners import Runners
from tests.standins.stack import until


class Work:
    """Rows that wait; `step` takes one and may be held up."""

    def __init__(self, waiting: int) -> None:
        self.waiting, self.taken, self.at_once, self.most = waiting, 0, 0, 0
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.gate.set()
        self.runners: Runners

    def step(self) -> bool:
        with self.lock:
            if not self.waiting:
                return False
            self.waiting -= 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.runners.wake()  # as a worker does when it has taken a row
        self.gate.wait(5)
        with self.lock:
            self.at_once -= 1
            self.taken += 1
        return True


@pytest.fixture
def runners():
    """Made by the test from its step; stopped at its end."""
    made: list[Runners] = []

    def make(count: int, step) -> Runners:
        made.append(Runners(count, step))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()
        assert one.join(5)


def test_one_bell_is_enough_for_all_that_waits_and_never_too_many_at_once(runners):
    work = Work(20)
    work.gate.clear()
    work.runners = runners(3, work.step)
    work.runners.wake()
    until(lambda: work.at_once == 3, 5, "three at once")
    work.gate.set()
    until(lambda: work.taken == 20, 5, "twenty taken")
    assert work.most == 3


def test_bells_for_nothing_are_not_hoarded(runners):
    looks = []
    idle = runners(2, lambda: bool(looks.append(1)))
    for _ in range(100):
        idle.wake()
    until(lambda: len(looks) >= 2, 5, "looks")
    assert len(looks) <= 100
    assert idle._rung <= 2


def test_a_runner_outlives_what_a_run_raises(runners, caplog):
    results = iter([ValueError("unheard of"), True, False])
    done = threading.Event()

    def step() -> bool:
        result = next(results, None)
        if result is None:
            done.set()
        if isinstance(result, Exception):
            raise result
        return bool(result)

    one = runners(1, step)
    until(lambda: one.wake() or done.is_set(), 5, "the runner going on")
    assert "A run broke off" in caplog.text
    assert "unheard of" in caplog.text


def test_a_stopped_runner_finishes_and_takes_nothing_more(runners):
    work = Work(5)
    work.gate.clear()
    work.runners = runners(1, work.step)
    work.runners.wake()
    until(lambda: work.at_once == 1, 5, "the first")
    work.runners.stop()
    assert not work.runners.join(0.05)
    work.gate.set()
    assert work.runners.join(5)
    assert (work.taken, work.waiting) == (1, 4)


def test_the_alarm_rings_at_the_instant_in_order_and_once():
    rung: list[tuple[str, datetime, datetime]] = []
    alarm = Alarm(lambda slots: rung.extend((*slot, datetime.now(UTC)) for slot in slots), 20)
    alarm.start()
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    sooner = soon - timedelta(seconds=0.1)
    for job_id, slot in (("late", soon), ("early", sooner), ("late", soon), ("late", soon)):
        alarm.set(job_id, slot)
    until(lambda: len(rung) == 2, 5, "both slots")
    assert [(job_id, slot) for job_id, slot, _ in rung] == [("early", sooner), ("late", soon)]
    assert all(at >= slot for _, slot, at in rung)
    assert alarm._slots == []
    assert not alarm.awaits("late", soon)


def test_the_alarm_knows_what_it_awaits():
    alarm, slot = Alarm(lambda slots: None, 20), datetime.now(UTC) + timedelta(hours=1)
    alarm.set("later", slot)
    assert alarm.awaits("later", slot)
    assert not alarm.awaits("later", slot + timedelta(minutes=1))
    assert not alarm.awaits("other", slot)


def test_the_alarm_hands_on_what_is_due_together():
    rung: list[list[str]] = []
    alarm = Alarm(lambda slots: rung.append([job_id for job_id, _ in slots]), 2)
    now = datetime.now(UTC)
    for seconds, job_id in enumerate("abcde"):
        alarm.set(job_id, now - timedelta(seconds=10 - seconds))
    alarm.set("later", now + timedelta(hours=1))
    alarm.start()
    until(lambda: len(rung) == 3, 5, "three calls")
    assert rung == [["a", "b"], ["c", "d"], ["e"]]
    assert alarm.awaits("later", now + timedelta(hours=1))


def test_the_alarm_goes_on_after_slots_that_could_not_be_claimed(caplog):
    rung = []

    def claim(slots: list[tuple[str, datetime]]) -> None:
        rung.extend(job_id for job_id, _ in slots)
        if "broken" in rung and "whole" not in rung:
            raise KeyError("broken")

    alarm = Alarm(claim, 1)
    alarm.start()
    now = datetime.now(UTC)
    alarm.set("broken", now - timedelta(seconds=1))
    alarm.set("whole", now)
    until(lambda: rung == ["broken", "whole"], 5, "both slots")
    assert "Due slots are claimed by the next look" in caplog.text


def test_a_database_that_is_away_is_said_in_one_line(caplog):
    def turn() -> None:
        raise OperationalError("SELECT", {}, Exception("the connection was closed"))

    assert guarded(turn, "Another look comes in a second.") is None
    (record,) = caplog.records
    assert record.getMessage() == (
        "The database is away (the connection was closed). Another look comes in a second."
    )
    assert record.exc_info is None
