"""A draft's Markdown as safe HTML: what a model or a repository wrote runs nothing and loads nothing."""

from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape


def _image_as_text(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return escape(tokens[index].content)


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKDOWN.add_render_rule("image", _image_as_text)
_TAGS = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong"),
    *("s", "a", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}


def rendered(text: str) -> Markup:
    """For reading only; images are left as their text, links lead out without a referrer."""
    html = nh3.clean(
        _MARKDOWN.render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(html)  # noqa: S704 - cleaned just above
