"""What kind of news an item is to the template writer's readers."""

import re
from typing import Literal

from models.values import Category, DigestItem
from writers import template_text as text

Section = Literal["breaking", "new", "removed", "faster", "fixed", "changed", "docs", "inside"]

_SECTIONS: dict[Category, Section] = {
    "breaking": "breaking",
    "feature": "new",
    "performance": "faster",
    "fix": "fixed",
    "docs": "docs",
    "upkeep": "inside",
}
_REMOVES = re.compile(r"(?:remove|drop|delete|kill)[sd]?\s", re.I)
_MINOR = re.compile(
    r"(?:(?:a|an|some|few|couple|of|more|small|minor|tiny|little|quick|various|misc)\s+)+"
    r"(?:clean-?ups?|tweaks?|fix(?:es)?|changes|improvements|edits|touch-?ups?|refactors?)\b",
    re.I,
)
_VERSION = r"\bv?\d+(?:\.\d+)+"
_PREPARES = re.compile(
    rf"{_VERSION}\S*$|.*\b(?:version|(?:re)?lease)\b.*{_VERSION}|(?:cut|prepare|tag|mark)\b.*{_VERSION}"
    r"|.*\bchange ?log\b|CL update|.*\brelease notes\b", re.I
)  # fmt: skip
_DEPENDS = re.compile(
    r".*\b(?:bump|upgrade|update)s?\b.*\bto v?\d|.*\bdependenc|.*\bdeps\b|.*\block ?files?\b"
    r"|.*\brequirements\b|.*\bpre-commit\b|(?:re)?lock\b|pip-compile\b", re.I
)  # fmt: skip


def section(item: DigestItem) -> Section:
    """Which part of a post tells it."""
    if item.category == "other" and _REMOVES.match(text.subject(item.title)):
        return "removed"
    return _SECTIONS.get(item.category, "changed")


def is_preparation(item: DigestItem) -> bool:
    """Whether it only prepares a release: its version, its change log."""
    return item.is_routine and bool(_PREPARES.match(item.title[: text.LINE_MAX]))


def is_dependency(item: DigestItem) -> bool:
    """Whether it only brings other projects' versions."""
    is_update = item.is_routine and bool(_DEPENDS.match(item.title[: text.LINE_MAX]))
    return is_update and not is_preparation(item)


def is_worth(item: DigestItem) -> bool:
    """Whether it is more than routine and more than `small cleanups`; what breaks always is."""
    is_plain = item.kind == "commit" and not item.body.strip() and not item.closes
    is_small = item.is_routine or (is_plain and bool(_MINOR.match(text.subject(item.title))))
    return item.category == "breaking" or not is_small
