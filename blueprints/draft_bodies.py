"""What may be sent about drafts, as pydantic models: nothing is refused that a database can keep."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from blueprints.bodies import without_default
from blueprints.bodies_base import Body, wrong

LINE_MAX, CONTENT_MAX, TAGS_MAX, TAG_MAX, INSTRUCTION_MAX = 500, 900_000, 50, 100, 2000
"""Characters, and tags: more than any platform takes, so that a text that is too long can be kept and cut."""


def _prose(text: str) -> str:
    """Lines end by a line feed alone, however a browser sent them."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    odd = next((c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")), None)
    if odd is not None:
        raise wrong(f"Must not have control characters: remove the one at place {text.index(odd) + 1}.")
    return text


def _line(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise wrong("Must be one line without control characters.")
    return text


def _few(tags: list[str]) -> list[str]:
    if len(tags) > TAGS_MAX:
        raise wrong(f"Must have at most {TAGS_MAX} tags; it has {len(tags)}.")
    return tags


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LINE_MAX), AfterValidator(_line)]
Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TAG_MAX), AfterValidator(_line)
]
Content = Annotated[str, StringConstraints(max_length=CONTENT_MAX), AfterValidator(_prose)]
Tags = Annotated[list[Tag], AfterValidator(_few), Field(json_schema_extra={"maxItems": TAGS_MAX})]
Instruction = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=INSTRUCTION_MAX), AfterValidator(_prose)
]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
_ABSENT = Field(default="", json_schema_extra=without_default)


class DraftEdit(Body):
    """`version` is the one that the change was made on. What the platform will not take is stored all the
    same; `checks` of the answer say so."""

    version: Version
    title: Line = _ABSENT
    subtitle: Line = _ABSENT
    content: Content = _ABSENT
    tags: Tags = Field(default=[])


class DecisionBody(Body):
    """`version`: only if the draft is still at this one; without it, as it stands."""

    version: Version | None = None


class RegenerateBody(DecisionBody):
    """`instruction` is what to do otherwise, in plain words."""

    instruction: Instruction = ""


class RestoreBody(Body):
    """`number` becomes the text of the draft, which is at `version`."""

    version: Version
    number: Version
