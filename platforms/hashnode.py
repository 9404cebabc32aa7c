"""Hashnode: long articles in Markdown."""

import json
import re

from models.values import PlatformRules, Post
from platforms.check import check_size, check_title

REQUEST_MAX = 98_000
"""Bytes of JSON that the content may take: the whole request is limited to 100 KB and holds more than it."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Hashnode:
    """Hashnode's GraphQL API.

    Tags: at most 15, slugs of `[a-z0-9-]`; request: 100 KB (Hashnode/gql-skill @ebd06df,
    errors-and-limits and mutations, 2026-07-29). That source names no limit for a title or one tag: 250
    and 50 characters are ours.
    """

    rules = PlatformRules(
        type="HASHNODE",
        name="Hashnode",
        title_max=250,
        content_max=90_000,
        tags_max=15,
        tag_max=50,
        shape="a full article: introduction, headings, details with links, credits",
    )

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        broken = [*check_title(post, self.rules), *check_size(post, self.rules)]
        if len(json.dumps(post.content)) > REQUEST_MAX:
            broken.append("Hashnode takes at most 100 KB at once: shorten the post.")
        if len(post.tags) > self.rules.tags_max:
            broken.append(f"Hashnode takes at most {self.rules.tags_max} tags, not {len(post.tags)}.")
        broken += [
            f"The tag {tag[:60]!r} must be a slug: at most {self.rules.tag_max} of a-z, 0-9 and hyphens."
            for tag in post.tags
            if len(tag) > self.rules.tag_max or not _SLUG.fullmatch(tag)
        ]
        return broken
