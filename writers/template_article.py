"""Hashnode's shape: an article with a subtitle, the most important change first, headings by theme."""

from models.values import WINDOW, Block, DigestItem, Manuscript, Sentence
from writers import template_lines as lines
from writers import template_text as text
from writers import template_title as title
from writers.template_body import sample
from writers.template_files import is_documented
from writers.template_kinds import Section, section
from writers.template_lines import block, heading, say
from writers.template_story import Story
from writers.template_tags import tags

FEW = 3
"""Changes up to which an article needs no headings."""

LEADS_MOST = 3
"""Changes that have a heading of their own."""

LEAD_LONG, BULLET_LONG, NOTES_LONG = 700, 300, 900
"""Characters quoted of what explains a change with a heading, one in a list, and a release."""

SECTIONS: tuple[tuple[Section, str, int], ...] = (
    ("new", "", 8),
    ("removed", "Removed", 6),
    ("faster", "Faster", 6),
    ("fixed", "Fixed", 10),
    ("changed", "Changed", 8),
    ("docs", "Documentation", 5),
    ("inside", "Under the hood", 5),
)
"""Section, heading (of what is new: by what stands above it), and how many changes of it are listed."""

BREAKING_MOST = 20
"""Breaking changes that are told at length; all others are named."""


def article(story: Story) -> Manuscript:
    """The manuscript of the whole article."""
    blocks = [*_opening(story), *_breaking(story), *_changes(story)]
    thanks = _thanks(story, has_headings=any(one.kind == "heading" for one in blocks))
    if rest := lines.rest(story, lines.refs_of([*blocks, *thanks])):
        blocks.append(block("paragraph", *rest))
    blocks += [*thanks, *(block("paragraph", said) for said in lines.address(story))]
    named = title.chosen(story.brief, story.refused, title.article(story.brief, story.released, story.since))
    counted = say(f"{text.capital(lines.counts(story))} in {story.digest.words}", WINDOW)
    return Manuscript(named, tuple(blocks), counted, tags(story.digest, story.name, 5))


def _opening(story: Story) -> list[Block]:
    news = title.phrased(story.released, 3)
    made: list[Sentence] = []
    if story.releases:
        was = "was" if len(story.releases) == 1 else "were"
        refs = [one.ref for one in story.releases]
        made.append(say(f"{lines.released(story)} {was} released{lines.release_days(story)}.", *refs))
    if story.changes or not story.releases:
        made.append(_came(story, [] if story.releases else news))
    blocks = [block("paragraph", *made)]
    for release in story.releases:
        if notes := lines.explained(story, release, NOTES_LONG):
            blocks.append(block("paragraph", *notes))
    return blocks


def _came(story: Story, news: list[tuple[str, DigestItem]]) -> Sentence:
    """What the window brought: named, or where there is a release to speak of, or none is new, counted."""
    when, to = text.capital(story.digest.words), f"to {lines.home(story)}"
    named = say(
        f"{when} brought {lines.listing(news, linked=False)} {to}.", WINDOW, *(item.ref for _, item in news)
    )
    if len(story.changes) > 1 and news and story.allows(named):
        return named
    if story.releases and story.changes:
        return say(f"Here is what {story.digest.words} brought.", WINDOW)
    return say(f"{when} brought {lines.counts(story)} {to}.", WINDOW)


def _breaking(story: Story) -> list[Block]:
    items = [item for item in story.changes if section(item) == "breaking"]
    blocks = [one for item in items[:BREAKING_MOST] for one in _broke(story, item)]
    blocks += [block("bullet", lines.change(story, item)) for item in items[BREAKING_MOST:]]
    blocks += lines.unquoted(story)
    return [heading("Breaking changes", *items), *blocks] if blocks else []


def _broke(story: Story, item: DigestItem) -> list[Block]:
    """What it is, why, what to do about it, and its code."""
    why = lines.explained(story, item, LEAD_LONG)
    advice = [said for said in lines.advised(story, item, LEAD_LONG) if said not in why]
    said = [lines.change(story, item), *why, *advice, *lines.closes(story, item)]
    code = sample(item.body)
    return (
        [block("paragraph", *said), block("code", say(code, item.ref))] if code else [block("bullet", *said)]
    )


def _changes(story: Story) -> list[Block]:
    told = [item for item in story.changes if section(item) != "breaking"]
    if len(story.changes) <= FEW:
        return [one for item in told for one in _told(story, item, "paragraph")]
    leads = _leads(story, [item for item in told if item not in story.since])
    blocks = [one for item in leads for one in _lead(story, item)]
    before = [item for item in told if item not in leads and item not in story.since]
    blocks += _sections(story, before, "Also new" if leads else "New")
    later = [item for item in told if item in story.since]
    if later:
        last = story.releases[-1]
        blocks.append(heading(f"Since {title.tag(last)}", last, *later))
        blocks += [one for item in later[:10] for one in _told(story, item, "bullet")]
    return blocks


def _sections(story: Story, items: list[DigestItem], new: str) -> list[Block]:
    blocks: list[Block] = []
    for kind, name, most in SECTIONS:
        if some := [item for item in items if section(item) == kind][:most]:
            blocks.append(heading(name or new, *some))
            blocks += [one for item in some for one in _told(story, item, "bullet")]
    return blocks


def _told(story: Story, item: DigestItem, kind: str) -> list[Block]:
    """One change in a list, or as one of few in a paragraph of its own, with its code."""
    said = [
        lines.change(story, item),
        *lines.explained(story, item, BULLET_LONG if kind == "bullet" else LEAD_LONG),
        *lines.closes(story, item),
        *lines.follow_ups(story, item),
    ]
    if kind == "bullet":
        return [block("bullet", *said)]
    code = sample(item.body)
    return [block("paragraph", *said), *([block("code", say(code, item.ref))] if code else [])]


def _leads(story: Story, items: list[DigestItem]) -> list[DigestItem]:
    """The first new things, if there is more to say of one of them than where it is."""
    new = [item for item in items if section(item) in ("new", "faster") and len(story.told(item)) <= 90]
    leads = [item for item in new if item.kind != "issue"][:LEADS_MOST]
    return leads if any(_has_substance(story, item) for item in leads) else []


def _has_substance(story: Story, item: DigestItem) -> bool:
    is_explained = lines.explained(story, item, LEAD_LONG) or item.closes or sample(item.body)
    return bool(is_explained) or is_documented(item)


def _lead(story: Story, item: DigestItem) -> list[Block]:
    noun, code = title.phrase(item), sample(item.body)
    head = text.prose(text.capital(noun)) if noun else story.told(item)
    said = [
        *_introduced(story, item, is_told=not noun),
        *lines.explained(story, item, LEAD_LONG),
        *lines.closes(story, item),
        *lines.whereabouts(story, item),
        *lines.follow_ups(story, item),
    ]
    shown = [block("code", say(code, item.ref))] if code else []
    return [heading(head, item), block("paragraph", *said), *shown]


def _introduced(story: Story, item: DigestItem, *, is_told: bool) -> list[Sentence]:
    """What the heading has not told yet: the title, or whose it is."""
    if not is_told:
        return [lines.change(story, item, bold=False, placed=False)]
    names = lines.by(story, item)
    return [say(f"It is{names} ([{item.ref}]).", item.ref)] if names else []


def _thanks(story: Story, *, has_headings: bool) -> list[Block]:
    if story.author and len(story.people) == 1:
        alone = say(f"By {text.name(story.author)}.", WINDOW)
        return [block("paragraph", alone)] if story.allows(alone) else []
    said = lines.thanks(story)
    above = [heading("Thanks")] if has_headings and said else []
    return [*above, *([block("paragraph", *said)] if said else [])]
