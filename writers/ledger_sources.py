"""What a sentence may rest on: the digest's items and the digest itself, each taken apart once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lib import words
from models.values import WINDOW, Brief, Digest, DigestItem, Person
from writers import template_text as text
from writers.ledger_orders import is_order
from writers.ledger_words import stems

BODY_MAX, STATEMENTS_MAX = 8_000, 400
"""Characters and statements of a body that can bear a sentence out."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_BREAK = re.compile(
    r"\n\s*\n|\n(?=\s*(?:[-*+#>|]|\d+[.)])\s)|\n\s*(?:`{3,}|~{3,})[^\n]*|(?<=[.!?])\s+(?=[A-Z`\"'(])"
)
_CATEGORY = {
    "release": "release version",
    "breaking": "breaking change incompatible",
    "feature": "feature new",
    "fix": "fix bug",
    "performance": "performance faster",
    "docs": "documentation docs",
    "upkeep": "upkeep maintenance",
    "other": "",
}
_KIND = {
    "pull": "pull request merged",
    "commit": "commit",
    "issue": "issue closed",
    "release": "release released published",
}
_ADDS = "add introduce support enable"
_OPPOSITE = re.compile(r"\b(?:remov|drop|delet|deprecat|disabl|kill)\w*", re.I)


@dataclass(frozen=True)
class Unit:
    """One statement of a source. `meta` are words that do not stand in it and are true of it: its kind and
    category."""

    text: str
    meta: str = ""

    @cached_property
    def stems(self) -> frozenset[str]:
        return stems(f"{self.text} {self.meta}")

    @cached_property
    def folded(self) -> str:
        return self.text.casefold()


class Source:
    """One item of the digest, with the issues that it closes."""

    def __init__(self, item: DigestItem) -> None:
        self.item = item
        self.ref = item.ref

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        item = self.item
        found = [Unit(title, _meta(item)) for title in [factual(item.title)]]
        found += [Unit(line) for line in _statements(self.body)]
        found += [Unit(factual(label)) for label in item.labels]
        found += [Unit(path, self._statuses.get(path, "")) for path in self.paths]
        found += [Unit(self._name)]
        found += [Unit(factual(one.title), f"{_meta(one)} #{one.number}") for one in item.closes]
        return tuple(unit for unit in found if unit.text or unit.meta)

    @property
    def _statuses(self) -> dict[str, str]:
        """What was done to a file as a whole."""
        said = {"added": "added new", "removed": "removed deleted", "renamed": "renamed moved"}
        return {change.path: said.get(change.status, "") for change in self.item.changes}

    @property
    def _name(self) -> str:
        item = self.item
        day = words.day(item.date) if item.date else ""
        return " ".join(filter(None, [f"#{item.number}" if item.number else item.ref[1:], day]))

    @cached_property
    def body(self) -> str:
        """Its body; none where it or the title gives orders, for what stands beside one is likely part of
        it."""
        body = _COMMENT.sub(" ", self.item.body[:BODY_MAX].replace("\r\n", "\n"))
        return "" if is_order(self.item.title[: text.LINE_MAX]) or _has_order(body) else body

    @cached_property
    def paths(self) -> tuple[str, ...]:
        changed = (change.path for change in self.item.changes)
        return tuple(path for path in dict.fromkeys([*self.item.files, *changed]) if not is_order(path))

    @cached_property
    def file_count(self) -> int | None:
        """How many files it changed; None where that is not known."""
        more = self.item.more_files
        return None if more is None else len(self.item.files) + more

    @cached_property
    def people(self) -> frozenset[str]:
        return frozenset(folded(p) for p in self.item.people if not p.is_bot)

    @cached_property
    def title(self) -> str:
        """Its title, folded."""
        return factual(self.item.title).casefold()


class Sources:
    """All of one brief. `told` are the refs that the post's text cites."""

    def __init__(self, brief: Brief, told: frozenset[str] = frozenset()) -> None:
        self.brief, self.digest, self.told = brief, brief.digest, told
        self.items = {ref: Source(item) for ref, item in by_ref(brief.digest).items()}

    @cached_property
    def names(self) -> dict[str, str]:
        """Every person that the digest knows, as they may be called (full name, login), by its folded form;
        names of one word that are common ones are no people's names."""
        everyone = [*self.digest.people, *(p for s in self.items.values() for p in s.item.people)]
        return {folded(p): p.name for p in everyone if not p.is_bot and folded(p)}

    @cached_property
    def bots(self) -> frozenset[str]:
        """What the bots are called, whom nobody thanks."""
        known = (person for source in self.items.values() for person in source.item.people if person.is_bot)
        return frozenset(folded(bot).removesuffix("[bot]") for bot in known)

    @cached_property
    def window(self) -> Unit:
        """What the digest itself bears out: whatever is counted in it."""
        digest = self.digest
        counted = {item.category for item in digest.items} | {item.kind for item in digest.items}
        meta = " ".join({**_CATEGORY, **_KIND}[name] for name in sorted(counted))
        sizes = "lines added removed in files changed" if digest.additions is not None else ""
        return Unit(f"{digest.words} {digest.summary} {sizes}", f"{meta} {self._closing} made merged")

    @property
    def _closing(self) -> str:
        return "issue closed fixed" if any(item.closes for item in self.digest.items) else ""

    @cached_property
    def common_stems(self) -> frozenset[str]:
        """What any sentence may say of the digest: its period, its repository and its project."""
        digest = self.digest
        return stems(" ".join([digest.words, digest.repository, self.brief.project, digest.cadence]))

    @cached_property
    def all_stems(self) -> frozenset[str]:
        """Whatever the digest speaks of; for tags."""
        units = (unit.stems for source in self.items.values() for unit in source.units)
        return self.common_stems.union(self.window.stems, *units)

    def has_joined(self, flat: str) -> bool:
        """Whether a tag is words of the activity written together: `githubactions`."""
        texts = (unit.text for source in self.items.values() for unit in source.units)
        own = f"{self.brief.project} {self.digest.repository}"
        return len(flat) > 2 and any(flat in re.sub(r"[\W_]+", "", one.casefold()) for one in [own, *texts])

    def borne(self, refs: Sequence[str]) -> "Borne":
        return Borne(self, tuple(refs))


@dataclass(frozen=True)
class Borne:
    """What the refs of one sentence bear out together. `refs` may hold some that nobody knows."""

    sources: Sources
    refs: tuple[str, ...]

    @cached_property
    def cited(self) -> tuple[Source, ...]:
        return tuple(self.sources.items[ref] for ref in self.refs if ref in self.sources.items)

    @property
    def has_window(self) -> bool:
        return WINDOW in self.refs

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        units = [unit for source in self.cited for unit in source.units]
        return (*units, self.sources.window) if self.has_window else tuple(units)

    @cached_property
    def stems(self) -> frozenset[str]:
        return self.sources.common_stems.union(*(unit.stems for unit in self.units))

    @cached_property
    def text(self) -> str:
        """All of it, a line each, as it is written."""
        return "\n".join(unit.text for unit in self.units)

    @cached_property
    def folded(self) -> str:
        return self.text.casefold()

    @cached_property
    def people(self) -> frozenset[str]:
        """Who may be credited: those of the items, or anybody where only the digest is cited."""
        if self.cited:
            return frozenset().union(*(source.people for source in self.cited))
        return frozenset(self.sources.names) if self.has_window else frozenset()

    @property
    def called(self) -> str:
        """The refs in words, for a person."""
        shown = [ref if ref != WINDOW else "the digest" for ref in self.refs[:4]]
        return words.listed(shown) if shown else "the digest"


def by_ref(digest: Digest) -> dict[str, DigestItem]:
    """All that can be referred to: the items and, after them, the issues that they close."""
    closed = [(one.ref, one) for item in digest.items for one in item.closes]
    return {**dict(closed), **{item.ref: item for item in digest.items}}


def must_mention(digest: Digest) -> list[DigestItem]:
    """What no post may leave out: releases and breaking changes."""
    return [item for item in digest.items if item.kind == "release" or item.category == "breaking"]


def folded(person: Person) -> str:
    """A person's name as names are compared."""
    return words.one_line(person.name).casefold()


def factual(line: str) -> str:
    """A line of a source without markup, addresses and what hides; empty where it gives orders."""
    return "" if is_order(line[: text.LINE_MAX]) else text.clean(line).replace("`", "")


def _lines(body: str) -> list[str]:
    return [line for line in _BREAK.split(f"\n{body}") if line and line.strip()][:STATEMENTS_MAX]


def _statements(body: str) -> Iterator[str]:
    return filter(None, map(factual, _lines(body)))


def _has_order(body: str) -> bool:
    whole = (body[at : at + text.LINE_MAX] for at in range(0, len(body), text.LINE_MAX // 2))
    return any(is_order(line[: text.LINE_MAX]) for line in (*_lines(body), *whole))


def _meta(item: DigestItem) -> str:
    category = _CATEGORY[item.category]
    adds = _ADDS if item.category == "feature" and not _OPPOSITE.search(item.title) else ""
    closes = "closed fixed issue" if item.closes else ""
    routine = "routine" if item.is_routine else ""
    routine += " dependency update" if item.is_routine and _is_bump(item) else ""
    return " ".join(filter(None, [category, _KIND[item.kind], adds, closes, routine]))


def _is_bump(item: DigestItem) -> bool:
    bots = bool(item.people) and all(person.is_bot for person in item.people)
    return bots or bool(re.search(r"\b(?:bump|depend|upgrade|renovate|pre-commit)", item.title, re.I))
