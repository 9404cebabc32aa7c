"""A sentence of a manuscript taken apart: prose, `code`, and the refs that stand in it."""

import re
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from models.values import WINDOW, Sentence

REF = re.compile(r"PR\d+|I\d+|C[0-9a-f]{7,40}|R[\w.+/-]*\d[\w.+/-]*")
"""What looks like a ref, whether the digest has it or not."""

_PARTS = re.compile(r"(`+)(?P<code>[^`]+)\1|\[(?P<refs>[^\[\]`]{1,200})\](?!\()")
_BETWEEN = re.compile(r"\s*[,;]\s*|\s+and\s+")


class Piece(NamedTuple):
    """`text` is without the backticks or brackets that say what it is."""

    kind: Literal["prose", "code", "ref"]
    text: str


def pieces(text: str, known: Collection[str]) -> list[Piece]:
    """The text in its order. `known`: the digest's refs; brackets with anything else in them are prose, but
    for what looks like a ref."""
    return list(_pieces(text, known))


def _pieces(text: str, known: Collection[str]) -> Iterator[Piece]:
    last = 0
    for found in _PARTS.finditer(text):
        refs = [] if found["refs"] is None else _refs(found["refs"], known)
        if found["code"] is None and not refs:
            continue
        if found.start() > last:
            yield Piece("prose", text[last : found.start()])
        last = found.end()
        if refs:
            yield from (Piece("ref", ref) for ref in refs)
        else:
            yield Piece("code", found["code"].strip())
    if last < len(text):
        yield Piece("prose", text[last:])


def _refs(inside: str, known: Collection[str]) -> list[str]:
    names = [inside.strip()] if inside.strip() in known else _BETWEEN.split(inside.strip())
    are_refs = all(name == WINDOW or name in known or REF.fullmatch(name) for name in names)
    return names if are_refs else []


def placed(text: str, known: Collection[str]) -> list[str]:
    """The refs that stand in the text itself."""
    return [piece.text for piece in pieces(text, known) if piece.kind == "ref"]


def cited(sentence: Sentence, known: Collection[str]) -> tuple[str, ...]:
    """All refs of the sentence, each once: those it is given with, then those that only its text has."""
    return tuple(dict.fromkeys([*sentence.refs, *placed(sentence.text, known)]))


def bare(prose: str) -> str:
    """Prose without the marks of `**strong**` words, where each has its other half."""
    return prose.replace("**", "") if prose.count("**") % 2 == 0 else prose
