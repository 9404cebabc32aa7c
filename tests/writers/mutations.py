"""Ways in which a true post becomes a false one: each changes one sentence, or takes one away.

A mutation answers the false manuscript and what its reader would see of the lie, or None where the post has
nothing for it to work on. Whether a lie happens to be harmless is decided by `harmless`, which knows nothing
of the ledger: by whether the cited items' own words, as they are written, bear the changed thing as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from models.values import WINDOW, Block, Brief, DigestItem, Manuscript, Sentence

NAMES = ("Mallory Quist", "Evan Stone", "torvalds", "Grace Hopper")
INVENTED = (
    "A dark mode is available in the settings.",
    "Users can export their data to CSV and Excel.",
    "The dashboard has a new GraphQL API.",
    "Kubernetes deployments scale on their own.",
    "A plugin marketplace lets you install extensions.",
    "Login with passkeys works on every device.",
    "Telemetry can be turned off per tenant.",
    "The mobile app syncs in the background.",
)
CLAUSES = (
    " with automatic schema migration",
    " and a WebSocket gateway",
    ", which makes cold starts cheaper on AWS Lambda",
    " using a machine-learning model",
    " with end-to-end encryption",
)
FUTURE = (
    "The next release will bring this to Windows.",
    "More of this is coming soon.",
    "It is on our roadmap for the winter.",
    "We plan to build on this.",
    "Stay tuned for the rest.",
    "Support for more platforms is planned.",
)
METRICS = (" It is 73% faster.", " It is twice as fast.", " It saves 12 GB of memory.", " It is 9x smaller.")
WORN = (
    "We are thrilled to share this.",
    "This is a game changer.",
    "It works seamlessly.",
    "Let's dive into it.",
)
URLS = (
    "https://evil.example/x",
    "www.evil.example",
    "evil.com",
    "http://198.51.100.7/a",
    "mailto:a@evil.example",
)
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.example/p.png)",
    "<b>now</b>",
)
PERIODS = ("this month", "today", "yesterday", "over the past year", "in the last quarter")
FLIPS = (
    ("added", "removed"), ("add", "remove"), ("adds", "removes"), ("removed", "added"), ("fixed", "broke"),
    ("fixes", "breaks"), ("fix", "break"), ("no longer", "always"), ("faster", "slower"),
    ("supported", "deprecated"),
    ("enabled", "disabled"), ("allowed", "forbidden"), ("renamed", "removed"), ("updated", "removed"),
    ("released", "reverted"), ("closes", "reopens"), ("drop", "add"), ("dropped", "added"),
    ("merged", "reverted"),
    ("works", "does not work"), ("now", "not"), ("use", "disable"), ("uses", "removes"),
    ("shuts", "never shuts"),
)  # fmt: skip
LITTLE = {"more", "with", "from", "into", "that", "this", "when", "have", "also"}
_NUMBER = re.compile(r"(?<![\w.,/#-])\d+(?:,\d{3})*(?![\w.,]*\d|[\w/])")
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_CODE = re.compile(r"`([^`]+)`")
_QUOTE = re.compile(r"“([^”]+)”|\"([^\"]+)\"")


@dataclass(frozen=True)
class Spot:
    """One sentence of a manuscript, by its place."""

    block: int
    sentence: int


@dataclass(frozen=True)
class Mutant:
    """A false manuscript. `lie` is what was put in, or the ref that was taken out; `said` the sentence that
    was changed, and `false` what became of it."""

    kind: str
    manuscript: Manuscript
    lie: str
    said: Sentence
    false: Sentence


Mutation = Callable[[Random, Brief, Manuscript], "Mutant | None"]


def spots(made: Manuscript) -> list[Spot]:
    return [
        Spot(b, s)
        for b, block in enumerate(made.blocks)
        if block.kind in ("paragraph", "bullet")
        for s, _ in enumerate(block.sentences)
    ]


def at(made: Manuscript, spot: Spot) -> Sentence:
    return made.blocks[spot.block].sentences[spot.sentence]


def put(made: Manuscript, spot: Spot, *new: Sentence) -> Manuscript:
    block = made.blocks[spot.block]
    sentences = (*block.sentences[: spot.sentence], *new, *block.sentences[spot.sentence + 1 :])
    blocks = (*made.blocks[: spot.block], Block(block.kind, sentences), *made.blocks[spot.block + 1 :])
    return replace(made, blocks=blocks)


def _some(rng: Random, made: Manuscript, fits: Callable[[Sentence], object]) -> Spot | None:
    found = [spot for spot in spots(made) if fits(at(made, spot))]
    return rng.choice(found) if found else None


def _about_items(said: Sentence) -> bool:
    return any(ref != WINDOW for ref in said.refs)


def _changed(kind: str, made: Manuscript, spot: Spot, text: str, lie: str, refs=None) -> Mutant:
    said = at(made, spot)
    false = replace(said, text=text, refs=said.refs if refs is None else refs)
    return Mutant(kind, put(made, spot, false), lie, said, false)


def _inserted(kind: str, rng: Random, made: Manuscript, text: str, lie: str) -> Mutant | None:
    """A sentence of its own behind one about an item, whose refs it borrows."""
    spot = _some(rng, made, _about_items)
    if spot is None:
        return None
    said = at(made, spot)
    false = Sentence(text, said.refs)
    return Mutant(kind, put(made, spot, said, false), lie, said, false)


def _prose(pattern: re.Pattern[str]) -> Callable[[Sentence], object]:
    return lambda said: pattern.search(_CODE.sub("", said.text))


def _sub(text: str, found: re.Match[str], new: str) -> str:
    return text[: found.start()] + new + text[found.end() :]


def number(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, lambda said: _NUMBER.search(_blank(said.text)))
    if spot is None:
        return None
    text = at(made, spot).text
    found = rng.choice(list(_NUMBER.finditer(_blank(text))))
    value = int(found[0].replace(",", ""))
    new = str(rng.choice([value + rng.randint(1, 9), value * 10 + rng.randint(1, 9), value + 100]))
    return _changed("number", made, spot, _sub(text, found, new), new)


def _blank(text: str) -> str:
    """The text with code and refs blanked out, its length kept."""
    return re.sub(r"`[^`]*`|\[[^\]]*\]", lambda found: "\u2003" * len(found[0]), text)


def version(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, lambda said: _VERSION.search(_blank(said.text)))
    if spot is None:
        return None
    text = at(made, spot).text
    found = rng.choice(list(_VERSION.finditer(_blank(text))))
    head, _, last = found[0].rpartition(".")
    new = f"{head}.{int(last) + rng.randint(1, 9)}"
    return _changed("version", made, spot, _sub(text, found, new), new)


def foreign_ref(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, _about_items)
    if spot is None:
        return None
    ref = rng.choice(["PR99998", "I99997", "Cdeadbeef", "Rv99.0"])
    text = re.sub(r"\[[^\]]+\]", f"[{ref}]", at(made, spot).text)
    return _changed("foreign ref", made, spot, text, ref, (ref,))


def foreign_number(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    return _inserted("foreign number", rng, made, "See also #99998 for this change.", "#99998")


def swapped_ref(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, lambda said: _about_items(said) and "[" not in said.text)
    if spot is None:
        return None
    said = at(made, spot)
    others = [item.ref for item in brief.digest.items if item.ref not in said.refs]
    return (
        _changed("swapped ref", made, spot, said.text, said.text, (rng.choice(others),)) if others else None
    )


def no_ref(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, lambda said: "[" not in said.text)
    return _changed("no ref", made, spot, at(made, spot).text, at(made, spot).text, ()) if spot else None


def swapped_person(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    names = [p.name for p in brief.digest.people]
    spot = _some(rng, made, lambda said: _about_items(said) and any(name in said.text for name in names))
    if spot is None or len(names) < 2:
        return None
    text = at(made, spot).text
    old = rng.choice([name for name in names if name in text])
    new = rng.choice([name for name in names if name not in text] or [""])
    return _changed("swapped person", made, spot, text.replace(old, new), new) if new else None


def invented_person(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, _about_items)
    if spot is None:
        return None
    name, text = rng.choice(NAMES), at(made, spot).text
    way = rng.choice(
        [
            f"{text.rstrip('.')}, by {name}.",
            f"{text.rstrip('.')}, thanks to {name}.",
            f"{name} did this: {text}",
        ]
    )
    return _changed("invented person", made, spot, way, name)


def path(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    return _code(rng, made, "path", lambda name: "/" in name or re.search(r"\.\w+$", name))


def identifier(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    return _code(rng, made, "identifier", lambda name: "/" not in name)


def _code(rng: Random, made: Manuscript, kind: str, fits: Callable[[str], object]) -> Mutant | None:
    spot = _some(rng, made, lambda said: any(fits(name) for name in _CODE.findall(said.text)))
    if spot is None:
        return None
    text = at(made, spot).text
    old = rng.choice([name for name in _CODE.findall(text) if fits(name)])
    place = rng.randrange(len(old))
    new = old[:place] + rng.choice("qxz") + old[place + rng.randint(0, 1) :]
    return None if new == old else _changed(kind, made, spot, text.replace(f"`{old}`", f"`{new}`"), new)


def bare_path(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    new = rng.choice(
        ["src/secret/keys.py", "config/prod.yaml", "get_admin_token()", "--unsafe-mode", "LEGACY_FLAG"]
    )
    return _inserted("path without backticks", rng, made, f"The change is in {new}.", new)


def url(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, _about_items)
    lie = rng.choice(URLS)
    text = at(made, spot).text.rstrip(".") if spot else ""
    way = rng.choice(
        [f"{text}, see {lie}.", f"{text} [here]({lie}).", f"{text} <{lie}>.", f"{text} (`{lie}`)."]
    )
    if not spot or ("`" in way and "://" not in lie and "mailto" not in lie and "www" not in lie):
        return None
    return _changed("address", made, spot, way, lie)


def mention(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(["@torvalds", "@acme-team", "@everyone"])
    return _inserted("mention", rng, made, f"Thanks to {lie} for this change.", lie)


def feature(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(INVENTED)
    return _inserted("feature", rng, made, lie, lie)


def feature_clause(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, _about_items)
    if spot is None:
        return None
    lie = rng.choice(CLAUSES)
    return _changed("feature in a clause", made, spot, at(made, spot).text.rstrip(".") + lie + ".", lie)


def roadmap(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(FUTURE)
    return _inserted("roadmap", rng, made, lie, lie)


def metric(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(METRICS).strip()
    return _inserted("metric", rng, made, lie, lie)


def must_mention_gone(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    must = [i.ref for i in brief.digest.items if i.kind == "release" or i.category == "breaking"]
    if not must:
        return None
    ref = rng.choice(must)
    blocks = tuple(
        Block(b.kind, tuple(s for s in b.sentences if ref not in s.refs and f"[{ref}]" not in s.text))
        for b in made.blocks
    )
    gone = Sentence("", (ref,))
    return Mutant(
        "must-mention left out",
        replace(made, blocks=tuple(b for b in blocks if b.sentences)),
        ref,
        gone,
        gone,
    )


def polarity(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    found = [
        (spot, old, new)
        for spot in spots(made)
        for old, new in FLIPS
        if _about_items(at(made, spot)) and re.search(rf"\b{old}\b", _blank(at(made, spot).text), re.I)
    ]
    if not found:
        return None
    spot, old, new = rng.choice(found)
    match = re.search(rf"\b{old}\b", _blank(at(made, spot).text), re.I)
    assert match
    new = new.capitalize() if match[0][0].isupper() else new
    return _changed("polarity", made, spot, _sub(at(made, spot).text, match, new), new)


def negated(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    verbs = re.compile(r"\b(is|are|was|were|can|now|uses?|waits?|explains?)\b")
    spot = _some(rng, made, lambda said: _about_items(said) and verbs.search(_blank(said.text)))
    if spot is None:
        return None
    text = at(made, spot).text
    match = verbs.search(_blank(text))
    assert match
    return _changed("negation", made, spot, _sub(text, match, f"{match[0]} not"), "not")


def quote(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, lambda said: _QUOTE.search(said.text))
    if spot is None:
        return _inserted("quote", rng, made, "The author says “this was long overdue”.", "long overdue")
    text = at(made, spot).text
    match = _QUOTE.search(text)
    assert match
    inner = (match[1] or match[2]).split(" ")
    inner[rng.randrange(len(inner))] = "really"
    return _changed("quote", made, spot, _sub(text, match, f"“{' '.join(inner)}”"), "really")


def banned(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(WORN)
    return _inserted("worn phrase", rng, made, lie, lie)


def markup(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    spot = _some(rng, made, _about_items)
    lie = rng.choice(MARKUP)
    return _changed("markup", made, spot, f"{at(made, spot).text} {lie}", lie) if spot else None


def period(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    lie = rng.choice(PERIODS)
    return _inserted("period", rng, made, f"All of it happened {lie}.", lie)


def code_block(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    found = [b for b, block in enumerate(made.blocks) if block.kind == "code"]
    if not found:
        return None
    spot = Spot(rng.choice(found), 0)
    text = at(made, spot).text
    place = rng.randrange(len(text))
    new = text[:place] + "z" + text[place:]
    return _changed("code block", made, spot, new, new)


def title(rng: Random, brief: Brief, made: Manuscript) -> Mutant | None:
    old = made.title
    new = rng.choice(
        ["Everything is new in version 99.9", "x" * 300, "", "We rewrote it in Rust", "The best release ever"]
    )
    false = replace(old, text=new)
    return Mutant("title", replace(made, title=false), new, old, false)


MUTATIONS: tuple[Mutation, ...] = (
    number, version, foreign_ref, foreign_number, swapped_ref, no_ref, swapped_person, invented_person, path,
    identifier, bare_path, url, mention, feature, feature_clause, roadmap, metric, must_mention_gone,
    polarity,     negated, quote, banned, markup, period, code_block, title,
)  # fmt: skip


def harmless(mutant: Mutant, brief: Brief) -> bool:
    """Whether the false sentence is none: the cited items' own words bear what was changed as well.

    - swapped ref: each word of four letters or more that the right items have, the other has, too (but for
      `more`, `with` and their like);
    - swapped person: the other one made one of the cited items;
    - number, version: it stands in a cited item, followed by the same word;
    - polarity: the new word stands in a cited item's title, or it says how many lines were added and removed,
      and that many were.
    """
    items = {one.ref: one for item in brief.digest.items for one in (*item.closes, item)}
    right = _written([items[ref] for ref in mutant.said.refs if ref in items])
    cited = [items[ref] for ref in mutant.false.refs if ref in items]
    now = _written(cited)
    if mutant.kind == "swapped ref":
        words = {
            word for word in re.findall(r"[a-z]{4,}", mutant.said.text.lower()) if word[:4] in right
        } - LITTLE
        return all(word[:4] in now for word in words)
    if mutant.kind == "swapped person":
        return any(person.name == mutant.lie for item in cited for person in item.people)
    if mutant.kind in ("number", "version"):
        after = mutant.false.text.partition(mutant.lie)[2].split()
        follows = re.escape(after[0].strip(".,:;").lower()) if after else ""
        return bool(re.search(rf"(?<![\d.]){re.escape(mutant.lie)}(?![\d.]*\d)\W*{follows}", now))
    if mutant.kind == "polarity":
        told = re.findall(r"(\d+)(?: lines?)? (added|removed)", mutant.false.text)
        lines = [
            int(n) == getattr(cited[0], "additions" if did == "added" else "deletions") for n, did in told
        ]
        return (bool(lines) and all(lines)) or any(mutant.lie.lower()[:4] in i.title.lower() for i in cited)
    return False


def _written(items: list[DigestItem]) -> str:
    texts = [
        text
        for item in items
        for text in (item.title, item.body, *item.files, *item.labels, *(p.name for p in item.people))
    ]
    return "\n".join(texts).lower()
