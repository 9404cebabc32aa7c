"""Dev.to's shape: a short update in the first person, without headings."""

from lib import words
from models.values import WINDOW, Block, BlockKind, DigestItem, Manuscript, Sentence
from writers import template_lines as lines
from writers import template_text as text
from writers import template_title as title
from writers.template_kinds import section
from writers.template_lines import block, say
from writers.template_story import Story
from writers.template_tags import tags

HIGHLIGHTS_MOST, FIXES_MOST, LATER_MOST = 5, 3, 3
"""Changes in the list, fixes in one sentence, and changes since the release."""

NEWS_MOST = 3
"""New things that the first sentence names."""

EXCERPT_LONG, ADVICE_LONG, NOTES_LONG = 160, 400, 400
"""Characters quoted of what explains a change, of what to do about a breaking one, and of a release."""


def update(story: Story) -> Manuscript:
    """The manuscript of the whole update."""
    blocks = [*_opening(story), *_breaking(story)]
    blocks += _highlights(story, lines.refs_of(blocks))
    blocks += _fixes(story, lines.refs_of(blocks))
    blocks += _later(story)
    closing = [*lines.thanks(story), *lines.address(story)]
    thanks = [block("paragraph", *closing)] if closing else []
    if rest := lines.rest(story, lines.refs_of([*blocks, *thanks])):
        blocks.append(block("paragraph", *rest))
    blocks += thanks
    named = title.chosen(story.brief, story.refused, title.update(story.brief, story.released, story.since))
    return Manuscript(named, tuple(blocks), tags=tags(story.digest, story.name, 4))


def _opening(story: Story) -> list[Block]:
    if story.releases:
        refs = [one.ref for one in story.releases]
        said = [say(f"We released {lines.released(story)}{lines.release_days(story)}.", *refs)]
        if story.changes:
            said.append(say(f"Here is the short version of {story.digest.words}.", WINDOW))
        notes = lines.explained(story, story.releases[-1], NOTES_LONG)
        return [block("paragraph", *said), *([block("paragraph", *notes)] if notes else [])]
    added = [(noun, item) for noun, item in title.phrased(story.changes, NEWS_MOST) if _is_addition(item)]
    where, listed = lines.home(story), lines.listing(added, linked=True)
    named = say(f"In {story.digest.words} we added {listed} to {where}.", WINDOW, *(i.ref for _, i in added))
    if added and len(story.changes) > 1 and not _has_breaking(story) and story.allows(named):
        return [block("paragraph", named)]
    return [block("paragraph", say(f"In {story.digest.words} we {_did(story)} in {where}.", WINDOW))]


def _is_addition(item: DigestItem) -> bool:
    return item.kind != "issue" and item.category in ("feature", "performance")


def _has_breaking(story: Story) -> bool:
    return any(section(item) == "breaking" for item in story.changes)


def _did(story: Story) -> str:
    """`made 3 commits, merged 1 pull request and closed 1 issue`."""
    verbs = {"merged": "merged", "closed": "closed"}
    done = []
    for count in story.digest.summary.replace("merged PR", "merged pull request").split(", "):
        number, _, what = count.partition(" ")
        first, _, rest = what.partition(" ")
        if first in verbs:
            done.append(f"{first} {number} {rest}")
        elif number.replace(",", "").isdigit():
            done.append(f"made {number} {what}")
    return words.listed(done) or "made no changes"


def _breaking(story: Story) -> list[Block]:
    items = [item for item in story.changes if section(item) == "breaking"]
    return [*(block("bullet", *_broke(story, item)) for item in items), *lines.unquoted(story)]


def _broke(story: Story, item: DigestItem) -> list[Sentence]:
    told = say(f"**Breaking:** {story.told(item)} ([{item.ref}]){lines.by(story, item)}.", item.ref)
    return [told, *(lines.advised(story, item, ADVICE_LONG) or lines.explained(story, item, ADVICE_LONG))]


def _highlights(story: Story, told: set[str]) -> list[Block]:
    """What the first sentence does not name, or names without what its body explains."""
    items = [item for item in story.released if section(item) != "breaking" and not _fixed(item)]
    ahead = [item for item in items if item.ref not in told or lines.explained(story, item, EXCERPT_LONG)]
    kind: BlockKind = "paragraph" if len(story.changes) == 1 else "bullet"
    return [_highlight(story, item, kind) for item in ahead[:HIGHLIGHTS_MOST]]


def _highlight(story: Story, item: DigestItem, kind: BlockKind = "bullet") -> Block:
    said = [lines.change(story, item, placed=False)]
    if kind == "paragraph" and text.is_imperative(item.title) and item.kind != "issue":
        said = [say(f"We {_did_it(item)} ([{item.ref}]).", item.ref)]
    return block(kind, *said, *lines.explained(story, item, EXCERPT_LONG), *lines.closes(story, item))


def _did_it(item: DigestItem) -> str:
    done = text.prose(text.told(item.title, past=True))
    return done[:1].lower() + done[1:]


def _fixed(item: DigestItem) -> str:
    """What was fixed, as a noun that can follow `we fixed`; empty where that is not safe, or more is to be
    said."""
    noun = title.phrase(item) if item.category == "fix" and not item.closes else ""
    return noun.removeprefix("a fix for ")


def _fixes(story: Story, told: set[str]) -> list[Block]:
    found = [(noun, item) for item in story.released if item.ref not in told and (noun := _fixed(item))]
    if not found:
        return []
    listed = words.listed([f"{text.prose(noun)} ([{item.ref}])" for noun, item in found[:FIXES_MOST]])
    also = "also " if told.intersection(item.ref for item in story.changes) else ""
    return [block("paragraph", say(f"We {also}fixed {listed}.", *(i.ref for _, i in found[:FIXES_MOST])))]


def _later(story: Story) -> list[Block]:
    items = [item for item in story.since if section(item) != "breaking"][:LATER_MOST]
    if not items:
        return []
    last = story.releases[-1]
    lead = say(f"In the repository since [{last.ref}]:", last.ref)
    return [block("paragraph", lead), *(_highlight(story, item) for item in items)]
