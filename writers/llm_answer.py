"""What the model is asked to answer, and how that is read: as a manuscript of which nothing is believed.

`ledger.audit` decides what of it stands. Here only its form is mended: refs that stand elsewhere than they
should, marks of Markdown that mean nothing, several sentences in one.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from models.values import Block, Brief, Manuscript, PlatformType, Sentence
from writers.ledger_sources import by_ref
from writers.ledger_text import pieces
from writers.llm_brief import clean
from writers.llm_errors import broken

_ONLY = ConfigDict(json_schema_extra={"additionalProperties": False})
_LEAD = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+•]\s+)+")
_EMPHASIS = re.compile(r"(?<![\w*\\])([*_])(?=[^\s*_])([^*_\n]+?)(?<=[^\s*_])\1(?![\w*])")
_END = re.compile(r"\s*\(?((?:\s*\[[^\[\]]+\](?!\())+)\)?\s*(?=[.!?…]*\s*$)")
_NUMBER = re.compile(r"(?<![\w&/`\[])#(\d{1,9})\b(?![\]`])")
_LEADS = re.compile(
    r"(?:^|\b(?:in|see|by|of|from|with|to|for|via|and|or|is|as|closes|fixes|resolves|issue|request))\s*$",
    re.I,
)
"""Before a ref that is part of its sentence (`asked for in [I15].`), and does not only follow it."""
_FENCE = re.compile(r"\A\s*(`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*\1\s*\Z", re.S)
_SENTENCES = re.compile(r"(?<=[\w)\]`\"'”][.!?])\s+(?=[A-Z“\"(\[`])")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mrs?|Ms|St|No|approx|Inc|Jr|v)\.$")


def _said(value: Any) -> Any:
    """A sentence as a bare string has its refs in its text."""
    return {"text": value} if isinstance(value, str) else value


class Said(BaseModel):
    """One sentence."""

    model_config = _ONLY
    text: str
    refs: list[str] = []


class Part(BaseModel):
    """One block."""

    model_config = _ONLY
    kind: Literal["paragraph", "bullet", "code"] = "paragraph"
    sentences: list[Annotated[Said, BeforeValidator(_said)]]


class Section(BaseModel):
    """What stands under one heading."""

    model_config = _ONLY
    heading: str = ""
    blocks: list[Part]


class Note(BaseModel):
    """LinkedIn's post."""

    model_config = _ONLY
    sections: list[Section]
    hashtags: list[str] = []


class Update(BaseModel):
    """Dev.to's post."""

    model_config = _ONLY
    title: Annotated[Said, BeforeValidator(_said)]
    sections: list[Section]
    tags: list[str] = []


class Article(BaseModel):
    """Hashnode's post."""

    model_config = _ONLY
    title: Annotated[Said, BeforeValidator(_said)]
    subtitle: Annotated[Said, BeforeValidator(_said)] = Said(text="")
    sections: list[Section]
    tags: list[str] = []


SHAPES: dict[PlatformType, type[Article] | type[Update] | type[Note]] = {
    "HASHNODE": Article,
    "DEVTO": Update,
    "LINKEDIN": Note,
}


@cache
def schema(kind: PlatformType) -> dict[str, Any]:
    """The JSON schema of a platform's answer as strict structured output takes it: every member required,
    no other allowed, no defaults."""
    made: dict[str, Any] = _strict(SHAPES[kind].model_json_schema())
    return made


def _strict(part: Any) -> Any:
    if isinstance(part, dict):
        made = {
            name: _strict(value)
            for name, value in part.items()
            if name not in ("default", "description") and not (name == "title" and isinstance(value, str))
        }
        return made | ({"required": list(made["properties"])} if "properties" in made else {})
    return [_strict(value) for value in part] if isinstance(part, list) else part


def manuscript(content: str, brief: Brief) -> Manuscript:
    """The answer's outermost object as a manuscript: models wrap it in fences and courtesies.

    Raises WriterError, not permanent, where there is no such object.
    """
    try:
        found = SHAPES[brief.rules.type].model_validate_json(_object(content))
    except ValidationError as error:
        # Without the cause: its text would carry the answer, which may be anything, into the stack trace.
        raise broken("the answer is not the JSON that was asked for") from error
    return _Reading(brief).whole(found)


def _object(content: str) -> str:
    return content[content.find("{") : content.rfind("}") + 1]


class _Reading:
    """One answer."""

    def __init__(self, brief: Brief) -> None:
        self._items = by_ref(brief.digest)
        numbered = {str(item.number): ref for ref, item in self._items.items() if item.number is not None}
        self._refs = {**numbered, **{ref: ref for ref in self._items}}
        refs = "|".join(re.escape(ref) for ref in sorted(self._items, key=len, reverse=True))
        self._numbered = numbered
        self._bare = re.compile(rf"(?<![\w\[`/.-])({refs or '(?!)'})(?![\w\]`/-])")

    def whole(self, found: Article | Update | Note) -> Manuscript:
        blocks = tuple(block for section in found.sections for block in self._section(section))
        if isinstance(found, Note):
            return Manuscript(Sentence(""), blocks, tags=tuple(map(clean, found.hashtags)))
        subtitle = self._head(found.subtitle) if isinstance(found, Article) else None
        tags = tuple(map(clean, found.tags))
        return Manuscript(
            self._head(found.title), blocks, subtitle if subtitle and subtitle.text else None, tags
        )

    def _head(self, said: Said) -> Sentence:
        made = self._sentence(said.text, said.refs)
        return Sentence(made.text.strip(' "“”*'), made.refs)

    def _section(self, section: Section) -> Iterator[Block]:
        heading = self._sentence(section.heading, [])
        if heading.text:
            yield Block("heading", (heading,))
        for part in section.blocks:
            if made := tuple(self._code(part) if part.kind == "code" else self._sentences(part)):
                yield Block(part.kind, made)

    def _code(self, part: Part) -> Iterator[Sentence]:
        text = "\n".join(said.text for said in part.sentences).replace("\r\n", "\n")
        inner = _FENCE.match(text)
        refs = [ref for said in part.sentences for ref in said.refs]
        if text.strip():
            yield Sentence(clean(inner[2] if inner else text).strip("\n"), self._known(refs))

    def _sentences(self, part: Part) -> Iterator[Sentence]:
        for said in part.sentences:
            for text in split(clean(said.text)):
                if (made := self._sentence(text, said.refs)).text:
                    yield made

    def _sentence(self, text: str, refs: Iterable[str]) -> Sentence:
        text = " ".join(_LEAD.sub("", clean(text)).split())
        text = "".join(_bracketed(text, self._items, self._bare))
        text = _NUMBER.sub(lambda found: self._link(found, refs), text)
        named = list(refs)
        if (end := _END.search(text)) and not _LEADS.search(text[: end.start()]):
            last = pieces(end[1], self._items)
            if all(piece.kind == "ref" or not piece.text.strip() for piece in last):
                named += [piece.text for piece in last if piece.kind == "ref"]
                text = text[: end.start()] + text[end.end() :]
        return Sentence(text.strip(), self._known(named))

    def _link(self, found: re.Match[str], refs: Iterable[str]) -> str:
        """`#42` as the ref of one of the sentence's items; as it is where it is none of them."""
        ref = self._numbered.get(found[1])
        return f"[{ref}]" if ref in self._known(refs) else found[0]

    def _known(self, refs: Iterable[str]) -> tuple[str, ...]:
        bare = (clean(ref).strip().strip("[]#").strip() for ref in refs)
        return tuple(dict.fromkeys(self._refs.get(ref, ref) for ref in bare if ref))


def split(text: str) -> list[str]:
    """One text as its sentences."""
    made: list[str] = []
    for part in _SENTENCES.split(text):
        if made and _ABBREVIATION.search(made[-1]):
            made[-1] += f" {part}"
        else:
            made.append(part)
    return made


def _bracketed(text: str, known: Collection[str], bare: re.Pattern[str]) -> Iterator[str]:
    """Prose whose bare refs are in square brackets, and without emphasis; code as it is."""
    for piece in pieces(text, known):
        if piece.kind == "prose":
            yield bare.sub(r"[\1]", _EMPHASIS.sub(r"\2", piece.text))
        else:
            yield f"`{piece.text}`" if piece.kind == "code" else f"[{piece.text}]"
