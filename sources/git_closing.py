"""Issues that messages say they close, by GitHub's keywords (docs.github.com, "Linking a pull request to an
issue", 2026-11-23)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_CLOSING = re.compile(
    r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+"
    r"(?:(?P<page>https?://[\w.:-]+/[\w./-]+?)/issues/|(?P<name>[\w.-]+/[\w.-]+)?#|GH-)(?P<number>[1-9]\d{0,8})\b",
    re.I,
)
# A revert quotes what it undoes: `Revert "Fix #12"` closes nothing.
_QUOTED = re.compile(r'\A(?:Revert|Reapply) ".*')


class Reference(NamedTuple):
    """An issue's number; `home` is the repository that the message gives with it, `owner/name` or its page,
    empty for its own."""

    number: int
    home: str = ""


def closings(message: str) -> Iterator[Reference]:
    """The issues that a commit with this message closes, each as often as it says so."""
    for found in _CLOSING.finditer(_QUOTED.sub("", message)):
        yield Reference(int(found["number"]), found["page"] or found["name"] or "")
