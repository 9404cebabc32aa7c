"""All that these tests' clients ask of GitHub's stand-in, and all that it answers, is held against GitHub's
own description, where that lies beside the checkout."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standins.github import GitHubStandIn
from tests.standins.github_openapi import Conformity, load
from tests.standins.server import Answer, Request

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("REPOCAST_SHARED") or ROOT.parent / "shared") / "contracts"


@pytest.fixture(scope="session")
def described() -> Conformity | None:
    """None where the description is absent."""
    return Conformity(load(CONTRACTS)) if CONTRACTS.is_dir() else None


@pytest.fixture
def undescribed() -> None:
    """For a test that means to ask, or to be answered, what GitHub's description does not know."""


@pytest.fixture(autouse=True)
def _held_to_the_description(
    request: pytest.FixtureRequest, described: Conformity | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    if described is None or "undescribed" in request.fixturenames:
        yield
        return
    handle = GitHubStandIn.handle

    def watched(standin: GitHubStandIn, asked: Request) -> Answer:
        answer = handle(standin, asked)
        described.watch(asked, answer)
        return answer

    monkeypatch.setattr(GitHubStandIn, "handle", watched)
    described.faults.clear()
    yield
    assert described.faults == []
