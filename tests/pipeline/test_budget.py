"""What happens over the budget: slots and pushes are skipped, a person is answered, others go on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lib import clock as our_clock
from lib.settings import Price
from models import Execution, Job, Platform, Project, Spend
from models.values import Usage
from pipeline import claim, control, execute, pushes
from pipeline.control import ConflictError
from pipeline.forecast import forecast
from pipeline.schedule import Schedule
from pipeline.tariff import FREE, Tariff
from sources.base import SourceError
from tests.pipeline.conftest import make_job

BASE = "https://repocast.example"
SLOT = datetime(2025, 10, 3, 9, tzinfo=UTC)
TARIFF = Tariff("fake", {"fake": Price(input=1, output=2)})
CAP = 5_000_000
SAID = (
    "budget: 5.02 of 5.00 USD are spent this month. Models are asked again from 1 November 2025 (UTC) on, or"
    " as soon as the project's monthly budget is raised."
)


@pytest.fixture
def job(session, clock) -> Job:
    clock.move_to(SLOT - timedelta(hours=1))
    return make_job(session)


def spend(session, job: Job, cost: int = 5_020_000, budget: int | None = CAP, **more) -> None:
    session.get_one(Project, job.project_id).budget = budget
    values = {"model": "fake", "prompt_tokens": 1, "completion_tokens": 1, "at": our_clock.now()} | more
    session.add(Spend(project_id=job.project_id, cost=cost, **values))
    session.commit()


def executions(session) -> list[Execution]:
    found = session.scalars(
        select(Execution).order_by(Execution.scheduled_for).execution_options(populate_existing=True)
    ).all()
    session.commit()
    return list(found)


def raise_it(session, job: Job, **values) -> None:
    for name, value in ({"budget": 10 * CAP} | values).items():
        setattr(session.get_one(Project, job.project_id), name, value)
    session.commit()


def claim_alone(session, job: Job, slot: datetime, tariff: Tariff) -> list[str]:
    execution_id, _ = claim.claim(session, job.id, slot, BASE, tariff)
    return [execution_id] if execution_id else []


def claim_together(session, job: Job, slot: datetime, tariff: Tariff) -> list[str]:
    return [bell.id for bell in claim.claim_all(session, [(job.id, slot)], BASE, tariff)]


@pytest.mark.parametrize("take", [claim_alone, claim_together])
class TestASlot:
    def test_is_skipped_with_its_reason(self, session, clock, job, take):
        spend(session, job)
        clock.move_to(SLOT)
        assert take(session, job, SLOT, TARIFF) == []
        (skipped,) = executions(session)
        assert (skipped.status, skipped.outcome, skipped.reason) == ("SKIPPED", "SKIPPED", SAID)
        assert (skipped.scheduled_for, skipped.completed_at) == (SLOT, SLOT)
        moved = session.get_one(Job, job.id, populate_existing=True)
        assert (moved.next_run_at, moved.run_count, moved.failures_in_row) == (SLOT + timedelta(days=1), 0, 0)

    def test_runs_again_in_the_next_month(self, session, clock, job, take):
        spend(session, job)
        first = datetime(2025, 11, 1, 9, tzinfo=UTC)
        session.get_one(Job, job.id).next_run_at = first
        session.commit()
        clock.move_to(first)
        assert len(take(session, job, first, TARIFF)) == 1

    def test_runs_as_soon_as_the_budget_is_raised(self, session, clock, job, take):
        spend(session, job)
        raise_it(session, job)
        clock.move_to(SLOT)
        assert len(take(session, job, SLOT, TARIFF)) == 1

    def test_runs_while_something_is_left(self, session, clock, job, take):
        spend(session, job, CAP - 1)
        clock.move_to(SLOT)
        assert len(take(session, job, SLOT, TARIFF)) == 1

    def test_is_skipped_where_what_is_left_was_too_little_for_the_last_post(self, session, clock, job, take):
        spend(session, job, CAP - 1)
        raise_it(session, job, budget=CAP, budget_short=30_000)
        clock.move_to(SLOT)
        assert take(session, job, SLOT, TARIFF) == []
        assert executions(session)[0].reason.startswith(
            "budget: 5.00 of 5.00 USD are spent this month, and the next post may cost 0.030 USD. Models are"
        )

    def test_is_skipped_where_no_price_is_known_to_keep_a_cap_by(self, session, clock, job, take):
        spend(session, job, 0)
        clock.move_to(SLOT)
        assert take(session, job, SLOT, Tariff("dear-1")) == []
        assert executions(session)[0].reason.startswith("budget: No price is known for dear-1, so ")

    @pytest.mark.parametrize("free", ["a job that writes by template", "an instance without a model"])
    def test_that_costs_nothing_always_runs(self, session, clock, job, take, free):
        spend(session, job)
        if free.startswith("a job"):
            session.get_one(Job, job.id).writer = "TEMPLATE"
            session.commit()
        clock.move_to(SLOT)
        tariff = TARIFF if free.startswith("a job") else FREE
        assert len(take(session, job, SLOT, tariff)) == 1

    def test_says_that_one_is_at_work_where_one_is(self, session, clock, job, take):
        control.trigger(session, job)
        spend(session, job)
        clock.move_to(SLOT)
        assert take(session, job, SLOT, TARIFF) == []
        reasons = [row.reason for row in executions(session) if row.status == "SKIPPED"]
        assert reasons == ["The execution before it was still queued."]


def test_a_retry_that_waits_is_not_ended_for_a_slot_that_cannot_be_paid(session, clock, job, adapters):
    waiting, _ = control.trigger(session, job)
    adapters.github.failures = [SourceError("down")]
    execute.run(session, waiting.id, adapters)
    spend(session, job)
    clock.move_to(SLOT)
    assert claim_alone(session, job, SLOT, TARIFF) == []
    assert sorted((row.status, row.reason) for row in executions(session)) == [
        ("RETRYING", None),
        ("SKIPPED", SAID),
    ]


def test_of_a_batch_only_those_over_their_budget_are_skipped(session, clock, job):
    free, capped, other = (make_job(session) for _ in range(3))
    spend(session, job)
    spend(session, capped, 10)
    template = make_job(session)
    template.project_id, template.writer = job.project_id, "TEMPLATE"
    session.commit()
    clock.move_to(SLOT)
    slots = [(one.id, SLOT) for one in (job, free, capped, other, template)]
    bells = claim.claim_all(session, slots, BASE, TARIFF)
    rows = {row.job_id: row for row in executions(session)}
    assert {bell.id for bell in bells} == {rows[one.id].id for one in (free, capped, other, template)}
    assert (rows[job.id].status, rows[job.id].reason) == ("SKIPPED", SAID)


@pytest.mark.parametrize(("capped", "statements"), [(0, 5), (1, 6), (3, 6)])
def test_a_batch_costs_one_query_more_where_somebody_has_a_cap(
    session, clock, job, queries, capped, statements
):
    several = [job, *(make_job(session) for _ in range(4))]
    for one in several[:capped]:
        spend(session, one, 10)
    clock.move_to(SLOT)
    queries.clear()
    claim.claim_all(session, [(one.id, SLOT) for one in several], BASE, TARIFF)
    assert len([text for text in queries if not text.startswith("BEGIN")]) == statements
    assert len(executions(session)) == 5


class TestAPush:
    @pytest.fixture
    def pushed(self, session, clock, job) -> Job:
        session.get_one(Job, job.id).run_on_push = True
        session.commit()
        pushes.note(session, job.project_id, "guid", "push", concerns=True)
        clock.advance(pushes.DEBOUNCE.total_seconds())
        return job

    def test_is_skipped_visibly(self, session, clock, pushed):
        spend(session, pushed)
        (due,) = pushes.due(session)
        assert pushes.start(session, *due, TARIFF) == []
        (skipped,) = executions(session)
        assert (skipped.status, skipped.triggered_by, skipped.reason) == ("SKIPPED", "webhook", SAID)
        assert pushes.due(session) == []

    def test_runs_while_something_is_left(self, session, clock, pushed):
        spend(session, pushed, 10)
        (due,) = pushes.due(session)
        assert len(pushes.start(session, *due, TARIFF)) == 1


class TestAPerson:
    def test_is_answered_before_anything_is_begun(self, session, clock, job):
        spend(session, job)
        for dry_run in (False, True):
            with pytest.raises(ConflictError) as refused:
                control.trigger(session, job, dry_run=dry_run, tariff=TARIFF)
            assert refused.value.message == f"B{SAID[1:]}"
        assert executions(session) == []

    def test_may_try_though_the_last_post_did_not_fit(self, session, clock, job):
        spend(session, job, CAP - 1)
        raise_it(session, job, budget=CAP, budget_short=30_000)
        assert control.trigger(session, job, tariff=TARIFF)[1]

    def test_is_shown_the_one_at_work_first(self, session, clock, job):
        live, _ = control.trigger(session, job)
        spend(session, job)
        with pytest.raises(ConflictError) as refused:
            control.trigger(session, job, tariff=TARIFF)
        assert refused.value.execution.id == live.id

    def test_may_not_retry_what_cannot_be_paid(self, session, clock, job, adapters):
        waiting, _ = control.trigger(session, job)
        adapters.github.failures = [SourceError("down", permanent=True), SourceError("down")]
        execute.run(session, waiting.id, adapters)
        spend(session, job)
        failed = session.get_one(Execution, waiting.id, populate_existing=True)
        with pytest.raises(ConflictError, match=r"Budget: 5\.02 of 5\.00 USD"):
            control.retry(session, failed, TARIFF)
        raise_it(session, job)
        successor, _ = control.retry(session, failed, TARIFF)
        execute.run(session, successor.id, adapters)
        raise_it(session, job, budget=CAP)
        with pytest.raises(ConflictError, match=r"Budget: 5\.02 of 5\.00 USD"):
            control.retry(session, session.get_one(Execution, successor.id, populate_existing=True), TARIFF)


def test_runs_at_once_stay_within_the_cap_together(session, sessions, clock, job, adapters):
    """Two jobs of one project; there is room for four of their six posts."""
    other = make_job(session, schedule=Schedule.parse("DAILY", {"hour": 10, "timezone": "UTC"}))
    other.project_id = job.project_id
    session.get_one(Project, job.project_id).budget = 4 * 2000
    ids = [control.trigger(session, one)[0].id for one in (job, other)]
    adapters.writer.write = _asked_for_all(adapters.writer.write)

    def run(execution_id: str) -> None:
        with sessions() as own:
            execute.run(own, execution_id, adapters)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ids))
    rows = session.scalars(select(Spend)).all()
    assert sum(row.cost for row in rows) == 8000
    assert sorted(row.items_success for row in executions(session)) == [1, 3]


def _asked_for_all(write):
    """Its answers cost as much as was set aside for them."""
    return lambda brief: replace(write(brief), usage=Usage("fake", 1000, 500))


class TestAForecast:
    def test_is_the_mean_of_the_last_runs(self, session, clock, job, adapters):
        for tokens in (100, 300):
            execution, _ = control.trigger(session, job)
            for platform in session.scalars(select(Platform).where(Platform.type != "LINKEDIN")):
                spend(session, job, tokens, None, execution_id=execution.id, platform_id=platform.id)
            spend(session, job, 9999, None, execution_id=execution.id, is_estimate=True)
            control.cancel(session, execution)
        found = forecast(session, job, TARIFF)
        assert (found.cost, found.posts, found.basis) == (600, 3, "RUNS")

    def test_is_the_most_that_posts_may_take_where_nothing_ran(self, session, clock, job):
        found = forecast(session, job, TARIFF)
        assert (found.posts, found.basis) == (3, "BOUND")
        assert found.cost >= 3 * 40_000

    def test_is_nothing_for_the_template(self, session, clock, job):
        assert (forecast(session, job, FREE).cost, forecast(session, job, FREE).basis) == (0, "FREE")

    def test_is_unknown_without_a_price(self, session, clock, job):
        assert (forecast(session, job, Tariff("x")).cost, forecast(session, job, Tariff("x")).basis) == (
            None,
            "UNKNOWN",
        )

    def test_counts_the_platforms_that_the_job_writes_for(self, session, clock, job):
        first, second, third = session.scalars(select(Platform).order_by(Platform.created_at))
        session.get_one(Job, job.id).platform_ids = [first.id, second.id]
        first.is_connected = False
        session.commit()
        assert forecast(session, session.get_one(Job, job.id), TARIFF).posts == 1
        assert third.is_connected
