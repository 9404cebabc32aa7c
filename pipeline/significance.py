"""Whether what happened is worth a post, and if not, why: a window of seven dependency updates and a typing
mistake is carried over until there is something to say."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from lib.words import listed, plural
from models.values import Category, Digest, DigestItem, Window

CARRIED_MAX = timedelta(days=30)
"""How long something is carried over (DESIGN, Decisions): whoever does it shall see it told."""
ENOUGH = 3
"""Changes that are enough together where each alone would be too little: one edited page is no news, three
say that somebody worked on the documentation; one fix may wait for the next, several are worth an update."""

_NEWS: frozenset[Category] = frozenset({"feature", "fix", "performance"})
_MENDED: frozenset[Category] = frozenset({"fix", "performance"})
_SMALL: frozenset[Category] = frozenset({"docs", "other"})
_WORDS: dict[str, tuple[str, str | None]] = {
    "feature": ("new feature", None),
    "fix": ("fix", "fixes"),
    "performance": ("performance improvement", None),
    "other": ("other change", None),
    "issue": ("closed issue", None),
    "docs": ("documentation change", None),
    "upkeep": ("internal change", None),
    "small docs": ("small documentation change", None),
    "routine": ("routine change", None),
    "bump": ("dependency update", None),
}
"""By kind, in the order in which they are told; `None` where an s is enough."""


def too_little(shown: Digest, level: str) -> str | None:
    """Why there is nothing worth a post in `shown`, as a sentence or two; None where there is.

    `level`: OFF takes everything. NORMAL takes a release, a breaking change, a feature, a fix, something that
    became faster, a change that closed an issue, or ENOUGH changes to the documentation and of no known kind,
    closed issues included. STRICT takes a release, a breaking change, a feature, or ENOUGH fixes and
    improvements of speed. Routine (bots, version bumps, typing mistakes) and internal upkeep count for
    nothing, unless they break something.
    """
    if level == "OFF" or not shown.items or _is_enough(shown.items, strict=level == "STRICT"):
        return None
    measure = "Too little for a post by this job's strict measure" if level == "STRICT" else _NOTHING
    carried = "It is" if len(shown.items) == 1 else "They are"
    return f"{measure}: {_counted(shown.items)}. {carried} carried over to the next run."


_NOTHING = "Nothing worth a post yet"


def is_due(carried_since: datetime | None, window: Window) -> bool:
    """Whether what was carried over since then is told now, however little it is."""
    return carried_since is not None and window.until - carried_since >= CARRIED_MAX


def _is_enough(items: Sequence[DigestItem], *, strict: bool) -> bool:
    if any(item.category in ("release", "breaking") for item in items):  # also in a routine update
        return True
    telling = [item for item in items if not item.is_routine]
    # An issue by itself was closed without a change of this window: its label tells nothing of what was done.
    changes = Counter(item.category for item in telling if item.kind != "issue")
    if strict:
        return changes["feature"] > 0 or _of(changes, _MENDED) >= ENOUGH
    small = _of(changes, _SMALL) + sum(item.kind == "issue" for item in telling)
    return _of(changes, _NEWS) > 0 or small >= ENOUGH or any(item.closes for item in telling)


def _of(counts: Counter[Category], kinds: frozenset[Category]) -> int:
    return sum(counts[kind] for kind in kinds)


def _counted(items: Sequence[DigestItem]) -> str:
    counts = Counter(map(_kind, items))
    return listed([plural(counts[kind], *words) for kind, words in _WORDS.items() if counts[kind]])


def _kind(item: DigestItem) -> str:
    if item.is_bump:
        return "bump"
    if item.is_routine:
        return "small docs" if item.category == "docs" else "routine"
    return "issue" if item.kind == "issue" else item.category
