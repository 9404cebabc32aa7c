"""Checks of what a sentence names: people, code and files, addresses, and words that it quotes."""

import re
from functools import lru_cache

from lib import words
from lib.masking import mask
from writers.ledger_orders import is_order
from writers.ledger_said import GAP, Fault, Faults, Kind, Said, masked, stands_in
from writers.ledger_words import common, has, stem

_TOP = (
    "com|net|org|info|biz|xyz|ru|cn|link|click|top|site|online|shop|example"
    "|dev|app|me|co|io|ai|evil|test|ly|gg|cc|tk"
)
_ADDRESS = re.compile(
    r"(?<![a-z\d+.-])[a-z][a-z\d+.-]*:/{1,3}[^\s<>()\[\]\"'`]+|\bwww\.[^\s<>()\[\]\"'`]+"
    r"|(?<!\w)/{2}[\w-]+\.[^\s<>()\[\]\"'`]+|\b(?:mailto|javascript|vbscript|data|file|tel):(?=\S)[^\s<>()\[\]\"'`]*",
    re.IGNORECASE,
)
_DOMAIN = re.compile(
    rf"(?<![\w.@/-])(?:[a-z0-9](?:[\w-]*\w)?\.)+(?:{_TOP})(?![\w.-]*\w)(?:/[^\s<>()\[\]]*)?", re.IGNORECASE
)
_KNOWN_DOMAINS = re.compile(r"(?:socket|draw|asp|ado|vb|crates|dev)\.(?:io|net|to)", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"\][(\[]|^\s*\[[^\]]+\]:|<[a-z]+:")
_MENTION = re.compile(r"(?<![\w/])[@＠][\w-]+(?![\w-]*(?:[(/]|\.\w))")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<!|<\?|!\[|</?(?:script|img|iframe|svg|style)\b", re.IGNORECASE)
_LIQUID = re.compile(r"\{%|%\}|\{\{|\}\}")
_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^„“”]+)[“”]|«([^«»]+)»|‘([^‘’]{3,})’(?!\w)")
_CREDIT = re.compile(
    r"\b(by|thanks to|thank|kudos to|credits? to|courtesy of|shout-?out to)\s+([^\W\d_][\w'’.-]*)",
    re.IGNORECASE,
)
_DOER = re.compile(
    r"(?:^|[.:;,]\s+|\band\s+)([^\W\d_][\w'’-]+)\s+"
    r"(?:did|made|wrote|added|fixed|contributed|reported|implemented|helped|found|brought|opened|reviewed|merged)\b"
)
_NOT_PEOPLE = frozenset(
    (
        "default",
        "hand",
        "name",
        "design",
        "mistake",
        "accident",
        "itself",
        "themselves",
        "means",
        "way",
        "date",
        "size",
    )
)
"""What else is said to be done by."""
_EXTENSIONS = (
    "py|pyi|js|jsx|mjs|ts|tsx|md|rst|toml|json|ya?ml|cfg|ini|txt|go|rs|rb|html|css|lock|sh|sql|c|h|cpp"
    "|java|kt|php|xml"
)
_IDENTIFIER = re.compile(
    r"(?<![\w/.@-])(?:"
    r"--[a-z][\w-]*"
    r"|@[\w-]+(?:[./][\w-]+)+"
    r"|[\w.]*[A-Za-z\d]_\w+(?:\(\))?"
    r"|\.?[A-Za-z][\w.]*\(\)"
    r"|\.?(?:[\w.-]+/)+[\w.-]*\w"
    rf"|[\w.-]*\w\.(?:{_EXTENSIONS})"
    r"|[A-Za-z]\w*(?:\.[A-Za-z_]\w+)+"
    r")(?![\w/])"
)

_FIRST_TIME = re.compile(
    r"\b(?:first[ -](?:ever )?(?:time|contribut\w*|pull requests?|commits?|PRs?)|new ?comers?"
    r"|new contributors?|newly joined|joins? (?:us|the project))\b",
    re.I,
)


def people(said: Said) -> Faults:
    """Credit goes to those whose work the cited items are, and to nobody that the digest does not know."""
    known, allowed = said.borne.sources.names, said.borne.people
    for folded in _named(said):
        if folded in allowed or _is_word(folded, said):
            continue
        yield Fault(Kind.PERSON, f"names {known[folded]}, who has no part in {said.borne.called}")
    rest = without_people(said)
    for part in re.findall(r"(?<!\w)[^\W\d_][\w'’-]{2,}", rest):
        owners = [name for name in known if part.casefold() in name.split()]
        if owners and part[0].isupper() and allowed.isdisjoint(owners) and not _is_word(part, said):
            yield Fault(Kind.PERSON, f"names {part}, who has no part in {said.borne.called}")
    for found in _CREDIT.finditer(rest):
        if _is_unknown_person(found[2], found.end(), rest, said):
            yield Fault(Kind.PERSON, f"credits {found[2]}, whom the digest does not know")
    for name in _DOER.findall(rest):
        if stem(name) not in common() and not has(said.borne.stems, name):
            yield Fault(Kind.PERSON, f"credits {name}, whom the digest does not know")


def newcomers(said: Said) -> Faults:
    """Only who is known to contribute for the first time is said to."""
    if not _FIRST_TIME.search(said.plain):
        return
    known = {name.casefold() for name in said.borne.sources.digest.newcomers}
    named = _named(said)
    others = [said.borne.sources.names[folded] for folded in named if folded not in known]
    if others:
        yield Fault(Kind.PERSON, f"calls {words.listed(others)} new, of whom that is not known")
    elif not named and not known:
        yield Fault(Kind.PERSON, "speaks of somebody new, of whom nobody knows")


def _named(said: Said) -> list[str]:
    low = said.plain.casefold()
    return [name for name in said.borne.sources.names if name in low and _names(said.plain, name, said)]


def _names(text: str, folded: str, said: Said) -> bool:
    """Whether the person is named; a name that is a common word has to stand as it is written."""
    if stem(folded) in common():
        return stands_in(text, said.borne.sources.names[folded]) and not folded.islower()
    return stands_in(text.casefold(), folded)


def _is_word(name: str, said: Said) -> bool:
    return " " not in name and has(said.borne.stems, name)


def _is_unknown_person(name: str, end: int, text: str, said: Said) -> bool:
    name = name.rstrip(".'’")
    if name.casefold() in said.borne.sources.bots:
        return True
    if stem(name) in common() or name.casefold() in _NOT_PEOPLE or has(said.borne.stems, name):
        return False
    # `by using x` is no credit, `by mallory.` is one.
    return name[0].isupper() or (not name.endswith("ing") and not re.match(r"\s+\w", text[end:]))


def without_people(said: Said) -> str:
    """The sentence's plain prose with gaps for the people it names; what they are called claims nothing."""
    return _without(said.plain, tuple(sorted(_named(said), key=len, reverse=True)))


@lru_cache(maxsize=500)
def _without(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        text = masked(text, name)
    return text


def addresses(said: Said) -> Faults:
    """The only addresses are the repository's own; nobody is mentioned by @."""
    own = _own(said)
    whole = "\n".join([said.prose, *said.codes])
    for address in [*_ADDRESS.findall(whole), *_EMAIL.findall(said.prose)]:
        if address.rstrip("/.,;:!?*_)") not in own:
            yield Fault(
                Kind.ADDRESS, f"has the address {address[:80]}, and only the repository's own may stand there"
            )
    rest = _EMAIL.sub(GAP, _ADDRESS.sub(GAP, said.prose))
    rest = rest if said.borne.sources.brief.rules.markdown else "\n".join([rest, *said.codes])
    for domain in _DOMAIN.findall(rest):
        if not _KNOWN_DOMAINS.fullmatch(domain):
            yield Fault(
                Kind.ADDRESS, f"has the address {domain[:80]}, and only the repository's own may stand there"
            )
    if _LINK.search(said.prose):
        yield Fault(Kind.ADDRESS, "makes a link itself, and links are made from refs")
    for mention in _MENTION.findall(_EMAIL.sub(GAP, said.prose)):
        yield Fault(Kind.ADDRESS, f"mentions {mention[:80]}, and nobody is mentioned by @")


def code_addresses(said: Said) -> Faults:
    """What readers would take for an address though no scheme stands before it, in a block of code."""
    for code in said.codes:
        for address in [*_EMAIL.findall(code), *_DOMAIN.findall(code)]:
            if "/" in address or "@" in address:
                yield Fault(Kind.ADDRESS, f"has the address {address[:80]} in it")


def _own(said: Said) -> set[str]:
    digest = said.borne.sources.digest
    urls = [digest.url, *(source.item.url for source in said.borne.cited)]
    return {url.rstrip("/") for url in urls if url}


def markup(said: Said) -> Faults:
    """Nothing in a sentence acts: no HTML, no images, no template language."""
    if found := _MARKUP.search(said.prose):
        yield Fault(Kind.MARKUP, f"has markup in it: {found[0][:40]}")
    if (found := _LIQUID.search(said.prose)) and found[0] not in said.borne.text:
        yield Fault(Kind.MARKUP, f"has markup in it: {found[0]}")


def quotes(said: Said) -> Faults:
    """What stands in quotation marks stands in a source, word for word."""
    for found in _QUOTED.finditer(said.whole):
        quoted = next(filter(None, found.groups())).strip()
        if not _is_quoted(quoted.rstrip(".,;:!?…"), said):
            yield Fault(Kind.QUOTE, f"quotes “{quoted[:80]}”, which does not stand in {said.borne.called}")


def _is_quoted(quoted: str, said: Said) -> bool:
    brief = said.borne.sources.brief
    own = f"{brief.project}\n{brief.digest.repository}\n{brief.digest.words}".casefold()
    wanted = _flat(quoted)
    return not wanted or stands_in(_flat(said.borne.folded), wanted) or stands_in(_flat(own), wanted)


def _flat(text: str) -> str:
    return " ".join(re.sub(r"[“”„«»\"'‘’`]", "'", text.casefold()).split())


def code(said: Said) -> Faults:
    """Names of code, files and options stand in the cited items as they are written."""
    for name in said.codes:
        if not has_code(said, name):
            yield Fault(Kind.CODE, f"names `{name[:80]}`, which does not stand in {said.borne.called}")
    for found in _IDENTIFIER.finditer(said.plain):
        name = found[0].rstrip(".")
        if not has_code(said, name) and not _is_prose(name, said):
            yield Fault(Kind.CODE, f"names {name[:80]}, which does not stand in {said.borne.called}")


def has_code(said: Said, name: str) -> bool:
    """Whether the name stands in what is cited; a folder where a path begins with it."""
    wanted = " ".join(name.split()).rstrip("/")
    digest = said.borne.sources.digest
    # A sentence may begin with it; else its letters are small or large as they are in the source.
    inside = wanted[:1].lower() + wanted[1:]
    return (
        stands_in(said.borne.text, wanted)
        or stands_in(said.borne.text, inside)
        or wanted in (digest.repository, digest.repository.rpartition("/")[2])
        or any(stands_in(_raw(source.item.title, source.item.body), wanted) for source in said.borne.cited)
    )


def _raw(title: str, body: str) -> str:
    return "" if is_order(title) or is_order(body) else f"{title}\n{' '.join(body.split())}"


def _is_prose(name: str, said: Said) -> bool:
    """`CI/CD` and `and/or` only look like paths."""
    halves = [half for half in re.split(r"[/.]", name) if half]
    is_path = "_" in name or "(" in name or "." in name.replace("...", "") or name.startswith("-")
    return not is_path and all(stem(h) in common() or has(said.borne.stems, h) for h in halves)


def without_code(said: Said, text: str) -> str:
    """The text with gaps for the names of code that stand in it without backticks."""
    return _IDENTIFIER.sub(lambda found: GAP if has_code(said, found[0].rstrip(".")) else found[0], text)


def secrets(said: Said) -> Faults:
    """Nothing that looks like a secret is ever told."""
    if mask(said.text) != said.text:
        yield Fault(Kind.SECRET, "has something in it that looks like a secret")


def orders(said: Said) -> Faults:
    """A post tells; it gives no orders, least of all those that somebody planted in the activity."""
    if is_order(said.whole):
        yield Fault(Kind.ORDER, "gives an order to its reader or to a machine")
