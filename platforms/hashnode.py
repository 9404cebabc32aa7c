"""Hashnode: long articles in Markdown."""

import json
import re

from models.values import PlatformRules, Post
from platforms.check import Count, check_content, check_lines, counted, long_tags, named, too_many

REQUEST_MAX = 98_000
"""Bytes that a post may take of a request, which is limited to 100 KB (taken for 100,000 bytes): the others
are kept for the mutation, the publication's id and an address."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Hashnode:
    """Hashnode's GraphQL API.

    Tags: at most 15, slugs of `[a-z0-9-]`; request: 100 KB (Hashnode/gql-skill @ebd06df,
    errors-and-limits, mutations and schema.graphql, 2026-07-29). A title is needed, a subtitle may be absent;
    that source names no limit for either or for one tag: 250, 250 and 50 characters are ours, as are
    `content_max`, which leaves room for escapes, and `title_good`.
    """

    rules = PlatformRules(
        type="HASHNODE",
        name="Hashnode",
        title_max=250,
        content_max=90_000,
        tags_max=15,
        tag_max=50,
        shape="a full article: introduction, headings, details with links, credits",
        subtitle_max=250,
        title_good=90,
    )

    def measure(self, post: Post) -> dict[str, Count]:
        """Of title, subtitle, content (bytes of the whole post as it is sent) and tags."""
        size = len(sent(post))
        return counted(post, self.rules) | {
            "content": Count(size, REQUEST_MAX, "bytes of text, title and tags together")
        }

    def check(self, post: Post) -> list[str]:
        """One sentence for each rule that the post breaks."""
        return [
            *check_lines(post),
            *check_content(post),
            *too_many(self.measure(post), self.rules),
            *long_tags(post.tags, self.rules),
            *(
                f"The tag “{named(tag)}” must be a slug of a-z, 0-9 and single hyphens between them."
                for tag in post.tags
                if not _SLUG.fullmatch(tag)
            ),
        ]


def sent(post: Post) -> bytes:
    """The post as it stands in a request: the members of the mutation's input, as JSON in UTF-8."""
    members = {
        "title": post.title,
        "subtitle": post.subtitle,
        "contentMarkdown": post.content,
        "tags": [{"slug": tag, "name": tag} for tag in post.tags],
    }
    return json.dumps(members, ensure_ascii=False).encode("utf-8", "surrogatepass")
