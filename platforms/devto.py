"""Dev.to: shorter updates in Markdown."""

import re

from models.values import PlatformRules, Post
from platforms.check import check_size, check_title

BODY_MAX = 800_000
"""Bytes of body."""

MENTIONS_MAX = 7
"""People named by @ in one article; more is taken for spam."""

_CODE = re.compile(r"(`{3,}).*?\1|(`+)[^\n]*?\2", re.S)
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.S)
_LIQUID = re.compile(r"\{%|\{\{")
_MENTION = re.compile(r"(?<![\w`/])@[A-Za-z0-9_]+")


class DevTo:
    """Dev.to's Forem API v1.

    Title: 1 to 128 characters; tags: at most 4 of 1 to 30 letters and digits; body: at most 800 kB, at most 7
    mentions; a body that starts with `---` is read as front matter, which overrides the fields, and
    Liquid tags are executed (forem/forem: article.rb, tag.rb, articles_controller.rb at 004a2bc, read on
    2026-11-23).
    """

    rules = PlatformRules(
        type="DEVTO",
        name="Dev.to",
        title_max=128,
        content_max=BODY_MAX,
        tags_max=4,
        tag_max=30,
        shape="a short update in the first person: a paragraph, a few highlights with links, thanks",
    )

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        broken = [*check_title(post, self.rules), *check_size(post, self.rules)]
        if len(post.content) <= BODY_MAX < len(post.content.encode("utf-8", "surrogatepass")):
            broken.append("Dev.to takes at most 800 kB: shorten the post.")
        if post.content.lstrip().startswith("---"):
            broken.append("The post must not start with ---: Dev.to would read it as front matter.")
        if _LIQUID.search(_RAW.sub("", post.content)):
            broken.append("Dev.to would execute {% or {{: put it between {% raw %} and {% endraw %}.")
        if len(_MENTION.findall(_CODE.sub("", post.content))) > MENTIONS_MAX:
            broken.append(f"Dev.to takes at most {MENTIONS_MAX} mentions of people by @.")
        return broken + self._tags(post)

    def _tags(self, post: Post) -> list[str]:
        broken = [
            f"The tag {tag[:60]!r} must be 1 to {self.rules.tag_max} letters and digits."
            for tag in post.tags
            if len(tag) > self.rules.tag_max or not tag.isalnum()
        ]
        if len(post.tags) > self.rules.tags_max:
            broken.append(f"Dev.to takes at most {self.rules.tags_max} tags, not {len(post.tags)}.")
        return broken
