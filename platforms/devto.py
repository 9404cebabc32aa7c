"""Dev.to: shorter updates in Markdown."""

import re

from models.values import PlatformRules, Post
from platforms.check import Count, check_content, check_lines, counted, long_tags, named, too_many

BODY_MAX = 800_000
"""Bytes of body; a kilobyte is taken for 1,000 of them, the smaller of its two sizes."""

MENTIONS_MAX = 7
"""People named by @ in one article; more is taken for spam."""

TAG_LIST_MAX = 126
"""Characters of all tags joined by a comma and a space, as Forem keeps them: just what 4 tags of 30 need."""

_CODE = re.compile(r"(`{3,}).*?\1|(`+)[^\n]*?\2", re.S)
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.S)
_LIQUID = re.compile(r"\{%|\{\{")
_MENTION = re.compile(r"(?<![\w`/])@[A-Za-z0-9_]+")


class DevTo:
    """Dev.to's Forem API v1.

    Title: 1 to 128 characters; tags: at most 4, each of 1 to 30 letters and digits, together at most 126
    characters; body: at most 800 kB, at most 7 mentions; a body that starts with `---` is read as front
    matter, which overrides the fields, and Liquid tags are executed (forem/forem: article.rb, tag.rb,
    articles_controller.rb at 004a2bc, read on 2026-11-23). The subtitle is its `description`, for which that
    source has no limit: 150 characters, about what search engines and cards show of it, are ours, as is
    `title_good`.
    """

    rules = PlatformRules(
        type="DEVTO",
        name="Dev.to",
        title_max=128,
        content_max=BODY_MAX,
        tags_max=4,
        tag_max=30,
        shape="a short update in the first person: a paragraph, a few highlights with links, thanks",
        subtitle_max=150,
        title_good=90,
    )

    def measure(self, post: Post) -> dict[str, Count]:
        """Of title, subtitle, content (bytes of UTF-8), tags, tagList and mentions."""
        mentions = len(_MENTION.findall(_CODE.sub("", post.content)))
        return counted(post, self.rules) | {
            "content": Count(len(post.content.encode("utf-8", "surrogatepass")), BODY_MAX, "bytes of text"),
            "tagList": Count(len(", ".join(post.tags)), TAG_LIST_MAX, "characters in all tags together"),
            "mentions": Count(mentions, MENTIONS_MAX, "mentions of people by @"),
        }

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        broken = [*check_lines(post), *check_content(post), *too_many(self.measure(post), self.rules)]
        if post.content.lstrip().startswith("---"):
            broken.append("The post must not start with ---: Dev.to would read it as front matter.")
        if _LIQUID.search(_RAW.sub("", post.content)):
            broken.append("Dev.to would execute {% or {{: put it between {% raw %} and {% endraw %}.")
        return [*broken, *long_tags(post.tags, self.rules), *map(_misshapen, filter(_is_odd, post.tags))]


def _is_odd(tag: str) -> bool:
    """Ruby's [[:alnum:]] has no superscripts or fractions, which `isalnum` has."""
    return not tag or not all(letter.isalpha() or letter.isdecimal() for letter in tag)


def _misshapen(tag: str) -> str:
    return f"The tag “{named(tag)}” must be letters and digits alone, one at least, as Dev.to takes them."
