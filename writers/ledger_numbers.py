"""Checks of what a sentence counts: numbers and their words, versions, dates and the numbers of items."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from lib import words
from models.values import Digest, DigestItem
from writers.ledger_names import without_people
from writers.ledger_said import GAP, Fault, Faults, Kind, Said
from writers.ledger_sources import Unit
from writers.ledger_words import common, has, parts, stem

_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty",
    "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_VALUES = {word: n if n <= 20 else (n - 18) * 10 for n, word in enumerate(_WORDS, 1)}
_MONTHS = {words.month(date(2000, n, 1)).split()[0]: n for n in range(1, 13)}
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m1>{_MONTH})(?:,?\s+(?P<y1>\d{{4}}))?"
    rf"|(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y2>\d{{4}}))?(?![\d.])"
    rf"|(?P<y3>\d{{4}})-(?P<m3>\d{{2}})-(?P<d3>\d{{2}})|(?P<m4>{_MONTH})\s+(?P<y4>\d{{4}}))\b"
)
_VERSION = re.compile(
    r"(?<![\w.#/-])v?\d+(?:\.(?:\d+|x|\*))+(?:[-+.]?[a-z]+\.?\d*)*\+?(?![\w/])|(?<![\w.])v\d+\b", re.I
)
_HASH = re.compile(r"(?<![\w&/])#\s?(\d{1,9})\b|\b(?:PR|GH|pull request|issue)[ -]?#?(\d{1,9})\b", re.I)
_NUMBER = re.compile(
    rf"(?<![\w.,#])([+\u2212-]?)(?:(\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?)|\b({'|'.join(_WORDS)})\b)"
    r"(?:\s?(%|percent\b|×|x\b|times\b|fold\b))?",
    re.I,
)
_VAGUE = {
    "dozens": 24, "dozen": 12, "hundreds": 200, "hundred": 100, "thousands": 2_000, "thousand": 1_000,
    "millions": 2_000_000, "million": 1_000_000, "billion": 1e9, "billions": 2e9, "scores": 40,
    "countless": 1e9, "numerous": 6,
}  # fmt: skip
_FACTORS = frozenset((
    "twice", "thrice", "double", "doubles", "doubled", "doubling", "triple", "triples",
    "tripled", "quadruple", "quadrupled", "half",
    "halve", "halves", "halved", "quarter", "tenfold", "twofold",
    "threefold",
    "fivefold", "majority",
))  # fmt: skip
_NOUNS = (
    ("commit", r"commits?"),
    ("pull", r"(?:pull requests?|PRs?)"),
    ("issue", r"issues?"),
    ("release", r"(?:releases?|versions?)"),
    ("file", r"files?"),
    ("line", r"lines?"),
    ("person", r"(?:people|persons?|contributors?|authors?|developers?|others|newcomers?)"),
    ("fix", r"(?:fix(?:es)?|bugs?|bugfixes)"),
    ("feature", r"(?:features?|additions?)"),
    (
        "change",
        r"(?:changes?|updates?|things?|items?|improvements?|bumps?|upgrades?|entries|tweaks?|edits?|tasks?)",
    ),
    ("time", r"(?:minutes?|hours?|days?|weeks?|months?|years?|seconds?)"),
)
_NOUN = re.compile("|".join(rf"(?P<{name}>\b{form}\b)" for name, form in _NOUNS), re.I)
_AFTER = re.compile(
    rf"(?:\s+(?!(?:and|or|to|in|of|from|with|by|the|for)\b)[\w-]+){{0,3}}?\s+(?={_NOUN.pattern})", re.I
)
_ADDED = re.compile(
    r"\s*(?:lines?\s+)?(?:were |was )?(added|new|additions|insertions|removed|deleted|deletions)\b", re.I
)
_STOP = re.compile(r"[,;.:](?=\s|$)|\b(?:and|but|while)\b", re.I)
_CATEGORIES = {
    "breaking": "breaking", "feature": "feature", "fix": "fix", "bug": "fix", "documentation": "docs", "docs":
    "docs", "performance": "performance", "maintenance": "upkeep", "upkeep": "upkeep", "routine": "routine",
    "dependency": "routine", "smaller": "routine",
}  # fmt: skip


def numbers(said: Said) -> Faults:
    """Every number stands in the cited items, or counts what it says it counts."""
    rest = without_people(said)
    for check in (_dates, _hashes, _versions):
        faults, rest = check(said, rest)
        yield from faults
    for found in _NUMBER.finditer(rest):
        if (what := _read(found, rest)) is not None and not _is_borne(said, found, rest, what):
            yield Fault(
                Kind.NUMBER, f"says {found[0].strip()}, which is not borne out by {said.borne.called}"
            )
    for word in re.findall(r"[a-z]+", rest.casefold()):
        if word in _FACTORS and word not in said.borne.folded:
            yield Fault(Kind.NUMBER, f"says {word}, which does not stand in {said.borne.called}")
        if (
            word in _VAGUE
            and word not in said.borne.folded
            and len(said.borne.sources.digest.items) < _VAGUE[word]
        ):
            yield Fault(Kind.NUMBER, f"says {word}, which does not stand in {said.borne.called}")


def _dates(said: Said, text: str) -> tuple[list[Fault], str]:
    faults = []
    for found in _DATE.finditer(text):
        if found[0].casefold() not in said.borne.folded and not _is_day(said, found):
            faults.append(Fault(Kind.NUMBER, f"names {found[0]}, which is no day of {said.borne.called}"))
    return faults, _DATE.sub(GAP, text)


def _is_day(said: Said, found: re.Match[str]) -> bool:
    groups = {name[0]: value for name, value in found.groupdict().items() if value}
    month = groups.get("m", "")
    number = _MONTHS.get(month.capitalize()) or int(month)
    return any(
        day.month == number
        and int(groups.get("d", day.day)) == day.day
        and int(groups.get("y", day.year)) == day.year
        for day in _days(said)
    )


def _days(said: Said) -> Iterator[date]:
    """The days of the cited items, or the first and the last day of the digest where it is cited."""
    if said.borne.has_window or not said.borne.cited:
        window = said.borne.sources.digest.window
        yield from (window.since.date(), (window.until - timedelta(seconds=1)).date())
    yield from (source.item.date.date() for source in said.borne.cited if source.item.date)


def _hashes(said: Said, text: str) -> tuple[list[Fault], str]:
    known = {str(one.number) for s in said.borne.cited for one in (s.item, *s.item.closes)}
    known |= {next(filter(None, pair)) for pair in _HASH.findall(said.borne.text)}
    wrong = [n for pair in _HASH.findall(text) if (n := next(filter(None, pair))) not in known]
    faults = [Fault(Kind.UNKNOWN_REF, f"names #{n}, which is not in {said.borne.called}") for n in wrong]
    return faults, _HASH.sub(GAP, text)


def _versions(said: Said, text: str) -> tuple[list[Fault], str]:
    tags = {_version(s.item.ref[1:]) for s in said.borne.cited if s.item.kind == "release"}
    known = tags | {_version(found) for found in _VERSION.findall(said.borne.text)}
    faults = []
    for found in _VERSION.finditer(text):
        version = _version(found[0])
        beside = [v for unit in near(said, text, found.start()) for v in _VERSION.findall(unit.text)]
        if version not in tags and version not in map(_version, beside):
            instead = f" (it has {words.listed(sorted(known)[:3])})" if known else ""
            what = f"names version {found[0]}, which is not in {said.borne.called}{instead}"
            faults.append(Fault(Kind.VERSION, what))
    return faults, _VERSION.sub(GAP, text)


def near(said: Said, text: str, place: int) -> list[Unit]:
    """The statements of the cited items that speak most of what the clause at this place speaks of; all of
    them where it speaks of nothing."""
    start = max((found.end() for found in _STOP.finditer(text, 0, place)), default=0)
    end = next((found.start() for found in _STOP.finditer(text, place)), len(text))
    content = [
        word
        for word in parts(text[start:end])
        if len(word) > 2 and word.isalpha() and stem(word) not in common()
    ]
    units = [unit for unit in said.borne.units if unit is not said.borne.sources.window]
    scores = [sum(has(unit.stems, word) for word in content) for unit in units]
    best = max(scores, default=0)
    enough = max(best - 1, 0)
    return [unit for unit, score in zip(units, scores, strict=True) if score >= enough]


def _version(text: str) -> str:
    return text.casefold().removeprefix("v").rstrip("+.")


def _read(found: re.Match[str], text: str) -> str | None:
    """The number as digits; None for a `one` that counts nothing."""
    if found[2]:
        return found[2].replace(",", "")
    word = found[3].casefold()
    if word == "one" and not _noun(found, text):
        return None
    return str(_VALUES[word])


def _noun(found: re.Match[str], text: str) -> tuple[str, str] | None:
    """What the number counts, and the words before it; None where it counts nothing that is known."""
    between = _AFTER.match(text, found.end())
    if not between:
        return None
    counted = _NOUN.match(text, between.end())
    return (counted.lastgroup, between[0].casefold()) if counted and counted.lastgroup else None


def _is_borne(said: Said, found: re.Match[str], text: str, value: str) -> bool:
    if found[4]:
        return any(_holds(unit, value, f"{value}{_factor(found[4])}") for unit in said.borne.units)
    beside = [unit for unit in near(said, text, found.start()) if value in _numbers(unit.text)]
    changed = _ADDED.match(text, found.end())
    if found[1] or changed:
        removes = found[1] in ("-", "\u2212") if found[1] else changed and changed[1].casefold()[0] in "rd"
        same = changed is not None and any(changed[1].casefold() in unit.folded for unit in beside)
        return same or float(value) in set(_lines(said, bool(removes)))
    counted = _noun(found, text)
    if beside and (counted is None or counted[0] != "file" or any(_files_of(u, value) for u in beside)):
        return True
    return counted is not None and float(value) in set(_counts(said, *counted))


def _files_of(unit: Unit, value: str) -> bool:
    """Whether the statement has so many files: any other number of its text counts something else, and how
    many files an item changed is known."""
    numbers = (found for found in _NUMBER.finditer(unit.text) if _read(found, unit.text) == value)
    return any((counted := _noun(found, unit.text)) and counted[0] == "file" for found in numbers)


def _factor(mark: str) -> str:
    return "%" if mark.casefold() in ("%", "percent") else "x"


def _holds(unit: Unit, value: str, form: str) -> bool:
    flat = re.sub(r"\s?(?:percent\b|%)", "%", unit.folded)
    flat = re.sub(r"(?<=\d)\s?(?:×|x\b|times\b|fold\b)", "x", flat)
    return bool(re.search(rf"(?<![\d.,]){re.escape(form)}", flat))


def _numbers(text: str) -> set[str]:
    spelt = {str(_VALUES[word]) for word in re.findall(r"[a-z]+", text.casefold()) if word in _VALUES}
    # With what may be written close to it (`40ms`, `0A`), as they are read in a sentence.
    return spelt | {n.replace(",", "") for n in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", text)}


def _lines(said: Said, removes: bool) -> Iterator[int]:
    cited: list[DigestItem | Digest] = [source.item for source in said.borne.cited]
    things = [*cited, said.borne.sources.digest] if said.borne.has_window else cited
    for thing in things:
        count = thing.deletions if removes else thing.additions
        if count is not None:
            yield count


def _counts(said: Said, noun: str, before: str) -> Iterator[float]:
    """The numbers that may count this noun."""
    digest, cited = said.borne.sources.digest, [source.item for source in said.borne.cited]
    yield from _summed(digest, noun)
    if noun in ("pull", "issue", "commit", "release"):
        yield sum(item.kind == noun for item in cited)
        yield sum(item.kind == noun for item in digest.items)
    if noun == "issue":
        yield sum(item.kind == "issue" for item in cited) + sum(len(item.closes) for item in cited)
        yield len({one.ref for item in digest.items for one in (item, *item.closes) if one.kind == "issue"})
    if noun == "commit":
        yield sum(
            kind == "commit"
            for item in cited
            for kind, _ in (*item.folded, *([item.key] if item.key else []))
        )
    if noun == "person":
        yield from _people(said)
    if noun == "file":
        yield from _files(said, before)
    if noun == "line":
        yield from (*_lines(said, True), *_lines(said, False))
    if noun in ("fix", "feature", "change"):
        yield from _changes(said, noun, before)


def _summed(digest: Digest, noun: str) -> Iterator[int]:
    names = {"commit": "commit", "pull": "merged PR", "issue": "closed issue", "release": "release"}
    if found := re.search(rf"([\d,]+) {names.get(noun, GAP)}", digest.summary):
        yield int(found[1].replace(",", ""))


def _people(said: Said) -> Iterator[int]:
    everyone = len([p for p in said.borne.sources.digest.people if not p.is_bot])
    named = sum(name in said.text.casefold() for name in said.borne.sources.names)
    yield from (everyone, everyone - named, len(said.borne.people), len(said.borne.people) - named)


def _files(said: Said, before: str) -> Iterator[int]:
    """All files of the digest or of an item, or those of an item that the sentence does not name."""
    digest, rest = said.borne.sources.digest, "more" in before or "other" in before
    if digest.files_changed is not None and said.borne.has_window and not rest:
        yield digest.files_changed
    for source in said.borne.cited:
        if source.file_count is not None:
            yield source.file_count - (sum(path in said.text for path in source.paths) if rest else 0)


def _changes(said: Said, noun: str, before: str) -> Iterator[int]:
    """How many items are cited; of those with the category that the words before the noun name, there are; or
    that the post does not tell."""
    digest, cited = said.borne.sources.digest, said.borne.cited
    if cited:
        yield len(cited)
    named = [_CATEGORIES[word] for word in re.findall(r"[a-z]+", before) if word in _CATEGORIES]
    category = noun if noun != "change" else named[-1] if named else ""
    if category:
        yield sum(item.category == category for item in digest.items)
    if category in ("", "routine"):
        changes = [item for item in digest.items if item.kind != "release"]
        untold = [item for item in changes if item.ref not in said.borne.sources.told]
        for items in (changes, untold):
            routine = sum(item.is_routine for item in items)
            yield from (len(items), routine, len(items) - routine)
