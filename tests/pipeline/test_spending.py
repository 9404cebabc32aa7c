"""What may be spent: prices, months, and the reservation that comes before each call of a model."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from lib.errors import parted
from lib.settings import Price
from models import Draft, Execution, Job, Project, Spend, Step
from models.values import Usage
from pipeline import control, execute, housekeeping, spending, take
from pipeline.hold import Heart, LostError
from pipeline.purse import BudgetError, Purse
from pipeline.spending import Month
from pipeline.tariff import FREE, Tariff, figure, typed
from tests.pipeline.conftest import make_job
from writers.base import WriterError

PRICES = {"fake": Price(input=1, output=2), "gpt-5": Price(input="0.4", output="1.6")}
TARIFF = Tariff("fake", PRICES)
ESTIMATE = 2000
"""Millionths that the fake writer's posts may cost: 1000 tokens in, 500 out."""
PAID = 20
"""Millionths that they do cost: 10 in, 5 out."""


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


def allow(session, job: Job, budget: int | None) -> None:
    session.get_one(Project, job.project_id).budget = budget
    session.commit()


def project(session, job: Job) -> Project:
    found = session.get_one(Project, job.project_id, populate_existing=True)
    session.commit()
    return found


def spends(session) -> list[Spend]:
    found = session.scalars(select(Spend).execution_options(populate_existing=True)).all()
    session.commit()
    return list(found)


def add(session, job: Job, cost: int | None, at: datetime, **more) -> None:
    values = {"model": "fake", "prompt_tokens": 0, "completion_tokens": 0} | more
    session.add(Spend(project_id=job.project_id, cost=cost, at=at, **values))
    session.commit()


def run(session, job: Job, adapters) -> Execution:
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


class TestPrices:
    @pytest.mark.parametrize(
        ("model", "cost"),
        [
            ("gpt-5", 2),
            ("gpt-5-2025-08-07", 2),
            ("gpt-5@20250807", 2),
            ("gpt-5:latest", 2),
            ("gpt-5-mini", None),
            ("gpt-5-mini-2025-08-07", None),
            ("other", None),
        ],
    )
    def test_a_dated_name_has_the_price_of_the_name_and_no_other_has(self, model, cost):
        assert TARIFF.cost_of(model, 1, 1) == cost

    def test_the_exact_name_comes_first(self):
        dated = Tariff("m", {"m": Price(input=1, output=1), "m-2025-08-07": Price(input=9, output=9)})
        assert dated.cost_of("m-2025-08-07", 1, 0) == 9

    def test_a_cost_is_exact_and_rounded_up(self):
        assert TARIFF.cost_of("gpt-5", 1_000_000, 1_000_000) == 2_000_000
        assert TARIFF.cost_of("gpt-5", 1, 0) == 1

    def test_tokens_that_nobody_counted_have_no_cost(self):
        assert TARIFF.cost_of("gpt-5", None, 5) is None

    def test_a_name_of_a_proxy_s_own_costs_what_was_asked_for(self):
        assert TARIFF.cost(Usage("proxy/whatever", 10, 5), "fake") == 20
        assert TARIFF.cost(Usage("gpt-5", 10, 0), "fake") == 4

    @pytest.mark.parametrize(
        ("amount", "said"),
        [
            (0, "0.00"),
            (1_200_000, "1.20"),
            (20_000, "0.020"),
            (1_300, "0.0013"),
            (1, "0.000001"),
            (1_234_500_000, "1,234.50"),
        ],
    )
    def test_amounts_are_said_as_a_person_would(self, amount, said):
        assert figure(amount) == said

    @pytest.mark.parametrize(
        ("amount", "said"), [(5_000_000, "5"), (12_500_000, "12.50"), (500, "0.0005"), (0, "0")]
    )
    def test_an_amount_to_edit_is_exact(self, amount, said):
        assert typed(amount) == said


class TestMonths:
    def test_a_month_is_one_of_utc(self):
        late = datetime(2025, 10, 31, 22, tzinfo=ZoneInfo("America/New_York"))  # 2 a.m. of 1 November, UTC
        month = Month.of(late)
        assert (month.first, month.following) == (
            datetime(2025, 11, 1, tzinfo=UTC),
            datetime(2025, 12, 1, tzinfo=UTC),
        )
        assert Month.of(datetime(2025, 12, 31, tzinfo=UTC)).following == datetime(2026, 1, 1, tzinfo=UTC)
        january = Month.of(datetime(2026, 1, 5, tzinfo=UTC))
        assert january.before == Month.of(datetime(2025, 12, 5, tzinfo=UTC))

    def test_what_counts_begins_and_ends_with_the_month(self, session, clock, job):
        first = datetime(2025, 10, 1, tzinfo=UTC)
        add(session, job, 1, first - timedelta(microseconds=1))
        add(session, job, 20, first)
        add(session, job, 300, datetime(2025, 11, 1, tzinfo=UTC) - timedelta(microseconds=1))
        add(session, job, 4000, datetime(2025, 11, 1, tzinfo=UTC))
        assert spending.spent(session, job.project_id, Month.of(clock.now()), TARIFF) == 320
        history = spending.history(session.connection(), job.project_id, 2, TARIFF)
        assert [spending.total(parts) for _, parts in history] == [320, 1]

    def test_what_was_spent_before_there_was_a_price_counts_by_the_present_one(self, session, clock, job):
        add(session, job, None, clock.now(), prompt_tokens=10, completion_tokens=5)
        add(session, job, None, clock.now(), model="other", prompt_tokens=10, completion_tokens=5)
        add(session, job, 7, clock.now())
        month = Month.of(clock.now())
        parts = spending.by_model(session.connection(), [job.project_id], month, TARIFF)[job.project_id]
        assert [(p.model, p.cost, p.calls, p.unpriced) for p in parts] == [
            ("fake", 27, 2, 0),
            ("other", 0, 1, 1),
        ]


class TestARun:
    def test_each_post_is_settled_by_its_tokens_with_its_draft(self, session, clock, job, adapters):
        done = run(session, job, adapters)
        rows = spends(session)
        assert {(r.model, r.prompt_tokens, r.completion_tokens, r.cost) for r in rows} == {
            ("fake", 10, 5, PAID)
        }
        assert [r.is_estimate for r in rows] == [False] * 3
        assert {r.execution_id for r in rows} == {done.id}
        drafts = session.scalars(select(Draft)).all()
        assert {d.platform_id for d in drafts} == {r.platform_id for r in rows}
        assert {(d.usage["cost"], d.usage["currency"], d.usage["calls"]) for d in drafts} == {
            (2e-05, "USD", 1)
        }

    def test_money_is_set_aside_while_the_model_is_asked(self, session, sessions, clock, job, adapters):
        seen: list[tuple[int | None, bool]] = []

        def look(_brief) -> None:
            with sessions() as other:
                seen.extend((r.cost, r.is_estimate) for r in spends(other))

        adapters.writer.before_answer = look
        run(session, make_job(session, ("DEVTO",)), adapters)
        assert seen == [(ESTIMATE, True)]

    def test_what_costs_nothing_reserves_nothing(self, session, clock, job, adapters, queries):
        allow(session, job, 0)
        adapters.writer.is_paid = False
        assert run(session, job, adapters).outcome == "SUCCESS"
        assert [text for text in queries if "spend" in text] == []
        assert spends(session) == []

    def test_a_refusal_that_was_paid_counts(self, session, clock, job, adapters):
        paid = Usage("fake", 100, 0)
        adapters.writer.failures = {"DEVTO": [WriterError("I will not.", permanent=True, usage=paid)]}
        assert run(session, job, adapters).outcome == "PARTIAL"
        assert sorted((r.cost, r.is_estimate) for r in spends(session)) == [
            (PAID, False),
            (PAID, False),
            (100, False),
        ]

    def test_a_server_that_refused_before_it_read_cost_nothing(self, session, clock, job, adapters):
        free = WriterError("API key refused", permanent=True, usage=Usage("fake", 0, 0))
        adapters.writer.failures = {"DEVTO": [free]}
        run(session, job, adapters)
        assert [r.cost for r in spends(session)] == [PAID, PAID]

    def test_a_call_of_which_nobody_knows_what_it_cost_counts_with_its_estimate(
        self, session, clock, job, adapters
    ):
        adapters.writer.failures = {"DEVTO": [WriterError("No answer", permanent=True)]}
        run(session, job, adapters)
        assert sorted((r.cost, r.is_estimate) for r in spends(session))[-1] == (ESTIMATE, True)

    def test_a_post_whose_tokens_nobody_told_counts_with_its_estimate(self, session, clock, job, adapters):
        write = adapters.writer.write
        adapters.writer.write = lambda brief: _untold(write(brief))
        run(session, job, adapters)
        assert {(r.cost, r.is_estimate) for r in spends(session)} == {(ESTIMATE, True)}
        assert {d.usage["cost"] for d in session.scalars(select(Draft))} == {None}

    def test_a_model_that_was_asked_in_vain_counts_though_another_writer_wrote(
        self, session, clock, job, adapters
    ):
        write, in_vain = adapters.writer.write, Usage("fake", 40, 0)
        adapters.writer.write = lambda brief: replace(write(brief), usage=None, spent=in_vain)
        run(session, job, adapters)
        assert {(r.cost, r.is_estimate) for r in spends(session)} == {(40, False)}
        assert {d.usage for d in session.scalars(select(Draft))} == {None}

    def test_every_retry_inside_the_attempt_reserves_anew(self, session, clock, job, adapters):
        adapters.patience = 60.0
        again = WriterError("Busy", retry_after=0.0, usage=Usage("fake", 30, 0))
        adapters.writer.failures = {"DEVTO": [again, again]}
        assert run(session, job, adapters).outcome == "SUCCESS"
        assert adapters.writer.calls.count("DEVTO") == 3
        assert sorted(r.cost for r in spends(session)) == [PAID, PAID, PAID, 30, 30]

    def test_a_crash_leaves_the_estimate_standing(self, session, clock, engine, job, adapters):
        """The run is lost while the model is asked: what that cost nobody will know."""
        assert lost_while_asking(session, engine, job, adapters, threads=4) == len(adapters.writer.calls)
        assert {(r.cost, r.is_estimate) for r in spends(session)} == {(ESTIMATE, True)}

    def test_what_was_never_sent_is_given_back(self, session, clock, engine, job, adapters):
        """One thread for three posts: two have not begun when the run is lost."""
        assert lost_while_asking(session, engine, job, adapters, threads=1) == 1
        assert len(adapters.writer.calls) == 1

    def test_a_price_that_nobody_knows_stops_no_run_without_a_cap(self, session, clock, job, adapters):
        adapters.tariff = Tariff("fake")
        assert run(session, job, adapters).outcome == "SUCCESS"
        assert {(r.cost, r.prompt_tokens, r.is_estimate) for r in spends(session)} == {(None, 10, False)}
        assert {d.usage["cost"] for d in session.scalars(select(Draft))} == {None}

    def test_a_price_that_nobody_knows_closes_a_project_with_a_cap(self, session, clock, job, adapters):
        allow(session, job, 5_000_000)
        adapters.tariff = Tariff("fake")
        failed = run(session, job, adapters)
        assert (failed.status, adapters.writer.calls, spends(session)) == ("FAILED", [], [])
        assert "No price is known for fake" in failed.error
        assert "MODEL_PRICES" in failed.error

    def test_a_platform_that_would_overrun_fails_and_the_others_succeed(self, session, clock, job, adapters):
        allow(session, job, 2 * ESTIMATE)
        done = run(session, job, adapters)
        assert (done.outcome, done.items_success, adapters.writer.calls.count("LINKEDIN")) == (
            "PARTIAL",
            2,
            0,
        )
        error = next(r["error"] for r in done.output["results"] if not r["success"])
        happened, remedy = parted(error)
        assert happened == (
            "The monthly budget has no room for this post: it may cost 0.0020 USD, and 0.0040 of 0.0040 USD"
            " are spent or set aside"
        )
        assert remedy == "raise it in the project's settings, or wait until 1 November 2025 (UTC)"
        step = session.scalars(select(Step).where(Step.status == "FAILED")).one()
        assert step.permanent is True

    def test_what_does_not_fit_is_not_tried_again_and_is_remembered(self, session, clock, job, adapters):
        allow(session, job, ESTIMATE - 1)
        failed = run(session, job, adapters)
        assert (failed.status, failed.attempt, adapters.writer.calls) == ("FAILED", 1, [])
        assert project(session, job).budget_short == ESTIMATE
        allow(session, job, 10 * ESTIMATE)
        assert run(session, job, adapters).outcome == "SUCCESS"
        assert project(session, job).budget_short is None

    def test_a_post_of_last_month_takes_nothing_from_this_one(self, session, clock, job, adapters):
        add(session, job, 3 * ESTIMATE, clock.now())
        allow(session, job, 3 * ESTIMATE)
        assert run(session, job, adapters).status == "FAILED"
        clock.move_to(datetime(2025, 11, 1, tzinfo=UTC))
        assert run(session, job, adapters).outcome == "SUCCESS"


def lost_while_asking(session, engine, job, adapters, *, threads: int) -> int:
    """How many reservations are left of a run that is lost with its first call, which does not end."""
    control.trigger(session, job)
    hold, over = take.take_next(session), threading.Event()

    def ask(_brief) -> None:
        hold.end(LostError())
        over.wait(10)

    adapters.writer.before_answer = ask
    with ThreadPoolExecutor(threads) as pool:
        execute.carry(session, hold, adapters, Heart(engine), pool)
        over.set()
    return len(spends(session))


def _untold(post):
    return replace(post, usage=Usage("fake"))


class TestAPurse:
    def test_many_at_once_never_overrun_the_cap_together(self, session, sessions, clock, job):
        """Ten runs of one project, each with two posts; there is room for seven posts."""
        allow(session, job, 7 * ESTIMATE)
        barrier, granted = threading.Barrier(10), []

        def one(number: int) -> None:
            purse = Purse(TARIFF, job.project_id, None)
            with sessions() as own:

                def store(work):
                    with own.begin():
                        return work(own.connection())

                barrier.wait(10)
                wanted = {f"plat_{number}{letter}": Usage("fake", 1000, 500) for letter in "ab"}
                refused = purse.reserve(store, wanted)
                granted.append(len(wanted) - len(refused))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(granted), sum(granted)) == (10, 7)
        assert spending.spent(session, job.project_id, Month.of(clock.now()), TARIFF) == 7 * ESTIMATE

    def test_a_transaction_whose_yes_was_lost_reserves_once(self, session, clock, job):
        allow(session, job, ESTIMATE)
        purse = Purse(TARIFF, job.project_id, None)

        def store(work):
            with session.begin():
                work(session.connection())
            with session.begin():  # as `Hold.patiently` asks again
                return work(session.connection())

        assert purse.reserve(store, {"plat_1": Usage("fake", 1000, 500)}) == {}
        assert [r.cost for r in spends(session)] == [ESTIMATE]

    def test_what_was_taken_before_the_run_was_lost_is_given_back(self, session, engine, clock, job):
        """The database took it, its yes was lost, and when it is asked again the hold is lost, too."""
        purse = Purse(TARIFF, job.project_id, None)

        def store(work):
            with session.begin():
                work(session.connection())
            raise LostError

        with pytest.raises(LostError):
            purse.reserve(store, {"a": Usage("fake", 1000, 500)})
        assert len(spends(session)) == 1
        purse.close(engine)
        assert spends(session) == []

    def test_nothing_is_sent_once_it_is_closed(self, session, engine, clock, job):
        purse = Purse(TARIFF, job.project_id, None)

        def store(work):
            with session.begin():
                return work(session.connection())

        purse.reserve(store, {"a": Usage("fake", 1, 1), "b": Usage("fake", 1, 1)})
        purse.send("a")
        purse.close(engine)
        assert [r.platform_id for r in spends(session)] == ["a"]
        with pytest.raises(LostError):
            purse.send("b")

    def test_what_was_answered_is_settled_though_the_run_broke_off(self, session, engine, clock, job):
        purse = Purse(TARIFF, job.project_id, None)

        def store(work):
            with session.begin():
                return work(session.connection())

        purse.reserve(store, {"a": Usage("fake", 1000, 500)})
        purse.send("a")
        purse.answer("a", Usage("fake", 10, 5))
        purse.close(engine)
        assert [(r.cost, r.is_estimate) for r in spends(session)] == [(PAID, False)]

    def test_a_database_that_is_away_keeps_the_estimate(self, session, clock, job, caplog):
        purse = Purse(TARIFF, job.project_id, "exec_x")

        class Away:
            def begin(self):
                raise OperationalError("BEGIN", {}, Exception("gone"))

        with session.begin():
            purse._execution_id = None
            purse.reserve(lambda work: work(session.connection()), {"a": Usage("fake", 1000, 500)})
        purse.close(Away())
        assert [r.is_estimate for r in spends(session)] == [True]
        assert "stay as they are: gone" in caplog.text

    def test_a_refusal_is_permanent(self):
        assert BudgetError("no").permanent
        assert isinstance(BudgetError("no"), WriterError)


class TestPruning:
    def test_old_rows_go_and_this_month_s_stay(self, session, clock, job):
        clock.move_to(datetime(2025, 10, 31, tzinfo=UTC))
        for days in (1, 29, 31, 45):
            add(session, job, days, clock.now() - timedelta(days=days))
        housekeeping.prune(session, timedelta(days=7))
        assert sorted(r.cost for r in spends(session)) == [1, 29]


def test_nobody_pays_without_a_model(session, clock, job):
    allow(session, job, 0)
    assert spending.why_not(session, job, FREE) is None
    assert spending.why_not(session, job, TARIFF) == (
        "budget: The project's monthly budget is zero, so no model is asked: raise it or take it away."
    )
    job.writer = "TEMPLATE"
    assert spending.why_not(session, job, TARIFF) is None
