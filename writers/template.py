"""The writer that needs no key: same brief, same post, and no sentence that the digest does not bear."""

from collections.abc import Callable, Sequence

from lib import words
from models.values import Brief, Category, Digest, DigestItem, PlatformType, Post
from writers import template_story as shared
from writers import template_text as text
from writers import template_title as title
from writers.template_story import Story
from writers.template_tags import tags

SECTIONS: tuple[tuple[Category, str, int], ...] = (
    ("breaking", "Breaking changes", 10),
    ("feature", "New", 8),
    ("performance", "Faster", 6),
    ("fix", "Fixed", 8),
    ("other", "Changed", 6),
    ("docs", "Documentation", 4),
    ("upkeep", "Under the hood", 4),
)
"""Category, heading, and how many changes of it an article lists."""

FEW = 3
"""Changes up to which one list needs no headings."""

EXCERPT_LONG, EXCERPT_SHORT, NOTES_MAX = 300, 160, 600
"""Characters quoted of what explains a change, in an article and an update; and of a release's notes."""

UPDATE_SECTIONS: tuple[tuple[str, tuple[Category, ...], int], ...] = (
    ("## What's new", ("breaking", "feature", "performance"), 6),
    ("## What's fixed", ("fix",), 4),
    ("## Also", ("other", "docs", "upkeep"), 4),
)
"""Heading, categories, and how many changes of them an update lists."""

BULLETS_MOST = 6
"""Changes that a LinkedIn post lists."""

LINKEDIN_GOOD = 1_300
"""UTF-16 units after which few read on; the platform's own limit lies further."""


class TemplateWriter:
    """Writes from patterns: never fails, asks nobody, cannot be talked into anything by what it quotes."""

    def prepare(self) -> None:
        """Always ready."""

    def estimate(self, brief: Brief) -> None:
        """Its posts cost nothing."""

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform, within its limits."""
        return _SHAPES[brief.rules.type](Story(brief))


# --- Hashnode: an article


def _article(story: Story) -> Post:
    listed, shown = _sections(story)
    parts = [*_opening(story), *listed]
    if rest := story.left_out(shown):
        parts.append(f"…and {rest}." if shown else f"{text.capital(rest)} went in.")
    if len(story.people) > 1:
        parts += ["## Thanks", f"To {shared.people(story)}, whose work this is."]
    elif story.people:
        parts.append(f"The work of {shared.people(story)}.")
    if story.digest.url:
        parts.append(f"The code and its history are {shared.where(story)}.")
    content = "\n\n".join(parts)
    if len(content) > story.brief.rules.content_max:
        content = "\n\n".join(parts[:2])
    return Post(title.headline(story.brief, story.changes), content, tags(story.digest, story.name, 5))


def _opening(story: Story) -> list[str]:
    digest = story.digest
    numbers = words.listed(shared.counts(digest))
    first = f"{text.capital(digest.words)} brought {numbers} to {story.home(text.markdown(story.name))}"
    parts = [f"{first}{_size(digest)}.{_areas(story)}"]
    if story.releases:
        parts.insert(0, _released(story, "was released"))
        parts += [_notes(item) for item in story.releases if _notes(item)]
    return parts


def _size(digest: Digest) -> str:
    added, removed, files = digest.additions, digest.deletions, digest.files_changed
    if added is None or removed is None or files is None or not added + removed:
        return ""
    return f": {words.plural(added, 'line')} added and {removed:,} removed in {words.plural(files, 'file')}"


def _areas(story: Story) -> str:
    """Where most of it happened, if the changes are many and one or two folders stand out."""
    folders: dict[str, int] = {}
    items = [item for item in story.changes if item.files]
    for item in items:
        for folder in {"/".join(path.split("/")[:2]) for path in item.files if path.count("/") > 1}:
            folders[folder] = folders.get(folder, 0) + 1
    top = sorted((n, folder) for folder, n in folders.items() if n >= max(4, len(items) / 3))[-2:]
    names = words.listed([text.code(folder) for _, folder in reversed(top)])
    return f" Much of it happened in {names}." if top and len(items) > 8 else ""


def _released(story: Story, verb: str) -> str:
    """`[1.0](…) and [1.1](…) were released on 9 July 2026.`"""
    names = [text.link(text.markdown(title.tag(r)), r.url, story.digest.url) for r in story.releases]
    days = list(dict.fromkeys(words.day(r.date) for r in story.releases if r.date))
    verb = verb if len(names) == 1 else verb.replace("was", "were")
    when = f" on {words.listed(days)}" if 0 < len(days) < 3 else ""
    own = "" if title.tag(story.releases[0]).lower().startswith(story.name.lower()) else f"{story.name} "
    return f"**{text.markdown(own.strip())}{' ' if own else ''}{words.listed(names[-4:])}** {verb}{when}."


def _notes(release: DigestItem) -> str:
    notes = text.excerpt(release.body, release.title, NOTES_MAX)
    # `release version 1.2` says what the heading says.
    return text.markdown(notes) if len(notes) > len(release.title) + 30 else ""


def _sections(story: Story) -> tuple[list[str], int]:
    if len(story.changes) <= FEW:
        lines = [shared.bullet(story, item, EXCERPT_LONG) for item in story.changes]
        return ["## What changed", "\n".join(lines)] if lines else [], len(lines)
    parts: list[str] = []
    shown = 0
    for category, heading, most in SECTIONS:
        items = story.of(category)[:most]
        if items:
            parts += [f"## {heading}", "\n".join(shared.bullet(story, item, EXCERPT_LONG) for item in items)]
            shown += len(items)
    return parts, shown


# --- Dev.to: an update in the first person


def _update(story: Story) -> Post:
    parts, shown = [_did(story)], 0
    for heading, categories, most in UPDATE_SECTIONS:
        if items := story.of(*categories)[:most]:
            shown += len(items)
            parts += [heading, "\n".join(shared.bullet(story, i, EXCERPT_SHORT, files=False) for i in items)]
    if len(story.changes) <= FEW:
        parts = [part for part in parts if not part.startswith("##")]
        parts[1:] = ["\n".join(parts[1:])]
    if rest := story.left_out(shown):
        parts.append(f"Plus {rest}." if shown else f"{text.capital(rest)} went in.")
    closing = f"Thanks to {shared.people(story)}!" if len(story.people) > 1 else ""
    if story.digest.url:
        closing = f"{closing} The code is {shared.where(story)}.".strip()
    content = "\n\n".join(part for part in [*parts, closing] if part)
    return Post(title.named_last(story.brief, story.changes), content, tags(story.digest, story.name, 4))


def _did(story: Story) -> str:
    """`In the last 24 hours we made 3 commits and merged 1 pull request in awesome-lib.`"""
    done = []
    for count in shared.counts(story.digest):
        number, _, what = count.partition(" ")
        verb = {"merged": "merged", "closed": "closed", "release": "released", "releases": "released"}.get(
            what.split(" ")[0], "made"
        )
        if verb != "released":
            done.append(f"{verb} {number} {what.removeprefix('merged ').removeprefix('closed ')}")
    names = [text.link(text.markdown(title.tag(r)), r.url, story.digest.url) for r in story.releases[-4:]]
    did = [f"released {words.listed(names)}"] if names else []
    where = story.home(text.markdown(story.name))
    return f"In {story.digest.words} we {words.listed([*did, *done])} in {where}."


# --- LinkedIn: plain text


def _note(story: Story) -> Post:
    changes = [_line(story, item) for item in story.changes]
    limit = min(story.brief.rules.content_max, LINKEDIN_GOOD)
    for most in range(min(BULLETS_MOST, len(changes)), -1, -1):
        content = _noted(story, changes[:most])
        if words.utf16(content) <= limit:
            return Post("", content)
    return Post("", words.cut(content, limit // 2))


def _line(story: Story, item: DigestItem) -> str:
    if item.kind == "issue":
        return f"Closed {shared.number(item)}: {text.plain(text.subject(item.title))}"
    about = text.plain(text.subject(item.closes[0].title)) if item.closes else ""
    closes = (
        f" (closes {shared.number(item.closes[0])}: {about})" if about and len(story.changes) <= FEW else ""
    )
    return text.plain(text.told(item.title, past=story.past)) + closes


def _noted(story: Story, changes: Sequence[str]) -> str:
    digest = story.digest
    numbers = words.listed(shared.counts(digest))
    names = [text.plain(text.name(person.name)) for person in story.people[:5]]
    if more := len(story.people) - len(names):
        names.append(words.plural(more, "other"))
    by = f" Thanks to {words.listed(names)}." if len(story.people) > 1 else ""
    lines = [f"• {change}" for change in changes]
    if rest := story.left_out(len(changes)):
        lines.append(f"• …and {rest}" if changes else f"• {rest}")
    paragraphs = [
        _first_line(story),
        f"{text.capital(digest.words)} brought {numbers}.{by}",
        "\n".join(lines),
        digest.url or "",
        " ".join(f"#{tag}" for tag in tags(digest, story.name, 5)),
    ]
    return "\n\n".join(part for part in paragraphs if part)


def _first_line(story: Story) -> str:
    brief, found = story.brief, title.phrases(story.changes, 3)
    about = title.subject(brief)
    if story.releases:
        is_out = f"{about} {'is' if len(story.releases) == 1 else 'are'} out"
        return f"{is_out}: {words.listed(found)}." if found else f"{is_out}."
    return f"New in {about}: {words.listed(found)}." if found else f"{title.headline(brief, story.changes)}."


_SHAPES: dict[PlatformType, Callable[[Story], Post]] = {
    "HASHNODE": _article,
    "DEVTO": _update,
    "LINKEDIN": _note,
}
