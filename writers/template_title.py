"""Titles that say what happened, made of the most important changes; of many, the first that is new."""

import re
from collections.abc import Collection, Iterator, Sequence

from lib import words
from models.values import WINDOW, Brief, DigestItem, Sentence
from writers import template_text as text
from writers.ledger_heads import same_title
from writers.template_kinds import is_dependency

GOOD_LENGTH = 90
"""Characters after which lists and search results cut a title."""

LOOKED_AT = 8
"""Changes that titles are made of."""

PHRASE_MAX = 56
"""Characters of one change inside a title; longer ones are left to the text."""

_TAG = re.compile(r"(?!.*(?:--|__|//|-_|_-|(?<![\w/])@[\w-]+(?![\w-]*[./])))(?=.*[^\W_])[\w.+/@-]{1,60}")
_DOMAIN = re.compile(r"[A-Za-z][\w-]*\.[A-Za-z]{2,}$")
_ADDED = re.compile(
    r"(?:add|introduce|implement|create|provide|ship|expose|new)\s+"
    r"(.+)", re.I
)  # fmt: skip
_SUPPORT_FOR = re.compile(r"(?:basic |initial |better )?support (?:for|of) (.+)", re.I)
_SUPPORT = re.compile(r"support (?:for )?((?:\S+ ){0,2}\S+)", re.I)
_FIX = re.compile(r"(?:fix|correct|repair)\s+(?:for\s+|up\s+)*(.+)", re.I)
_COUNTABLE = re.compile(
    r"\b(?:option|flag|setting|parameter|argument|command|subcommand|dashboard|plugin|page|button|field|form|view"
    r"|pipeline|method|function|helper|class|decorator|hook|endpoint|route|module|package|parser|client|server"
    r"|backend|cache|check|rule|switch|menu|dialog|widget|theme|mode|script|tool|adapter|driver|handler|middleware"
    r"|filter|tag|type|model|table|column|index|queue|worker|scheduler|limit|timeout|callback|event|signal|guide)$",
    re.I,
)
_POINTS = re.compile(
    r"\b(?:links?|paths?|references?|pointers?|access|responses?|answers?|fallbacks?|alias(?:es)?|upgrades?"
    r"|migrations?|changes?|fix(?:es)?) to ",
    re.I,
)
_DETERMINED = re.compile(
    r"(?:an?|the|some|more|new|its|this|any|all|no|one|two|three|both|basic|better|\d+|\w+s)\b", re.I
)
_VOWEL = re.compile(r"(?:[aeio]|u(?!s|ni|ti|r[il]))", re.I)
_CLAUSE = re.compile(
    r"\s*(?:\(.*|,? (?:based on|so that|because|when|if|while|instead of|rather than|as well)\b.*)$"
)


def name(brief: Brief) -> str:
    """How readers know the repository; a folder without a home page is known by its project's name."""
    digest = brief.digest
    known = digest.repository.rpartition("/")[2] if digest.url or "/" in digest.repository else brief.project
    if same_title(known) == same_title(brief.project):  # its own people know how it is written
        known = brief.project
    return words.cut(text.plain(text.clean(known)).lstrip("#>*+-= "), text.NAME_MAX) or "The project"


def tag(item: DigestItem) -> str:
    """A release's tag."""
    return item.ref[1:]


def releases(brief: Brief) -> list[DigestItem]:
    """Those with a tag that can be named, oldest first."""
    items = [item for item in brief.digest.items if item.kind == "release"]
    return [item for item in reversed(items) if _is_name(tag(item))]


def _is_name(tag: str) -> bool:
    is_plain = bool(_TAG.fullmatch(tag)) and not _DOMAIN.search(tag) and text.clean(tag) == tag
    return is_plain and not text.is_unfit(tag)


def subject(brief: Brief) -> str:
    """The name, with the versions that came out."""
    tags = [tag(item) for item in releases(brief)]
    called = name(brief)
    if not tags:
        return called
    shown = words.listed(tags) if len(tags) < 3 else f"{tags[0]} to {tags[-1]}"
    return shown if shown.lower().startswith(called.lower()) else f"{called} {shown}"


def phrase(item: DigestItem) -> str:
    """What it brings as a noun (`TypeScript support`); empty where its title gives none."""
    title = _CLAUSE.sub("", text.plain(text.subject(item.title)))
    if item.category in ("feature", "breaking", "performance") and (added := _ADDED.fullmatch(title)):
        made = _supported(_SUPPORT_FOR.fullmatch(added[1])) or _placed(added[1])
    elif item.category in ("feature", "breaking") and (supported := _SUPPORT.fullmatch(title)):
        made = f"{supported[1]} support"
    elif item.category == "fix" and item.kind != "issue" and (fixed := _FIX.fullmatch(title)):
        made = f"a fix for {fixed[1]}"
    else:
        return ""
    # Commas, colons and another `and` would read as the next thing in the list.
    return made if len(made) <= PHRASE_MAX and not re.search(r"[,:;…?!]| and |#\d", made) else ""


def _placed(noun: str) -> str:
    """`retries to the client` as readers call it: `retries in the client`."""
    return noun if _POINTS.search(noun) else re.sub(r" to (?=(?:the|its|our|all|every|each)\b)", " in ", noun)


def _supported(found: re.Match[str] | None) -> str | None:
    if not found:
        return None
    return f"{found[1]} support" if found[1].count(" ") < 3 else f"support for {found[1]}"


def with_article(noun: str) -> str:
    """`an option to …`, `a dashboard`; as it is where its noun is none of those that surely want one."""
    head = re.split(r"\s(?:to|for|of|in|on|with|from|that|when|at|by|per|as|without|via)\s|\s\(", noun)[0]
    if not _COUNTABLE.search(head) or _DETERMINED.match(noun):
        return noun
    return f"{'an' if _VOWEL.match(noun) else 'a'} {noun}"


def phrased(items: Sequence[DigestItem], most: int) -> list[tuple[str, DigestItem]]:
    """What is new, each with its item, the most important first; a fix only as the first or second. None
    where the most important change gives no noun: what comes after it is not the news.
    """
    found: dict[str, tuple[str, DigestItem]] = {}
    for item in items[:LOOKED_AT] if items and phrase(items[0]) else ():
        made = phrase(item)
        # A fix is news where there is little else.
        if made and not (item.category == "fix" and len(found) > 1):
            found.setdefault(made.casefold(), (made, item))
    return list(found.values())[:most]


def chosen(brief: Brief, refused: Collection[str], candidates: Iterator[Sentence]) -> Sentence:
    """The first that is neither too long nor one of the brief's earlier titles."""
    limit = min(brief.rules.title_max or GOOD_LENGTH, GOOD_LENGTH)
    fitting = [one for one in candidates if len(one.text) <= limit]
    return unsaid(brief, refused, fitting) or Sentence(words.cut(subject(brief), limit), (WINDOW,))


def unsaid(brief: Brief, refused: Collection[str], candidates: Sequence[Sentence]) -> Sentence | None:
    """The first that is not one of the brief's earlier titles, the last if all are; None of none. What was
    `refused` is no candidate."""
    candidates = [one for one in candidates if one.text not in refused]
    earlier = {same_title(one) for one in brief.earlier_titles}
    new = (one for one in candidates if same_title(one.text) not in earlier)
    return next(new, candidates[-1] if candidates else None)


def article(
    brief: Brief, items: Sequence[DigestItem], later: Sequence[DigestItem] = ()
) -> Iterator[Sentence]:
    """`Huey 3.2.1: Django admin dashboard and option to ignore intermediate errors`, the best first; things
    are dropped where it grows too long, never words. `later`: what no release that is named can have.
    """
    about = subject(brief)
    refs = [item.ref for item in releases(brief)]
    for listing, cited in listings(items):
        yield Sentence(f"{about}: {listing}", (*refs, *cited))
    yield from _plain(brief, items, about, refs)
    yield from _plain(brief, later, name(brief), [])


def update(brief: Brief, items: Sequence[DigestItem], later: Sequence[DigestItem] = ()) -> Iterator[Sentence]:
    """`TypeScript support and CI/CD pipeline in awesome-lib`, the best first."""
    about = subject(brief)
    refs = [item.ref for item in releases(brief)]
    for listing, cited in listings(items):
        if listing.count(" and ") + listing.count(",") < 2:
            yield Sentence(f"{text.capital(listing)} in {about}", (*refs, *cited))
    for item in items[:LOOKED_AT]:
        if refs and item.kind != "issue":
            said = text.plain(text.lowered(text.subject(item.title)))
            yield Sentence(f"{about} {'is' if len(refs) == 1 else 'are'} out: {said}", (*refs, item.ref))
    yield from _plain(brief, items, about, refs)
    yield from _plain(brief, later, name(brief), [])


def listings(items: Sequence[DigestItem]) -> Iterator[tuple[str, list[str]]]:
    """The first three things, fewer of them, then the same from the second and later ones on."""
    known = phrased(items, LOOKED_AT)
    for start in range(max(len(known), 1)):
        for count in range(min(3, len(known) - start), 0, -1):
            some = known[start : start + count]
            yield words.listed([made for made, _ in some]), [item.ref for _, item in some]


def _plain(brief: Brief, items: Sequence[DigestItem], about: str, refs: Sequence[str]) -> Iterator[Sentence]:
    if items and all(is_dependency(item) for item in items):
        updates = words.plural(len(items), "dependency update")
        yield Sentence(f"{about}: {updates}", (*refs, *(item.ref for item in items)))
    for item in items[:LOOKED_AT]:
        if item.kind != "issue":
            said = text.plain(text.told(item.title, past=False))
            yield Sentence(f"{about}: {said}", (*refs, item.ref))
    if refs:
        yield Sentence(f"{about} {'is' if len(refs) == 1 else 'are'} out", tuple(refs))
    yield Sentence(f"{about}: {brief.digest.words}", (*refs, WINDOW))
    yield Sentence(f"{about}: {brief.digest.summary} in {brief.digest.words}", (*refs, WINDOW))
