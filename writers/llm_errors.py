"""What goes wrong with a model's server, sorted by status and code: what may pass and what may not."""

from typing import Any

from lib.codes import Code
from lib.http import Answer
from models.values import Usage
from writers.base import WriterError

PASSING = frozenset({408, 409, 425, 429})
"""The statuses below 500 that waiting may mend."""
GAVE_UP = frozenset({408, 502, 504})
"""The statuses with which somebody in between gave up waiting."""
NOTHING = Usage("", 0, 0, calls=0)
"""What a call costs that no model saw."""


def told_by(error: Exception, timeout: float) -> WriterError:
    """The error as ours, with a sentence for people; `timeout`: seconds, for that sentence.

    The server's own text is never shown: it may quote the prompt or part of the key.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return too_late(timeout, _unsent(error))
    if isinstance(error, openai.APIConnectionError):
        sentence = "Model API error: no connection to the server"
        return WriterError(sentence, usage=_unsent(error), code=Code.MODEL_UNREACHABLE)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    return broken("the answer was not JSON")


def _unsent(error: Exception) -> Usage | None:
    """A server that could not be reached has read nothing; once a connection stands, nobody knows."""
    from httpx2 import ConnectError, ConnectTimeout

    return NOTHING if isinstance(error.__cause__, ConnectError | ConnectTimeout) else None


def _by_status(error: Any) -> WriterError:
    """With the status of a failure a server has made no text, and nobody is billed for it; but a content
    filter may have read the prompt, and behind a gateway that gave up a model may have gone on."""
    status, code = error.status_code, error.code
    retry_after = Answer(status, error.response.headers, b"", "").retry_after
    if code == "insufficient_quota":
        sentence = "Model API error: the account's quota is used up"
        return WriterError(sentence, permanent=True, usage=NOTHING, code=Code.MODEL_QUOTA)
    if code == "content_filter":
        return refused("The model's content filter stopped this post")
    if status == 429:
        return WriterError(
            "API rate limit", retry_after=retry_after, usage=NOTHING, code=Code.MODEL_RATE_LIMITED
        )
    sentence = f"Model API error: {_SENTENCES.get(status, f'HTTP {status}')}"
    permanent = status < 500 and status not in PASSING
    usage = None if status in GAVE_UP else NOTHING
    named = _CODES.get(status, Code.MODEL_REJECTED if permanent else Code.MODEL_UNREACHABLE)
    return WriterError(sentence, permanent=permanent, retry_after=retry_after, usage=usage, code=named)


_CODES = {
    401: Code.MODEL_KEY_REFUSED,
    403: Code.MODEL_KEY_REFUSED,
    404: Code.MODEL_UNKNOWN,
}


_SENTENCES = {
    401: "the API key was refused (HTTP 401)",
    403: "the API key may not use this model (HTTP 403)",
    404: "no such model or address (HTTP 404): check OPENAI_MODEL and OPENAI_BASE_URL",
}


def too_late(seconds: float, usage: Usage | None = None) -> WriterError:
    sentence = f"Model API error: no answer within {seconds:g} s"
    return WriterError(sentence, usage=usage, code=Code.MODEL_UNREACHABLE)


def broken(what: str) -> WriterError:
    """An answer that cannot be used; the next one may."""
    return WriterError(f"Model API error: {what}", code=Code.MODEL_ANSWER)


def refused(sentence: str) -> WriterError:
    """The model will not write this, however often it is asked."""
    return WriterError(sentence, permanent=True, code=Code.MODEL_REFUSED)
