"""What code adds to a manuscript: what must be mentioned and is not, and a title where there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lib import words
from models.values import Block, Brief, DigestItem, Manuscript, Sentence
from writers import template_text as text
from writers.ledger_heads import same_title
from writers.ledger_sources import by_ref, factual, must_mention
from writers.ledger_text import cited

ADDED_MAX = 12
"""Sentences that are added, one for each; what is more is told together in the last."""


def completed(brief: Brief, manuscript: Manuscript) -> tuple[Manuscript, list[str]]:
    """The manuscript with a sentence for each release and breaking change that it does not mention, and with
    a title; and a remark for each of them.

    The sentences are made of the items' own titles, without what gives orders or leads away, so that they
    need no audit.
    """
    untold = missing(brief, manuscript)
    added = [*_each(brief, untold[:ADDED_MAX]), *_rest(untold[ADDED_MAX:])]
    remarks = [f"Added, for it must be mentioned: {words.listed([one.ref for one in untold[:ADDED_MAX]])}."]
    made = replace(manuscript, blocks=_with(manuscript.blocks, added)) if added else manuscript
    remarks = remarks if added else []
    if brief.rules.title_max and not made.title.text.strip():
        made = replace(made, title=_title(brief))
        remarks.append("The title was made of the most important change.")
    return made, remarks


def missing(brief: Brief, manuscript: Manuscript) -> list[DigestItem]:
    """What must be mentioned, and is cited by no sentence of the manuscript's text."""
    known = by_ref(brief.digest)
    sentences = [s for block in manuscript.blocks if block.kind != "heading" for s in block.sentences]
    told = {ref for sentence in sentences for ref in cited(sentence, known)}
    return [item for item in must_mention(brief.digest) if item.ref not in told]


def _each(brief: Brief, items: Sequence[DigestItem]) -> Iterator[Block]:
    for item in items:
        yield Block("bullet", (Sentence(_sentence(brief, item), (item.ref,)),))


def _rest(items: Sequence[DigestItem]) -> Iterator[Block]:
    if items:
        refs = tuple(item.ref for item in items)
        yield Block(
            "bullet", (Sentence(f"And {words.plural(len(items), 'more change')} of this kind.", refs),)
        )


def _sentence(brief: Brief, item: DigestItem) -> str:
    said = told(item)
    if item.kind == "release":
        return f"Released: [{item.ref}]."
    return f"Breaking change: {said}." if said else "A breaking change."


def told(item: DigestItem) -> str:
    """An item's title as a sentence may quote it; empty where nothing of it may be told."""
    title = text.subject(factual(item.title)) if factual(item.title) else ""
    return title.replace("[", "(").replace("]", ")").replace("*", "").rstrip(".")


def _with(blocks: Sequence[Block], added: Sequence[Block]) -> tuple[Block, ...]:
    """After the opening paragraph, where they are seen."""
    at = 1 if blocks and blocks[0].kind == "paragraph" else 0
    return (*blocks[:at], *added, *blocks[at:])


def _title(brief: Brief) -> Sentence:
    """The first of the items' titles that fits and was no title yet; the repository with its period
    otherwise."""
    used = set(map(same_title, brief.earlier_titles))
    name = text.clean(brief.digest.repository.rpartition("/")[2]) or "News"
    for item in brief.digest.items:
        made = f"{name} {item.ref[1:]} is out" if item.kind == "release" else f"{name}: {told(item)}"
        if told(item) and len(made) <= brief.rules.title_max and same_title(made) not in used:
            return Sentence(made, (item.ref,))
    made = f"{name}: {brief.digest.summary} in {brief.digest.words}"
    return Sentence(words.cut(made, brief.rules.title_max), ("WINDOW",))
