"""Two workers, each with its tick, on one database, and many jobs that are due at the same instants: each
slot is run, and run once."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lib import clock
from lib.settings import load
from models import Attempt, Draft, Execution, Job
from tasks import queue, schedule
from tests.standins.crowd import MINUTELY, PLATFORMS, Crew, due_at, ended, populate, soon
from tests.standins.stack import until

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
SLOTS = 3
MINUTE = timedelta(minutes=1)


@pytest.fixture
def connected(environ):
    """The workers' queue."""
    queue.connect(load(environ))
    yield
    queue.disconnect()


def names(count: int) -> list[str]:
    return [f"Project {number}" for number in range(count)]


def test_each_slot_runs_once(environ, engine, connected, tally):
    """The ticks of both workers ring every slot, so that each start bell rings twice and more."""
    job_ids, slots = populate(engine, names(60)), []
    with Crew(environ, engine, workers=2) as crew:
        for _ in range(SLOTS):
            slots.append(soon(2.5))
            bells = due_at(engine, job_ids, slots[-1])
            for _ in crew.workers:
                schedule.tick()
            queue.ring(bells)
            until(lambda: ended(crew, slots[-1]) == len(job_ids), 30, f"end of {slots[-1]}")
    each_slot_once(engine, job_ids, slots, tally)


@pytest.mark.long
@pytest.mark.timeout(420)
def test_a_thousand_jobs_each_minute(environ, engine, connected, tally):
    """Three real minutes."""
    first = MINUTELY.next_after(clock.now() + timedelta(seconds=30))
    job_ids = populate(engine, names(1000), schedule=MINUTELY)
    queue.ring(due_at(engine, job_ids, first))
    slots = [first + number * MINUTE for number in range(SLOTS)]
    with Crew(environ, engine, workers=2) as crew:
        wait_until(slots[-1])
        for slot in slots:
            while ended(crew, slot) < len(job_ids):
                assert clock.now() < slots[-1] + MINUTE, "The last minute's work does not end."
                time.sleep(0.5)
        due_at(engine, job_ids, None)
    each_slot_once(engine, job_ids, slots, tally)


def wait_until(instant: datetime) -> None:
    time.sleep(max(0.0, (instant - clock.now()).total_seconds()))


def each_slot_once(
    engine: Engine, job_ids: list[str], slots: list[datetime], tally: Callable[..., None]
) -> None:
    """Nothing was skipped unless the run before it still lasted, as on a machine that is too slow for the
    crowd; everything else ended well, at its first attempt."""
    with Session(engine) as session:
        rows = list(session.scalars(select(Execution).order_by(Execution.scheduled_for)))
        attempts, drafts = (session.scalar(select(func.count()).select_from(of)) for of in (Attempt, Draft))
        jobs = list(session.scalars(select(Job)))
    per_slot = Counter((row.job_id, row.scheduled_for) for row in rows)
    due = {(job_id, slot) for job_id in job_ids for slot in slots}
    ran = [row for row in rows if row.status != "SKIPPED"]
    skipped = [row for row in rows if row.status == "SKIPPED"]
    twice = len(rows) - len(per_slot) + attempts - len(ran)
    lost = len(due - set(per_slot))
    tally(
        "slots for two workers", due=len(due), run=len(ran), run_twice=twice, lost=lost, skipped=len(skipped)
    )
    assert (set(per_slot), twice) == (due, 0)
    assert {(row.status, row.outcome, row.attempt) for row in ran} == {("COMPLETED", "SUCCESS", 1)}
    assert min(row.started_at - row.scheduled_for for row in ran) >= timedelta()
    assert drafts == len(ran) * len(PLATFORMS)
    lasting = {
        (row.job_id, slot) for row in ran for slot in slots if row.scheduled_for < slot < row.completed_at
    }
    assert {(row.job_id, row.scheduled_for) for row in skipped} <= lasting, "Skipped for no reason."
    statistics_are_right(jobs, ran)


def statistics_are_right(jobs: list[Job], ran: list[Execution]) -> None:
    of: dict[str, list[Execution]] = {job.id: [] for job in jobs}
    for row in ran:
        of[row.job_id].append(row)
    for job in jobs:
        mine = of[job.id]
        assert (job.run_count, job.success_count, job.failure_count) == (len(mine), len(mine), 0)
        assert job.total_duration == sum(row.duration or 0 for row in mine)
        assert job.last_run_at == job.last_success == mine[-1].started_at
        assert job.cursor_until == mine[-1].window_until
