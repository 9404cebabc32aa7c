"""How a project's posts sound, and what they say of how they were made, as it may be sent."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from blueprints.bodies_base import Body, line, prose, within, wrong
from lib.words import cut

MAX_WISH = 1000
MAX_EXAMPLES, MAX_EXAMPLE = 3, 5000
MAX_PHRASES, MAX_PHRASE = 50, 100
MAX_DISCLOSURE = 300
MAX_SETTINGS = 4096


def _example(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_EXAMPLE:
        raise wrong(
            f"Must have at most {MAX_EXAMPLE:,} characters; it has {len(text):,}: take a part of the post."
        )
    return text


def _examples(texts: list[str]) -> list[str]:
    """Without empty ones, as a form has them."""
    kept = [text for text in texts if text]
    if len(kept) > MAX_EXAMPLES:
        raise wrong(f"Must have at most {MAX_EXAMPLES} posts; it has {len(kept)}.")
    return kept


def _phrase(phrase: str) -> str:
    phrase = phrase.strip()
    if not phrase:
        raise wrong("A phrase must not be empty.")
    if len(phrase) > MAX_PHRASE:
        raise wrong(f"“{cut(phrase, 30)}” is too long: a phrase has at most {MAX_PHRASE} characters.")
    return phrase


def _phrases(phrases: list[str]) -> list[str]:
    """Each once, in any case."""
    once = list({phrase.casefold(): phrase for phrase in reversed(phrases)}.values())[::-1]
    if len(once) > MAX_PHRASES:
        raise wrong(f"Must have at most {MAX_PHRASES} phrases; it has {len(once)}.")
    return once


def _disclosure(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_DISCLOSURE:
        raise wrong(f"Must have at most {MAX_DISCLOSURE} characters; it has {len(text)}.")
    return text


def _settings(settings: Any) -> Any:
    try:
        size = len(json.dumps(settings, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        raise wrong("Must be an object of plain JSON values.") from None
    if size > MAX_SETTINGS:
        raise wrong(f"Must have at most {MAX_SETTINGS} bytes as JSON; it has {size}.")
    return settings


Wish = Annotated[str, within(MAX_WISH), AfterValidator(prose)]
Example = Annotated[
    str,
    AfterValidator(prose),
    AfterValidator(_example),
    WithJsonSchema({"type": "string", "maxLength": MAX_EXAMPLE}),
]
Examples = Annotated[
    list[Example], AfterValidator(_examples), Field(json_schema_extra={"maxItems": MAX_EXAMPLES})
]
Phrase = Annotated[
    str,
    AfterValidator(line),
    AfterValidator(_phrase),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_PHRASE}),
]
Phrases = Annotated[
    list[Phrase], AfterValidator(_phrases), Field(json_schema_extra={"maxItems": MAX_PHRASES})
]
Disclosure = Annotated[
    str,
    AfterValidator(line),
    AfterValidator(_disclosure),
    WithJsonSchema({"type": "string", "maxLength": MAX_DISCLOSURE}),
]


class VoiceBody(Body):
    """audience: who reads the posts. examples: posts of the owner's own, for their style alone. banned: words
    and phrases that no post may have, in any case. What a change leaves out stays as it is."""

    audience: Wish = ""
    tone: Wish = ""
    language: Wish = ""
    instructions: Wish = ""
    examples: Examples = Field(default=[])
    banned: Phrases = Field(default=[])


class SettingsBody(Body):
    """disclosure ends each post and says how it was made: one paragraph, "" for none, null for the default.
    Other settings are kept as they are."""

    model_config = ConfigDict(extra="allow")
    disclosure: Disclosure | None = None


Settings = Annotated[SettingsBody, BeforeValidator(_settings)]
