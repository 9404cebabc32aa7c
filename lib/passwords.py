"""Which new passwords are among the first that are guessed.

As NIST SP 800-63B wants: a list of what is used and leaked most, repetitions, rows of keys, and what is known
of the account; no rule on which kinds of characters there must be.
"""

import re
from functools import cache
from pathlib import Path

_LIST = Path(__file__).resolve().with_name("common_passwords.txt")
_ROWS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LIKE_LETTERS = str.maketrans("0134579@$!", "oleastgasi")
REPEATED = 4
"""Characters: `abcdabcd` is guessed first, `horsehorse` later."""


def is_common(password: str, *known: str) -> bool:
    """Whether it is one of the first to be tried. `known`: words of the account, such as its address.

    Case, signs and digits around a word, and signs that stand for letters make no difference: `P@ssw0rd2024!`
    is as common as `password`.
    """
    typed = password.casefold()
    refused = _words() | {word for one in known for word in _of(one)}
    core = _EDGES.sub("", typed)
    spellings = {typed, core, typed.translate(_LIKE_LETTERS), core.translate(_LIKE_LETTERS)}
    return not spellings.isdisjoint(refused) or _repeats(typed) or _is_row(typed)


def _of(known: str) -> set[str]:
    """The address and its parts; parts of less than four letters say nothing."""
    whole = known.casefold()
    parts = {whole, whole.partition("@")[0], *re.split(r"[\W\d_]+", whole)}
    return {part for part in parts if len(part) > 3}


def _repeats(typed: str) -> bool:
    return any((typed[:size] * len(typed)).startswith(typed) for size in range(1, REPEATED + 1))


def _is_row(typed: str) -> bool:
    return any(typed in row * 2 or typed in row[::-1] * 2 for row in _ROWS)


@cache
def _words() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#")) | {"repocast"}
