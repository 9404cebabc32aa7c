"""A writer that has another one for what it cannot write for good."""

import pytest

from models.values import Post
from writers.base import WriterError
from writers.fallback import FallbackWriter


class Stub:
    """Says `text`, or fails."""

    def __init__(self, text: str, failure: Exception | None = None) -> None:
        self.text, self.failure, self.calls, self.prepared = text, failure, 0, 0

    def prepare(self) -> None:
        self.prepared += 1

    def write(self, brief: object) -> Post:
        self.calls += 1
        if self.failure:
            raise self.failure
        return Post("", self.text, remarks=("own",))


def test_the_first_writes_and_nobody_else() -> None:
    model, template = Stub("model"), Stub("template")
    both = FallbackWriter(model, template)
    both.prepare()
    assert both.write(None).content == "model"
    assert (template.calls, model.prepared, template.prepared) == (0, 1, 1)


def test_where_it_fails_for_good_the_second_writes_and_says_why() -> None:
    model = Stub("model", WriterError("The model refused.", permanent=True))
    post = FallbackWriter(model, Stub("template")).write(None)
    assert post.content == "template"
    assert post.remarks == (
        "The model failed for good, so the template writer wrote this post: The model refused.",
        "own",
    )


@pytest.mark.parametrize("failure", [WriterError("HTTP 500", retry_after=5), RuntimeError("a bug")])
def test_what_may_pass_or_is_our_own_fault_is_raised(failure: Exception) -> None:
    template = Stub("template")
    with pytest.raises(type(failure)) as raised:
        FallbackWriter(Stub("model", failure), template).write(None)
    assert raised.value is failure
    assert template.calls == 0
