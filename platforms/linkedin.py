"""LinkedIn: one plain text."""

import re

from models.values import PlatformRules, Post
from platforms.check import check_size

_MARKDOWN = (
    (re.compile(r"^#{1,6} ", re.M), "a heading"),
    (re.compile(r"\*\*\S[^*\n]*\*\*"), "bold text"),
    (re.compile(r"\]\(https?://"), "a link"),
    (re.compile(r"`[^`\n]+`"), "code"),
)


class LinkedIn:
    """LinkedIn's Posts API for members.

    3,000 characters (learn.microsoft.com, posts-api, as known on 2026-11-23). It does not say how they are
    counted, nor whether before or after its own escaping: 2,900 UTF-16 units leave room. There is no
    title, no list of tags and no Markdown.
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
    )

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        broken = check_size(post, self.rules)
        if post.title:
            broken.append("A LinkedIn post has no title.")
        if post.tags:
            broken.append("A LinkedIn post has no list of tags: write hashtags at its end.")
        broken += [
            f"LinkedIn shows Markdown as it is typed: {name} is in the post."
            for mark, name in _MARKDOWN
            if mark.search(post.content)
        ]
        return broken
