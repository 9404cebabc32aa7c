"""What goes wrong with a model's server, sorted by status and code: what may pass and what may not."""

from typing import Any

from lib.http import Answer
from writers.base import WriterError

PASSING = frozenset({408, 409, 425, 429})
"""The statuses below 500 that waiting may mend."""


def told_by(error: Exception, timeout: float) -> WriterError:
    """The error as ours, with a sentence for people; `timeout`: seconds, for that sentence.

    The server's own text is never shown: it may quote the prompt or part of the key.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return too_late(timeout)
    if isinstance(error, openai.APIConnectionError):
        return WriterError("Model API error: no connection to the server")
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    return broken("the answer was not JSON")


def _by_status(error: Any) -> WriterError:
    status, code = error.status_code, error.code
    retry_after = Answer(status, error.response.headers, b"", "").retry_after
    if code == "insufficient_quota":
        return WriterError("Model API error: the account's quota is used up", permanent=True)
    if code == "content_filter":
        return refused("The model's content filter stopped this post")
    if status == 429:
        return WriterError("API rate limit", retry_after=retry_after)
    sentence = f"Model API error: {_SENTENCES.get(status, f'HTTP {status}')}"
    return WriterError(sentence, permanent=status < 500 and status not in PASSING, retry_after=retry_after)


_SENTENCES = {
    401: "the API key was refused (HTTP 401)",
    403: "the API key may not use this model (HTTP 403)",
    404: "no such model or address (HTTP 404): check OPENAI_MODEL and OPENAI_BASE_URL",
}


def too_late(seconds: float) -> WriterError:
    return WriterError(f"Model API error: no answer within {seconds:g} s")


def broken(what: str) -> WriterError:
    """An answer that cannot be used; the next one may."""
    return WriterError(f"Model API error: {what}")


def refused(sentence: str) -> WriterError:
    """The model will not write this, however often it is asked."""
    return WriterError(sentence, permanent=True)
