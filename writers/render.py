"""A manuscript as the post of its platform: code makes the links, the markup, the tags and the limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from lib import words
from models.values import (
    WINDOW,
    Block,
    Brief,
    Claim,
    ClaimSource,
    DigestItem,
    Manuscript,
    Post,
    Sentence,
    Usage,
)
from writers.ledger_heads import same_title
from writers.ledger_sources import by_ref, must_mention
from writers.ledger_text import cited
from writers.render_tags import hashtags, tags
from writers.render_text import Dialect

HASHTAGS_ROOM = 200
"""UTF-16 units that are kept free for LinkedIn's hashtags where a post has to be shortened."""

SOURCE_MAX = 200
"""Characters of a source's title."""


def post(
    brief: Brief, manuscript: Manuscript, *, usage: Usage | None = None, remarks: Sequence[str] = ()
) -> Post:
    """The manuscript as its platform's post.

    `remarks` are kept, and followed by one that says which blocks its limits left no room for: whole ones
    from the end, those that mention what must be mentioned last. The title is never cut: `ledger.audit`
    finds one that is too long. What the brief discloses ends the text, word for word.
    """
    blocks, notes = _fitting(brief, _printable(brief, manuscript.blocks))
    made = _Rendered(brief, replace(manuscript, blocks=blocks))
    return Post(
        made.title,
        made.content,
        made.tags,
        usage,
        made.subtitle,
        made.claims,
        _sources(brief, made.claims),
        (*remarks, *notes),
    )


@dataclass(frozen=True)
class _Rendered:
    """One manuscript in its dialect."""

    brief: Brief
    manuscript: Manuscript

    @cached_property
    def dialect(self) -> Dialect:
        digest = self.brief.digest
        return Dialect(self.brief.rules, by_ref(digest), digest.url, called(self.brief))

    @property
    def title(self) -> str:
        return self.dialect.seen(self.manuscript.title) if self.brief.rules.title_max else ""

    @property
    def subtitle(self) -> str:
        said = self.manuscript.subtitle
        return self.dialect.seen(said) if said and self.brief.rules.title_max else ""

    @property
    def tags(self) -> tuple[str, ...]:
        rules = self.brief.rules
        return tags(self.manuscript.tags, rules) if rules.tags_max else ()

    @property
    def content(self) -> str:
        parts = [*self._paragraphs(), self.brief.disclosure.strip()]
        content = "\n\n".join(part for part in parts if part)
        rules = self.brief.rules
        if rules.tags_max:
            return content
        room = rules.content_max - size(content, self.brief) - 2
        line = hashtags(content, tags(self.manuscript.tags, rules), room)
        return f"{content}\n\n{line}" if line else content

    def _paragraphs(self) -> list[str]:
        made: list[str] = []
        for kind, run in groupby(self._blocks(), key=lambda block: block.kind):
            texts = [text for text in map(self.block, run) if text]
            made += ["\n".join(texts)] if kind == "bullet" and texts else texts
        return made

    def _blocks(self) -> list[Block]:
        """LinkedIn's first sentence stands alone: the rest is folded away."""
        blocks = list(self.manuscript.blocks)
        if not self.brief.rules.markdown and blocks and blocks[0].kind == "paragraph":
            first, *rest = blocks[0].sentences
            halves = [Block("paragraph", (first,)), *([Block("paragraph", tuple(rest))] if rest else [])]
            blocks[:1] = halves
        return blocks

    def block(self, block: Block) -> str:
        """One block in the platform's markup."""
        rules, dialect = self.brief.rules, self.dialect
        if block.kind == "code":
            return _fenced(block.sentences[0].text, rules.type == "DEVTO")
        if block.kind == "heading":
            said = dialect.sentence(block.sentences[0])
            return f"## {said}" if rules.markdown else said
        said = " ".join(filter(None, (dialect.sentence(s, refs) for s, refs in self._shown(block))))
        mark = "- " if rules.markdown else "• "
        return f"{mark}{said}" if block.kind == "bullet" and said else said

    def _shown(self, block: Block) -> Iterator[tuple[Sentence, list[str]]]:
        """Each sentence with the refs that follow it: once in a block, and none in the line above the fold,
        whose room they would only cost."""
        before: set[str] = set()
        for said in block.sentences:
            refs = cited(said, self.dialect.items)
            above = not self.brief.rules.markdown and said is self.manuscript.blocks[0].sentences[0]
            yield said, [] if above else [ref for ref in refs if ref not in before]
            before |= set() if above else set(refs)

    @property
    def claims(self) -> tuple[Claim, ...]:
        manuscript = self.manuscript
        heads = [manuscript.title, *([manuscript.subtitle] if manuscript.subtitle else [])]
        made = [self._claim(said, []) for said in heads if self.brief.rules.title_max and said.text]
        for block in manuscript.blocks:
            if block.kind == "code":
                made.append(Claim(block.sentences[0].text, cited(block.sentences[0], ())))
            elif block.kind != "heading":
                made += [self._claim(said, shown) for said, shown in self._shown(block)]
        return tuple(made)

    def _claim(self, said: Sentence, shown: list[str]) -> Claim:
        return Claim(self.dialect.seen(said, shown), cited(said, self.dialect.items))


def called(brief: Brief) -> str:
    """What readers call the repository: its name, as the project writes it where that is the same word."""
    name = words.one_line(brief.digest.repository.rpartition("/")[2])
    return brief.project if same_title(brief.project) == same_title(name) else name


def size(content: str, brief: Brief) -> int:
    """How long the platform takes the content to be, in the units of its `content_max`."""
    return words.utf16(content) if brief.rules.utf16 else len(content)


def _fenced(code: str, runs_liquid: bool) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    made = f"{fence}\n{code}\n{fence}"
    # Dev.to executes its template language inside code, too.
    return f"{{% raw %}}\n{made}\n{{% endraw %}}" if runs_liquid and ("{{" in code or "{%" in code) else made


def _printable(brief: Brief, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Without the code that the platform cannot show: any in plain text, and what ends Dev.to's raw mode."""

    def shows(block: Block) -> bool:
        if block.kind != "code":
            return True
        runs = brief.rules.type == "DEVTO" and "endraw" in block.sentences[0].text
        return brief.rules.markdown and not runs

    return tuple(block for block in blocks if block.sentences and shows(block))


def _fitting(brief: Brief, blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], list[str]]:
    """As many blocks as the platform takes, and a remark about those it does not."""
    made = _Rendered(brief, Manuscript(Sentence(""), blocks))
    room = 0 if brief.rules.tags_max else HASHTAGS_ROOM
    over = size(made.content, brief) + room - brief.rules.content_max
    kept, dropped = list(blocks), 0
    while kept and over > 0:
        # At least one line break goes with each block.
        gone = kept.pop(_least(brief, kept))
        over -= size(made.block(gone), brief) + 1
        dropped += gone.kind != "heading"
        kept = headed(kept)
    if not dropped:
        return blocks, []
    limit = f"{brief.rules.name} takes {brief.rules.content_max:,} characters"
    return tuple(kept), [f"Left out for want of room: {words.plural(dropped, 'block')} at the end; {limit}."]


def _least(brief: Brief, blocks: Sequence[Block]) -> int:
    """The place of the last block that mentions nothing that must be mentioned; the last one if all do."""
    must = {item.ref for item in must_mention(brief.digest)}
    known = by_ref(brief.digest)
    spare = [
        place
        for place, block in enumerate(blocks)
        if block.kind != "heading" and not any(must.intersection(cited(s, known)) for s in block.sentences)
    ]
    return spare[-1] if spare else len(blocks) - 1


def headed(blocks: Sequence[Block]) -> list[Block]:
    """Without headings that nothing stands under."""
    kept: list[Block] = []
    for block in reversed(blocks):
        if block.kind != "heading" or (kept and kept[-1].kind != "heading"):
            kept.append(block)
    return kept[::-1]


def _sources(brief: Brief, claims: Sequence[Claim]) -> tuple[ClaimSource, ...]:
    items = by_ref(brief.digest)
    used = dict.fromkeys(ref for claim in claims for ref in claim.refs if ref != WINDOW)
    return tuple(_source(items[ref], brief.digest.url) for ref in used if ref in items)


def _source(item: DigestItem, home: str | None) -> ClaimSource:
    own = item.url if item.url and home and item.url.startswith(home.rstrip("/") + "/") else None
    return ClaimSource(item.ref, item.kind, words.cut(words.one_line(item.title), SOURCE_MAX), own)
