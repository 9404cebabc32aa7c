"""What code, and never the model, makes sure of: sources, links, markup, the period's wording, limits."""

import re
import unicodedata
from collections.abc import Callable, Iterable

from lib import words
from models.values import Brief, Digest, DigestItem, PlatformRules, Post, Usage
from writers.llm_brief import clean, shown
from writers.llm_errors import broken

# Marks what no source bears out, and the place of a code block. Both are private-use characters, which
# `clean` takes from everything that comes in.
_UNSOURCED, _BLOCK = "\ue000", "\ue001"

_REF = r"(?:PR\d+|I\d+|C[0-9a-f]{7,40}|R[\w.+/-]*\d[\w.+/-]*)"
_PULL = re.compile(r"\bPR\s?#?(?=\d+\b)")
_NUMBER = re.compile(r"(?<![\w&/])#(\d{1,9})\b")
_LINK = re.compile(r"(!?)\[((?:[^\[\]\\]|\\.)*)\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s()]*)*)>?[^()]*\)")
_WHOLE_LINK = re.compile(r"(\[[^\]]*\]\([^)]*\))")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:.*$", re.MULTILINE)
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:|\bjavascript:)[^\s<>()\[\]\"'`]+", re.IGNORECASE
)
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(?:[ \t]*(?:[\w-]+:|-[ \t]).*\n|[ \t]*\n)*---[ \t]*(?:\n|\Z)")
_RULES_FIRST = re.compile(r"\A(?:\s*-{3,}[ \t]*(?:\n|\Z))+")
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(`+[^`\n]+`+)")
_UNSEEN = re.compile(
    r"<(script|style|iframe|svg|object|template)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(
    r"</?(?:a|abbr|article|audio|b|blockquote|body|br|button|center|code|details|div|em|embed|font|form|h[1-6]|"
    r"head|hr|html|i|iframe|img|input|kbd|li|link|mark|meta|object|ol|p|pre|s|script|section|small|span|strong|"
    r"style|sub|summary|sup|svg|table|tbody|td|th|thead|tr|u|ul|video)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])(\s+)(?=[^a-z\s])")
_LINE = re.compile(r"(\s*(?:(?:[-*+]|\d+[.)]|>+|#{1,6})\s+)*)(.*)")
_HEADING = re.compile(r"(#{1,6})\s")
_PERIODS = {"week": (6, 8), "month": (27, 32)}
_HASHTAGS_MAX, _HASHTAG_MAX = 5, 40
"""Ours: LinkedIn names no limit, and more of them read as noise."""

Link = Callable[[DigestItem], str]


def finished(brief: Brief, title: str, content: str, tags: Iterable[str], usage: Usage) -> Post:
    """The post, made of the model's words.

    A sentence that names a number, reference or address the digest does not have is dropped: it has no
    source, asking again costs as much as the whole post, and a model that was talked into it would say it
    again. Nothing left, or a title like that, counts as an answer that breaks the schema; so does content
    over the platform's limit, which is never cut. Raises WriterError, not permanent.
    """
    sources, rules = _Sources(brief.digest), brief.rules
    heading = _title(_in_period(clean(title), brief.digest), sources, rules)
    text = _in_period(clean(content.replace("\r\n", "\n")), brief.digest)
    text = _markdown(text, sources, heading) if rules.markdown else _plain(text, sources)
    if not any(line and not _HEADING.match(line) for line in text.split("\n")):
        raise broken("the answer says nothing that stands in the activity")
    labels = _tags(tags, rules)
    if not rules.markdown:
        text, labels = _with_hashtags(text, labels, rules), ()
    if rules.type == "DEVTO":
        text = text.replace("{%", "{ %").replace("{{", "{ {")  # it would run them as liquid tags
    if (size := _size(text, rules)) > rules.content_max:
        raise broken(f"the post has {size:,} characters, and {rules.name} takes {rules.content_max:,}")
    return Post(heading, text, labels, usage)


class _Sources:
    """What a post may name: the digest's items, numbers in their texts, the repository's own addresses."""

    def __init__(self, digest: Digest) -> None:
        items = [one for item in digest.items for one in (item, *item.closes)]
        self.items = {item.ref: item for item in items}
        self.by_number = {item.number: item for item in reversed(items) if item.number is not None}
        # What looks like a reference, and the tags that do not: `[Rnightly]` is one where there is such a
        # tag.
        self.ref = "|".join([*(re.escape(ref) for ref in sorted(self.items, key=len, reverse=True)), _REF])
        found = re.findall(r"#(\d{1,9})\b", str(shown(digest)))
        self.numbers = {*self.by_number, *map(int, found)}
        self.addresses = {_bare(url) for url in (digest.url, *(item.url for item in items)) if url}

    @property
    def cited(self) -> re.Pattern[str]:
        """References in square brackets, one or several, and the link that a model may have made of them."""
        several = rf"(?:{self.ref})(?:(?:\]\s*\[|[,;]\s*)(?:{self.ref}))*"
        return re.compile(rf"\s?\[({several})\](?:\([^\s)]*\))?")

    def has(self, address: str) -> bool:
        return _bare(address) in self.addresses

    def bear_out(self, text: str) -> bool:
        """Whether every address in a piece of code is the repository's own."""
        return all(self.has(address) for address in _ADDRESS.findall(text))


def _bare(address: str) -> str:
    return address.rstrip("/.,;:!?*_")


def _markdown(text: str, sources: _Sources, title: str) -> str:
    """Markdown whose code blocks stay as they are, or go when they name a foreign address."""
    blocks: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        blocks.append(found[0] if sources.bear_out(found[0]) else "")
        return f"{_BLOCK}{len(blocks) - 1}{_BLOCK}" if blocks[-1] else ""

    text = _FENCED.sub(set_aside, _FRONT_MATTER.sub("", text))
    text = _tidy(_prose(_DEFINITION.sub("", text), sources, _linked))
    text = _RULES_FIRST.sub("", _without_repeated_title(text, title)).strip()
    text = re.sub(rf"{_BLOCK}(\d+){_BLOCK}", lambda found: blocks[int(found[1])], text)
    _verify(text, sources)
    return text


def _plain(text: str, sources: _Sources) -> str:
    """Text without Markdown: LinkedIn would show its signs."""
    text = re.sub(r"^ {0,3}(`{3,}|~{3,}).*$", "", _DEFINITION.sub("", text), flags=re.MULTILINE)
    text = _prose(text, sources, lambda item: _label(item) if item.number is not None else "")
    text = _LINK.sub(lambda link: link[2], text)
    text = re.sub(r"^#{1,6}\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(\s*)[*+]\s+", r"\1- ", text, flags=re.MULTILINE)
    text = re.sub(r"(?<!\w)(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
    return _tidy(re.sub(r"`+([^`\n]+)`+", r"\1", text))


def _prose(text: str, sources: _Sources, link: Link) -> str:
    """What is not a code block: without foreign markup, and without sentences that have no source."""
    pieces = _CODE.split(_UNSEEN.sub("", text))
    pieces[::2] = [_marked(piece, sources, link) for piece in pieces[::2]]
    pieces[1::2] = [code if sources.bear_out(code) else _UNSOURCED for code in pieces[1::2]]
    lines = (_sourced(line) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line is not None)


def _marked(text: str, sources: _Sources, link: Link) -> str:
    """References become links, foreign links their text; what has no source becomes the mark."""
    text = _TAG.sub("", re.sub(r"<((?:https?|mailto):[^\s<>]+)>", r"\1", text))
    if link is _linked:  # what still looks like a tag to a Markdown reader is shown and not obeyed
        text = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)
    text = sources.cited.sub(lambda found: _cited(found[1], sources, link), text)
    text = _LINK.sub(lambda found: _own(found, sources), text)
    pieces = _WHOLE_LINK.split(_PULL.sub("PR #", text))
    pieces[::2] = [_numbered(piece, sources, link) for piece in pieces[::2]]
    # No link inside a link: there a number is only looked up.
    pieces[1::2] = [_numbered(piece, sources, _label) for piece in pieces[1::2]]
    return _ADDRESS.sub(lambda found: found[0] if sources.has(found[0]) else _UNSOURCED, "".join(pieces))


def _cited(refs: str, sources: _Sources, link: Link) -> str:
    names = re.findall(sources.ref, refs)
    if any(name not in sources.items for name in names):
        return _UNSOURCED
    links = [text for name in dict.fromkeys(names) if (text := link(sources.items[name]))]
    return f" ({', '.join(links)})" if links else ""


def _own(found: re.Match[str], sources: _Sources) -> str:
    image, text, address = found.groups()
    if image:
        return ""
    return found[0] if sources.has(address) else text


def _numbered(text: str, sources: _Sources, link: Link) -> str:
    def known(found: re.Match[str]) -> str:
        number = int(found[1])
        if number not in sources.numbers:
            return _UNSOURCED
        item = sources.by_number.get(number)
        return link(item) if item else found[0]

    return _NUMBER.sub(known, text)


def _label(item: DigestItem) -> str:
    if item.number is not None:
        return f"#{item.number}"
    return item.ref[1:8] if item.kind == "commit" else item.ref[1:]


def _linked(item: DigestItem) -> str:
    is_plain = item.url and re.fullmatch(r"[^\s<>()\\]+", item.url)
    return f"[{_label(item)}]({item.url})" if is_plain else _label(item)


def _sourced(line: str) -> str | None:
    """The line without the sentences that have no source; None when none is left."""
    if _UNSOURCED not in line:
        return line
    parts = _LINE.fullmatch(line)
    start, rest = parts.groups() if parts else ("", line)
    pieces = _SENTENCE_END.split(rest)
    sentences = zip(pieces[::2], [*pieces[1::2], ""], strict=True)
    kept = "".join(sentence + gap for sentence, gap in sentences if _UNSOURCED not in sentence).rstrip()
    return start + kept if kept else None


def _tidy(text: str) -> str:
    """Without headings that have lost what stood under them, and without heaps of empty lines."""
    kept: list[str] = []
    below: re.Match[str] | None = None
    nothing_below = True
    for line in reversed(text.split("\n")):
        heading = _HEADING.match(line)
        if heading and (nothing_below or (below and len(below[1]) <= len(heading[1]))):
            continue
        if line.strip():
            below, nothing_below = heading, False
        kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(reversed(kept))).strip()


def _without_repeated_title(text: str, title: str) -> str:
    first, _, rest = text.partition("\n")
    return rest if _HEADING.match(first) and first.lstrip("# ").strip() == title else text


def _verify(text: str, sources: _Sources) -> None:
    """A real parser has the last word: what it still sees as a foreign link, image or HTML is not stored."""
    from markdown_it import MarkdownIt

    for block in MarkdownIt("commonmark").parse(text):
        for token in [block, *(block.children or [])]:
            foreign = token.type == "link_open" and not sources.has(str(token.attrs["href"]))
            if foreign or token.type in ("image", "html_block", "html_inline"):
                raise broken("the answer has a link or markup that cannot be taken out")


def _title(title: str, sources: _Sources, rules: PlatformRules) -> str:
    if not rules.markdown:
        return ""
    line = words.one_line(sources.cited.sub("", title)).lstrip("# ").strip('*"“” ')
    line = words.one_line(_marked(line, sources, _label))
    if not line or _UNSOURCED in line:
        raise broken("the answer's title is missing or names what does not stand in the activity")
    return words.cut(line, rules.title_max)


def _in_period(text: str, digest: Digest) -> str:
    """Wording for a period of another length than the window's gives way to the window's own.

    So a daily job never says "this week", not even of its first seven days. Left alone where the activity
    itself speaks of weeks or months: they may be its subject.
    """
    days = (digest.window.until - digest.window.since).total_seconds() / 86400
    subject = str(shown(digest)["items"]).lower()
    for unit, (least, most) in _PERIODS.items():
        is_its_period = digest.cadence == f"{unit}ly" and least <= days <= most
        if unit not in subject and not is_its_period:
            text = _reworded(text, unit, digest)
    return text


def _reworded(text: str, unit: str, digest: Digest) -> str:
    before = r"\b(?:(in|over|during|from|for|of|within)\s+)?(?:this|the past|the last|past|last)\s+"

    def period(found: re.Match[str]) -> str:
        return _like(found[0], f"{found[1] or 'in'} {digest.words}")

    text = re.sub(rf"{before}{unit}\b", period, text, flags=re.IGNORECASE)
    adjective = digest.cadence if digest.cadence in ("daily", "weekly", "monthly") else "latest"
    return re.sub(rf"\b{unit}ly\b", lambda found: _like(found[0], adjective), text, flags=re.IGNORECASE)


def _like(old: str, new: str) -> str:
    """`new` with a capital where `old` had one."""
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _tags(tags: Iterable[str], rules: PlatformRules) -> tuple[str, ...]:
    """In the platform's alphabet, each once, as many as it takes.

    One that is too long is left out: cut, it is another word. Hashnode takes slugs, Dev.to and LinkedIn
    letters and digits (gql-beta.hashnode.com's schema; forem's tag.rb; LinkedIn's little text format; read
    2026-11-23).
    """
    known: dict[str, str] = {}
    for tag in tags:
        word = unicodedata.normalize("NFKD", tag).encode("ascii", "ignore").decode()
        if rules.type == "HASHNODE":
            word = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
        else:
            word = re.sub(r"[^A-Za-z0-9]", "", word if rules.type == "LINKEDIN" else word.lower())
        if word and len(word) <= (rules.tag_max or _HASHTAG_MAX) and not word.isdigit():
            known.setdefault(word.lower(), word)
    return tuple(known.values())[: rules.tags_max or _HASHTAGS_MAX]


def _with_hashtags(text: str, tags: tuple[str, ...], rules: PlatformRules) -> str:
    """LinkedIn's tags are part of its text; those that would not fit are left out."""
    said = {found.lower() for found in re.findall(r"#(\w+)", text)}
    line = ""
    for tag in tags:
        longer = f"{line} #{tag}".strip()
        if tag.lower() not in said and _size(f"{text}\n\n{longer}", rules) <= rules.content_max:
            line = longer
    return f"{text}\n\n{line}" if line else text


def _size(text: str, rules: PlatformRules) -> int:
    return words.utf16(text) if rules.utf16 else len(text)
