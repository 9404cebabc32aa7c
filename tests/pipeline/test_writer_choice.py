"""Who writes a job's posts: the model, the template writer, or the one where the other fails for good."""

import pytest

from lib.secrets import SecretBox
from models import Draft, Execution
from models.values import Brief, Post, Usage
from pipeline import control, execute
from pipeline.adapters import Adapters, SetupError
from tests.pipeline.conftest import FakeAdapters, make_job
from writers.base import WriterError
from writers.fallback import FallbackWriter
from writers.llm import LlmWriter
from writers.template import TemplateWriter


class Chosen:
    """What of a job decides it."""

    def __init__(self, writer: str, falls_back: bool) -> None:
        self.writer, self.falls_back = writer, falls_back


@pytest.fixture
def adapters(request, settings) -> Adapters:
    fields = settings.model_dump() | {"openai_api_key": "key" if request.param else None}
    return Adapters(type(settings).model_validate(fields), SecretBox(["x" * 43 + "="]))


@pytest.mark.parametrize(
    ("adapters", "writer", "falls_back", "kind"),
    [
        (True, "AUTO", False, LlmWriter),
        (True, "AUTO", True, FallbackWriter),
        (True, "MODEL", False, LlmWriter),
        (True, "MODEL", True, FallbackWriter),
        (True, "TEMPLATE", True, TemplateWriter),
        (False, "AUTO", False, TemplateWriter),
        (False, "AUTO", True, TemplateWriter),
        (False, "TEMPLATE", False, TemplateWriter),
    ],
    indirect=["adapters"],
)
def test_who_writes(adapters, writer, falls_back, kind):
    found = adapters.writer_for(Chosen(writer, falls_back))
    assert type(found) is kind
    assert adapters.writer_for(Chosen(writer, falls_back)) is found, "one for all runs"


@pytest.mark.parametrize("adapters", [False], indirect=True)
@pytest.mark.parametrize("falls_back", [False, True])
def test_a_model_without_a_key_is_a_mistake_that_waiting_does_not_mend(adapters, falls_back):
    with pytest.raises(SetupError, match="no OPENAI_API_KEY is set") as refused:
        adapters.writer_for(Chosen("MODEL", falls_back))
    assert refused.value.permanent


class Keyless(FakeAdapters):
    def writer_for(self, job):
        raise SetupError("No key.")


class Refusing:
    """A model that refuses what it is asked for Dev.to."""

    def prepare(self) -> None:
        """Always ready."""

    def estimate(self, brief: Brief) -> Usage:
        return Usage("fake", 100, 50)

    def write(self, brief: Brief) -> Post:
        usage = Usage("fake", 10, 5)
        if brief.rules.type == "DEVTO":
            raise WriterError("The model refused.", permanent=True, usage=usage)
        return Post(brief.rules.type.title() if brief.rules.title_max else "", "What happened.", usage=usage)


class Falling(FakeAdapters):
    def writer_for(self, job):
        return FallbackWriter(Refusing(), TemplateWriter())


def run(session, clock, adapters) -> Execution:
    execution, _ = control.trigger(session, make_job(session))
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def test_a_run_without_its_writer_fails_at_once_and_reads_nothing(session, clock):
    adapters = Keyless()
    done = run(session, clock, adapters)
    assert (done.status, done.error, done.attempt) == ("FAILED", "No key.", 1)
    assert adapters.github.scans == []


def test_the_draft_says_who_wrote_it_and_why(session, clock):
    done = run(session, clock, Falling())
    assert (done.outcome, done.items_success) == ("SUCCESS", 3)
    drafts = {draft.platform_type: draft for draft in session.query(Draft)}
    assert drafts["DEVTO"].remarks == [
        "The model failed for good, so the template writer wrote this post: The model refused."
    ]
    assert drafts["HASHNODE"].remarks is None
