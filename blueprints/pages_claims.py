"""What a draft's sentences rest on: each claim found again in the text, and what its owner wrote."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blueprints import view
from blueprints.markdown import parsed, plain
from models import Draft, DraftVersion
from models.values import WINDOW
from pipeline.versions import USER

SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_SAYS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a sentence rests on. `url` is None where it has no page."""

    ref: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence of the text as it stands, numbered from 1 in the order of reading. `on_window`: it rests
    on the period itself, its counts and people. `is_own`: its owner wrote it."""

    number: int
    text: str
    items: tuple[Item, ...] = ()
    on_window: bool = False
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Where a passage stands in one unit of the text."""

    start: int
    end: int
    passage: Passage


Units = Sequence[str]
"""Title, subtitle, and then every block of the content, as a reader sees them: without markup."""


@dataclass(frozen=True, slots=True)
class Review:
    """`spans` are those of each unit, in order."""

    passages: tuple[Passage, ...]
    spans: tuple[tuple[Span, ...], ...]


def units_of(row: Draft | DraftVersion, platform_type: str) -> Units:
    """The text, cut where no sentence goes on."""
    heads = [row.title, row.subtitle or ""]
    if platform_type == "LINKEDIN":
        return [*heads, *row.content.split("\n")]
    return [*heads, *(text for token in parsed(row.content) if (text := plain(token)) is not None)]


def unmarked(draft: Draft) -> Review:
    """The text without a mark, for whoever only reads it."""
    return Review((), tuple(() for _ in units_of(draft, draft.platform_type)))


def review(draft: Draft, versions: Iterable[DraftVersion]) -> Review:
    """Match the draft's claims with its text, each once, in the order of both. What matches none and stands
    in no version that a writer made is its owner's own; a heading or a disclosure of the writer's is
    neither."""
    known = {source["ref"]: _item(source) for source in draft.sources or ()}
    waiting = [(claim["text"], claim["refs"]) for claim in draft.claims or () if claim["text"].strip()]
    units = units_of(draft, draft.platform_type)
    rows = [row for row in versions if row.made_by != USER]
    written = "\n".join(text for row in rows for text in units_of(row, draft.platform_type))
    passages: list[Passage] = []
    spans = []
    for text in units:
        found = _claims_in(text, waiting)
        own = [(a, b, None) for a, b in _rest(text, found) if rows and text[a:b] not in written]
        placed = []
        for start, end, refs in sorted([*found, *own], key=lambda one: one[0]):
            passages.append(_passage(len(passages) + 1, text[start:end], refs, known))
            placed.append(Span(start, end, passages[-1]))
        spans.append(tuple(placed))
    return Review(tuple(passages), tuple(spans))


Place = tuple[int, int, Sequence[str] | None]
"""From, to, and the refs; None for what its owner wrote."""


def _claims_in(text: str, waiting: list[tuple[str, Sequence[str]]]) -> list[Place]:
    """Take from `waiting` what stands in this text: longer ones first, for a shorter one may be a part."""
    found: list[Place] = []
    for claim in sorted(waiting, key=lambda claim: -len(claim[0])):
        start = text.find(claim[0])
        end = start + len(claim[0])
        if start >= 0 and all(end <= a or b <= start for a, b, _ in found):
            found.append((start, end, claim[1]))
            waiting.remove(claim)
    return sorted(found, key=lambda one: one[0])


def _rest(text: str, found: Sequence[Place]) -> list[tuple[int, int]]:
    """The sentences between the claims."""
    edges = [0, *(edge for start, end, _ in found for edge in (start, end)), len(text)]
    pieces = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        at = start
        for piece in SENTENCE.split(text[start:end]):
            at = text.index(piece, at, end)
            bare = piece.strip()
            if _SAYS.search(bare):
                first = text.index(bare, at, end)
                pieces.append((first, first + len(bare)))
            at += len(piece)
    return pieces


def _passage(number: int, text: str, refs: Sequence[str] | None, known: Mapping[str, Item]) -> Passage:
    if refs is None:
        return Passage(number, text, is_own=True)
    items = tuple(known.get(ref) or Item(ref, ref, None) for ref in refs if ref != WINDOW)
    return Passage(number, text, items, WINDOW in refs)


def _item(source: Mapping[str, str | None]) -> Item:
    ref = source["ref"] or ""
    return Item(ref, source["title"] or ref, view.safe_url(source.get("url")))
