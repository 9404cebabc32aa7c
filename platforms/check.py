"""What all platforms check alike: counts against limits, and single lines."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lib import words
from models.values import PlatformRules, Post


class Count(NamedTuple):
    """How much a post uses of one limit; `unit` is what the platform counts, in the plural."""

    used: int
    limit: int
    unit: str

    @property
    def over(self) -> int:
        """How many are too many; 0 within the limit."""
        return max(0, self.used - self.limit)


Counts = Mapping[str, Count]
"""By the name of what is counted: `title`, `subtitle`, `content`, `tags`, and what else a platform has."""


def counted(post: Post, rules: PlatformRules) -> dict[str, Count]:
    """The counts of title, subtitle and tags, for those that the platform has."""
    found = {
        "title": Count(len(post.title), rules.title_max, "characters in the title"),
        "subtitle": Count(len(post.subtitle), rules.subtitle_max, "characters in the subtitle"),
        "tags": Count(len(post.tags), rules.tags_max, "tags"),
    }
    return {name: count for name, count in found.items() if count.limit}


def too_many(counts: Counts, rules: PlatformRules) -> list[str]:
    """One sentence for each limit that is exceeded, with the number over."""
    return [
        f"{rules.name} takes at most {count.limit:,} {count.unit}: there are {count.used:,}, "
        f"{count.over:,} too many."
        for count in counts.values()
        if count.over
    ]


def check_lines(post: Post) -> list[str]:
    """The sentences for a title that is missing, and for a title or subtitle that is not one line."""
    broken = [] if post.title.strip() else ["The title is missing."]
    for name, text in (("title", post.title), ("subtitle", post.subtitle)):
        if text.strip() and words.one_line(text) != text:
            broken.append(f"The {name} must be one line without control characters or doubled spaces.")
    return broken


def check_content(post: Post) -> list[str]:
    """The sentence for content that is missing."""
    return [] if post.content.strip() else ["The post is empty."]


def named(tag: str) -> str:
    """A tag as it can stand in a sentence, however it is made."""
    return words.cut(words.one_line(tag), 60)


def long_tags(tags: Iterable[str], rules: PlatformRules) -> list[str]:
    """One sentence for each tag that is too long, with the number over."""
    return [
        f"The tag “{named(tag)}” has {len(tag)} characters, {len(tag) - rules.tag_max} too many: "
        f"{rules.name} takes at most {rules.tag_max}."
        for tag in tags
        if len(tag) > rules.tag_max
    ]
