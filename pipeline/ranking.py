"""What kind of change a title, its labels and its files speak of, and how much a reader will care."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lib import words
from models.values import Category

NEW_MIN = 30
"""Lines in new files that make a change something new where its title does not tell."""

TOUCH_MAX = 6
"""Lines up to which a commit to the documentation is a touch."""

_LABELS: tuple[tuple[str, Category], ...] = (
    (r"breaking|backwards?.incompat", "breaking"),
    (r"bug|fix|regression|crash", "fix"),
    (r"perf", "performance"),
    (r"feature|enhancement", "feature"),
    (r"docs?\b|documentation", "docs"),
    (r"dependenc|chore|\bci\b|build|refactor|tests?\b|maintenance|internal|housekeeping", "upkeep"),
)
_PREFIXES: dict[str, Category] = {
    "feat": "feature",
    "feature": "feature",
    "fix": "fix",
    "bugfix": "fix",
    "hotfix": "fix",
    "perf": "performance",
    "docs": "docs",
    "doc": "docs",
    "revert": "other",
}
_VERBS: tuple[tuple[str, Category], ...] = (
    (r"speed(s|ed)? up|optimi[sz]|faster|make \w+ faster|reduce (memory|latency|time)", "performance"),
    (r"fix|bugfix|correct|prevent|avoid|handle|repair|resolve|restore|don'?t|do not|stop|guard", "fix"),
    (
        r"add|introduc|implement|support|allow|enable|new|create|provide|expose|accept|teach|let|show"
        r"|answer|offer|ship",
        "feature",
    ),
    (r"docs?\b|document|typo|explain|rewrite (the )?docs|readme|changelog", "docs"),
    (
        r"refactor|clean|rename|move|bump|upgrade|lint|format|simplif|reorgani|reorg\b|extract|tests?\b|chore"
        r"|tidy|pin\b|deprecate unused|drop unused|remove unused|delete unused|fold\b|style\b|de-?cruft",
        "upkeep",
    ),
)
_DOCS = re.compile(
    r"(?:^|/)docs?/|(?:^|/)(?:readme|changelog|changes|contributing|history|news)\b[^/]*$"
    r"|\.(?:md|rst|adoc|txt)$", re.I
)  # fmt: skip
_CHANGELOG = re.compile(r"(?:^|/)(?:changelog|changes|history|news|release[-_]?notes)\b[^/]*$", re.I)
_LOCK = re.compile(
    r"(?:^|/)(?:[\w.-]*\.lock|[\w-]*requirements[\w-]*\.(?:txt|lock)|package-lock\.json|pnpm-lock\.yaml|go\.sum)$"
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*[._-](?:test|spec)\.\w+)$", re.I
)
_BUILD = re.compile(
    r"(?:^|/)(?:\.github|\.gitlab|\.circleci|\.ci)/"
    r"|(?:^|/)(?:\.[^/]+|Makefile|tox\.ini|noxfile\.py|pyproject\.toml|setup\.(?:py|cfg)|package\.json|LICENSE"
    r"|Dockerfile|[\w-]*requirements[\w-]*\.in)$"
)
_VERSION = r"v?\d+(?:\.\d+)+[\w.+-]*"
_UPDATE = (
    r"(?:update|bump|upgrade|pin)\b.{0,40}\b(?:dependenc(?:y|ies)|deps|lock ?files?|requirements)\b.{0,40}"
    rf"|(?:bump|upgrade|update)s? \S+(?: requirement)? (?:from \S+ )?to {_VERSION}.{{0,40}}"
    r"|.*pre-commit (?:autoupdate|hooks?)|(?:lock|relock|pip-compile)\b.{0,20}"
)
_BUMP = re.compile(
    rf"(?:{_VERSION}"
    rf"|(?:(?:re)?lease|cut|bump|start|prepare|tag|set|mark)\b.{{0,30}}?\b{_VERSION}.{{0,12}}"
    rf"|(?:update|edit)?\s*(?:the )?(?:changelog|changes|cl|release notes)(?: update)?\b.{{0,30}}"
    rf"|{_UPDATE})",
    re.I,
)  # fmt: skip
# Its own version is no dependency's.
_DEPENDENCY = re.compile(rf"(?!\S+ (?:the )?version\b)(?:{_UPDATE})", re.I)
_SAYS_NOTHING = re.compile(
    r"(?:fixup|squash|amend)!.*|wip\b.*|(?:forgot|oops)\b.*|\W*[\w-]+\W*|initial (?:commit|import)"
    r"|(?:(?:a|few|couple|of|some|more|other|minor|small|tiny|quick|misc|miscellaneous|various|assorted|little"
    r"|general|cruft|code|editorial|typos?|bug|the|in|style|new)\W+)*"
    r"(?:clean-?ups?|fixes|bugfix(?:es)?|tweaks?|changes?|updates?|improvements?|edits?|stuff|sweeps?|typos?"
    r"|polish(?:ing)?|shots|comments?|review|feedback)(?:[.,;!].{0,40})?",
    re.I,
)
_MENDS = re.compile(
    r"\b(?:correctly|in (?:the )?(?:correct|right)|wrong|broken|crash\w*|leaks?|regression|race)\b", re.I
)
_UNDOES = re.compile(r"\W*(?:revert|reapply|back(?:ed|s)? out)", re.I)
_INNER = re.compile(r"\b(?:CI|CI/CD|workflows?|lint\w*|coverage|typing|type hints?)\b", re.I)
_WEIGHT: dict[Category, float] = {
    "release": 100,
    "breaking": 90,
    "feature": 70,
    "performance": 60,
    "fix": 55,
    "other": 40,
    "docs": 30,
    "upkeep": 20,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What there is to judge by. `files` are paths, the most changed first; `lines` were added and
    deleted in all, `new_lines` in files that are new, `test_lines` in tests; all are 0 where the source
    does not count.
    """

    title: str
    body: str = ""
    labels: Sequence[str] = ()
    files: Sequence[str] = ()
    lines: int = 0
    new_lines: int = 0
    test_lines: int = 0
    is_pull: bool = False
    closes: int = 0
    by_bots: bool = False

    @property
    def in_changelog(self) -> bool:
        """Whether its author thought that readers want to know."""
        return any(_CHANGELOG.search(path) for path in self.files)


def is_test(path: str) -> bool:
    """Whether the file holds tests, by its name."""
    return bool(_TESTS.search(path))


def category(change: Change) -> Category:
    """By the surest evidence first: marked as breaking, labels, a conventional prefix, files of one kind,
    the title's verb, where the lines are.
    """
    prefix = words.conventional(change.title)
    # A bot's text quotes the notes of what it updates, whose breaking changes are not this repository's.
    if prefix.is_breaking or (not change.by_bots and re.search(r"^BREAKING[ -]CHANGE:", change.body, re.M)):
        return "breaking"
    if found := _labelled(change.labels):
        return found
    if prefix.kind:
        return _PREFIXES.get(prefix.kind, "upkeep")
    return _of_files(change) or _of_title(change)


def _labelled(labels: Sequence[str]) -> Category | None:
    for pattern, kind in _LABELS:
        if any(re.search(pattern, label, re.I) for label in labels):
            return kind
    return None


def _of_files(change: Change) -> Category | None:
    kinds = {_kind(path) for path in change.files}
    if not kinds or "code" in kinds:
        return None
    if "docs" in kinds and kinds <= {"docs", "test"}:
        return "docs"
    return None if _of_verb(change.title) in ("fix", "performance") and "build" in kinds else "upkeep"


def _kind(path: str) -> str:
    for kind, pattern in (("test", _TESTS), ("build", _LOCK), ("build", _BUILD), ("docs", _DOCS)):
        if pattern.search(path):
            return kind
    return "docs" if _is_picture(path) else "code"


def _is_picture(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")


def _of_verb(title: str) -> Category:
    # `docs: …` and `http: …` put the part before the verb.
    texts = (title, title.partition(": ")[2])
    for text in texts:
        for pattern, kind in _VERBS:
            if re.match(rf"\W*(?:{pattern})", text, re.I):
                return kind
    return "other"


def _of_title(change: Change) -> Category:
    if _UNDOES.match(change.title):
        return "other"  # what comes back is not new
    found = _of_verb(change.title)
    if found == "upkeep":
        return "other" if change.in_changelog else "upkeep"
    if found != "other":
        return found
    if _MENDS.search(change.title):
        return "fix"
    if not change.in_changelog and change.test_lines >= max(1, 0.8 * change.lines):
        return "upkeep"
    return "feature" if change.new_lines >= max(NEW_MIN, 0.6 * change.lines) else "other"


def is_routine(change: Change) -> bool:
    """Whether it is upkeep that nobody needs to read of: bots' work, version and dependency bumps, change
    log entries, pictures, a few lines of documentation, and titles that say nothing (`more cleanups`)
    without a body.
    """
    prefix = words.conventional(change.title)
    rest = prefix.rest.strip().rstrip(".")
    if change.by_bots or _BUMP.fullmatch(rest) or prefix.kind == "deps" or prefix.scope.startswith("deps"):
        return True
    if change.closes or change.body.strip():
        return False
    if change.files and all(_LOCK.search(p) or _CHANGELOG.search(p) or _is_picture(p) for p in change.files):
        return True
    is_touch = not change.is_pull and 0 < change.lines <= TOUCH_MAX and category(change) == "docs"
    return is_touch or bool(_SAYS_NOTHING.fullmatch(rest))


def is_bump(change: Change) -> bool:
    """Whether it does nothing but take newer dependencies."""
    prefix = words.conventional(change.title)
    if prefix.kind == "deps" or prefix.scope.startswith("deps"):
        return True
    return bool(_DEPENDENCY.fullmatch(prefix.rest.strip().rstrip("."))) and is_routine(change)


def score(change: Change, kind: Category) -> float:
    """How much a reader cares: by category first, then by what speaks for care: a change log entry, a
    pull request, an issue closed, an explanation, size; what only developers of the project see counts
    less.
    """
    evidence = (
        5 * change.is_pull
        + 4 * min(change.closes, 2)
        + 3 * bool(change.body.strip())
        + 6 * change.in_changelog
        - 6 * bool(_INNER.search(change.title))
        + min(8.0, math.log2(1 + change.lines))
    )
    return _WEIGHT[kind] + 0.9 * evidence
