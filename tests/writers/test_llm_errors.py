"""What a model server's refusals are called."""

from types import SimpleNamespace

import pytest

from writers.llm_errors import _by_status, broken, refused, too_late


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (400, None, "model_rejected"),
        (401, None, "model_key_refused"),
        (403, None, "model_key_refused"),
        (404, None, "model_unknown"),
        (409, None, "model_unreachable"),
        (422, None, "model_rejected"),
        (429, None, "model_rate_limited"),
        (429, "insufficient_quota", "model_quota"),
        (400, "content_filter", "model_refused"),
        (500, None, "model_unreachable"),
        (504, None, "model_unreachable"),
    ],
)
def test_status_and_code_decide(status, told, code):
    answer = SimpleNamespace(status_code=status, code=told, response=SimpleNamespace(headers={}))
    assert _by_status(answer).code == code


def test_so_does_what_is_no_status():
    named = [error.code for error in (too_late(1.0), broken("it was empty"), refused("No"))]
    assert named == ["model_unreachable", "model_answer", "model_refused"]
