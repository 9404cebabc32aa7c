"""Tags and hashtags in each platform's alphabet."""

import re
import unicodedata
from collections.abc import Iterable

from lib import words
from models.values import PlatformRules

HASHTAGS_MAX, HASHTAG_MAX = 5, 40
"""Ours: LinkedIn names no limit, and more of them read as noise."""


def tags(wanted: Iterable[str], rules: PlatformRules) -> tuple[str, ...]:
    """In the platform's alphabet, each once, as many as it takes.

    One that is too long is left out: cut, it is another word. Hashnode takes slugs, Dev.to and LinkedIn
    letters and digits (gql-beta.hashnode.com's schema; forem's tag.rb; LinkedIn's little text format; read
    2026-11-23).
    """
    known: dict[str, str] = {}
    for tag in wanted:
        word = unicodedata.normalize("NFKD", tag).encode("ascii", "ignore").decode()
        if rules.type == "HASHNODE":
            word = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
        else:
            word = re.sub(r"[^A-Za-z0-9]", "", word if rules.type == "LINKEDIN" else word.lower())
        if word and len(word) <= (rules.tag_max or HASHTAG_MAX) and not word.isdigit():
            known.setdefault(word.lower(), word)
    return tuple(known.values())[: rules.tags_max or HASHTAGS_MAX]


def hashtags(text: str, labels: Iterable[str], room: int) -> str:
    """The line of hashtags that ends a post of `text`; those that it has already, or for which `room`
    (UTF-16 units) is too small, are left out."""
    said = {found.lower() for found in re.findall(r"#(\w+)", text)}
    line = ""
    for label in labels:
        longer = f"{line} #{label}".strip()
        if label.lower() not in said and words.utf16(longer) <= room:
            line = longer
    return line
