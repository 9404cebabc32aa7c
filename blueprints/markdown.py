"""Markdown taken apart: its blocks, and what a reader sees of each."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


def _image_as_text(_renderer: object, tokens: "Sequence[Token]", index: int, *_: object) -> str:
    return escape(tokens[index].content)


_BREAKS = {"softbreak": " ", "hardbreak": " "}


@cache
def markdown() -> "MarkdownIt":
    """Made when the first post is looked at: until then it takes no memory."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image_as_text)
    return parser


def parsed(text: str) -> "list[Token]":
    """The blocks of a post."""
    return markdown().parse(text)


def made(kind: str, content: str) -> "Token":
    """A part of a line: `text`, or `html_inline`."""
    from markdown_it.token import Token

    return Token(kind, "", 0, content=content)


def plain(token: "Token") -> str | None:
    """What a reader sees of a block; None for one that shows nothing by itself."""
    if token.type == "inline":
        return "".join(seen(child) for child in token.children or ())
    if token.type in ("fence", "code_block"):
        return token.content.rstrip("\n")
    return None


def seen(child: "Token") -> str:
    """What a reader sees of a part of a line."""
    return _BREAKS.get(child.type, child.content)
