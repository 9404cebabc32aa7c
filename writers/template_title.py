"""Titles that say what happened, made of the most important changes."""

import re
from collections.abc import Sequence

from lib import words
from models.values import Brief, DigestItem
from writers import template_text as text

GOOD_LENGTH = 90
"""Characters after which lists and search results cut a title."""

TAG_MAX = 40
"""Characters of a release's tag."""

PHRASE_MAX = 56
"""Characters of one change inside a title; longer ones are left to the text."""

_ADDED = re.compile(
    r"(?:add|introduce|implement|create|provide|ship|expose|new)\s+"
    r"(.+)", re.I
)  # fmt: skip
_SUPPORT_FOR = re.compile(r"(?:basic |initial |better )?support (?:for|of) (.+)", re.I)
_SUPPORT = re.compile(r"support (?:for )?((?:\S+ ){0,2}\S+)", re.I)
_FIX = re.compile(r"(?:fix|correct|repair)\s+(?:for\s+|up\s+|the\s+|an?\s+)*(.+)", re.I)
_CLAUSE = re.compile(
    r"\s*(?:\(.*|,? (?:based on|so that|because|when|if|while|instead of|rather than|as well)\b.*)$"
)


def name(brief: Brief) -> str:
    """How readers know the repository; a folder without a home page is known by its project's name."""
    digest = brief.digest
    known = digest.repository.rpartition("/")[2] if digest.url or "/" in digest.repository else brief.project
    return words.cut(text.plain(text.clean(known)).lstrip("#>*+-= "), text.NAME_MAX) or "The project"


def tag(item: DigestItem) -> str:
    """A release's tag, cut."""
    return words.cut(text.plain(text.clean(item.ref[1:])), TAG_MAX) or "a new version"


def subject(brief: Brief) -> str:
    """The name, with the versions that came out."""
    tags = [tag(item) for item in reversed(brief.digest.items) if item.kind == "release"]
    called = name(brief)
    if not tags:
        return called
    shown = words.listed(tags) if len(tags) < 3 else f"{tags[0]} to {tags[-1]}"
    return shown if shown.lower().startswith(called.lower()) else f"{called} {shown}"


def phrases(items: Sequence[DigestItem], most: int) -> list[str]:
    """What is new, as nouns (`TypeScript support`), the most important first; at most one of them is a
    fix.
    """
    found: list[str] = []
    for item in items:
        phrase = _phrase(item)
        is_second_fix = item.category == "fix" and any(p.startswith("a fix for") for p in found)
        if phrase and not is_second_fix and phrase.lower() not in (p.lower() for p in found):
            found.append(phrase)
    return found[:most]


def _phrase(item: DigestItem) -> str | None:
    title = _CLAUSE.sub("", text.plain(text.subject(item.title)))
    if item.category in ("feature", "breaking", "performance") and (added := _ADDED.fullmatch(title)):
        made = _supported(_SUPPORT_FOR.fullmatch(added[1])) or added[1]
    elif item.category in ("feature", "breaking") and (supported := _SUPPORT.fullmatch(title)):
        made = f"{supported[1]} support"
    elif item.category == "fix" and item.kind != "issue" and (fixed := _FIX.fullmatch(title)):
        made = f"a fix for {fixed[1]}"
    else:
        return None
    # Commas, colons and another `and` would read as the next thing in the list.
    return made if len(made) <= PHRASE_MAX and not re.search(r"[,:;…?!]| and ", made) else None


def _supported(found: re.Match[str] | None) -> str | None:
    if not found:
        return None
    return f"{found[1]} support" if found[1].count(" ") < 3 else f"support for {found[1]}"


def headline(brief: Brief, items: Sequence[DigestItem], most: int = 3) -> str:
    """`awesome-lib: TypeScript support, CI/CD pipeline and Node 18 support`; things are dropped where it
    grows too long, never words.
    """
    limit = min(brief.rules.title_max or GOOD_LENGTH, GOOD_LENGTH)
    about = subject(brief)
    for count in range(most, 0, -1):
        listing = words.listed(phrases(items, count))
        if listing and len(made := f"{about}: {listing}") <= limit:
            return made
    return _simple(brief, items, about, limit)


def named_last(brief: Brief, items: Sequence[DigestItem]) -> str:
    """`TypeScript support and CI/CD pipeline in awesome-lib`."""
    limit = min(brief.rules.title_max or GOOD_LENGTH, GOOD_LENGTH)
    about = subject(brief)
    for count in (2, 1):
        listing = words.listed(phrases(items, count))
        if listing and len(made := f"{text.capital(listing)} in {about}") <= limit:
            return made
    return _simple(brief, items, about, limit)


def _simple(brief: Brief, items: Sequence[DigestItem], about: str, limit: int) -> str:
    for item in items:
        told = text.plain(text.subject(item.title))
        if item.kind != "issue" and len(made := f"{about}: {told}") <= limit:
            return made
    if any(item.kind == "release" for item in brief.digest.items):
        return words.cut(f"{about} is out", limit)
    return words.cut(f"{about}: {brief.digest.summary}", limit)
