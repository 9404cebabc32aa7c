"""Check of what a sentence says was done: added is not removed, and `no longer` turns a statement round."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from writers.ledger_names import without_people
from writers.ledger_said import GAP, Fault, Faults, Kind, Said, stands_in
from writers.ledger_sources import Unit
from writers.ledger_words import common, has, lines, stem

_NEGATION = r"\b(?:not|never|cannot|neither|nor|none|without|nothing|no)\b|n['’]t\b"
_NO_LONGER = r"\bno longer\b|\bn(?:o|ot) .{0,12}any ?more\b"


_OPPOSITES = {
    "added": ("removed", "deprecated", "disabled"),
    "removed": ("added",),
    "enabled": ("removed", "deprecated", "disabled"),
    "disabled": ("added", "enabled"),
    "increased": ("reduced",),
    "reduced": ("increased",),
}


@dataclass(frozen=True)
class Deed:
    """`claims`: words that say it was done. `bears`: further words in a source that bear it out."""

    name: str
    claims: str
    bears: str = ""
    pattern: str = ""

    @cached_property
    def claimed(self) -> frozenset[str]:
        return frozenset(map(stem, self.claims.split()))

    @cached_property
    def borne(self) -> frozenset[str]:
        return self.claimed | frozenset(map(stem, self.bears.split()))

    def stands_in(self, unit: Unit) -> bool:
        """Whether the unit says so: in the same words, or in others unless it also says the opposite."""
        if self.claimed & unit.stems or (self.pattern and re.search(self.pattern, unit.folded)):
            return True
        opposite = any(named(name).claimed & unit.stems for name in _OPPOSITES.get(self.name, ()))
        return bool(self.borne & unit.stems) and not opposite


@cache
def deeds() -> tuple[Deed, ...]:
    """All that `wordlists/deeds.txt` lists."""
    found: list[Deed] = []
    for line in lines("deeds"):
        if line.startswith("= "):
            found += [Deed(word, word) for word in line[2:].split()]
        else:
            name, claims, bears, pattern = (*(part.strip() for part in line.split(" | ", 3)), "", "")[:4]
            pattern = pattern.replace("{negation}", _NEGATION).replace("{no longer}", _NO_LONGER)
            found.append(Deed(name, claims.strip("| "), bears.strip("| "), pattern.strip("| ")))
    return tuple(found)


_WORD = re.compile(rf"\d+(?:[.,]\d+)+|[^\W_]+(?:['’-][^\W_]+)*|[,;:.()]|{GAP}")
_STOPS = frozenset(",;:.()")
_HARM = re.compile(
    r"crash|hang|fail|break|broke|deadlock|leak|los[est]|error|stall|corrupt|race|block|throw|rais"
)
_BREAKING = re.compile(r"\bbreaking\b", re.I)
_AHEAD = 5
"""Words after what was done in which it stands to what."""


def polarity(said: Said) -> Faults:
    """A deed is claimed only where a source that speaks of the same thing says so."""
    text = without_people(said)
    words = _WORD.findall(text.casefold().replace("’", "'"))
    for place, deed, shown in _claims(words, text):
        if not _is_borne(said, deed, _about(words, place)):
            yield Fault(Kind.POLARITY, f"says “{shown}”, which is not borne out by {said.borne.called}")


def _claims(words: list[str], text: str) -> Iterator[tuple[int, Deed, str]]:
    for place, word in enumerate(words):
        after = words[place + 1 : place + 3]
        if word == "breaking":
            yield place, named("breaking"), word
        elif word == "no" and after[:1] == ["longer"]:
            yield place + 1, named("no longer"), "no longer"
        elif re.fullmatch(_NEGATION, word) or word.endswith("n't"):
            if after[:1] not in (["only"], ["just"]):
                yield place, named(_turned(word, after)), word
        elif word == "now" and any(map(_HARM.match, after)):
            yield place, named("worse"), " ".join([word, *after])
        elif not _is_counted(words, place):
            yield from ((place, deed, word) for deed in by_stem().get(_key(word), ()))


def _turned(word: str, after: list[str]) -> str:
    """What a negation claims: that a fault is gone (`without a deadlock`), or that something is not so."""
    is_gone = word in ("no", "without") or any(map(_HARM.match, after))
    return "no longer" if is_gone and not (after and _key(after[0]) in by_stem() and word == "not") else "not"


def _is_counted(words: list[str], place: int) -> bool:
    """Whether it says how many lines were added or removed, which `numbers` looks after."""
    counts = words[place].startswith(("add", "remov", "delet"))
    return counts and any(word.isdigit() for word in words[max(0, place - 3) : place])


@cache
def named(name: str) -> Deed:
    """The deed of that name."""
    return next(deed for deed in deeds() if deed.name == name)


def _key(word: str) -> str:
    # `released` and `closed` are deeds, `release` and `close` only words; so is `implementation`.
    if re.fullmatch(r"impls?|implementations?", word):
        return ""
    return word if word in ("released", "launched", "closed", "published") else stem(word)


@cache
def by_stem() -> dict[str, tuple[Deed, ...]]:
    """What each word that claims something may claim."""
    words = dict.fromkeys(_key(word) for deed in deeds() for word in deed.claims.split())
    return {word: tuple(d for d in deeds() if word in map(_key, d.claims.split())) for word in words}


def _about(words: list[str], place: int) -> list[str]:
    """The words that say to what it was done: those that follow, or else those before."""
    after = _content(words[place + 1 :])
    return after or _content(words[place - 1 :: -1] if place else [])


def _content(words: list[str]) -> list[str]:
    """The words that mean something, versions among them, up to the end of the clause."""
    found: list[str] = []
    for word in words:
        if word in _STOPS or len(found) == _AHEAD:
            break
        if "." in word or (word != GAP and not word[0].isdigit() and stem(word) not in common()):
            found.append(word)
    return found


def _is_borne(said: Said, deed: Deed, about: list[str]) -> bool:
    units = said.borne.units
    scores = [sum(_speaks_of(unit, word) for word in about) for unit in units]
    best = max(scores, default=0)
    enough = best if best < 3 else best - 1
    return any(deed.stands_in(unit) for unit, score in zip(units, scores, strict=True) if score >= enough)


def _speaks_of(unit: Unit, word: str) -> bool:
    return stands_in(unit.folded, word) if "." in word else has(unit.stems, word)
