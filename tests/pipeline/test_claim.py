"""Slots become executions, once each, whatever the clock and the other workers do."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import EmailDelivery, Execution, Job, Pulse
from pipeline import claim, control, execute, jobs, take
from pipeline.hold import Heart
from pipeline.housekeeping import Ward
from pipeline.schedule import Schedule
from sources.base import SourceError
from tests.pipeline.conftest import make_job
from tests.plugins.moves import lawless

BASE = "https://repocast.example"
SLOT = datetime(2025, 10, 3, 9, tzinfo=UTC)


@pytest.fixture
def job(session, clock) -> Job:
    clock.move_to(SLOT - timedelta(hours=1))
    return make_job(session)


def executions(session) -> list[Execution]:
    found = session.scalars(
        select(Execution).order_by(Execution.scheduled_for).execution_options(populate_existing=True)
    )
    return list(found.all())


def next_run(session, job) -> datetime:
    found = session.get_one(Job, job.id, populate_existing=True).next_run_at
    session.commit()
    return found


def test_a_due_slot_becomes_a_queued_execution_and_the_job_moves_on(session, clock, job):
    clock.move_to(SLOT)
    execution_id, bells = claim.claim(session, job.id, SLOT, BASE)
    execution = session.get_one(Execution, execution_id)
    assert (execution.status, execution.triggered_by, execution.scheduled_for) == (
        "QUEUED",
        "scheduled",
        SLOT,
    )
    assert (next_run(session, job), bells) == (SLOT + timedelta(days=1), [])


def test_a_slot_is_never_claimed_early(session, clock, job):
    clock.move_to(SLOT - timedelta(milliseconds=1))
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert next_run(session, job) == SLOT


def test_a_bell_that_rings_twice_does_nothing(session, clock, job):
    clock.move_to(SLOT)
    assert claim.claim(session, job.id, SLOT, BASE)[0]
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert len(executions(session)) == 1


def test_two_workers_at_once_claim_it_once(sessions, session, clock, job):
    clock.move_to(SLOT)
    barrier, won = threading.Barrier(4), []

    def one():
        with sessions() as own:
            barrier.wait(5)
            won.append(claim.claim(own, job.id, SLOT, BASE)[0])

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([w for w in won if w]) == 1
    assert len(executions(session)) == 1


def test_nothing_runs_by_an_old_schedule(session, clock, job):
    changes = {"schedule": Schedule.parse("DAILY", {"hour": 10, "timezone": "UTC"})}
    jobs.edit(session, job, changes)
    session.commit()
    clock.move_to(SLOT)
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert next_run(session, job) == SLOT + timedelta(hours=1)


def test_a_disabled_job_has_no_next_run_and_claims_nothing(session, clock, job):
    jobs.edit(session, job, {"is_enabled": False})
    session.commit()
    clock.move_to(SLOT)
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert next_run(session, job) is None


def test_a_slot_that_comes_while_one_runs_is_skipped_with_its_reason(session, clock, job):
    control.trigger(session, job)
    clock.move_to(SLOT)
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    skipped = [e for e in executions(session) if e.status == "SKIPPED"]
    assert [(e.scheduled_for, e.reason) for e in skipped] == [
        (SLOT, "The execution before it was still queued.")
    ]
    assert session.get_one(Job, job.id, populate_existing=True).run_count == 0


def test_the_next_slot_ends_a_waiting_retry_and_covers_its_window(session, clock, job, adapters):
    waiting, _ = control.trigger(session, job)
    adapters.github.failures = [SourceError("down")]
    execute.run(session, waiting.id, adapters)
    clock.move_to(SLOT)
    execution_id, bells = claim.claim(session, job.id, SLOT, BASE)
    ended = session.get_one(Execution, waiting.id, populate_existing=True)
    assert (ended.status, ended.outcome, ended.error) == ("FAILED", "FAILED", "down")
    assert "covers this window" in ended.reason
    assert session.get_one(Job, job.id, populate_existing=True).failure_count == 1
    assert [b.kind for b in bells] == ["deliver"]
    session.commit()
    execute.run(session, execution_id, adapters)
    assert session.get_one(Execution, execution_id, populate_existing=True).status == "COMPLETED"


def test_missed_slots_run_once_and_are_shown(session, clock, job):
    clock.move_to(SLOT + timedelta(days=3, minutes=1))
    execution_id, _ = claim.claim(session, job.id, SLOT, BASE)
    skipped, queued = executions(session)
    assert (queued.id, queued.scheduled_for) == (execution_id, SLOT + timedelta(days=3))
    assert (skipped.status, skipped.scheduled_for) == ("SKIPPED", SLOT)
    assert skipped.missed == {
        "count": 3,
        "from": "2025-10-03T09:00:00.000Z",
        "to": "2025-10-05T09:00:00.000Z",
    }
    assert next_run(session, job) == SLOT + timedelta(days=4)


def test_under_skip_a_late_slot_does_not_run(session, clock, job):
    jobs.edit(session, job, {"on_missed": "SKIP"})
    session.commit()
    clock.move_to(SLOT + timedelta(minutes=11))
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    (skipped,) = executions(session)
    assert skipped.missed["count"] == 1
    assert next_run(session, job) == SLOT + timedelta(days=1)


def test_under_skip_ten_minutes_late_still_runs(session, clock, job):
    jobs.edit(session, job, {"on_missed": "SKIP"})
    session.commit()
    clock.move_to(SLOT + timedelta(minutes=10))
    assert claim.claim(session, job.id, SLOT, BASE)[0]


def test_the_tick_claims_rings_and_says_that_it_ticked(session, clock, job):
    near = make_job(session, schedule=Schedule.parse("DAILY", {"hour": 9, "minute": 1, "timezone": "UTC"}))
    clock.move_to(SLOT)
    bells = {(b.kind, b.id): b for b in claim.tick(session, BASE, Ward())}
    (execution,) = executions(session)
    session.commit()
    assert ("run", execution.id) in bells
    start = bells[("start", near.id)]
    assert (start.slot, start.eta) == (SLOT + timedelta(minutes=1), SLOT + timedelta(seconds=59))
    assert session.get_one(Pulse, "tick").at == SLOT
    session.commit()
    assert ("run", execution.id) in {(b.kind, b.id) for b in claim.tick(session, BASE, Ward())}
    assert len(executions(session)) == 1


def test_a_waiting_retry_is_rung_again_when_its_time_has_come(session, clock, job, adapters):
    waiting, _ = control.trigger(session, job)
    adapters.github.failures = [SourceError("down")]
    execute.run(session, waiting.id, adapters)
    assert claim.waiting(session, limit=5) == []
    clock.advance(300)
    assert [b.id for b in claim.waiting(session, limit=5)] == [waiting.id]


def test_a_slot_that_ran_already_is_passed_over_after_the_clock_was_set_back(session, clock, job):
    clock.move_to(SLOT)
    execution_id, _ = claim.claim(session, job.id, SLOT, BASE)
    lawless(session)
    session.get_one(Execution, execution_id).status = "COMPLETED"
    job.next_run_at = SLOT
    session.commit()
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert next_run(session, job) == SLOT + timedelta(days=1)
    assert len(executions(session)) == 1


def test_one_job_that_cannot_be_claimed_does_not_hold_up_the_others(session, clock, job, caplog):
    broken = make_job(session)
    broken.time_config, broken.next_run_at = {"timezone": "Nowhere/Gone"}, SLOT - timedelta(minutes=1)
    session.commit()
    clock.move_to(SLOT)
    bells = claim.tick(session, BASE, Ward())
    (execution,) = executions(session)
    assert execution.job_id == job.id
    assert ("run", execution.id) in {(b.kind, b.id) for b in bells}
    assert f"claim_one failed for {broken.id}" in caplog.text


def test_an_edit_that_waited_for_a_claim_starts_from_what_it_left(session, sessions, clock, job):
    """The new schedule's next slot equals the one that was loaded: it must be written all the same."""
    monday = datetime(2025, 10, 6, 9, tzinfo=UTC)
    clock.move_to(monday - timedelta(minutes=1))
    job.next_run_at = monday
    session.commit()
    loaded = session.get_one(Job, job.id)
    session.commit()
    clock.move_to(monday)
    with sessions() as other:
        claim.claim(other, job.id, monday, BASE)
    clock.move_to(monday - timedelta(seconds=1))
    weekly = Schedule.parse("WEEKLY", {"hour": 9, "dayOfWeek": 1, "timezone": "UTC"})
    jobs.edit(session, loaded, {"schedule": weekly})
    session.commit()
    assert next_run(session, job) == monday


def test_a_look_makes_up_for_every_bell_that_was_lost(session, clock, job, adapters):
    """Of a mail, of an execution, of a slot; and it leaves alone what is not overdue yet."""
    execution, _ = control.trigger(session, make_job(session))
    execute.run(session, execution.id, adapters)
    waiting, _ = control.trigger(session, make_job(session))
    clock.move_to(SLOT)
    mail = session.scalars(select(EmailDelivery.id)).one()
    session.commit()
    half_a_second = timedelta(seconds=0.5)
    found = claim.look(session, BASE, Ward(), half_a_second)
    assert {(bell.kind, bell.id) for bell in found} == {("deliver", mail), ("run", waiting.id)}
    clock.advance(1)
    found = claim.look(session, BASE, Ward(), half_a_second)
    assert {bell.kind for bell in found} == {"deliver", "run"}
    assert [row.scheduled_for for row in executions(session) if row.job_id == job.id] == [SLOT]


def test_a_slot_waits_for_a_dead_run_to_be_recovered(session, clock, job):
    """It would be skipped because of a run that nobody works on."""
    control.trigger(session, job)
    assert take.take_next(session) is not None
    clock.move_to(SLOT)  # an hour after its heart beat last
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    assert next_run(session, job) == SLOT


def test_a_run_that_was_handed_on_is_no_failure_when_the_slot_comes(session, clock, job, engine, adapters):
    clock.move_to(SLOT)
    control.trigger(session, job)
    heart = Heart(engine)
    heart.stopping.set()
    hold = take.take_next(session)
    with ThreadPoolExecutor(1) as pool:
        execute.carry(session, hold, adapters, heart, pool)
    assert claim.claim(session, job.id, SLOT, BASE) == (None, [])
    live, skipped = sorted(executions(session), key=lambda row: row.scheduled_for is not None)
    assert (live.status, live.failures) == ("RETRYING", 0)
    assert (skipped.status, skipped.reason) == ("SKIPPED", "The execution before it was still retrying.")
    session.commit()
    assert session.get_one(Job, job.id, populate_existing=True).failures_in_row == 0


def test_a_look_leaves_a_slot_to_the_alarm_that_awaits_it(session, clock, job):
    awaited, other = (job.id, SLOT), make_job(session).id
    clock.move_to(SLOT + timedelta(seconds=1))
    claim.look(session, BASE, Ward(), awaited=lambda *slot: slot == awaited)
    assert [row.job_id for row in executions(session)] == [other]


def claimed(bells) -> set[str]:
    return {bell.id for bell in bells if bell.kind == "run"}


def test_slots_that_are_due_together_are_claimed_together(session, clock, job, queries):
    several = [job, *(make_job(session) for _ in range(4))]
    clock.move_to(SLOT)
    slots = [(j.id, SLOT) for j in several]
    queries.clear()
    bells = claim.claim_all(session, slots, BASE)
    assert len([text for text in queries if not text.startswith("BEGIN")]) == 5
    assert claimed(bells) == {execution.id for execution in executions(session)}
    assert {execution.job_id for execution in executions(session)} == {j.id for j in several}
    assert {next_run(session, j) for j in several} == {SLOT + timedelta(days=1)}
    assert claim.claim_all(session, slots, BASE) == []


def test_together_a_slot_is_neither_early_nor_of_an_old_schedule(session, clock, job):
    early, moved, off, gone = (make_job(session) for _ in range(4))
    early.next_run_at, moved.next_run_at = SLOT + timedelta(minutes=1), SLOT + timedelta(hours=1)
    off.is_enabled = False
    session.delete(gone)
    slots = [(j.id, SLOT) for j in (job, moved, off, gone)] + [(early.id, early.next_run_at)]
    session.commit()
    clock.move_to(SLOT)
    assert len(claim.claim_all(session, slots, BASE)) == 1
    assert [execution.job_id for execution in executions(session)] == [job.id]


def test_what_stands_in_the_way_of_one_holds_up_no_other_of_its_batch(session, clock, job):
    busy, broken = make_job(session), make_job(session)
    broken.time_config = {"timezone": "Nowhere/Gone"}
    session.add(
        Execution(job_id=busy.id, user_id=busy.user_id, project_id=busy.project_id, triggered_by="manual")
    )
    session.commit()
    clock.move_to(SLOT)
    bells = claim.claim_all(session, [(j.id, SLOT) for j in (broken, busy, job)], BASE)
    skipped, run = sorted(
        (e for e in executions(session) if e.scheduled_for), key=lambda e: e.status, reverse=True
    )
    assert (skipped.job_id, skipped.status, skipped.reason) == (
        busy.id,
        "SKIPPED",
        "The execution before it was still queued.",
    )
    assert (run.job_id, run.status, claimed(bells)) == (job.id, "QUEUED", {run.id})
    assert next_run(session, broken) == SLOT


def test_two_slots_of_one_job_in_one_batch_are_both_looked_at(session, clock, job):
    """As after an edit whose old slot is still awaited."""
    old = SLOT - timedelta(minutes=1)
    clock.move_to(SLOT)
    bells = claim.claim_all(session, [(job.id, old), (job.id, SLOT)], BASE)
    assert [execution.scheduled_for for execution in executions(session)] == [SLOT]
    assert len(claimed(bells)) == 1


def test_a_slot_that_was_claimed_before_the_clock_went_back_is_not_claimed_together_again(
    session, clock, job
):
    clock.move_to(SLOT)
    other = make_job(session)
    claim.claim_all(session, [(job.id, SLOT)], BASE)
    (first,) = executions(session)
    control.cancel(session, first)
    for j in (job, other):
        session.get_one(Job, j.id, populate_existing=True).next_run_at = SLOT
    session.commit()
    assert len(claim.claim_all(session, [(job.id, SLOT), (other.id, SLOT)], BASE)) == 1
    assert sorted(e.job_id for e in executions(session)) == sorted([job.id, other.id])


def test_two_workers_that_claim_the_same_batch_claim_each_slot_once(sessions, session, clock, job):
    several = [job, *(make_job(session) for _ in range(7))]
    slots = [(j.id, SLOT) for j in several]
    clock.move_to(SLOT)
    barrier = threading.Barrier(4)

    def one(order) -> list:
        with sessions() as own:
            barrier.wait(5)
            return claim.claim_all(own, order, BASE)

    with ThreadPoolExecutor(4) as pool:
        orders = [slots, slots[::-1], slots[::2] + slots[1::2], slots]
        bells = [bell for found in pool.map(one, orders) for bell in found]
    assert len(bells) == len(claimed(bells)) == len(executions(session)) == 8
