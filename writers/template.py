"""The writer that needs no key: same brief, same post, and no sentence that the digest does not bear."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from lib import words
from models.values import WINDOW, Brief, Manuscript, PlatformType, Post
from writers import ledger, render
from writers.ledger import Audit
from writers.ledger_claims import is_english
from writers.ledger_said import Kind
from writers.template_article import article
from writers.template_note import note
from writers.template_story import Story
from writers.template_update import update

_SHAPES: dict[PlatformType, Callable[[Story], Manuscript]] = {
    "HASHNODE": article,
    "DEVTO": update,
    "LINKEDIN": note,
}


ROUNDS = 25
"""How often a manuscript is made anew without what the ledger refused in it."""


class TemplateWriter:
    """Writes from patterns: never fails, asks nobody, cannot be talked into anything by what it quotes."""

    def prepare(self) -> None:
        """Always ready."""

    def estimate(self, brief: Brief) -> None:
        """Its posts cost nothing."""

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform, through the same ledger and renderer as any other.

        It is in English, whatever language the brief's voice wants; a remark says so where that is another.
        """
        english = replace(brief, voice=replace(brief.voice, language=""))
        audit = settled(english)
        kept, added = ledger.completed(english, audit.kept)
        dropped = [f"Left out: {found.message}" for found in audit.findings if found.kind is not Kind.MISSING]
        return render.post(brief, kept, remarks=[*_unheeded(brief), *dropped, *added])


def manuscript(story: Story) -> Manuscript:
    """What there is to say, in the shape of the brief's platform."""
    return _SHAPES[story.brief.rules.type](story)


def settled(brief: Brief) -> Audit:
    """The audit of the manuscript of which the ledger refuses nothing, or after some rounds little.

    A sentence that it refuses is not said again. If it is one that its item cannot do without, the item is
    counted with those that are not told.
    """
    story = Story(brief)
    for _ in range(ROUNDS):
        made = manuscript(story)
        if stubborn := _stubborn(story, made):
            story = replace(story, silent=story.silent | stubborn)
            continue
        audit = ledger.audit(brief, made)
        refused = frozenset(found.text for found in audit.findings if found.kind is not Kind.MISSING)
        if refused <= story.refused:
            return audit
        story = replace(story, refused=story.refused | refused)
    return ledger.audit(brief, manuscript(story))


def _stubborn(story: Story, made: Manuscript) -> frozenset[str]:
    """The changes that sentences rest on which were refused and are said all the same; releases where they
    rest on nothing else."""
    again = [said for one in made.blocks for said in one.sentences if not story.allows(said)]
    tags = {one.ref for one in story.releases}
    refs = [frozenset(said.refs) - {WINDOW} for said in again]
    return frozenset(chain(*(one - tags or one for one in refs))) - story.silent


def _unheeded(brief: Brief) -> list[str]:
    """What the brief asks for and a writer of patterns cannot do."""
    remarks = []
    if not is_english(wanted := brief.voice.language):
        language = words.cut(words.one_line(wanted), 40)
        remarks.append(f"The template writer writes English only, not {language}.")
    if brief.instruction.strip():
        remarks.append("The template writer does not follow instructions: the post is made as it always is.")
    return remarks
