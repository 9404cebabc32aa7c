"""The ledger of claims: no sentence of a post stands without a source, whoever wrote it.

Each sentence is held against what its refs stand for, and nothing else: the texts of the cited items and,
where `WINDOW` is cited, what is true of the digest itself. The checks know English; in another language the
words and deeds of a sentence are not looked at (`unchecked` says so), its numbers, names, code, people,
addresses and quotes are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lib import words
from models.values import WINDOW, Block, Brief, Manuscript, Sentence
from writers import ledger_claims as claims
from writers import ledger_names as names
from writers.ledger_complete import completed as completed
from writers.ledger_complete import missing
from writers.ledger_heads import same_title as same_title
from writers.ledger_heads import tag_faults, title_faults
from writers.ledger_numbers import numbers
from writers.ledger_polarity import polarity
from writers.ledger_said import Fault, Faults, Kind, Said
from writers.ledger_sources import Borne, Sources
from writers.ledger_text import cited
from writers.render import headed

SHOWN_MAX = 120
"""Characters of a sentence that a finding quotes."""

SENTENCE_MAX = 1_500
"""Characters of one sentence: nobody reads a longer one, and the checks would take their time over it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one sentence. `message` says it to whoever wrote it, and to who reviews the post."""

    kind: Kind
    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Audit:
    """`kept` is the manuscript without the sentences that failed; its title is empty where that failed."""

    kept: Manuscript
    findings: tuple[Finding, ...]


def audit(brief: Brief, manuscript: Manuscript) -> Audit:
    """Hold every sentence of the manuscript against what it cites.

    Findings come in the order of the text; those of what is missing come last, and nothing is added for them
    (`completed` does). A sentence may have several.
    """
    return _Auditing(brief, manuscript).whole()


def unchecked(brief: Brief) -> list[str]:
    """Remarks on what `audit` did not look at."""
    language = brief.voice.language.strip()
    if claims.is_english(language):
        return []
    return [
        f"Written in {words.cut(words.one_line(language), 40)}: "
        "whether each word has a source was not checked."
    ]


def remarks(findings: Sequence[Finding]) -> list[str]:
    """What a reviewer is told of sentences that were left out: one remark for each, with all that is wrong
    with it. What was missing is told by `completed`."""
    by_text: dict[str, list[str]] = {}
    for finding in findings:
        if finding.kind is not Kind.MISSING:
            by_text.setdefault(finding.text, []).append(finding.message)
    return [f"Left out: {' '.join(_joined(messages))}" for messages in by_text.values()]


def _joined(messages: Sequence[str]) -> list[str]:
    """The first message whole, the others without the sentence that they all begin with."""
    first, *others = messages
    return [first, *(f"It {other.partition('”: ')[2]}" for other in others)]


_ALWAYS: tuple[Callable[[Said], Faults], ...] = (
    names.orders,
    names.secrets,
    names.addresses,
    names.markup,
    names.people,
    names.newcomers,
    names.code,
    names.quotes,
    numbers,
    claims.banned,
)
_ENGLISH: tuple[Callable[[Said], Faults], ...] = (
    claims.period,
    claims.promises,
    polarity,
    claims.source_words,
)


class _Auditing:
    """One manuscript."""

    def __init__(self, brief: Brief, manuscript: Manuscript) -> None:
        self._brief, self._manuscript = brief, manuscript
        self._sources = Sources(brief, told(brief, manuscript))
        self._checks = _ALWAYS + (_ENGLISH if claims.is_english(brief.voice.language) else ())
        self._findings: list[Finding] = []

    def whole(self) -> Audit:
        made = self._manuscript
        title = self._title(made.title)
        subtitle = made.subtitle if made.subtitle and self._holds(made.subtitle) else None
        blocks = headed([block for block in self._blocks() if block.sentences])
        tags = tuple(tag for tag in made.tags if not self._found(tag, list(tag_faults(tag, self._sources))))
        kept = Manuscript(title, tuple(blocks), subtitle, tags)
        for item in missing(self._brief, kept):
            self._add(
                Kind.MISSING, item.ref, f"{_shown(item.title) or item.ref} ({item.ref}) must be mentioned"
            )
        return Audit(kept, tuple(self._findings))

    def _title(self, title: Sentence) -> Sentence:
        if not self._brief.rules.title_max:
            return title
        faults = [*title_faults(title, self._brief), *(self._faults(title) if title.text.strip() else [])]
        return Sentence("") if self._found(title.text, faults) else title

    def _blocks(self) -> Iterator[Block]:
        blocks = self._manuscript.blocks
        for place, block in enumerate(blocks):
            if block.kind == "heading":
                below = self._below(blocks[place + 1 :])
                kept = [s for s in block.sentences if self._holds(replace(s, refs=(*s.refs, *below)))]
                yield Block("heading", tuple(kept[:1]))
            elif block.kind == "code":
                yield Block("code", tuple(s for s in block.sentences[:1] if self._is_code(s)))
            else:
                yield Block(block.kind, tuple(s for s in block.sentences if self._holds(s)))

    def _below(self, blocks: Sequence[Block]) -> list[str]:
        """What is cited under a heading: a heading says no more than that."""
        refs: list[str] = []
        for block in blocks:
            if block.kind == "heading":
                break
            refs += [ref for s in block.sentences for ref in cited(s, self._sources.items)]
        return list(dict.fromkeys([*refs, WINDOW]))

    def _holds(self, sentence: Sentence) -> bool:
        return not self._found(sentence.text, self._faults(sentence))

    def _faults(self, sentence: Sentence) -> list[Fault]:
        refs = cited(sentence, self._sources.items)
        if not words.one_line(sentence.text):
            return [Fault(Kind.NO_REF, "says nothing")]
        if not refs:
            return [Fault(Kind.NO_REF, "names no ref that it rests on")]
        unknown = [ref for ref in refs if ref != WINDOW and ref not in self._sources.items]
        if unknown:
            return [
                Fault(Kind.UNKNOWN_REF, f"cites {words.listed(unknown)}, which the activity does not have")
            ]
        if len(sentence.text) > SENTENCE_MAX:
            return [Fault(Kind.MARKUP, f"is longer than {SENTENCE_MAX} characters")]
        said = Said(sentence, self._sources.borne(refs))
        return [fault for check in self._checks for fault in check(said)]

    def _is_code(self, sentence: Sentence) -> bool:
        refs = cited(sentence, ())
        borne = self._sources.borne(refs)
        return not self._found(sentence.text, list(_code_faults(sentence, borne)))

    def _found(self, text: str, faults: Sequence[Fault]) -> bool:
        for kind, what in dict.fromkeys(faults):
            self._add(kind, text, f"“{_shown(text)}”: {what}")
        return bool(faults)

    def _add(self, kind: Kind, text: str, message: str) -> None:
        self._findings.append(Finding(kind, text, f"{message}."))


def told(brief: Brief, manuscript: Manuscript) -> frozenset[str]:
    """The refs of all that the manuscript's text cites."""
    known = Sources(brief).items
    sentences = [s for block in manuscript.blocks for s in block.sentences]
    return frozenset(ref for sentence in sentences for ref in cited(sentence, known))


def _code_faults(sentence: Sentence, borne: Borne) -> Faults:
    """A block of code stands in the body of a cited item, line for line, and has no foreign address."""
    code = _lines(sentence.text)
    if not any(code in _lines(source.body) for source in borne.cited) or not code.strip():
        yield Fault(Kind.CODE_BLOCK, f"is code that does not stand in {borne.called}, line for line")
    said = Said(replace(sentence, text=f"`{words.one_line(sentence.text).replace('`', ' ')}`"), borne)
    yield from (
        *names.addresses(said),
        *names.code_addresses(said),
        *names.orders(said),
        *names.secrets(said),
    )


def _lines(text: str) -> str:
    """The lines without their indentation and trailing spaces: a list item indents the code in it."""
    return "\n".join(line.strip() for line in text.replace("\r\n", "\n").strip("\n").split("\n"))


def _shown(text: str) -> str:
    return words.cut(words.one_line(text), SHOWN_MAX)
