"""LinkedIn: one plain text."""

import re

from lib import words
from models.values import PlatformRules, Post
from platforms.check import Count, check_content, named, too_many

_MARKDOWN = (
    (re.compile(r"^#{1,6} ", re.M), "a heading"),
    (re.compile(r"\*\*\S[^*\n]*\*\*"), "bold text"),
    (re.compile(r"\]\(https?://"), "a link"),
    (re.compile(r"`[^`\n]+`"), "code"),
)
_HASHTAG = re.compile(r"#[^\W_]+")


class LinkedIn:
    """LinkedIn's Posts API for members.

    3,000 characters (learn.microsoft.com, posts-api, as known on 2026-11-23). It does not say how they are
    counted, nor whether before or after its own escaping: 2,900 UTF-16 units leave room. There is no
    title, no subtitle, no list of tags and no Markdown; a hashtag is letters and digits (the same pages,
    little-text-format). The signs that this format reserves are escaped by whoever publishes, and forbidden
    to nobody. `fold` is ours: about what a phone shows before "…see more", for which no page names a number.
    """

    rules = PlatformRules(
        type="LINKEDIN",
        name="LinkedIn",
        title_max=0,
        content_max=2_900,
        tags_max=0,
        tag_max=0,
        markdown=False,
        utf16=True,
        shape="plain text: a first line that stands alone, short bullets, hashtags at the end",
        fold=140,
    )

    def measure(self, post: Post) -> dict[str, Count]:
        """Of content, in UTF-16 units."""
        unit = "UTF-16 units of text (an emoji is two)"
        return {"content": Count(words.utf16(post.content), self.rules.content_max, unit)}

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        broken = [*check_content(post), *too_many(self.measure(post), self.rules)]
        if post.title:
            broken.append("A LinkedIn post has no title: let its first line say it.")
        if post.subtitle:
            broken.append("A LinkedIn post has no subtitle: put it into the text.")
        if post.tags:
            broken.append("A LinkedIn post has no list of tags: write hashtags at its end.")
        broken += [
            f"LinkedIn shows Markdown as it is typed: {name} is in the post."
            for mark, name in _MARKDOWN
            if mark.search(post.content)
        ]
        return [*broken, *map(_misshapen, _odd_hashtags(post.content))]


def _odd_hashtags(content: str) -> list[str]:
    """Those of a last line of nothing but hashtags that would not link whole; `C#` or `#42` in the text are
    none of them."""
    last = content.rstrip().rpartition("\n")[2].split()
    if not all(word.startswith("#") for word in last):
        return []
    return [word for word in last if not _HASHTAG.fullmatch(word)]


def _misshapen(hashtag: str) -> str:
    return (
        f"The hashtag “{named(hashtag)}” must be letters and digits alone: LinkedIn would link a part of it."
    )
