"""One sentence of a manuscript in its platform's dialect: the only place where a post's links are made."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lib import words
from models.values import WINDOW, DigestItem, PlatformRules, Sentence
from writers import template_text as text
from writers.ledger_text import Piece, cited, pieces

SHOWN_MAX = 6
"""Refs that one sentence shows in parentheses. One with more counts them: a list of them would be noise."""

_END = re.compile(r"([.!?…]*)\s*$")


@dataclass(frozen=True)
class Dialect:
    """How one platform's sentences are written. `items` are the digest's by ref, `home` is its
    repository and `name` what readers call it."""

    rules: PlatformRules
    items: Mapping[str, DigestItem]
    home: str | None
    name: str

    def sentence(self, said: Sentence, shown: Collection[str] = ()) -> str:
        """In the platform's markup. `shown`: the refs that follow in parentheses, as far as the text does not
        place them."""
        return self._written(said, shown, self.rules.markdown)

    def seen(self, said: Sentence, shown: Collection[str] = ()) -> str:
        """The same as its reader sees it, without markup."""
        return self._written(said, shown, False)

    def _written(self, said: Sentence, shown: Collection[str], markdown: bool) -> str:
        parts = pieces(words.one_line(said.text), self.items)
        made = "".join(self._pieces(parts, markdown))
        made = re.sub(r" +([.,;:!?])(?=\s|$)", r"\1", made.replace("  ", " ")).strip()
        return self._followed(made, said, parts, shown, markdown) if shown else made

    def _pieces(self, parts: Sequence[Piece], markdown: bool) -> Iterator[str]:
        """Strong words may have code and refs among them: their marks are paired over the whole sentence."""
        marks = sum(part.text.count("**") for part in parts if part.kind == "prose")
        for part in parts:
            if part.kind != "prose":
                yield self._piece(part, markdown)
                continue
            split = part.text.split("**") if marks % 2 == 0 else [part.text]
            mark = "**" if markdown else ""
            yield mark.join(self._piece(Piece("prose", text), markdown) for text in split)

    def _piece(self, part: Piece, markdown: bool) -> str:
        if part.kind == "ref":
            return self.label(part.text, markdown)
        if part.kind == "code":
            return text.code(part.text) if markdown else text.plain(part.text)
        return _prose(part.text) if markdown else _without_mentions(part.text.replace("`", "'"))

    def _followed(
        self, made: str, said: Sentence, parts: Sequence[Piece], shown: Collection[str], markdown: bool
    ) -> str:
        in_text = {part.text for part in parts if part.kind == "ref"}
        refs = [ref for ref in cited(said, self.items) if ref in shown and ref not in in_text]
        refs = [ref for ref in refs if self._is_shown(ref)]
        if not 0 < len(refs) <= SHOWN_MAX:
            return made
        listed = ", ".join(self.label(ref, markdown) for ref in refs)
        end = _END.search(made)
        at = end.start() if end else len(made)
        return f"{made[:at]} ({listed}){made[at:].strip()}"

    def _is_shown(self, ref: str) -> bool:
        """Plain text has no links: a bare commit id or tag in parentheses tells its reader nothing."""
        item = self.items.get(ref)
        return item is not None and (self.rules.markdown or item.number is not None)

    def label(self, ref: str, markdown: bool) -> str:
        """The ref as a link to its item, or as its name where there is no link."""
        item = self.items.get(ref)
        if item is None:
            return self._repository(markdown) if ref == WINDOW else ref
        name = _name(item)
        if not markdown:
            return _without_mentions(name)
        shown = text.code(name) if item.kind == "commit" else name
        shown = text.markdown(text.clean(name)) if item.kind == "release" else shown
        return text.link(shown, item.url, self.home)

    def _repository(self, markdown: bool) -> str:
        """The repository's name as a link; its address where there are no links."""
        if not markdown and not self.rules.markdown:
            return self.home or self.name
        return text.link(text.markdown(self.name), self.home, self.home) if markdown else self.name


def _without_mentions(plain: str) -> str:
    return re.sub(r"(?<!\w)@+(?=\w)", "", plain)


def _prose(prose: str) -> str:
    """Escaped, with the spaces at its ends."""
    inner = prose.strip()
    if not inner:
        return prose
    start = prose[: len(prose) - len(prose.lstrip())]
    return f"{start}{text.markdown(inner)}{prose[len(prose.rstrip()) :]}"


def _name(item: DigestItem) -> str:
    if item.number is not None:
        return f"#{item.number}"
    # An issue or pull request always has its number; a commit's ref has its short id, a release's its tag.
    return item.ref[1:]
