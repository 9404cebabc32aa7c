"""What all bodies are made of: the base model, and texts as the API takes them."""

import unicodedata
from typing import Any

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

PRINTABLE = r"^[!-~]+$"


class Body(BaseModel):
    """The base of all that is sent."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


def wrong(message: str) -> PydanticCustomError:
    """A validator's refusal, said to the user as it stands."""
    return PydanticCustomError("said", message)


def _has_control(text: str) -> bool:
    return any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def line(text: str) -> str:
    """Validates text of one line."""
    if _has_control(text):
        raise wrong("Must not have line breaks or other control characters.")
    return text


def prose(text: str) -> str:
    """Validates text of several lines, which end as they do everywhere but in forms."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _has_control(text.replace("\n", "").replace("\t", "")):
        raise wrong("Must not have control characters other than line breaks and tabs.")
    return text


def within(longest: int, shortest: int = 0) -> StringConstraints:
    """Text without the spaces around it, of so many characters."""
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)


def printable(longest: int) -> StringConstraints:
    """Letters, digits and signs of ASCII, at least one and at most so many."""
    return StringConstraints(min_length=1, max_length=longest, pattern=PRINTABLE)


def without_default(schema: dict[str, Any]) -> None:
    """For a field that may be left out, and then means nothing."""
    schema.pop("default", None)
