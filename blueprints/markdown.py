"""Markdown taken apart: its blocks, and what a reader sees of each."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import escape


def _image_as_text(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return escape(tokens[index].content)


MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
MARKDOWN.add_render_rule("image", _image_as_text)
_BREAKS = {"softbreak": " ", "hardbreak": " "}


def parsed(text: str) -> list[Token]:
    """The blocks of a post."""
    return MARKDOWN.parse(text)


def plain(token: Token) -> str | None:
    """What a reader sees of a block; None for one that shows nothing by itself."""
    if token.type == "inline":
        return "".join(seen(child) for child in token.children or ())
    if token.type in ("fence", "code_block"):
        return token.content.rstrip("\n")
    return None


def seen(child: Token) -> str:
    """What a reader sees of a part of a line."""
    return _BREAKS.get(child.type, child.content)
