"""What the model is told: the rules in our words, the activity as delimited data."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from lib import words
from models.values import Brief, Digest, DigestItem
from writers.ledger_sources import must_mention
from writers.llm_sizes import BRIEF_MAX

ITEMS_MAX, TITLE_MAX, BODY_MAX, FILES_MAX, PEOPLE_MAX = 80, 200, 800, 8, 30
"""Ours: a busy window stays under about 30,000 tokens. The digest is ranked: its end is worth least."""
NOTES, NOTES_MAX = 3, 3_000
"""The newest releases whose notes are shown at length, and characters of them."""
NAMES_MAX, NAME_MAX = 10, 200
"""People, labels and closed issues of one item; characters of a name, a label or a path."""
CUT = " […]"
"""Ends a text of which only the beginning is shown."""
OPENING, CLOSING = "<<<ACTIVITY", "ACTIVITY>>>"
EXAMPLES_MAX, EXAMPLE_MAX, PREVIOUS_MAX, EARLIER_MAX = 3, 5_000, 20_000, 20
"""Posts of the owner's that are shown, characters of one, characters of a text that is replaced, and earlier
titles."""
FINDINGS_MAX, FINDING_MAX = 40, 400
"""What of a post is sent back: findings, and characters of one."""

_PROMPTS = Path(__file__).resolve().parent / "prompts"


def _version() -> str:
    texts = [f"{path.name}\n{path.read_text('utf-8')}" for path in sorted(_PROMPTS.glob("*.txt"))]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


PROMPT_VERSION = _version()
"""Changes with every word of the prompts."""


def messages(brief: Brief, form: str = "") -> list[dict[str, str]]:
    """The conversation for one post. `form`: the JSON schema of the answer in words, for servers without
    structured output."""
    parts = [_task(brief), _voice(brief), _again(brief), _prompt("json", {"form": form}) if form else ""]
    activity = shown(brief.digest)
    refs = {item["ref"] for item in activity["items"]}
    data = {
        **activity,
        "must_mention": [item.ref for item in must_mention(brief.digest) if item.ref in refs],
        "earlier_titles": [_cut(title, TITLE_MAX) for title in brief.earlier_titles[:EARLIER_MAX]],
    }
    given = [_delimited("ACTIVITY", data)]
    if examples := [_cut(text, EXAMPLE_MAX) for text in brief.voice.examples[:EXAMPLES_MAX]]:
        given.append(_delimited("EXAMPLES", examples))
    if brief.previous:
        given.append(_delimited("PREVIOUS", _cut(brief.previous, PREVIOUS_MAX)))
    return [
        {"role": "system", "content": "\n\n".join(filter(None, parts))},
        {"role": "user", "content": "\n".join(given)},
    ]


def repair(asked: list[dict[str, str]], answer: str, findings: Sequence[str]) -> list[dict[str, str]]:
    """The conversation that sends an answer back with what is wrong with it."""
    lines = [_cut(words.one_line(finding), FINDING_MAX) for finding in findings[:FINDINGS_MAX]]
    more = "\n".join([_prompt("repair", {}), _delimited("FINDINGS", lines)])
    return [*asked, {"role": "assistant", "content": answer}, {"role": "user", "content": more}]


def _delimited(name: str, data: Any) -> str:
    # In JSON < and > can be written so that no text from outside looks like the line that ends the data.
    text = json.dumps(data, ensure_ascii=False, indent=1).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<<<{name}\n{text}\n{name}>>>"


def shown(digest: Digest) -> dict[str, Any]:
    """The part of the digest that the model gets to see, cut and without control characters."""
    items = _items(digest)
    return {
        "repository": clean(digest.repository),
        "period": digest.words,
        "summary": digest.summary,
        "people": [_name(p.name) for p in digest.people if not p.is_bot][:PEOPLE_MAX],
        **_known(lines_added=digest.additions, lines_deleted=digest.deletions),
        **_known(files_changed=digest.files_changed),
        "items": items,
        "items_left_out": len(digest.items) - len(items),
    }


def _items(digest: Digest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    left = BRIEF_MAX
    for place, item in enumerate(digest.items[:ITEMS_MAX]):
        found = _item(item, place)
        left -= len(json.dumps(found, ensure_ascii=False))
        if left < 0:
            break
        items.append(found)
    return items


def _known(**counts: int | None) -> dict[str, int]:
    """Without what nobody counted: no number is better than a 0 that is none."""
    return {name: count for name, count in counts.items() if count is not None}


def _item(item: DigestItem, place: int) -> dict[str, Any]:
    body = NOTES_MAX if item.kind == "release" and place < NOTES else BODY_MAX
    more = None if item.more_files is None else item.more_files + len(item.files[FILES_MAX:])
    found = {
        "ref": item.ref,
        "kind": item.kind,
        "category": item.category,
        "title": _cut(item.title, TITLE_MAX),
        "body": _cut(item.body, body),
        "people": [_name(p.name) for p in item.people if not p.is_bot][:NAMES_MAX],
        "labels": [_name(label) for label in item.labels[:NAMES_MAX]],
        "closes": [_closed(issue) for issue in item.closes[:NAMES_MAX]],
        "files": [_name(path) for path in item.files[:FILES_MAX]],
        "more_files": more,
        **_known(lines_added=item.additions, lines_deleted=item.deletions),
        "routine": item.is_routine,
    }
    return {name: value for name, value in found.items() if value}


def _closed(issue: DigestItem) -> dict[str, str]:
    title = _cut(issue.title, TITLE_MAX)
    return {"ref": issue.ref} | ({"title": title} if title else {})


def _name(text: str) -> str:
    return _cut(text, NAME_MAX)


def _cut(text: str, limit: int) -> str:
    seen = clean(text[: 2 * limit])
    return seen if len(text) <= 2 * limit and len(seen) <= limit else seen[: limit - len(CUT)] + CUT


def clean(text: str) -> str:
    """Without control and invisible characters, in which instructions hide; lines and emoji stay whole."""
    return "".join(char for char in text if char in "\n\t\u200d" or unicodedata.category(char)[0] != "C")


def _task(brief: Brief) -> str:
    rules = brief.rules
    values = {
        "project": clean(brief.project),
        "words": brief.digest.words,
        "title_max": rules.title_max,
        "content_max": rules.content_max * 9 // 10,  # models count badly
    }
    return f"{_prompt(rules.type.lower(), values)}\n\n{_prompt('rules', values)}"


def _voice(brief: Brief) -> str:
    voice = brief.voice
    wishes = {
        "Readers": voice.audience,
        "Tone": voice.tone,
        "Language": voice.language,
        "Instructions": voice.instructions,
        "Never write": "; ".join(phrase for phrase in voice.banned if phrase.strip()),
    }
    lines: Iterable[str] = [f"- {name}: {clean(wish)}" for name, wish in wishes.items() if wish.strip()]
    described = "\n".join([_prompt("voice", {}), *lines]) if lines else ""
    return "\n\n".join(filter(None, [described, _prompt("examples", {}) if voice.examples else ""]))


def _again(brief: Brief) -> str:
    """What the owner asks of a post that is written anew."""
    if not brief.previous and not brief.instruction.strip():
        return ""
    asked = clean(brief.instruction).strip() or "Write it anew."
    return f"{_prompt('again', {})}\n- {asked}"


def _prompt(name: str, values: dict[str, Any]) -> str:
    return Template(_text(name)).substitute(values).strip()


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.txt").read_text("utf-8")
