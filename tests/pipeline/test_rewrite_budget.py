"""What it costs to write a draft anew: set aside before, settled after, and never over the budget."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from models import Draft, Execution, Project, Regeneration, Spend
from models.values import Usage
from pipeline import orders, regenerate, rewrite
from pipeline.drafts import DraftConflictError
from pipeline.hold import Heart
from tests.pipeline.posted import again, posted
from writers.base import WriterError

PAID, RESERVED = 20, 2_000
"""Millionths: 10 and 5 tokens, and an estimate of 1,000 and 500."""


@pytest.fixture
def draft(session, clock, adapters) -> Draft:
    return posted(session, adapters)


def limit(session, draft: Draft, budget: int) -> None:
    execution = session.get_one(Execution, draft.execution_id)
    session.get_one(Project, execution.project_id).budget = budget
    session.commit()


def carry(session, adapters) -> None:
    hold = orders.take_next(session)
    with ThreadPoolExecutor(2) as pool:
        rewrite.carry(session, hold, adapters, Heart(session.get_bind()), pool)


def costs(session) -> list[tuple[int, bool]]:
    found = session.execute(select(Spend.cost, Spend.is_estimate).order_by(Spend.at, Spend.is_estimate)).all()
    session.commit()
    return [tuple(row) for row in found]


def order(session, draft: Draft, adapters) -> Regeneration:
    made, _ = regenerate.order(session, draft.id, "Shorter.", tariff=adapters.tariff)
    carry(session, adapters)
    return session.get_one(Regeneration, made.id, populate_existing=True)


def test_it_is_settled_with_the_text(session, adapters, draft):
    seen = []
    adapters.writer.before_answer = lambda brief: seen.append(costs_elsewhere(session))
    assert order(session, draft, adapters).status == "COMPLETED"
    assert seen == [[(PAID, False), (RESERVED, True)]]
    assert costs(session) == [(PAID, False), (PAID, False)]
    assert again(session, draft).usage["cost"] == PAID / 1_000_000


def costs_elsewhere(session) -> list[tuple[int, bool]]:
    with session.get_bind().connect() as connection:
        rows = connection.execute(select(Spend.cost, Spend.is_estimate).order_by(Spend.cost)).all()
        return [tuple(row) for row in rows]


def test_no_model_is_asked_beyond_the_budget(session, adapters, draft):
    limit(session, draft, PAID + RESERVED - 1)
    adapters.writer.calls.clear()
    done = order(session, draft, adapters)
    assert done.status == "FAILED"
    assert done.error.startswith("The monthly budget has no room for this post: it may cost 0.0020 USD")
    assert adapters.writer.calls == []
    assert costs(session) == [(PAID, False)]


def test_a_spent_budget_refuses_the_order(session, adapters, draft):
    limit(session, draft, PAID)
    with pytest.raises(DraftConflictError, match=r"^Budget: 0\.000020 of 0\.000020 USD are spent"):
        regenerate.order(session, draft.id, "", tariff=adapters.tariff)
    session.rollback()
    assert session.scalars(select(Regeneration)).all() == []


def test_what_a_refusal_cost_is_counted(session, adapters, draft):
    refusal = WriterError("The model refused.", permanent=True, usage=Usage("fake", 30, 0))
    adapters.writer.failures["DEVTO"] = [refusal]
    assert order(session, draft, adapters).status == "FAILED"
    assert costs(session) == [(PAID, False), (30, False)]


def test_a_call_that_nobody_saw_the_end_of_stays_set_aside(session, adapters, draft):
    adapters.writer.failures["DEVTO"] = [WriterError("No answer within 60 s.")]
    assert order(session, draft, adapters).status == "QUEUED"
    assert costs(session) == [(PAID, False), (RESERVED, True)]


def test_a_free_writer_sets_nothing_aside(session, adapters, draft):
    adapters.writer.is_paid = False
    limit(session, draft, PAID + 1)
    assert order(session, draft, adapters).status == "COMPLETED"
    assert costs(session) == [(PAID, False)]
