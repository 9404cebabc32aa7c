"""One sentence of a manuscript as the checks see it, and what they say of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from lib import words
from models.values import Sentence
from writers.ledger_sources import Borne
from writers.ledger_text import Piece, bare, pieces

GAP = "\ufffc"
"""Stands in prose where code, a ref or a name was: no word, and no end of a sentence."""


class Kind(StrEnum):
    """What is wrong with a sentence."""

    UNKNOWN_REF = "unknown ref"
    NO_REF = "no ref"
    NUMBER = "number"
    VERSION = "version"
    CODE = "code"
    PERSON = "person"
    ADDRESS = "address"
    MARKUP = "markup"
    QUOTE = "quote"
    WORDS = "words"
    NAME = "name"
    POLARITY = "polarity"
    PROMISE = "promise"
    BANNED = "banned"
    PERIOD = "period"
    ORDER = "order"
    SECRET = "secret"  # noqa: S105  a kind of finding, no secret
    TITLE = "title"
    CODE_BLOCK = "code block"
    TAG = "tag"
    MISSING = "missing"


class Fault(NamedTuple):
    """`what` completes a sentence that begins with the faulty one: `names version 9.9, which ...`."""

    kind: Kind
    what: str


Faults = Iterator[Fault]


@dataclass(frozen=True)
class Said:
    """One sentence, and what its refs bear out."""

    sentence: Sentence
    borne: Borne

    @cached_property
    def text(self) -> str:
        return words.one_line(self.sentence.text)

    @cached_property
    def pieces(self) -> list[Piece]:
        return pieces(self.text, self.borne.sources.items)

    @cached_property
    def codes(self) -> list[str]:
        return [piece.text for piece in self.pieces if piece.kind == "code"]

    @cached_property
    def prose(self) -> str:
        """Without code and refs, and without the marks of strong words."""
        return bare("".join(p.text if p.kind == "prose" else GAP for p in self.pieces))

    @cached_property
    def whole(self) -> str:
        """With the code, but without its backticks; for what is quoted."""
        return bare("".join(GAP if p.kind == "ref" else p.text for p in self.pieces))

    @cached_property
    def plain(self) -> str:
        """Prose without what any sentence may say: the digest's period, its repository and its project."""
        digest, brief = self.borne.sources.digest, self.borne.sources.brief
        own = [digest.repository, digest.repository.rpartition("/")[2], brief.project]
        made = self.prose.replace(digest.url, GAP) if digest.url else self.prose
        for name in [digest.words, *sorted({words.one_line(n) for n in own}, key=len, reverse=True)]:
            made = masked(made, name)
        return made


def masked(text: str, name: str) -> str:
    """The text with a gap in every place where the name stands as a word of its own, in any case."""
    if not name.strip():
        return text
    return re.sub(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-]|\.\w)", GAP, text, flags=re.IGNORECASE)


def stands_in(text: str, needle: str) -> bool:
    """Whether the needle stands in the text as it is, and is no part of a longer word there."""
    return bool(re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", text))
