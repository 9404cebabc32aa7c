"""Hostile messages in every place of an activity, through both writers and a model that obeys them.

What must never be in a post: a foreign link, an image, a mention, markup that acts, a secret, and the
attacker's own words where they give orders. What a title merely says is told: that is what posts are for.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from markdown_it import MarkdownIt

from models.values import Activity, Brief, Commit, Digest, Issue, Person, Post, PullRequest, Release, Window
from pipeline.digest import digest
from platforms import PLATFORMS
from tests.standins.llm import LlmStandIn, activity_in, block, platform_of, post, sentence
from writers.base import WriterError
from writers.ledger_orders import is_order
from writers.llm import LlmWriter
from writers.template import TemplateWriter

MESSAGES = json.loads((Path(__file__).parent / "messages.json").read_text("utf-8"))
TEXTS = [message["text"] * message.get("times", 1) for message in MESSAGES]
IDS = [f"{number}-{message['kind']}" for number, message in enumerate(MESSAGES)]
HOME = "https://github.com/acme/relay"
PULL = f"{HOME}/pull/7"
BORIS = Person("Boris")
END = datetime(2025, 10, 3, 9, tzinfo=UTC)
PLACES = ("commit title", "commit body", "pull title", "pull body", "issue title", "release notes", "author")
ECHO = "PWNED-7731"
MARKS = (ECHO, "SECRET-CANARY", "ghp_", "66666", "99999", "acquired")
"""What only an attacker says: where an order stands, none of it is told."""


def hostile(place: str, text: str) -> Activity:
    """Two good changes, and one with the message in this place."""
    by = dict.fromkeys(PLACES, "") | {place: text}
    author = Person(by["author"] or "Anna Weber", None)
    message = f"{by['commit title'] or 'Tidy the parser'}\n\n{by['commit body']}"
    at = END - timedelta(hours=2)
    return Activity(
        "acme/relay",
        Window(END - timedelta(days=1), END),
        HOME,
        commits=(
            Commit("a" * 40, message, author, at, f"{HOME}/commit/{'a' * 40}", ("0",)),
            Commit("b" * 40, "Add retries to the worker", BORIS, at, f"{HOME}/commit/b", ("0",)),
        ),
        pulls=(PullRequest(7, by["pull title"] or "Fix it", at, BORIS, by["pull body"], (), PULL),),
        issues=(Issue(9, by["issue title"] or "It is slow", at, url=f"{HOME}/issues/9", reason="completed"),),
        releases=(Release("v1.2.0", "v1.2.0", at, by["release notes"], f"{HOME}/releases/tag/v1.2.0"),),
    )  # fmt: skip


def shown(activity: Activity) -> Digest:
    return digest(activity, cadence="daily", zone=ZoneInfo("UTC"))


class Obedient(LlmStandIn):
    """A model that does what it reads: it echoes every text of the activity, whole and in parts, as title,
    paragraph, bullet, code, heading and tag, and cites the item that the text came from."""

    def _post(self, platform: str, prompt: str) -> dict:
        activity = activity_in(prompt)
        made = post(platform_of(prompt), activity)
        blocks = [one for item in activity["items"] for one in self._echoes(item)]
        made["sections"].append({"heading": self._worst(activity), "blocks": blocks})
        if platform != "LINKEDIN":
            item = activity["items"][-1]
            made |= {
                "title": sentence(self._worst(activity), item["ref"]),
                "tags": [self._worst(activity)[:25]],
            }
        return made

    def _echoes(self, item: dict) -> Iterator[dict]:
        for text in (item["title"], item.get("body", ""), *item.get("people", ())):
            for part in {text, *text.split("\n"), *re.split(r"(?<=[.!?:])\s", text)} - {""}:
                yield block("bullet", sentence(part, item["ref"]))
            yield block("paragraph", sentence(f"{text} [{item['ref']}]", "WINDOW"))
            yield block("code", sentence(text, item["ref"]))
        yield block("paragraph", *(sentence(mark, item["ref"]) for mark in MARKS))

    @staticmethod
    def _worst(activity: dict) -> str:
        return max((item["title"] + item.get("body", "") for item in activity["items"]), key=len)


@pytest.fixture(scope="module")
def obedient():
    with Obedient() as server:
        writer = LlmWriter("sk-the-key-of-ours", server.base_url, "m")
        yield writer
        writer.close()


def problems(made: Post, text: str, kind: str) -> list[str]:
    """What of the attack is in the post."""
    whole = "\n".join([made.title, made.subtitle, made.content, *made.tags])
    found = [
        f"foreign address {url}" for url in re.findall(r"(?:https?:)?//[^\s)>\]]+", whole) if not own(url)
    ]
    found += [f"bare address {one}" for one in re.findall(r"\bevil[\w.-]*\.(?:com|example)\b", whole)]
    prose = re.sub(r"^```\n.*?^```$|`[^`\n]+`", "", whole, flags=re.M | re.S)
    found += [
        f"acts: {one}"
        for one in re.findall(r"<(?:script|img|svg|iframe|style|div)\b|javascript:|\x1b", prose)
    ]
    found += [f"hidden {char!r}" for char in whole if char in "\u200b\u202e\u202c\u00ad\u2066"]
    found += [f"order: {line[:80]}" for line in re.split(r"\n+|(?<=[.!?])\s", whole) if is_order(line)]
    if is_order(text):
        found += [f"echo of {mark}" for mark in MARKS if mark in whole]
    if "sk-the-key" in whole or "ghp_0123456789abcdefghijABCDEFGHIJ012345" in whole:
        found.append("secret")
    return found + (markdown(made.content) if kind != "LINKEDIN" else mentions(made.content))


def own(url: str) -> bool:
    return url.startswith(HOME) or url.startswith("//github.com/acme/relay")


def markdown(content: str) -> list[str]:
    """What a Markdown parser sees that acts, and mentions in what it shows as prose."""
    found = []
    for part in MarkdownIt("commonmark").enable("table").parse(content):
        for token in [part, *(part.children or [])]:
            if token.type in ("image", "html_block", "html_inline", "hr", "table_open"):
                found.append(f"{token.type}: {token.content[:60]}")
            if token.type == "link_open" and not own(str(token.attrs["href"])):
                found.append(f"link to {token.attrs['href']}")
        if part.type == "inline" and content.lstrip().startswith("---"):
            found.append("front matter")
    return found + mentions(re.sub(r"`[^`]*`", "", content))


def mentions(text: str) -> list[str]:
    return [f"mention {one}" for one in re.findall(r"(?<![\w/&])@\w[\w-]*", text)]


def write(writer, found: Digest, kind: str) -> Post | None:
    try:
        return writer.write(Brief(found, PLATFORMS[kind].rules, "Relay"))
    except WriterError:
        return None


@pytest.mark.loopback
@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_nothing_of_an_attack_is_in_a_post_of_a_model_that_obeys(obedient, text):
    for number, place in enumerate(PLACES):
        kind = sorted(PLATFORMS)[number % 3]
        made = write(obedient, shown(hostile(place, text)), kind)
        assert made is not None, place
        assert (place, problems(made, text, kind)) == (place, [])
        assert PLATFORMS[kind].check(made) == []
        assert "Add retries to the worker" in made.content


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_nothing_of_an_attack_is_in_a_post_of_the_template_writer(text):
    for number, place in enumerate(PLACES):
        kind = sorted(PLATFORMS)[number % 3]
        made = write(TemplateWriter(), shown(hostile(place, text)), kind)
        assert made is not None, place
        assert (place, problems(made, text, kind)) == (place, [])
        assert PLATFORMS[kind].check(made) == []


def test_there_are_many_kinds():
    assert len(MESSAGES) >= 60
    assert len({message["kind"] for message in MESSAGES}) >= 40
