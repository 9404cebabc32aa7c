"""What bodies and release notes explain: whole sentences of theirs, cleaned, and code word for word."""

import re
from collections.abc import Iterator

from writers import template_text as text

BODY_MAX, LINE_MAX = 8_000, 1_000
"""Characters of a body, and of one paragraph, that are looked at."""

SENTENCE_MIN, SENTENCE_MAX = 20, 400
"""Characters of a sentence that is worth quoting, and of one that is read to its end."""

SAMPLE_LINES, SAMPLE_WIDTH = 16, 100
"""Lines of code, and characters of each, that a reader takes in at a glance."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*\s*$|\Z)", re.M | re.S)
_SAMPLE = re.compile(r"^(`{3,})([\w+#.-]*)[ \t]*\n(.*?)\n\1[ \t]*$", re.M | re.S)
_HEADING = re.compile(r"#{1,6}(?:\s|$)|[-=]{3,}$|\*\*[^*]+\*\*:?$")
_TRAILER = re.compile(
    r"[A-Z][A-Za-z]*(?:-[A-Za-z]+)+: .*|(?:refs?|see|part of|fix\w*|clos\w*|resolv\w*)\b:?\s+\S*#\d+.*", re.I
)
_BULLET = re.compile(r"(?:[-*+]|\d+[.)])\s+(?!\[[ xX]\])")
_SENTENCE = re.compile(r"(?<=[\w)`\"'”]{2}[.!?])\s+(?=[A-Z\"'“(`])")
_NOT_FOR_READERS = re.compile(
    r"\b(?:I|I'm|I've|I'd|me|my|WDYT|LGTM|TODO|WIP|PTAL|cc)\b|[-=]>|[?…]$|^(?:This reverts|Full Changelog)"
    r"|\bby @\S+ in\b|\(cherry picked"
)
_BREAKING = re.compile(r"^BREAKING[ -]CHANGES?:\s*", re.M)
_ADVICE = re.compile(r"#{1,6}\s.*\b(?:migrat|upgrad|breaking|what to do)", re.I)
_INSTEAD = re.compile(
    r"\b(?:instead|replaced? (?:by|with)|migrat\w+|upgrad\w+|rename\w*|no longer|now requires?|must)\b", re.I
)
_NO_SAMPLE = re.compile(
    r"://|www\.|\S@\S+\.\w|\{\{|\{%|`{3}|Traceback|^\s*(?:>>>|\$ )|[\x00-\x08\x0b-\x1f\x7f\u200b-\u206f]"
    r"|[\ue000-\uf8ff\U000e0000-\U000e007f]", re.M
)  # fmt: skip
_NOT_CODE = re.compile(r"(?:text|txt|console|log|output|markdown|md|mermaid|html|suggestion)", re.I)


def explained(body: str, title: str, limit: int) -> list[str]:
    """The sentences of the first paragraph that explains something, at most `limit` characters together,
    each whole; none where there is no such paragraph.
    """
    for paragraph in _paragraphs(body):
        if found := _within(_sentences(paragraph, title), limit):
            return found
    return []


def advice(body: str, title: str, limit: int) -> list[str]:
    """What a body says of a breaking change: its footer by conventionalcommits.org 1.0.0, else what stands
    under a heading about it, else the sentences that speak of replacing; none where it says nothing.
    """
    is_below = False
    for paragraph in _paragraphs(body):
        if found := _BREAKING.search(paragraph):
            return _within(_sentences(paragraph[found.end() :], title), limit)
        is_below = is_below or bool(_ADVICE.match(paragraph))
        if is_below and (found_below := _within(_sentences(paragraph, title), limit)):
            return found_below
    told = (one for paragraph in _paragraphs(body) for one in _sentences(paragraph, title))
    return _within((one for one in told if _INSTEAD.search(one)), limit)


def sample(body: str) -> str:
    """The first short block of code in a body, word for word; empty for none. Output, logs and anything with
    an address are no code to show.
    """
    for _, language, lines in _SAMPLE.findall(_COMMENT.sub("", body[:BODY_MAX].replace("\r\n", "\n"))):
        rows = lines.split("\n")
        is_short = len(rows) <= SAMPLE_LINES and max(map(len, rows)) <= SAMPLE_WIDTH and lines.strip()
        if is_short and not (_NO_SAMPLE.search(lines) or _NOT_CODE.fullmatch(language)):
            return "" if text.is_unfit(lines) else lines
    return ""


def _paragraphs(body: str) -> list[str]:
    """None where any line gives orders: what stands beside it is likely part of it."""
    body = _COMMENT.sub("", body[:BODY_MAX].replace("\r\n", "\n"))
    if any(text.is_unfit(line) for line in body.split("\n")):
        return []
    return re.split(r"\n\s*\n", _FENCE.sub("", body))


def _sentences(paragraph: str, title: str) -> Iterator[str]:
    said = text.subject(title).casefold()
    for line in _lines(paragraph[:LINE_MAX]):
        for one in _SENTENCE.split(text.clean(line)):
            if _NOT_FOR_READERS.search(one) or text.is_unfit(one) or one.casefold().rstrip(".") == said:
                continue
            if SENTENCE_MIN <= len(one) <= SENTENCE_MAX and one.count(" ") > 2:
                yield text.capital(one.rstrip(" ;:,")) + ("" if one[-1] in ".!" else ".")


def _within(sentences: Iterator[str], limit: int) -> list[str]:
    kept: list[str] = []
    for one in sentences:
        limit -= len(one)
        if limit < 0:
            break
        kept.append(one)
    return kept


def _lines(paragraph: str) -> Iterator[str]:
    """The paragraph as one text, or its bullets; headings, check lists, quotes, tables and trailers left
    out.
    """
    made = ""
    for raw in paragraph.split("\n"):
        line = raw.strip()
        bullet = _BULLET.match(line)
        if _HEADING.match(line) or _TRAILER.fullmatch(line) or re.match(r"[>|]|[-*+]\s+\[[ xX]\]", line):
            continue
        if bullet and made:
            yield made
            made = ""
        made = f"{made} {line[bullet.end() :] if bullet else line}".strip()
    if made:
        yield made
