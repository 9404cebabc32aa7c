"""A stack trace for its reader: our own lines first, those of libraries folded away, secrets masked."""

import re
from dataclasses import dataclass

from lib.masking import mask
from lib.words import plural

OWN = frozenset(
    {"app.py", "blueprints", "lib", "models", "pipeline", "platforms", "sources", "tasks", "writers"}
)
_FRAME = re.compile(r"^\s*at .*\((?P<path>[^()]+?):\d+\)$")


@dataclass(frozen=True, slots=True)
class Trace:
    """`own`: the error and our frames, the innermost first; the same as `whole` where no library had a part.
    `folded` says how many lines of libraries only `whole` has."""

    own: str
    whole: str
    folded: str


def trace(text: str | None) -> Trace | None:
    """None where there is nothing to show."""
    whole = mask(text or "").strip("\n")
    if not whole.strip():
        return None
    lines = whole.splitlines()
    foreign = [line for line in lines if _is_frame(line) and not _is_own(line)]
    if not foreign:
        return Trace(whole, whole, "")
    frames = [line for line in lines if _is_own(line)]
    rest = [line for line in lines if not _is_frame(line)]
    own = [*rest[:1], *reversed(frames), *rest[1:]]
    return Trace("\n".join(own), whole, plural(len(foreign), "line"))


def _is_frame(line: str) -> bool:
    return _FRAME.match(line) is not None


def _is_own(line: str) -> bool:
    found = _FRAME.match(line)
    return found is not None and found["path"].partition("/")[0] in OWN
