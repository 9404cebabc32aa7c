"""What changed files tell: where an item's code is, what goes on with what, where it is explained."""

import re
from collections.abc import Sequence
from os.path import commonpath

from lib import words
from models.values import DigestItem

FILES_MOST, PATH_MAX = 3, 60
"""Files that are named at once, and characters of their paths."""

_TEST = re.compile(r"(?:^|[/._-])(?:tests?|specs?|__tests__|fixtures?)(?:[/._-]|$)", re.I)
_SIDE = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|readme|license|todo)\b[^/]*$"
    r"|\.(?:lock|md|rst|txt|adoc|png|jpe?g|gif|svg|webp)$|-lock\.json$"
    r"|^(?:docs?|examples?)/", re.I
)  # fmt: skip
_BUILD = re.compile(
    r"(?:^|/)(?:\.[^/]+|pyproject\.toml|setup\.(?:py|cfg)|package\.json|tox\.ini|noxfile\.py|Makefile|MANIFEST\.in)"
    r"(?:/|$)"
)
_PLAIN = re.compile(rf"(?!.*(?://|www\.|\.\.))[\w.+][\w.+/-]{{0,{PATH_MAX - 1}}}")
_NEW = frozenset({"added", "renamed", "copied"})
_GUIDE = re.compile(r"^docs?/.*\.(?:md|rst|adoc|txt)$", re.I)
_LOG = re.compile(r"(?:^|/)(?:changelog|changes|history|news|release[-_]?notes|readme)\b", re.I)


def is_code(path: str) -> bool:
    """Neither tests nor documentation, neither change log nor lock file."""
    return not (_TEST.search(path) or _SIDE.search(path))


def follow_ups(items: Sequence[DigestItem]) -> dict[str, list[DigestItem]]:
    """By ref of a feature: the later commits whose code lies only in files that it, or they, brought.

    A pull request, what closes an issue, and what brings files of its own as a feature stand for
    themselves; so does what was not read with all its files.
    """
    found: dict[str, list[DigestItem]] = {}
    home: dict[str, str] = {}
    for item in sorted(items, key=lambda one: one.date.timestamp() if one.date else 0.0):
        code = [file for file in item.changes if is_code(file.path) and not _BUILD.search(file.path)]
        lead = _lead(item, {home.get(file.path) for file in code if file.status not in _NEW})
        if lead:
            found.setdefault(lead, []).append(item)
        elif item.category in ("feature", "breaking"):
            lead = item.ref
        if lead:
            home |= {file.path: lead for file in code if file.status in _NEW}
    return found


def _lead(item: DigestItem, homes: set[str | None]) -> str | None:
    brings = any(file.status in _NEW and is_code(file.path) for file in item.changes)
    is_own = item.category == "breaking" or (item.category in ("feature", "performance") and brings)
    if item.kind != "commit" or item.closes or item.more_files != 0 or is_own or len(homes) != 1:
        return None
    return next(iter(homes))


def place(item: DigestItem, *, removed: bool = False) -> str:
    """` in a.py and b.py`, where one or two files have all its code; with `removed`, those that are gone."""
    code = _code(item)
    if removed:
        code = [f.path for f in item.changes if f.status == "removed" and f.path in code] or code
    if not code or len(code) > 2 or item.more_files != 0:
        return ""
    return f" in {_named(code)}"


def whereabouts(item: DigestItem) -> str:
    """Where its code is, with tests and documentation, as a sentence; empty where nobody knows."""
    where = _places(item) if item.more_files == 0 else ""
    if not where:
        return ""
    more = ["tests"] if any(_TEST.search(path) for path in item.files) else []
    if guides := _guides(item):
        more.append(f"documentation in {_named(guides)}")
    return f"The {where}, with {words.listed(more)}." if more else f"The {where}."


def is_documented(item: DigestItem) -> bool:
    """Whether the change brings documentation along, and the sentence about its whereabouts says so."""
    return bool(_guides(item)) and bool(whereabouts(item))


def _code(item: DigestItem) -> list[str]:
    return [
        path for path in item.files if _PLAIN.fullmatch(path) and is_code(path) and not _BUILD.search(path)
    ]


def _guides(item: DigestItem) -> list[str]:
    found = [path for path in item.files if _GUIDE.search(path) and not _LOG.search(path)]
    return [path for path in found if _PLAIN.fullmatch(path)][:FILES_MOST]


def _places(item: DigestItem) -> str:
    """`code is in` so many files, or in the folder that has all, `new code is in` the one that has what is
    new."""
    code = _code(item)
    new = [file.path for file in item.changes if file.status == "added" and file.path in code]
    if code and len(code) <= FILES_MOST:
        return f"code is in {_named(code)}"
    is_mostly_new = len(new) > 1 and 2 * len(new) >= len(code)
    folder = _folder(new if is_mostly_new else code)
    return f"{'new ' if is_mostly_new else ''}code is in {_named([folder])}" if folder else ""


def _folder(paths: Sequence[str]) -> str:
    """The deepest that holds all of them; empty for the whole repository."""
    return commonpath([path.rpartition("/")[0] for path in paths]) if paths else ""


def _named(paths: Sequence[str]) -> str:
    return words.listed([f"`{path}`" for path in paths])
