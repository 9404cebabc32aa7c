"""What is written down is what the model's server billed, whatever it answers."""

from collections import Counter

import pytest
from sqlalchemy import select

from models import Execution, Spend
from pipeline import control, execute
from pipeline.adapters import Adapters
from tests.pipeline.conftest import FakeSource, make_job
from tests.standins.llm import RATE_LIMIT, SERVER_ERROR, LlmStandIn, completion

pytestmark = pytest.mark.loopback
BILLED = {"prompt_tokens": 1000, "completion_tokens": 200}


@pytest.fixture(scope="module")
def server():
    with LlmStandIn() as server:
        yield server


@pytest.fixture
def environ(environ, server) -> dict[str, str]:
    server.heal()
    server.tokens.clear()
    prices = '{"stand-in-1": {"input": 1, "output": 10}}'
    return environ | {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_MODEL": "stand-in-1",
        "MODEL_PRICES": prices,
    }


class OwnSource(Adapters):
    """The product's own, but for the repository."""

    def source(self, _project):
        return FakeSource()


@pytest.fixture
def run(settings, session, clock):
    adapters = OwnSource(settings, None, patience=0.0)

    def once() -> Execution:
        job = make_job(session)
        execution, _ = control.trigger(session, job)
        execute.run(session, execution.id, adapters)
        done = session.get_one(Execution, execution.id, populate_existing=True)
        session.commit()
        return done

    yield once
    adapters.writer.close()


def written_down(session) -> tuple[Counter, int, set[bool]]:
    rows = session.scalars(select(Spend)).all()
    tokens = Counter(
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
    )
    return tokens, sum(row.cost for row in rows), {row.is_estimate for row in rows}


def cost(tokens: Counter) -> int:
    return tokens["prompt_tokens"] + 10 * tokens["completion_tokens"]


def test_three_posts(session, server, run):
    assert run().outcome == "SUCCESS"
    assert written_down(session) == (server.tokens, cost(server.tokens), {False})


def test_a_refusal_and_a_server_that_is_busy(session, server, run):
    server.fail_platform("DEVTO", completion(None, refusal="No.", usage=BILLED))
    server.fail_platform("LINKEDIN", RATE_LIMIT)
    assert run().outcome == "PARTIAL"
    billed = server.tokens + Counter(BILLED)
    assert written_down(session) == (billed, cost(billed), {False})


def test_a_server_that_fails_is_not_paid(session, server, run):
    for platform in ("HASHNODE", "DEVTO", "LINKEDIN"):
        server.fail_platform(platform, SERVER_ERROR)
    assert run().status == "RETRYING"
    assert session.scalars(select(Spend)).all() == []
