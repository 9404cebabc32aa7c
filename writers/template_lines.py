"""The sentences that the template writer's shapes share, each with the refs that bear it out."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from lib import words
from models.values import WINDOW, Block, BlockKind, DigestItem, Person, Sentence
from writers import template_body as body
from writers import template_files as files
from writers import template_text as text
from writers import template_title as title
from writers.template_kinds import is_dependency, is_worth, section
from writers.template_story import Story

PEOPLE_MOST, DEEDS_MOST = 12, 3
"""People thanked by name, and changes of each that are linked."""

RELEASES_MOST = 4
"""Releases named in one sentence."""

UPDATES_MOST = 100
"""Dependency updates that one sentence counts and cites."""


def say(said: str, *refs: str) -> Sentence:
    """One sentence with its refs."""
    return Sentence(said, tuple(dict.fromkeys(refs)))


def block(kind: BlockKind, *sentences: Sentence) -> Block:
    """One block of a manuscript."""
    return Block(kind, sentences)


def heading(said: str, *items: DigestItem) -> Block:
    """A heading that rests on the items below it, or on the digest."""
    return block("heading", say(said, *([item.ref for item in items[:6]] or [WINDOW])))


def refs_of(blocks: Iterable[Block]) -> set[str]:
    """All refs that the blocks have."""
    return {ref for one in blocks for said in one.sentences for ref in said.refs}


def change(story: Story, item: DigestItem, *, bold: bool = True, placed: bool = True) -> Sentence:
    """`**Added x** in \\`a.py\\` ([C1a2b3c4]) by A.`"""
    told = story.told(item)
    head = _strong(told) if bold else told
    if item.kind == "issue":
        return say(f"Closed [{item.ref}]: {head}.", item.ref)
    part = section(item)
    is_placed = placed and part in ("new", "removed", "faster", "fixed", "changed")
    where = files.place(item, removed=part == "removed") if is_placed else ""
    credited = say(f"{head}{where} ([{item.ref}]){by(story, item)}.", item.ref)
    return credited if story.allows(credited) else say(f"{head}{where} ([{item.ref}]).", item.ref)


def _strong(said: str) -> str:
    """In strong words, but for the code in it."""
    parts = re.split(r"(\s*`[^`]+`\s*)", said)
    return "".join(part if i % 2 or not part.strip() else f"**{part}**" for i, part in enumerate(parts))


def unquoted(story: Story) -> list[Block]:
    """The breaking changes whose own words cannot be quoted: that there are some must be said."""
    told = {item.ref for item in story.changes}
    items = [item for item in story.untold(told) if item.category == "breaking"]
    return [block("bullet", say("A breaking change.", item.ref)) for item in items]


def by(story: Story, item: DigestItem) -> str:
    """` by A and B`; empty where only the one did it who did most."""
    if [person.name for person in item.people] == [story.author]:
        return ""
    names = [name for person in item.people if (name := text.name(person.name))][:3]
    return f" by {words.listed(names)}" if names else ""


def explained(story: Story, item: DigestItem, limit: int) -> list[Sentence]:
    """What its body explains."""
    return _allowed(story, item, body.explained(item.body, item.title, limit))


def advised(story: Story, item: DigestItem, limit: int) -> list[Sentence]:
    """What its body says to those whom a breaking change concerns."""
    return _allowed(story, item, body.advice(item.body, item.title, limit))


def _allowed(story: Story, item: DigestItem, sentences: Iterable[str]) -> list[Sentence]:
    return [said for one in sentences if story.allows(said := say(text.prose(one), item.ref))]


def closes(story: Story, item: DigestItem) -> list[Sentence]:
    """`Closes [I3], “No module named x”.`"""
    return [said for issue in item.closes[:3] if story.allows(said := _closes(item, issue))]


def _closes(item: DigestItem, issue: DigestItem) -> Sentence:
    about = text.clean(issue.title).replace("“", '"').replace("”", '"')
    quoted = (
        "" if not about or text.is_unfit(about) or len(about) > text.TITLE_MAX else f", “{text.prose(about)}”"
    )
    return say(f"Closes [{issue.ref}]{quoted}.", item.ref, issue.ref)


def whereabouts(story: Story, item: DigestItem) -> list[Sentence]:
    """Where the code is, its tests and documentation."""
    said = say(files.whereabouts(item), item.ref)
    return [said] if said.text and story.allows(said) else []


def follow_ups(story: Story, item: DigestItem) -> list[Sentence]:
    """`Follow-ups: [C1a2b3c4] and [C2b3c4d5].`"""
    refs = [one.ref for one in story.follow_ups.get(item.ref, [])]
    links = words.listed([f"[{ref}]" for ref in refs])
    return [say(f"Follow-up{'s' if len(refs) > 1 else ''}: {links}.", *refs)] if 0 < len(refs) <= 8 else []


def released(story: Story) -> str:
    """`Huey [R3.2.0] and [R3.2.1]`, the name only where the tags do not begin with it."""
    first = title.tag(story.releases[0])
    own = "" if first.lower().startswith(story.name.lower()) else f"{text.prose(story.name)} "
    names = [f"[{one.ref}]" for one in story.releases]
    listed = words.listed(names) if len(names) <= RELEASES_MOST else f"{names[0]} to {names[-1]}"
    return f"{own}{listed}"


def release_days(story: Story) -> str:
    """` on 9 July 2026`; empty where they are many."""
    days = list(dict.fromkeys(words.day(one.date) for one in story.releases if one.date))
    return f" on {words.listed(days)}" if 0 < len(days) < 3 else ""


def listing(items: Sequence[tuple[str, DigestItem]], *, linked: bool) -> str:
    """`a dashboard ([C1a2b3c4]) and an option to wait ([PR7])`."""
    return words.listed(
        [
            f"{title.with_article(text.prose(noun))}{f' ([{item.ref}])' if linked else ''}"
            for noun, item in items
        ]
    )


def rest(story: Story, told: set[str]) -> list[Sentence]:
    """What is not told, counted: `Routine: 7 dependency updates.` and `Besides these: 12 smaller changes.`"""
    left = story.untold(told)
    told = told.intersection(item.ref for item in story.changes)
    routine = [] if story.is_routine and told else [item for item in left if is_dependency(item)]
    updates = [item.ref for item in routine][:UPDATES_MOST]
    made = []
    if updates:
        made.append(say(f"Routine: {words.plural(len(updates), 'dependency update')}.", *updates))
    others = [item for item in left if item.ref not in updates]
    if any(not story.is_preparation(item) for item in others):
        size = "more" if any(is_worth(item) for item in others) else "smaller"
        lead, size = ("Besides these", f"{size} ") if told or updates else ("In short", "")
        made.append(say(f"{lead}: {words.plural(len(others), f'{size}change')}.", WINDOW))
    return made


def home(story: Story) -> str:
    """The repository, as a link where it has an address."""
    return f"[{WINDOW}]" if story.digest.url else text.prose(story.name)


def address(story: Story) -> list[Sentence]:
    """Where the code is, unless the post links it at its beginning."""
    is_told = not story.releases or not story.digest.url
    return [] if is_told else [say(f"The code is in the [{WINDOW}] repository.", WINDOW)]


def counts(story: Story) -> str:
    """`42 commits, 1 merged pull request and 2 releases`."""
    spelt = story.digest.summary.replace("merged PR", "merged pull request")
    if spelt == "No activity":
        return "no changes"
    return re.sub(r"\d{4,}", lambda found: f"{int(found[0]):,}", words.listed(spelt.split(", ")))


def thanks(story: Story, *, linked: bool = True) -> list[Sentence]:
    """To all but the one who did most, each with what is theirs, and who that one is; nothing where nobody
    else took part.
    """
    others = [person for person in story.people if person.name != story.author]
    if not others:
        return []
    names, refs = [], []
    for person in others[:PEOPLE_MOST]:
        theirs = _deeds(story, person)[:DEEDS_MOST] if linked else []
        links = f" ({words.listed([f'[{ref}]' for ref in theirs])})" if theirs else ""
        names.append(f"{text.name(person.name)}{links}")
        refs.append((*theirs, WINDOW))
    more = ["everybody else who took part"] if len(others) > len(names) else []
    made = [say(f"Thanks to {words.listed([*names, *more])}.", *chain(*refs))]
    if not story.allows(made[0]):
        made = [say(f"Thanks to {name}.", *theirs) for name, theirs in zip(names, refs, strict=True)]
    new = [text.name(person.name) for person in others if person.name in story.digest.newcomers]
    if new:
        made.append(say(f"{words.listed(new[:PEOPLE_MOST])} contributed for the first time.", WINDOW))
    if story.author:
        made.append(say(f"Most of it is the work of {text.name(story.author)}.", WINDOW))
    return [said for said in made if story.allows(said)]


def _deeds(story: Story, person: Person) -> list[str]:
    return [item.ref for item in story.digest.items if person.name in [one.name for one in item.people]]
