"""LinkedIn's shape: plain text, a first line that works above the fold, a few bullets, hashtags."""

from collections.abc import Iterator

from lib import words
from models.values import WINDOW, Block, DigestItem, Manuscript, Sentence
from writers import template_lines as lines
from writers import template_text as text
from writers import template_title as title
from writers.template_kinds import section
from writers.template_lines import block, say
from writers.template_story import Story
from writers.template_tags import tags

FOLD = 140
"""UTF-16 units that are surely seen before the rest is folded away; ours."""

BULLETS_MOST = 5
"""Changes in the list."""

EXCERPT_LONG = 240
"""Characters quoted of what explains the first change."""


def note(story: Story) -> Manuscript:
    """The manuscript of the whole post; its title is its first line."""
    first = _chosen(story)
    blocks = [block("paragraph", first), *_context(story, first)]
    blocks += _bullets(story, lines.refs_of(blocks))
    counted = say(f"{text.capital(lines.counts(story))} in {story.digest.words}.", WINDOW)
    blocks.append(block("paragraph", counted, *lines.thanks(story, linked=False)))
    if story.digest.url:
        blocks.append(block("paragraph", say(lines.home(story), WINDOW)))
    return Manuscript(first, tuple(blocks), tags=tags(story.digest, story.name, 5))


def _chosen(story: Story) -> Sentence:
    candidates = [one for one in _first_lines(story) if words.utf16(one.text) <= FOLD]
    plain = say(_cut(f"{text.prose(title.name(story.brief))}."), *(i.ref for i in story.releases), WINDOW)
    return title.unsaid(story.brief, story.refused, candidates) or plain


def _cut(said: str) -> str:
    return said if len(said) <= FOLD else words.cut(said, FOLD // 2)


def _first_lines(story: Story) -> Iterator[Sentence]:
    """The best first."""
    about = text.prose(title.subject(story.brief))
    refs = [one.ref for one in story.releases]
    lead = f"{about} {'is' if len(refs) == 1 else 'are'} out" if refs else f"New in {about}"
    yield from _broken(story, refs, lead if refs else "")
    for said, cited in title.listings(story.released):
        yield say(f"{lead}: {text.prose(said)}.", *refs, *cited)
    lead = lead if refs else about
    for item in story.released:
        said = text.prose(text.lowered(text.subject(item.title)))
        yield say(f"{lead}: {said}.", *refs, item.ref)
    if refs:
        yield say(f"{lead}.", *refs)
    yield say(f"{text.capital(lines.counts(story))} in {about} in {story.digest.words}.", *refs, WINDOW)


def _broken(story: Story, refs: list[str], lead: str) -> Iterator[Sentence]:
    """What breaks comes before what is new."""
    items = [item for item in story.released if section(item) == "breaking"]
    for item in items:
        said = text.prose(text.lowered(text.subject(item.title)))
        kind = "a breaking change" if len(items) == 1 else "breaking changes"
        one = f"{lead}, with {kind}: {said}." if lead else f"Breaking change in {story.name}: {said}."
        yield say(one, *refs, item.ref)


def _context(story: Story, first: Sentence) -> list[Block]:
    """What the release brings, or what the first line's first change is for, and what to do about it."""
    lead = next((item for item in story.changes if item.ref in first.refs), None)
    said = lines.explained(story, story.releases[-1], EXCERPT_LONG) if story.releases else []
    if lead and not said:
        said = [*lines.explained(story, lead, EXCERPT_LONG), *lines.closes(story, lead)]
    if lead and section(lead) == "breaking":
        said += [one for one in lines.advised(story, lead, EXCERPT_LONG) if one not in said]
    return [block("paragraph", *said)] if said else []


def _bullets(story: Story, told: set[str]) -> list[Block]:
    """All that breaks, and the best of the others, as far as they are not told yet."""
    untold = [item for item in story.changes if item.ref not in told]
    breaking = [item for item in untold if section(item) == "breaking"]
    others = [item for item in untold if section(item) != "breaking"]
    later = {item.ref for item in story.since}
    best = sorted(others[:BULLETS_MOST], key=lambda item: item.ref in later)
    made = [block("bullet", _bullet(story, item)) for item in breaking]
    made += [*lines.unquoted(story), *(block("bullet", _bullet(story, item)) for item in best)]
    rest = lines.rest(story, told | lines.refs_of(made))
    if not made:
        return [block("paragraph", *rest)] if rest else []
    lead = [block("paragraph", say("Also:" if told else "What changed:", WINDOW))]
    return [*lead, *made, *([block("paragraph", *rest)] if rest else [])]


def _bullet(story: Story, item: DigestItem) -> Sentence:
    told = story.told(item)
    if section(item) == "breaking":
        return say(f"Breaking: {told}", item.ref)
    if item in story.since:
        last = story.releases[-1]
        return say(f"Since {title.tag(last)}: {told}", item.ref, last.ref)
    return say(f"Closed: {told}" if item.kind == "issue" else told, item.ref)
