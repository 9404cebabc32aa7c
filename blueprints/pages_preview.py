"""A draft as its platform will show it, as safe HTML: what a model or a repository wrote runs nothing and
loads nothing."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import nh3
from markupsafe import Markup, escape

from blueprints.markdown import made, markdown, parsed, plain, seen
from blueprints.pages_claims import Review, Span
from models import Draft
from platforms import PLATFORMS

if TYPE_CHECKING:
    from markdown_it.token import Token

_TAGS = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong"),
    *("s", "a", "hr", "br", "table", "thead", "tbody", "tr", "th", "td", "span"),
}
_ATTRIBUTES = {"a": {"href", "title", "class"}, "ol": {"start"}, "span": {"class", "id", "data-claim"}}
"""Markdown itself makes no span and no class: those that are there are our marks."""
FOLD = Markup('<span class="fold">…see more</span>')


def rendered(text: str, spans: Sequence[Sequence[Span]] = ()) -> Markup:
    """Markdown, for reading only; images are left as their text, links lead out without a referrer. `spans`
    are marked, those of each block in order."""
    tokens = parsed(text)
    blocks = [token for token in tokens if plain(token) is not None]
    for token, places in zip(blocks, spans, strict=False):
        if token.type == "inline" and places:
            token.children = list(_marked(token.children or [], places))
    return _safe(markdown().renderer.render(tokens, markdown().options, {}))


def line(text: str, spans: Sequence[Span] = (), fold: int | None = None) -> Markup:
    """One line of plain text with its marks. `fold`: the place before which it is folded, if it is here."""
    marks: list[tuple[int, str]] = [] if fold is None else [(fold, str(FOLD))]
    for span in spans:
        marks += [(span.start, _opening(span)), (span.end, _closing(span))]
    made, at = "", 0
    for place, html in sorted(marks, key=lambda mark: mark[0]):
        made += escape(text[at:place]) + Markup(html)  # noqa: S704 - our own marks
        at = place
    return _safe(made + escape(text[at:]))


def plain_text(draft: Draft, review: Review) -> Markup:
    """A post that is plain text, line by line, with the place at which the feed folds it."""
    fold, at, lines = _fold(draft), 0, []
    is_folded = fold > 0
    for text, spans in zip(draft.content.split("\n"), review.spans[2:], strict=True):
        here = fold - at if is_folded and at <= fold <= at + len(text) else None
        lines.append(line(text, spans, here))
        at += len(text) + 1
        is_folded = is_folded and here is None
    return Markup("\n").join(lines)


def _fold(draft: Draft) -> int:
    """The place before which the feed folds the text, at the end of a word; 0 where it shows all."""
    fold = PLATFORMS[draft.platform_type].rules.fold
    if len(draft.content) <= fold:
        return 0
    spaces = [found.end() for found in re.finditer(r"\s", draft.content[:fold])]
    return spaces[-1] if spaces else fold


def _safe(html: str) -> Markup:
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - cleaned just above


def _opening(span: Span) -> str:
    tone = "claim own" if span.passage.is_own else "claim"
    number = span.passage.number
    return f'<span class="{tone}" id="c{number}" data-claim="{number}">'


def _closing(span: Span) -> str:
    number = span.passage.number
    return f'</span><a class="ref" href="#s{number}">{number}</a>'


def _marked(children: "Sequence[Token]", spans: Sequence[Span]) -> "Iterable[Token]":
    """The parts of a line with marks between them; a mark inside code or an image stands behind it, and none
    inside a link, which could hold no other."""
    marks = [mark for s in spans for mark in ((s.start, _opening(s)), (s.end, _closing(s)))]
    at, links = 0, 0
    for child in children:
        text = seen(child)
        while marks and not links and marks[0][0] <= at:
            yield made("html_inline", marks.pop(0)[1])
        if child.type == "text" and not links:
            done = 0
            while marks and marks[0][0] < at + len(text):
                place, html = marks.pop(0)
                yield made("text", text[done : place - at])
                yield made("html_inline", html)
                done = place - at
            yield made("text", text[done:])
        else:
            yield child
        links += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        at += len(text)
    for _, html in marks:
        yield made("html_inline", html)
