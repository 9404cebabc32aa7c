"""A worker knows what its models cost: over the budget its tick, its look and its alarm skip a slot alike."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models import Execution, Spend
from tasks import worker
from tests.pipeline.conftest import FakeAdapters, make_job

SLOT = datetime(2025, 10, 3, 9, tzinfo=UTC)


@pytest.fixture
def environ(environ) -> dict[str, str]:
    return environ | {"OPENAI_API_KEY": "k", "MODEL_PRICES": '{"gpt-5-mini": {"input": 1, "output": 2}}'}


@pytest.mark.parametrize("how", ["tick", "look", "alarm"])
def test_a_slot_over_the_budget_is_skipped(session, settings, engine, clock, app, how):
    clock.move_to(SLOT.replace(hour=8))
    job = make_job(session)
    job.project.budget = 100
    session.add(Spend(project_id=job.project_id, model="gpt-5-mini", cost=100, at=SLOT))
    session.commit()
    made = worker.Worker(settings, engine, FakeAdapters(), lambda _mail: None)
    clock.move_to(SLOT.replace(second=1))
    {"tick": made.tick, "look": made.look, "alarm": lambda: made.claim([(job.id, SLOT)])}[how]()
    (skipped,) = session.scalars(select(Execution))
    assert (skipped.status, skipped.reason[:8]) == ("SKIPPED", "budget: ")
