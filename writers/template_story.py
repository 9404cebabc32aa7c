"""One brief as the template writer's shapes see it, and the sentences that they share."""

from dataclasses import dataclass
from functools import cached_property

from lib import words
from models.values import Brief, Category, Digest, DigestItem, Person
from writers import template_text as text
from writers import template_title as title

FILES_MOST, PATH_MAX = 3, 48
"""Files named per change, and characters of their paths."""

NAMED_MOST = 5
"""Changes up to which each names its authors, even where one did most of them."""

PEOPLE_MOST = 12
"""People thanked by name."""


@dataclass(frozen=True)
class Story:
    """One brief, and what all its shapes ask of it."""

    brief: Brief

    @property
    def digest(self) -> Digest:
        return self.brief.digest

    @cached_property
    def name(self) -> str:
        return title.name(self.brief)

    @cached_property
    def releases(self) -> list[DigestItem]:
        """Oldest first."""
        return [item for item in reversed(self.digest.items) if item.kind == "release"]

    @cached_property
    def changes(self) -> list[DigestItem]:
        """What can be told, best first; routine only where there is nothing else."""
        known = [item for item in self.digest.items if item.kind != "release" and _can_tell(item)]
        return [item for item in known if not item.is_routine] or known

    def of(self, *categories: Category) -> list[DigestItem]:
        return [item for item in self.changes if item.category in categories]

    def left_out(self, shown: int) -> str:
        """`14 more changes`, counting every change that is not shown (`smaller` if all are routine);
        empty for none.
        """
        items = [item for item in self.digest.items if item.kind != "release"]
        worth = sum(not item.is_routine for item in items)
        size = "more" if worth > shown else "smaller"
        return words.plural(len(items) - shown, f"{size} change") if len(items) > shown else ""

    @cached_property
    def past(self) -> bool:
        """Whether most titles can be told in the past; two tenses in one list read badly."""
        changes = [item for item in self.changes if item.kind != "issue"]
        return 2 * sum(text.is_order(item.title) for item in changes) > len(changes)

    @cached_property
    def author(self) -> str:
        """Who did most of it by far, and need not be named at every change; empty for nobody."""
        authors = [item.people[0].name for item in self.changes if item.people]
        top = max(dict.fromkeys(authors), key=authors.count, default="")
        most = 2 * authors.count(top) > len(authors) and len(self.changes) > NAMED_MOST
        return top if most or len(self.people) < 2 else ""

    @cached_property
    def people(self) -> list[Person]:
        return [person for person in self.digest.people if not person.is_bot and text.name(person.name)]

    def home(self, label: str) -> str:
        return text.link(label, self.digest.url, self.digest.url)


def _can_tell(item: DigestItem) -> bool:
    return bool(text.subject(item.title)) and not text.is_rude(item.title)


def counts(digest: Digest) -> list[str]:
    spelt = digest.summary.replace("merged PR", "merged pull request")
    return ["no changes"] if spelt == "No activity" else spelt.split(", ")


def bullet(story: Story, item: DigestItem, excerpt: int, *, files: bool = True) -> str:
    """`- **Added x** ([#7](…)) by A. What it is for. Closes [#3](…): "y". In \\`a.py\\` and 2 more files.`"""
    home = story.digest.url
    told = text.told(item.title, past=story.past and item.kind != "issue")
    head = f"- **{text.markdown(told)}** ({text.link(number(item), item.url, home)})"
    if item.kind == "issue":
        head = f"- Closed {text.link(number(item), item.url, home)}: **{text.markdown(told)}**"
    parts = [f"{head}{_authors(story, item)}.", text.markdown(text.excerpt(item.body, item.title, excerpt))]
    parts += [_closes(issue, home) for issue in item.closes[:3]]
    parts.append(_files(item) if files else "")
    return " ".join(part for part in parts if part)


def number(item: DigestItem) -> str:
    return f"#{item.number}" if item.number is not None else f"`{item.ref[1:]}`"


def _authors(story: Story, item: DigestItem) -> str:
    if [person.name for person in item.people] == [story.author]:
        return ""
    names = [text.markdown(text.name(person.name)) for person in item.people[:3]]
    return f" by {words.listed(names)}" if names else ""


def _closes(issue: DigestItem, home: str | None) -> str:
    about = text.markdown(text.subject(issue.title))
    closed = f"Closes {text.link(number(issue), issue.url, home)}"
    return f"{closed}: {about}." if about and not text.is_rude(issue.title) else f"{closed}."


def _files(item: DigestItem) -> str:
    """Where it is, without tests, change logs and lock files as long as there is anything else."""
    plain = [path for path in item.files if not _is_side(path)]
    if not plain or item.category in ("docs", "upkeep"):
        return ""
    names = [text.code(path) for path in plain if len(path) <= PATH_MAX][:FILES_MOST]
    if not names or item.more_files is None:
        return ""
    rest = len(plain) - len(names) + item.more_files
    if rest:
        names.append(words.plural(rest, "more file"))
    return f"In {words.listed(names)}{_lines(item)}."


def _lines(item: DigestItem) -> str:
    """` (+410 −112)`; nothing where it is not known of all its files."""
    if item.additions is None or item.deletions is None or not item.additions + item.deletions:
        return ""
    return f" (+{item.additions:,} −{item.deletions:,})"


def _is_side(path: str) -> bool:
    low = path.lower()
    stem = low.rpartition("/")[2]
    return (
        "test" in low or low.startswith("docs/") or stem.startswith(("changelog", "changes", "readme"))
        or stem.endswith((".lock", "-lock.json", ".png", ".md", ".rst"))
    )  # fmt: skip


def people(story: Story) -> str:
    names = [_person(story, person) for person in story.people[:PEOPLE_MOST]]
    if more := len(story.people) - len(names):
        names.append(words.plural(more, "other"))
    return words.listed(names)


def _person(story: Story, person: Person) -> str:
    called = text.markdown(text.name(person.name))
    # The address is the source's own, made from the login, not anybody's text.
    profile = f"https://github.com/{person.login}"
    own = (story.digest.url or "").startswith("https://github.com/")
    return text.link(called, person.url, profile) if own and person.url == profile else called


def where(story: Story) -> str:
    url = story.digest.url or ""
    if url.startswith("https://github.com/"):
        return f"on {story.home('GitHub')}"
    return f"at {story.home(text.code(url.partition('://')[2]))}"
