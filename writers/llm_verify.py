"""The last look at a post of a model's: a real Markdown parser sees no foreign link, image or HTML in it."""

import re

from models.values import Brief, Post
from writers.llm_errors import broken

_RAW = re.compile(r"\{% raw %\}|\{% endraw %\}")


def verify(post: Post, brief: Brief) -> None:
    """Raise WriterError, not permanent, for what must not be stored.

    All prose is escaped where it is rendered: this guards against a mistake of ours there. What the owner
    discloses is their own, and not looked at.
    """
    home = (brief.digest.url or "").rstrip("/")
    content = post.content.replace(brief.disclosure.strip(), "") if brief.disclosure.strip() else post.content
    if brief.rules.markdown:
        _markdown(_RAW.sub("", content), home)
    elif any(not _is_own(found, home) for found in re.findall(r"\w+://[^\s)]+", content)):
        raise broken("the answer has a link that cannot be taken out")


def _markdown(content: str, home: str) -> None:
    from markdown_it import MarkdownIt

    for block in MarkdownIt("commonmark").parse(content):
        for token in [block, *(block.children or [])]:
            foreign = token.type == "link_open" and not _is_own(str(token.attrs["href"]), home)
            if foreign or token.type in ("image", "html_block", "html_inline"):
                raise broken("the answer has a link or markup that cannot be taken out")


def _is_own(address: str, home: str) -> bool:
    return bool(home) and (address.rstrip("/.,") == home or address.startswith(f"{home}/"))
