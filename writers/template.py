"""The writer that needs no key: the same brief always gives the same post, and every sentence rests on
the digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib import words
from models.values import Brief, Category, Digest, DigestItem, Person, PlatformType, Post
from writers import template_text as text
from writers import template_title as title
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

PEOPLE_MOST, FILES_MOST = 12, 3
"""People thanked by name; files named per change."""


class TemplateWriter:
    """Writes from patterns. Never fails, asks nobody, and cannot be talked into anything by what it
    quotes.
    """

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform, within its limits."""
        return _SHAPES[brief.rules.type](_Story(brief))


@dataclass(frozen=True, slots=True)
class _Story:
    """One brief, and what all its shapes ask of it."""

    brief: Brief

    @property
    def digest(self) -> Digest:
        return self.brief.digest

    @property
    def name(self) -> str:
        return title.name(self.brief)

    @property
    def releases(self) -> list[DigestItem]:
        """Oldest first."""
        return [item for item in reversed(self.digest.items) if item.kind == "release"]

    @property
    def changes(self) -> list[DigestItem]:
        """What can be told, best first; routine only where there is nothing else."""
        known = [item for item in self.digest.items if item.kind != "release" and _can_tell(item)]
        return [item for item in known if not item.is_routine] or known

    def of(self, *categories: Category) -> list[DigestItem]:
        return [item for item in self.changes if item.category in categories]

    def left_out(self, shown: int) -> str:
        """`and 14 smaller changes`, counting every change that is not shown; empty for none."""
        total = sum(item.kind != "release" for item in self.digest.items)
        return f"{words.plural(total - shown, 'smaller change')}" if total > shown else ""

    @property
    def people(self) -> list[Person]:
        return [person for person in self.digest.people if not person.is_bot and text.name(person.name)]

    def home(self, label: str) -> str:
        return text.link(label, self.digest.url, self.digest.url)


def _can_tell(item: DigestItem) -> bool:
    return bool(text.subject(item.title)) and not text.is_rude(item.title)


# --- Hashnode: an article


def _article(story: _Story) -> Post:
    listed, shown = _sections(story)
    parts = [*_opening(story), *listed]
    if rest := story.left_out(shown):
        parts.append(f"…and {rest}." if shown else f"{text.capital(rest)} went in.")
    if len(story.people) > 1:
        parts += ["## Thanks", f"To {_people(story)}, whose work this is."]
    elif story.people:
        parts.append(f"The work of {_people(story)}.")
    if story.digest.url:
        parts.append(f"The code and its history are {_where(story)}.")
    content = "\n\n".join(parts)
    if len(content) > story.brief.rules.content_max:
        content = "\n\n".join(parts[:2])
    return Post(title.headline(story.brief, story.changes), content, tags(story.digest, story.name, 5))


def _opening(story: _Story) -> list[str]:
    digest = story.digest
    numbers = words.listed(_counts(digest))
    first = f"{text.capital(digest.words)} brought {numbers} to {story.home(text.markdown(story.name))}"
    parts = [f"{first}{_size(digest)}.{_areas(story)}"]
    if story.releases:
        parts.insert(0, _released(story, "was released"))
        parts += [_notes(item) for item in story.releases if _notes(item)]
    return parts


def _counts(digest: Digest) -> list[str]:
    spelt = digest.summary.replace("merged PR", "merged pull request")
    return ["no changes"] if spelt == "No activity" else spelt.split(", ")


def _size(digest: Digest) -> str:
    if not digest.additions + digest.deletions:
        return ""
    files = words.plural(digest.files_changed, "file")
    return f": {words.plural(digest.additions, 'line')} added and {digest.deletions:,} removed in {files}"


def _areas(story: _Story) -> str:
    """Where most of it happened, if the changes are many and one or two folders stand out."""
    folders: dict[str, int] = {}
    items = [item for item in story.changes if item.files]
    for item in items:
        for folder in {"/".join(path.split("/")[:2]) for path in item.files if path.count("/") > 1}:
            folders[folder] = folders.get(folder, 0) + 1
    top = sorted((n, folder) for folder, n in folders.items() if n >= max(4, len(items) / 3))[-2:]
    names = words.listed([text.code(folder) for _, folder in reversed(top)])
    return f" Much of it happened in {names}." if top and len(items) > 8 else ""


def _released(story: _Story, verb: str) -> str:
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


def _sections(story: _Story) -> tuple[list[str], int]:
    if len(story.changes) <= FEW:
        lines = [_bullet(story, item, EXCERPT_LONG) for item in story.changes]
        return ["## What changed", "\n".join(lines)] if lines else [], len(lines)
    parts: list[str] = []
    shown = 0
    for category, heading, most in SECTIONS:
        items = story.of(category)[:most]
        if items:
            parts += [f"## {heading}", "\n".join(_bullet(story, item, EXCERPT_LONG) for item in items)]
            shown += len(items)
    return parts, shown


def _bullet(story: _Story, item: DigestItem, excerpt: int, *, files: bool = True) -> str:
    """`- **Added x** ([#7](…)) by A. What it is for. Closes [#3](…): "y". In \\`a.py\\` and 2 more files.`"""
    home = story.digest.url
    told = text.told(item.title) if item.kind != "issue" else text.capital(text.subject(item.title))
    head = f"- **{text.markdown(told)}** ({text.link(_number(item), item.url, home)})"
    if item.kind == "issue":
        head = f"- Closed {text.link(_number(item), item.url, home)}: **{text.markdown(told)}**"
    credit = _authors(item) if len(story.people) > 1 else ""
    parts = [f"{head}{credit}.", text.markdown(text.excerpt(item.body, item.title, excerpt))]
    parts += [_closes(issue, home) for issue in item.closes[:3]]
    parts.append(_files(item) if files else "")
    return " ".join(part for part in parts if part)


def _number(item: DigestItem) -> str:
    return f"#{item.number}" if item.number is not None else f"`{item.ref[1:]}`"


def _authors(item: DigestItem) -> str:
    names = [text.markdown(text.name(person.name)) for person in item.people[:3]]
    return f" by {words.listed(names)}" if names else ""


def _closes(issue: DigestItem, home: str | None) -> str:
    about = text.markdown(text.subject(issue.title))
    number = text.link(_number(issue), issue.url, home)
    return f"Closes {number}: {about}." if about and not text.is_rude(issue.title) else f"Closes {number}."


def _files(item: DigestItem) -> str:
    """Where it is, without tests, change logs and lock files as long as there is anything else."""
    plain = [path for path in item.files if not _is_side(path)]
    if not plain or item.category in ("docs", "upkeep"):
        return ""
    rest = len(plain) - FILES_MOST + item.more_files
    names = [text.code(path) for path in plain[:FILES_MOST]]
    if rest > 0:
        names.append(words.plural(rest, "more file"))
    return f"In {words.listed(names)}."


def _is_side(path: str) -> bool:
    low = path.lower()
    stem = low.rpartition("/")[2]
    return (
        "test" in low or low.startswith("docs/") or stem.startswith(("changelog", "changes", "readme"))
        or stem.endswith((".lock", "-lock.json", ".png", ".md", ".rst")) or len(path) > 80
    )  # fmt: skip


def _people(story: _Story) -> str:
    names = [_person(story, person) for person in story.people[:PEOPLE_MOST]]
    if more := len(story.people) - len(names):
        names.append(words.plural(more, "other"))
    return words.listed(names)


def _person(story: _Story, person: Person) -> str:
    called = text.markdown(text.name(person.name))
    # The address is the source's own, made from the login, not anybody's text.
    profile = f"https://github.com/{person.login}"
    own = (story.digest.url or "").startswith("https://github.com/")
    return text.link(called, person.url, profile) if own and person.url == profile else called


def _where(story: _Story) -> str:
    url = story.digest.url or ""
    if url.startswith("https://github.com/"):
        return f"on {story.home('GitHub')}"
    return f"at {story.home(text.code(url.partition('://')[2]))}"


# --- Dev.to: an update in the first person


def _update(story: _Story) -> Post:
    parts, shown = [_did(story)], 0
    for heading, categories, most in UPDATE_SECTIONS:
        if items := story.of(*categories)[:most]:
            shown += len(items)
            parts += [heading, "\n".join(_bullet(story, i, EXCERPT_SHORT, files=False) for i in items)]
    if len(story.changes) <= FEW:
        parts = [part for part in parts if not part.startswith("##")]
        parts[1:] = ["\n".join(parts[1:])]
    if rest := story.left_out(shown):
        parts.append(f"Plus {rest}." if shown else f"{text.capital(rest)} went in.")
    closing = f"Thanks to {_people(story)}!" if len(story.people) > 1 else ""
    if story.digest.url:
        closing = f"{closing} The code is {_where(story)}.".strip()
    content = text.without_liquid("\n\n".join(part for part in [*parts, closing] if part))
    return Post(title.named_last(story.brief, story.changes), content, tags(story.digest, story.name, 4))


def _did(story: _Story) -> str:
    """`In the last 24 hours we made 3 commits and merged 1 pull request in awesome-lib.`"""
    done = []
    for count in _counts(story.digest):
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


def _note(story: _Story) -> Post:
    changes = [_line(story, item) for item in story.changes]
    limit = min(story.brief.rules.content_max, LINKEDIN_GOOD)
    for most in range(min(BULLETS_MOST, len(changes)), -1, -1):
        content = _noted(story, changes[:most])
        if words.utf16(content) <= limit:
            return Post("", content)
    return Post("", words.cut(content, limit // 2))


def _line(story: _Story, item: DigestItem) -> str:
    if item.kind == "issue":
        return f"Closed {_number(item)}: {text.plain(text.subject(item.title))}"
    about = text.plain(text.subject(item.closes[0].title)) if item.closes else ""
    closes = f" (closes {_number(item.closes[0])}: {about})" if about and len(story.changes) <= FEW else ""
    return text.plain(text.told(item.title)) + closes


def _noted(story: _Story, changes: Sequence[str]) -> str:
    digest = story.digest
    numbers = words.listed(_counts(digest))
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


def _first_line(story: _Story) -> str:
    brief, found = story.brief, title.phrases(story.changes, 3)
    about = title.subject(brief)
    if story.releases:
        is_out = f"{about} {'is' if len(story.releases) == 1 else 'are'} out"
        return f"{is_out}: {words.listed(found)}." if found else f"{is_out}."
    return f"New in {about}: {words.listed(found)}." if found else f"{title.headline(brief, story.changes)}."


_SHAPES: dict[PlatformType, Callable[[_Story], Post]] = {
    "HASHNODE": _article,
    "DEVTO": _update,
    "LINKEDIN": _note,
}
