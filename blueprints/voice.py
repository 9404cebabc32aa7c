"""A project's voice as a flat form, and in a few lines."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from blueprints.bodies_voice import MAX_EXAMPLES
from lib.words import cut, listed, plural
from models.values import Voice
from pipeline.brief import voice_of

WISHES = ("audience", "tone", "language", "instructions")
EXAMPLES = tuple(f"example{number}" for number in range(1, MAX_EXAMPLES + 1))
"""The form's fields for the owner's own posts."""
FIELDS = (*WISHES, *EXAMPLES, "banned")
SHOWN, LONG = 5, 200
"""Phrases, and characters of a text, that a page shows of a voice."""


def from_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """The API's `voice`, of the fields that the form has. Empty examples keep their places, so that a mistake
    is told beside its field."""
    voice: dict[str, Any] = {name: form[name] for name in WISHES if name in form}
    if any(name in form for name in EXAMPLES):
        voice["examples"] = [form.get(name, "") for name in EXAMPLES]
    if "banned" in form:
        voice["banned"] = [line for line in form["banned"].splitlines() if line.strip()]
    return voice


def to_form(stored: Mapping[str, Any]) -> dict[str, str]:
    """The flat form of a stored voice."""
    voice = voice_of(dict(stored))
    flat = {name: getattr(voice, name) for name in WISHES}
    flat |= dict(zip(EXAMPLES, voice.examples, strict=False))
    return flat | {"banned": "\n".join(voice.banned)}


def field(path: str) -> str:
    """The form's field for what the API calls `examples.1` (the second) or `banned.7`."""
    head, _, place = path.partition(".")
    if head != "examples":
        return head
    return EXAMPLES[int(place)] if place.isdigit() and int(place) < len(EXAMPLES) else EXAMPLES[0]


def in_a_few_lines(stored: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a page says of it, as terms and words; nothing for a voice that says nothing."""
    voice = voice_of(dict(stored))
    found = {
        "Readers": cut(voice.audience, LONG),
        "Tone": cut(voice.tone, LONG),
        "Language": cut(voice.language, LONG),
        "Instructions": cut(voice.instructions, LONG),
        "Written by you": _examples(voice),
        "Never says": _banned(voice),
    }
    return [(term, words) for term, words in found.items() if words.strip()]


def _examples(voice: Voice) -> str:
    sizes = [f"{len(text):,}" for text in voice.examples]
    return f"{plural(len(sizes), 'post')} of {listed(sizes)} characters" if sizes else ""


def _banned(voice: Voice) -> str:
    shown = [f"“{phrase}”" for phrase in voice.banned[:SHOWN]]
    rest = len(voice.banned) - len(shown)
    return listed([*shown, plural(rest, "other phrase")] if rest else shown)
