"""What a platform's posts say of machine help: as it is set, checked and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from werkzeug.datastructures import MultiDict

from blueprints.access import settings
from models import Platform
from models.values import Post
from pipeline.brief import disclosure_of
from platforms import PLATFORMS
from writers.disclosure import MadeBy, default


@dataclass(frozen=True, slots=True)
class Disclosed:
    """`text` is what ends a post, empty for nothing; `words` say whose it is."""

    text: str
    words: str
    is_default: bool


def disclosed(platform: Platform) -> Disclosed:
    """As the next post will have it, by the writer that this instance has."""
    made_by: MadeBy = "TEMPLATE" if settings().openai_api_key is None else "MODEL"
    text, is_default = disclosure_of(platform, made_by), platform.settings.get("disclosure") is None
    words = "the default sentence" if is_default else "your own words" if text else "off"
    return Disclosed(text, words, is_default)


def from_form(form: MultiDict[str, str], kind: str) -> dict[str, Any]:
    """The API's `settings`: null for the default, also where the default was sent back as it was shown."""
    text = form.get("disclosure", "").strip()
    defaults = [default(kind, made_by) for made_by in get_args(MadeBy)]
    return {"disclosure": None if "restore" in form or text in defaults else text}


def merged(changes: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """A platform's settings after a change: what is not sent stays, and null takes the default again."""
    settings = {**stored, **changes}
    return {name: value for name, value in settings.items() if name != "disclosure" or value is not None}


def refusals(text: str, kind: str) -> list[str]:
    """What the platform would not take of it in a post."""
    platform = PLATFORMS[kind]
    return platform.check(Post("A title" if platform.rules.title_max else "", text)) if text else []
