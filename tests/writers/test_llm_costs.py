"""What a call that failed has cost: what its answer told, nothing, or as much as was set aside for it."""

from datetime import UTC, datetime, timedelta

import pytest

from models.values import Brief, Digest, DigestItem, Usage, Window
from platforms import PLATFORMS
from tests.standins.llm import (
    BROKEN_JSON,
    FILTERED,
    NO_QUOTA,
    RATE_LIMIT,
    SERVER_ERROR,
    LlmStandIn,
    completion,
    error,
    hang,
)
from writers.base import WriterError
from writers.llm import LlmWriter

pytestmark = pytest.mark.loopback
AT = datetime(2025, 10, 3, 9, tzinfo=UTC)
DIGEST = Digest(
    "username/awesome-lib",
    "https://github.com/username/awesome-lib",
    "1 commit",
    "the last 24 hours",
    "daily",
    Window(AT - timedelta(days=1), AT),
    items=(DigestItem("C1", "commit", "Add TypeScript support", "feature", date=AT),),
)
BRIEF = Brief(DIGEST, PLATFORMS["DEVTO"].rules, "Lib")
TOLD = {"prompt_tokens": 30, "completion_tokens": 7}


@pytest.fixture(scope="module")
def server():
    with LlmStandIn() as server:
        yield server


def cost(server: LlmStandIn, answer, timeout: float = 60.0) -> Usage | None:
    """Of a post that fails by this answer."""
    server.heal()
    server.fail_platform("DEVTO", answer)
    writer = LlmWriter("k", server.base_url, "m", timeout=timeout)
    with pytest.raises(WriterError) as failed:
        writer.write(BRIEF)
    writer.close()
    return failed.value.usage


@pytest.mark.parametrize(
    "answer",
    [RATE_LIMIT, NO_QUOTA, SERVER_ERROR, error(401, "No"), error(404, "No"), error(503, "Overloaded")],
)
def test_with_a_status_of_failure_nothing(server, answer):
    found = cost(server, answer)
    assert (found.prompt_tokens, found.completion_tokens) == (0, 0)


@pytest.mark.parametrize("answer", [error(502, "Bad gateway"), error(504, "Gateway time-out")])
def test_behind_a_gateway_that_gave_up_nobody_knows(server, answer):
    assert cost(server, answer) is None


def test_of_a_server_that_fell_silent_nobody_knows(server):
    assert cost(server, hang(), timeout=0.3) is None


@pytest.mark.parametrize(
    "answer",
    [
        completion(None, refusal="I cannot.", usage=TOLD),
        completion("{", usage=TOLD),
        completion('{"title', finish_reason="length", usage=TOLD),
    ],
)
def test_an_answer_that_cannot_be_used_costs_what_it_tells(server, answer):
    found = cost(server, answer)
    assert (found.prompt_tokens, found.completion_tokens) == (30, 7)


@pytest.mark.parametrize("answer", [FILTERED, BROKEN_JSON])
def test_an_answer_that_counts_nothing_leaves_it_unknown(server, answer):
    assert cost(server, answer).prompt_tokens is None


def test_a_server_that_cannot_be_reached_costs_nothing():
    with LlmStandIn() as gone:
        address = gone.base_url
    writer = LlmWriter("k", address, "m")
    with pytest.raises(WriterError) as failed:
        writer.write(BRIEF)
    writer.close()
    assert failed.value.usage.prompt_tokens == 0
