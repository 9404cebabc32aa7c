"""Posts by a language model behind any OpenAI-compatible server.

The `openai` package is imported with the first post, or by `prepare`: it costs 0.4 s and memory that an idle
worker should not pay. What the model answers is never trusted: `writers.llm_text` makes the post of it.
"""

import threading
import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from models.values import Brief, Post, Usage
from writers.llm_brief import JSON_ONLY, messages
from writers.llm_errors import broken, refused, told_by, too_late
from writers.llm_text import finished

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import OpenAI

CONNECT = 5.0
"""Seconds to reach the server."""
COMPLETION_MAX = 8_000
"""Tokens of an answer, more than any platform's post has."""


class Article(BaseModel):
    """What a Markdown platform's post is asked for as."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})
    title: str
    content: str
    tags: list[str]


class Update(BaseModel):
    """What LinkedIn's post is asked for as."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})
    content: str
    hashtags: list[str]


class LlmWriter:
    """Writes posts with one model; one for all threads.

    `base_url` has the `/v1`; None is OpenAI's own. `timeout`: seconds of silence from the server that end a
    try, and seconds that a begun answer may take to arrive. `total`: seconds for one post, fallback included,
    before the last try is begun or cut short. Nothing is tried again here: the pipeline knows when and how
    often.
    """

    def __init__(
        self, api_key: str, base_url: str | None, model: str, timeout: float = 60.0, total: float = 120.0
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._timeout = timeout
        self._total = total
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Import the package and make the client, for example while the scan waits for its answers."""
        self._connected()

    def estimate(self, brief: Brief) -> Usage:
        """At most so many tokens: a token has three characters or more in the languages that posts are
        written in, and an answer is no longer than COMPLETION_MAX."""
        asked = sum(len(message["content"]) for message in messages(brief, JSON_ONLY))
        return Usage(self._model, -(-asked // 3), COMPLETION_MAX)

    def close(self) -> None:
        """Give the connections back; the next post opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform, cleaned and within its limits.

        Raises WriterError: permanent for 400, 401, 403, 404, a used-up quota, a refusal and a content filter.
        Everything else may pass: the network, time-outs, 408, 409, 429 (at the time it names), 5xx, and an
        answer that is empty, cut off by its length, not the JSON asked for, or not borne out by the digest. A
        cut-off answer counts as broken JSON because it is the same to us, and because the next one is often
        shorter.
        """
        shape = Article if brief.rules.markdown else Update
        answer = self._ask(brief, shape, time.monotonic() + self._total)
        content, usage = _read(answer, self._model)
        fields = _parsed(content, shape)
        tags = fields.get("tags") or fields.get("hashtags") or []
        return finished(brief, fields.get("title", ""), fields["content"], tags, usage)

    def _ask(self, brief: Brief, shape: type[BaseModel], deadline: float) -> Any:
        """The model's answer, asked for as structured output; in plain words when the server lacks that."""
        import openai

        try:
            try:
                return self._call(messages(brief), deadline, response_format=_format(brief, shape))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if error.code in ("content_filter", "context_length_exceeded"):
                    raise
                # Which member displeased the server stands only in its text, which we do not read: ask
                # without it, once.
                return self._call(messages(brief, JSON_ONLY), deadline)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise told_by(error, self._timeout) from error

    def _call(self, asked: list[dict[str, str]], deadline: float, **options: Any) -> Any:
        from openai import Timeout

        left = min(self._timeout, deadline - time.monotonic())
        if left <= 0:
            raise too_late(self._total)
        create: Any = self._connected().chat.completions.create
        timeout = Timeout(left, connect=min(CONNECT, left))
        return create(model=self._model, messages=asked, timeout=timeout, **options)

    def _connected(self) -> "OpenAI":
        with self._lock:
            if self._client is None:
                from openai import DefaultHttpxClient, OpenAI

                self._client = OpenAI(
                    api_key=self._api_key or "none",  # local servers want none, the package does
                    base_url=self._base_url,
                    max_retries=0,
                    http_client=DefaultHttpxClient(event_hooks={"response": [_bound]}),
                )
            return self._client


def _bound(response: "Response") -> None:
    """Bound the whole body by the timeout, which by itself counts per chunk, so that a drip never ends."""
    from httpx2 import ReadTimeout, SyncByteStream

    class Bounded(SyncByteStream):
        def __init__(self, stream: Any, seconds: float) -> None:
            self._stream = stream
            self._end = time.monotonic() + seconds

        def __iter__(self) -> Any:
            for chunk in self._stream:
                if time.monotonic() > self._end:
                    raise ReadTimeout("The answer did not end in time", request=response.request)
                yield chunk

        def close(self) -> None:
            self._stream.close()

    response.stream = Bounded(response.stream, response.request.extensions["timeout"]["read"])


def _format(brief: Brief, shape: type[BaseModel]) -> dict[str, Any]:
    """The request that `chat.completions.parse` would make.

    That call is not used: it throws the answer away, paid as it is, when a server that ignores the format
    wraps it in a fence.
    """
    name = f"{brief.rules.type.capitalize()}Post"
    schema = {"name": name, "strict": True, "schema": shape.model_json_schema()}
    return {"type": "json_schema", "json_schema": schema}


def _read(answer: Any, model: str) -> tuple[str, Usage]:
    """The text of the answer and what it cost. The package checks no types: anything may be missing."""
    try:
        choice = answer.choices[0]
        message, reason, content = choice.message, choice.finish_reason, choice.message.content
    except (AttributeError, TypeError, IndexError, KeyError) as error:
        raise broken("the answer has no message in it") from error
    if getattr(message, "refusal", None):
        raise refused("The model refused to write this post")
    if reason == "content_filter":
        raise refused("The model's content filter stopped this post")
    if reason == "length":
        raise broken("the answer was cut off at its greatest length")
    if not isinstance(content, str) or not content.strip():
        raise broken("the answer was empty")
    return content, _usage(answer, model)


def _usage(answer: Any, model: str) -> Usage:
    counted = getattr(answer, "usage", None)
    numbers = [getattr(counted, name, None) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (number if isinstance(number, int) else None for number in numbers)
    named = getattr(answer, "model", None)
    return Usage(named if isinstance(named, str) and named else model, prompt, completion)


def _parsed(content: str, shape: type[BaseModel]) -> dict[str, Any]:
    """The outermost object: models wrap it in fences and courtesies."""
    try:
        found = shape.model_validate_json(content[content.find("{") : content.rfind("}") + 1])
    except ValidationError as error:
        # Without the cause: its text would carry the answer, which may be anything, into the stack trace.
        raise broken("the answer is not the JSON that was asked for") from error
    return found.model_dump()
