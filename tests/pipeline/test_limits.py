"""A post that its platform would not take is stored all the same, and says so; in other tests none is."""

from dataclasses import replace

import pytest

from models import Draft, Execution
from pipeline import control, execute
from tests.pipeline.conftest import FakeWriter, make_job


class Verbose(FakeWriter):
    """Writes titles that are one character too long for Dev.to."""

    def write(self, brief):
        return replace(super().write(brief), title="x" * 129)


@pytest.fixture
def run(session, clock, adapters):
    def run() -> Execution:
        adapters.writer = Verbose()
        execution, _ = control.trigger(session, make_job(session, ("DEVTO",), max_retries=0))
        execute.run(session, execution.id, adapters)
        return session.get_one(Execution, execution.id, populate_existing=True)

    return run


@pytest.mark.breaks_limits
def test_a_draft_says_what_its_platform_would_not_take(session, run):
    assert run().outcome == "SUCCESS"
    [draft] = session.query(Draft)
    assert draft.title == "x" * 129
    assert draft.checks == ["Dev.to takes at most 128 characters in the title: there are 129, 1 too many."]


def test_every_other_tests_database_refuses_such_a_draft(session, run):
    assert run().status == "FAILED"
    assert session.query(Draft).count() == 0
