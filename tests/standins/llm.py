"""An OpenAI-compatible server that writes deterministic posts about the very activity it is sent.

Plant failures for all platforms with `fail_once("/chat/completions", ...)`, for one with `fail_platform`. The
answers at the end of this file are what such servers say when something is wrong.
"""

import json
import re
from collections import Counter
from itertools import chain, permutations
from typing import Any

from tests.standins.server import Answer, Request, StandIn

COMPLETIONS = "/chat/completions"
_TAGS = ["opensource", "Dev-Log", "python 3", "release.notes", "github", "maintainers"]


class LlmStandIn(StandIn):
    """`url` is without the `/v1`, `base_url` with it.

    `structured` false refuses `response_format` as older servers do; `fenced` wraps answers in a fence.
    `calls` counts requests by platform, `tokens` adds up what was billed, `sent_back` are the findings of
    each repair. `mends` true answers a repair with the truth; else it says the same again.
    """

    def __init__(
        self,
        latency: float = 0.0,
        *,
        model: str = "stand-in-1",
        structured: bool = True,
        fenced: bool = False,
    ) -> None:
        super().__init__(latency)
        self.model = model
        self.structured = structured
        self.fenced = fenced
        self.calls: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.sent_back: list[list[str]] = []
        self.mends = False
        self._ill: dict[str, Answer] = {}
        self._ill_second: dict[str, Answer] = {}
        self._times: Counter[str] = Counter()
        self._posts: dict[str, dict[str, Any]] = {}

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"{self.url}/v1"

    def fail_platform(self, platform: str, answer: Answer, times: int = 1_000_000) -> None:
        """Its next requests get this answer, so many times or until `heal()`."""
        with self._lock:
            self._ill[platform], self._times[platform] = answer, times

    def fail_second(self, platform: str, answer: Answer) -> None:
        """Its repairs get this answer until `heal()`."""
        with self._lock:
            self._ill_second[platform] = answer

    def say(self, platform: str, **members: Any) -> None:
        """These members of the platform's next posts are as given instead of made from the activity; `extra`
        is a list of sentences that stand in a paragraph of their own."""
        self._posts[platform] = members

    def heal(self) -> None:
        super().heal()
        with self._lock:
            self._times.clear()
            self._posts.clear()
            self._ill_second.clear()
            self.sent_back.clear()
            self.mends = False

    def handle(self, request: Request) -> Answer:
        if request.method == "GET" and request.path == "/v1/models":
            entry = {"id": self.model, "object": "model", "created": 0, "owned_by": "stand-in"}
            return Answer(body={"object": "list", "data": [entry]})
        if request.method != "POST" or request.path != "/v1/chat/completions":
            return error(404, "Unknown request URL", "unknown_url")
        asked = request.json()
        prompt = "\n".join(message["content"] for message in asked["messages"])
        platform = platform_of(prompt)
        with self._lock:
            self.calls[platform] += 1
            answer = self._failure(platform)
            if answer is None and findings_in(prompt):
                answer = self._ill_second.get(platform)
        if answer is not None:
            return answer
        if "response_format" in asked and not self.structured:
            return error(400, "Unknown member: response_format", "unknown_parameter")
        return self._answer_with(self._post(platform, prompt), prompt)

    def _post(self, platform: str, prompt: str) -> dict[str, Any]:
        findings = findings_in(prompt)
        members = dict(self._posts.get(platform, {}))
        if findings:
            with self._lock:
                self.sent_back.append(findings)
            members = {} if self.mends else members
        made = post(platform, activity_in(prompt))
        if extra := members.pop("extra", None):
            made["sections"][-1]["blocks"].append(block("paragraph", *extra))
        return made | members

    def _failure(self, platform: str) -> Answer | None:
        if self._times[platform] <= 0:
            return None
        self._times[platform] -= 1
        return self._ill[platform]

    def _answer_with(self, made: dict[str, Any], prompt: str) -> Answer:
        text = json.dumps(made, ensure_ascii=False)
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4}
        with self._lock:
            self.tokens.update(usage)
        return completion(f"```json\n{text}\n```" if self.fenced else text, model=self.model, usage=usage)


def platform_of(prompt: str) -> str:
    found = re.search(r"^Platform: (\w+)$", prompt, re.MULTILINE)
    return found[1] if found else ""


def activity_in(prompt: str) -> dict[str, Any]:
    """The data between the marker lines."""
    found = re.search(r"^<<<ACTIVITY\n(.*)\nACTIVITY>>>$", prompt, re.MULTILINE | re.DOTALL)
    return dict(json.loads(found[1])) if found else {"items": []}


def findings_in(prompt: str) -> list[str]:
    """What a post was sent back with; empty in the first round."""
    found = re.search(r"^<<<FINDINGS\n(.*)\nFINDINGS>>>$", prompt, re.MULTILINE | re.DOTALL)
    return list(json.loads(found[1])) if found else []


def sentence(text: str, *refs: str) -> dict[str, Any]:
    return {"text": text, "refs": list(refs)}


def block(kind: str, *sentences: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "sentences": list(sentences)}


def post(platform: str, activity: dict[str, Any]) -> dict[str, Any]:
    """A truthful post in which every item's title stands, in the platform's shape."""
    items, repository = activity["items"], activity["repository"]
    opening = f"Here is what happened in {repository}, {activity['period']}: {activity['summary']}."
    told = [block("bullet", sentence(f"{one['title']}.", one["ref"])) for one in _all(items)]
    head = _head(activity)
    start = block("paragraph", sentence(opening, "WINDOW"))
    if platform == "LINKEDIN":
        # A good model stays short: LinkedIn takes no more than 2,900.
        blocks = [block("paragraph", head), start, *_within(told, 1_900)]
        return {"sections": [{"heading": "", "blocks": blocks}], "hashtags": _TAGS}
    heading = "What changed" if platform == "DEVTO" else "Highlights"
    sections = [{"heading": "", "blocks": [start]}, {"heading": heading, "blocks": told}]
    if people := activity["people"]:
        thanks = block("paragraph", sentence(f"Thanks to {', '.join(people)}.", "WINDOW"))
        sections.append({"heading": "Thanks", "blocks": [thanks]})
    made = {"title": head, "sections": sections, "tags": _TAGS}
    subtitle = sentence(f"{activity['summary']}.", "WINDOW")
    return made | ({"subtitle": subtitle} if platform == "HASHNODE" else {})


def _head(activity: dict[str, Any]) -> dict[str, Any]:
    """The first title, of one item or of several, that is none of the earlier ones."""
    used = {_flat(title) for title in activity.get("earlier_titles", [])}
    told = [(one["title"], one["ref"]) for one in _all(activity["items"])]
    several = (some for count in (1, 2, 3) for some in permutations(told, count))
    for some in chain(several, [[(activity["summary"], "WINDOW")]]):
        titles, refs = zip(*some, strict=True)
        text = f"{' and '.join(titles)} in {activity['repository']}"
        if _flat(text) not in used:
            break
    return sentence(text, *refs, "WINDOW")


def _flat(title: str) -> str:
    return "".join(re.findall(r"\w+", title.casefold()))


def _all(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items, each followed by those that it closes."""
    return [one for item in items for one in (item, *item.get("closes", [])) if one.get("title")]


def _within(blocks: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    kept, length = [], 0
    for one in blocks:
        length += len(one["sentences"][0]["text"])
        if length > limit:
            break
        kept.append(one)
    return kept


def completion(
    content: str | None,
    *,
    model: str = "stand-in-1",
    finish_reason: str = "stop",
    refusal: str | None = None,
    usage: dict[str, int] | None = None,
) -> Answer:
    """A 200 whose message is `content`."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1764000000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    if usage is not None:
        body["usage"] = {**usage, "total_tokens": sum(usage.values())}
    return Answer(body=body)


def error(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI words it; headers with `_` for `-`."""
    body = {"error": {"message": message, "type": "stand_in", "param": None, "code": code}}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


RATE_LIMIT = error(429, "Rate limit reached for your key sk-secret", "rate_limit_exceeded")
NO_QUOTA = error(429, "You exceeded your current quota", "insufficient_quota")
SERVER_ERROR = error(500, "The server had an error")
REFUSAL = completion(None, refusal="I cannot help with that.")
FILTERED = completion("", finish_reason="content_filter")
CUT_OFF = completion('{"title": "Half a po', finish_reason="length")
BROKEN_JSON = completion('{"title": "Half a po')
WRONG_SCHEMA = completion('{"headline": "No such member"}')
NO_CHOICES = Answer(body={"id": "chatcmpl-1", "object": "chat.completion", "choices": []})
EMPTY = completion(None)
HTML = Answer(200, "<!doctype html><title>Sign in to the guest network</title>")
NOT_JSON = Answer(200, "{", {"content-type": "application/json"})


def hang(seconds: float = 3600.0) -> Answer:
    """Says nothing for that long."""
    return Answer(delay=seconds)
