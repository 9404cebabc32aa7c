"""What differs between two texts: lines first, then words inside the lines that changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

WORDS_MAX, LINES_MAX = 1500, 3000
"""Words of a changed passage beyond which it is shown as a whole, and lines beyond which frequent ones count
for little: comparing takes the square of them."""
CONTEXT = 2
"""Lines that are shown around what changed."""
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
Kind = Literal["same", "gone", "new", "skipped"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text that both have, only the older one, or only the newer one; `skipped` stands for lines
    that both have, and says how many."""

    kind: Kind
    text: str


def differences(old: str, new: str) -> list[Part]:
    """The newer text with what it lost and won; empty where nothing differs."""
    if old == new:
        return []
    before, after = old.split("\n"), new.split("\n")
    matcher = SequenceMatcher(None, before, after, autojunk=max(len(before), len(after)) > LINES_MAX)
    parts: list[Part] = []
    steps = matcher.get_opcodes()
    for place, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            parts += _unchanged(before[a:b], place > 0, place < len(steps) - 1)
        else:
            parts += _changed("\n".join(before[a:b]), "\n".join(after[c:d]), a < b, c < d)
    return parts


def _unchanged(lines: Sequence[str], is_after: bool, is_before: bool) -> Iterator[Part]:
    head, tail = (CONTEXT if is_after else 0), (CONTEXT if is_before else 0)
    if len(lines) <= head + tail + 1:
        yield Part("same", "\n".join(lines) + "\n")
        return
    if head:
        yield Part("same", "\n".join(lines[:head]) + "\n")
    yield Part("skipped", str(len(lines) - head - tail))
    if tail:
        yield Part("same", "\n".join(lines[-tail:]) + "\n")


def _changed(old: str, new: str, had: bool, has: bool) -> Iterator[Part]:
    if had and has:
        yield from _by_words(old, new)
        yield Part("same", "\n")
    elif had:
        yield Part("gone", f"{old}\n")
    else:
        yield Part("new", f"{new}\n")


def _by_words(old: str, new: str) -> Iterator[Part]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > WORDS_MAX:
        yield from (Part("gone", old), Part("same", "\n"), Part("new", new))
        return
    for step, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step == "equal":
            yield Part("same", "".join(before[a:b]))
            continue
        if a < b:
            yield Part("gone", "".join(before[a:b]))
        if c < d:
            yield Part("new", "".join(after[c:d]))
