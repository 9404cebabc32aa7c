"""What the model is told: the rules in our words, the activity as delimited data."""

import json
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from models.values import Brief, Digest, DigestItem

ITEMS_MAX, TITLE_MAX, BODY_MAX, FILES_MAX, PEOPLE_MAX = 80, 200, 800, 8, 30
"""Ours: a busy window stays under about 30,000 tokens. The digest is ranked: its end is worth least."""
BRIEF_MAX = 120_000
"""Characters of all items as JSON, whatever people put into them; the rest is counted."""
NOTES, NOTES_MAX = 3, 3_000
"""The newest releases whose notes are shown at length, and characters of them."""
NAMES_MAX, NAME_MAX = 10, 200
"""People, labels and closed issues of one item; characters of a name, a label or a path."""
CUT = " […]"
"""Ends a text of which only the beginning is shown."""
OPENING, CLOSING = "<<<ACTIVITY", "ACTIVITY>>>"
JSON_ONLY = """
Answer with one JSON object and nothing else: no fence, no comment. Its members are exactly: {members}."""

_PROMPTS = Path(__file__).resolve().parent / "prompts"


def messages(brief: Brief, more: str = "") -> list[dict[str, str]]:
    """The conversation for one post; `more` is added to the rules, `{members}` in it filled in."""
    members = '"title", "content", "tags"' if brief.rules.markdown else '"content", "hashtags"'
    system = "\n\n".join(filter(None, [_task(brief), _voice(brief), more.format(members=members).strip()]))
    # In JSON < and > can be written so that no text from outside looks like the line that ends the data.
    data = json.dumps(shown(brief.digest), ensure_ascii=False, indent=1)
    data = data.replace("<", "\\u003c").replace(">", "\\u003e")
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"{OPENING}\n{data}\n{CLOSING}"},
    ]


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
    }
    lines: Iterable[str] = [f"- {name}: {clean(wish)}" for name, wish in wishes.items() if wish.strip()]
    return "\n".join([_prompt("voice", {}), *lines]) if lines else ""


def _prompt(name: str, values: dict[str, Any]) -> str:
    return Template(_text(name)).substitute(values).strip()


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.txt").read_text("utf-8")
