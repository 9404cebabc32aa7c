"""Checks of how a sentence speaks: words without a source, promises, worn phrases, other periods."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from writers.ledger_names import without_code, without_people
from writers.ledger_polarity import by_stem
from writers.ledger_said import Fault, Faults, Kind, Said
from writers.ledger_words import common, has, lines, stem

FEW = 3
"""Content words up to which every one needs its source."""

_TURNS = ("breaking", "not", "never", "no", "cannot", "without", "none", "nothing", "neither", "nor")
_WORD = re.compile(r"[^\W_][\w+#]*(?:['’][^\W\d_]+)*(?:-[^\W_]\w*)*")
_CLAUSES = re.compile(
    r"[,;:()—–]|\b(?:with|using|via|including|plus|which|and|so|because|while|whereas)\b", re.I
)
_STARTS = re.compile(r"(?:^|[.!?:•]\s+|[(“\"])\W*$")
_PERIODS = {"day": (0.9, 1.1), "week": (6, 8), "month": (27, 32), "quarter": (85, 95), "year": (360, 370)}
_THIS = r"\b(?:(?:this|(?:the )?(?:past|last|previous)|the)\s+(?:\w+\s+)?{0}\b(?!\s+to\b)|{0}'s\b)"
_ADJECTIVES = {
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly|annual",
}
_DAYS = re.compile(r"\b(?:today|yesterday|tonight|this morning|this evening|overnight|weekend)\b", re.I)
_ENGLISH = re.compile(r"(?:en\b|eng|british|american|.*english|anglais|inglés)", re.I)


def is_english(language: str) -> bool:
    """Whether a voice's language is English, as it is where none is named."""
    return not language.strip() or bool(_ENGLISH.match(language.strip()))


def source_words(said: Said) -> Faults:
    """What a sentence speaks of stands in what it cites.

    Of its words that mean something at most a third is foreign, of one to three none; and never two in a row,
    all of a clause, a name, or a term with a hyphen.
    """
    text = without_code(said, without_people(said))
    content, foreign, wrong = 0, list[str](), False
    for start, end in pairwise([0, *(found.end() for found in _CLAUSES.finditer(text)), len(text)]):
        words, strange = _read(said, text, start, end)
        yield from (
            Fault(Kind.NAME, f"names {word}, which does not stand in {said.borne.called}")
            for word, is_name in strange
            if is_name
        )
        unknown = [word for word, is_name in strange if not is_name]
        wrong = wrong or (bool(unknown) and len(unknown) == words) or _adjoin(unknown, text)
        content, foreign = content + words, foreign + unknown
    if foreign and (wrong or content <= FEW or 3 * len(foreign) > content):
        named = ", ".join(dict.fromkeys(foreign))
        yield Fault(Kind.WORDS, f"speaks of {named}, of which nothing stands in {said.borne.called}")


def _read(said: Said, text: str, start: int, end: int) -> tuple[int, list[tuple[str, bool]]]:
    """How many words of a clause mean something, and those without a source: whether they are names."""
    content, strange = 0, []
    for found in _WORD.finditer(text, start, end):
        if _means_something(found[0]):
            content += 1
            if not _is_known(said, found[0]):
                strange.append((found[0], _is_name(found[0], text[: found.start()])))
    return content, strange


def _adjoin(words: list[str], text: str) -> bool:
    return any(f"{one} {other}" in text for one, other in pairwise(words))


def _means_something(word: str) -> bool:
    low = word.casefold()
    if low in common() or stem(word) in common() or stem(word) in _deeds() or word.isdigit():
        return False
    if low.endswith("n't"):
        return False
    if "-" in word:
        return any(_means_something(half) for half in word.split("-"))
    return len(word) > 2 or not word.isascii() or word.isupper()


@cache
def _deeds() -> frozenset[str]:
    """Words that `polarity` looks after."""
    return frozenset(by_stem()) | frozenset(map(stem, _TURNS))


def _is_known(said: Said, word: str) -> bool:
    if not word.isascii() or "+" in word or "#" in word:
        return has(said.borne.stems, word) or word.casefold() in said.borne.folded
    if "-" in word:
        return all(not _means_something(half) or has(said.borne.stems, half) for half in word.split("-"))
    return has(said.borne.stems, word) or _is_compound(said, word)


def _is_compound(said: Said, word: str) -> bool:
    """`shutdown`, where the source says `shuts down`."""
    halves = ((word[:at], word[at:]) for at in range(4, len(word) - 2)) if word.isalpha() else ()
    return any(stem(one) in said.borne.stems and _is_said(said, other) for one, other in halves)


def _is_said(said: Said, word: str) -> bool:
    return stem(word) in said.borne.stems or word.casefold() in ("down", "up", "out", "off", "in", "on")


def _is_name(word: str, before: str) -> bool:
    """A product's name, `CamelCase`, an abbreviation, or a term made with a hyphen."""
    if (
        "-" in word
        or (any(c.isupper() for c in word[1:]) and len(word) > 1)
        or any(c.isdigit() for c in word)
    ):
        return True
    return word[0].isupper() and not _STARTS.search(before)


def promises(said: Said) -> Faults:
    """Nothing is said of the future but what a source says in the same words."""
    for found in _future().finditer(without_people(said)):
        phrase = " ".join(found[0].split())
        if phrase.casefold() not in said.borne.folded:
            yield Fault(
                Kind.PROMISE, f"says “{phrase}” of the future, which does not stand in {said.borne.called}"
            )


@cache
def _future() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lines('future'))})\b", re.I)


def banned(said: Said) -> Faults:
    """No worn phrase, unless it is in a cited title; nothing that the owner has banned."""
    low = said.whole.casefold().replace("’", "'")
    for found in _worn().finditer(low):
        if not any(found[0] in source.title for source in said.borne.cited):
            yield Fault(Kind.BANNED, f"has the worn phrase “{found[0]}”")
    for phrase in said.borne.sources.brief.voice.banned:
        if phrase.strip() and re.search(_phrase(phrase), low):
            yield Fault(Kind.BANNED, f"has “{phrase.strip()}”, which the project's voice bans")


@cache
def _worn() -> re.Pattern[str]:
    return re.compile("|".join(map(_phrase, lines("worn"))))


def _phrase(phrase: str) -> str:
    """A phrase as a regular expression over folded text; `*` stands for any ending of its word."""
    flat = " ".join(phrase.casefold().replace("’", "'").split())
    inner = re.escape(flat).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")
    return rf"(?<!\w){inner}(?!\w)"


def period(said: Said) -> Faults:
    """The digest's own wording for its period, and no other, unless the cited items speak of such a one."""
    for wording in _periods(said):
        if wording.casefold() not in said.borne.folded:
            words = said.borne.sources.digest.words
            yield Fault(Kind.PERIOD, f"says “{wording}”, and the period is {words}")


def _periods(said: Said) -> Iterator[str]:
    digest, text = said.borne.sources.digest, said.plain
    days = (digest.window.until - digest.window.since).total_seconds() / 86400
    for unit, (least, most) in _PERIODS.items():
        is_its_own = digest.cadence in _ADJECTIVES[unit].split("|") and least <= days <= most
        if is_its_own or unit in said.borne.folded:
            continue
        pattern = f"{_THIS.format(unit)}|\\b(?:{_ADJECTIVES[unit]})\\b"
        yield from (found[0] for found in re.finditer(pattern, text, re.I))
    yield from (found[0] for found in _DAYS.finditer(text))
