"""A writer that has another one for what it cannot write for good."""

import pytest

from models.values import Brief, Post, Usage
from platforms import PLATFORMS
from tests.writers.truths import RELAY
from writers.base import WriterError
from writers.disclosure import default
from writers.fallback import FallbackWriter

BRIEF = Brief(RELAY, PLATFORMS["DEVTO"].rules, "Relay", disclosure=default("DEVTO", "MODEL"))


class Stub:
    """Says `text`, or fails."""

    def __init__(self, text: str, failure: Exception | None = None) -> None:
        self.text, self.failure, self.calls, self.prepared = text, failure, 0, 0

    def prepare(self) -> None:
        self.prepared += 1

    def estimate(self, brief: Brief) -> Usage:
        return Usage(self.text, 100, 50)

    def write(self, brief: Brief) -> Post:
        self.calls += 1
        self.disclosed = brief.disclosure
        if self.failure:
            raise self.failure
        return Post("", self.text, remarks=("own",))


def test_the_first_writes_and_nobody_else() -> None:
    model, template = Stub("model"), Stub("template")
    both = FallbackWriter(model, template)
    both.prepare()
    assert both.write(BRIEF).content == "model"
    assert (template.calls, model.prepared, template.prepared) == (0, 1, 1)


def test_where_it_fails_for_good_the_second_writes_and_says_why() -> None:
    cost = Usage("model", 90, 2)
    model = Stub("model", WriterError("The model refused.", permanent=True, usage=cost))
    template = Stub("template")
    both = FallbackWriter(model, template)
    post = both.write(BRIEF)
    assert (post.content, post.usage, post.spent) == ("template", None, cost)
    assert template.disclosed == default("DEVTO", "TEMPLATE")
    assert both.estimate(BRIEF) == Usage("model", 100, 50)
    assert post.remarks == (
        "The model failed for good, so the template writer wrote this post: The model refused.",
        "own",
    )


@pytest.mark.parametrize("failure", [WriterError("HTTP 500", retry_after=5), RuntimeError("a bug")])
def test_what_may_pass_or_is_our_own_fault_is_raised(failure: Exception) -> None:
    template = Stub("template")
    with pytest.raises(type(failure)) as raised:
        FallbackWriter(Stub("model", failure), template).write(BRIEF)
    assert raised.value is failure
    assert template.calls == 0
