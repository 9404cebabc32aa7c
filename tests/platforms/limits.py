"""A post that each platform takes, and every limit: one table, each row with the source of its number."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.values import Post

GOOD = {
    "HASHNODE": Post("A title", "Some content", ("python", "open-source"), subtitle="What it is about"),
    "DEVTO": Post("A title", "Some content", ("python", "opensource"), subtitle="What it is about"),
    "LINKEDIN": Post("", "Some content\n\n#python"),
}

FOREM = "forem/forem at 004a2bc, read on 2026-11-23: "
SKILL = "Hashnode/gql-skill @ebd06df, 2026-07-29: "
MICROSOFT = "learn.microsoft.com, as known on 2026-11-23: "
OURS = "ours: "


@dataclass(frozen=True)
class Limit:
    """`made(n)` is a post that uses n of the limit. Its sentence says `unit`; whatever is over breaks `also`
    more rules, where one limit cannot be passed without another."""

    kind: str
    name: str
    most: int
    unit: str
    source: str
    made: Callable[[int], Post]
    also: int = 0


def _titled(kind: str) -> Callable[[int], Post]:
    return lambda n: replace(GOOD[kind], title="x" * n)


def _subtitled(kind: str) -> Callable[[int], Post]:
    return lambda n: replace(GOOD[kind], subtitle="x" * n)


def _holding(kind: str, letter: str, size: int) -> Callable[[int], Post]:
    """Content of n units, where one `letter` is `size` of them."""
    return lambda n: replace(GOOD[kind], content=letter * (n // size) + "x" * (n % size))


def _tagged(kind: str) -> Callable[[int], Post]:
    return lambda n: replace(GOOD[kind], tags=tuple(f"tag{number}" for number in range(n)))


def _mentioning(n: int) -> Post:
    return replace(GOOD["DEVTO"], content=" ".join(f"@user{number}" for number in range(n)))


def _tags_of(n: int) -> Post:
    """Four tags that are n characters long together with the commas and spaces between them."""
    return replace(GOOD["DEVTO"], tags=("a" * (n - 96), "b" * 30, "c" * 30, "d" * 30))


def _request_of(letter: str, size: int) -> Callable[[int], Post]:
    """A post that takes n bytes of a request, where one `letter` takes `size` of them."""
    tags = '[{"slug": "python", "name": "python"}, {"slug": "open-source", "name": "open-source"}]'
    around = f'{{"title": "Ä", "subtitle": "", "contentMarkdown": "", "tags": {tags}}}'.encode()
    good = replace(GOOD["HASHNODE"], title="Ä", subtitle="")

    def made(n: int) -> Post:
        room = n - len(around)
        return replace(good, content=letter * (room // size) + "x" * (room % size))

    return made


BYTES = "bytes of text"
UNITS = "UTF-16 units of text (an emoji is two)"
TOGETHER = "bytes of text, title and tags together"
LIMITS = [
    Limit("DEVTO", "title", 128, "characters in the title", FOREM + "article.rb, title", _titled("DEVTO")),
    Limit(
        "DEVTO", "subtitle", 150, "characters in the subtitle", OURS + "no limit found", _subtitled("DEVTO")
    ),
    Limit("DEVTO", "tags", 4, "tags", FOREM + "article.rb, validate_tag", _tagged("DEVTO")),
    Limit(
        "DEVTO",
        "tagList",
        126,
        "characters in all tags together",
        FOREM + "article.rb, cached_tag_list",
        _tags_of,
        also=1,
    ),
    Limit("DEVTO", "content", 800_000, BYTES, FOREM + "article.rb, body_markdown", _holding("DEVTO", "x", 1)),
    Limit("DEVTO", "content", 800_000, BYTES, FOREM + "article.rb, body_markdown", _holding("DEVTO", "ü", 2)),
    Limit("DEVTO", "mentions", 7, "mentions of people by @", FOREM + "article.rb", _mentioning),
    Limit("HASHNODE", "title", 250, "characters in the title", OURS + "none stated", _titled("HASHNODE")),
    Limit(
        "HASHNODE",
        "subtitle",
        250,
        "characters in the subtitle",
        OURS + "none stated",
        _subtitled("HASHNODE"),
    ),
    Limit("HASHNODE", "tags", 15, "tags", SKILL + "schema.graphql, tags (max 15)", _tagged("HASHNODE")),
    Limit("HASHNODE", "content", 98_000, TOGETHER, SKILL + "errors-and-limits, 100 KB", _request_of("x", 1)),
    Limit("HASHNODE", "content", 98_000, TOGETHER, SKILL + "errors-and-limits, 100 KB", _request_of("ü", 2)),
    Limit("HASHNODE", "content", 98_000, TOGETHER, SKILL + "errors-and-limits, 100 KB", _request_of('"', 2)),
    Limit(
        "HASHNODE", "content", 98_000, TOGETHER, SKILL + "errors-and-limits, 100 KB", _request_of("x\n", 3)
    ),
    Limit("LINKEDIN", "content", 2_900, UNITS, MICROSOFT + "posts-api, 3,000", _holding("LINKEDIN", "x", 1)),
    Limit("LINKEDIN", "content", 2_900, UNITS, MICROSOFT + "posts-api, 3,000", _holding("LINKEDIN", "🚀", 2)),
]
