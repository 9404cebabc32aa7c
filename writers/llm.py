"""Posts by a language model behind any OpenAI-compatible server.

The `openai` package is imported with the first post, or by `prepare`: it costs 0.4 s and memory that an idle
worker should not pay. What the model answers is never trusted: it goes through `writers.ledger`, is sent back
once with what that finds, and what is still wrong with it is left out.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.values import Brief, Manuscript, Post, Usage
from writers import ledger, render
from writers.base import WriterError
from writers.ledger import Audit
from writers.llm_answer import manuscript, schema
from writers.llm_brief import FINDING_MAX, FINDINGS_MAX, PROMPT_VERSION, messages, repair
from writers.llm_errors import broken, refused, told_by, too_late
from writers.llm_sizes import BYTES_PER_TOKEN, COMPLETION_MAX
from writers.llm_verify import verify

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import OpenAI

CONNECT = 5.0
"""Seconds to reach the server."""


class LlmWriter:
    """Writes posts with one model; one for all threads.

    `base_url` has the `/v1`; None is OpenAI's own. `timeout`: seconds of silence from the server that end a
    try, and seconds that a begun answer may take to arrive. `total`: seconds for one post, fallback and
    repair included, before the last try is begun or cut short. But for the one repair nothing is tried
    again here: the pipeline knows when and how often.
    """

    def __init__(
        self, api_key: str, base_url: str | None, model: str, timeout: float = 60.0, total: float = 120.0
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._timeout = timeout
        self.total = total
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Import the package and make the client, for example while the scan waits for its answers."""
        self._connected()

    def close(self) -> None:
        """Give the connections back; the next post opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self._model

    def estimate(self, brief: Brief) -> Usage:
        """What the brief's post costs at most, as far as that can be known: two rounds, the second of which
        shows the model its first answer and what is wrong with it."""
        form = json.dumps(schema(brief.rules.type))
        asked = sum(len(message["content"].encode()) for message in messages(brief, form))
        again = asked + FINDINGS_MAX * FINDING_MAX
        prompt = -(-(asked + again) // BYTES_PER_TOKEN) + COMPLETION_MAX
        return Usage(self._model, prompt, 2 * COMPLETION_MAX, PROMPT_VERSION, calls=2)

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform, each sentence with its source, and within its limits.

        What the ledger finds is sent back once; what it finds then is left out and named in the post's
        remarks. Where the second answer cannot be had, what is good of the first is used: it is paid for.

        Raises WriterError with what it cost: permanent for 400, 401, 403, 404, a used-up quota, a refusal and
        a content filter. Everything else may pass: the network, time-outs, 408, 409, 429 (at the time it
        names), 5xx, and an answer that is empty, cut off by its length, not the JSON asked for, or of which
        nothing stands. A cut-off answer counts as broken JSON because it is the same to us, and because the
        next one is often shorter.
        """
        work = _Work(self, brief)
        try:
            return work.post()
        except WriterError as error:
            error.usage = work.usage or error.usage
            raise

    def answer(self, brief: Brief, asked: list[dict[str, str]], deadline: float) -> Any:
        """The model's answer, asked for as structured output; in plain words when the server lacks that.
        `asked` is the conversation, `deadline` by the monotonic clock. Raises WriterError."""
        import openai

        try:
            try:
                return self._call(asked, deadline, response_format=_format(brief))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if error.code in ("content_filter", "context_length_exceeded"):
                    raise
                # Which member displeased the server stands only in its text, which we do not read: ask
                # without it, once.
                in_words = messages(brief, json.dumps(schema(brief.rules.type)))
                return self._call([*in_words, *asked[len(in_words) :]], deadline)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise told_by(error, self._timeout) from error

    def _call(self, asked: list[dict[str, str]], deadline: float, **options: Any) -> Any:
        from openai import Timeout

        left = min(self._timeout, deadline - time.monotonic())
        if left <= 0:
            raise too_late(self.total)
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


@dataclass
class _Work:
    """One post in the making, and what it has cost so far."""

    writer: LlmWriter
    brief: Brief
    begun: float = field(default_factory=time.monotonic)
    answers: list[Usage] = field(default_factory=list)

    @property
    def usage(self) -> Usage | None:
        """The sum of all answers; None before the first. Tokens that no answer counted are None."""
        if not self.answers:
            return None
        seconds = round(time.monotonic() - self.begun, 3)
        return Usage(
            self.answers[-1].model,
            _summed([answer.prompt_tokens for answer in self.answers]),
            _summed([answer.completion_tokens for answer in self.answers]),
            PROMPT_VERSION,
            len(self.answers),
            seconds,
        )

    def post(self) -> Post:
        asked = messages(self.brief)
        content = self._asked(asked)
        audit = ledger.audit(self.brief, manuscript(content, self.brief))
        notes = ledger.unchecked(self.brief)
        if audit.findings:
            audit, failed = self._repaired(asked, content, audit)
            notes += failed
        if not _tells(audit.kept):
            raise broken("the answer says nothing that stands in the activity")
        made, added = ledger.completed(self.brief, audit.kept)
        remarks = [*notes, *ledger.remarks(audit.findings), *added]
        post = render.post(self.brief, made, usage=self.usage, remarks=remarks)
        verify(post, self.brief)
        return post

    def _repaired(self, asked: list[dict[str, str]], content: str, first: Audit) -> tuple[Audit, list[str]]:
        """The better of two answers by what is left of them, and a remark where there is no second."""
        findings = [finding.message for finding in first.findings]
        try:
            again = self._asked(repair(asked, content, findings))
            second = ledger.audit(self.brief, manuscript(again, self.brief))
        except WriterError as error:
            if not _tells(first.kept):
                raise
            return first, [f"The model was asked to correct its post, which failed: {error.message}."]
        return (second if _tells(second.kept) else first), []

    def _asked(self, asked: list[dict[str, str]]) -> str:
        answer = self.writer.answer(self.brief, asked, self.begun + self.writer.total)
        self.answers.append(_usage(answer, self.writer.model))
        return _read(answer)


def _tells(made: Manuscript) -> bool:
    """Whether anything but headings is left."""
    return any(block.kind != "heading" for block in made.blocks)


def _summed(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


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


def _format(brief: Brief) -> dict[str, Any]:
    """The request that `chat.completions.parse` would make.

    That call is not used: it throws the answer away, paid as it is, when a server that ignores the format
    wraps it in a fence.
    """
    name = f"{brief.rules.type.capitalize()}Post"
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema(brief.rules.type)},
    }


def _read(answer: Any) -> str:
    """The text of the answer. The package checks no types: anything may be missing."""
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
    return content


def _usage(answer: Any, model: str) -> Usage:
    counted = getattr(answer, "usage", None)
    numbers = [getattr(counted, name, None) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (number if isinstance(number, int) else None for number in numbers)
    named = getattr(answer, "model", None)
    return Usage(named if isinstance(named, str) and named else model, prompt, completion)
