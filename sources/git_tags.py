"""Releases of a local repository: its tags of commits."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.values import Key, Release
from sources.base import Told
from sources.git_cli import LIST_MAX, Git, readable
from sources.git_log import moment

NAME_MAX = 255
"""Characters of a tag that can be remembered as told; longer ones are left out."""

BATCH = 200
"""Tags whose messages are read in one call."""

MARK: Key = ("release", "")
"""Stands among what was told since a scan has listed every older tag as passed."""

_FIELDS = ("%(refname:strip=2)", "%(objecttype)", "%(*objecttype)", "%(creatordate:unix)")
_NOTES = ("%(refname:strip=2)", "%(objecttype)", "%(contents:subject)", "%(contents:body)")
_PRERELEASE = re.compile(r"\d[._-]?(?:a|b|c|rc|alpha|beta|dev|pre|preview)[._-]?\d*(?:$|[.+-])", re.I)


@dataclass(frozen=True, slots=True)
class Tags:
    """The new ones, newest first, and the keys of those that count as told without having been."""

    releases: tuple[Release, ...]
    passed: tuple[Key, ...] = ()
    cuts: tuple[str, ...] = ()


def new_tags(git: Git, after: datetime, told: Told | None, text_max: int) -> Tags:
    """The tags that were not there at the last scan.

    Git does not keep when a tag arrived: an annotated one has its tagger's date, any other only its commit's,
    which may be years older, and both can be pushed late. So a first scan takes those dated `after` that
    instant and passes all others; from then on whatever is neither told nor passed is new. A tag that is
    moved, or deleted and made again, stays the same release to those who read of it: it is not told again.
    Raises SourceError.
    """
    found = list(_listed(git.raw("for-each-ref", _format(_FIELDS), "refs/tags", most=LIST_MAX)))
    short = [tag for tag in found if len(tag.tag) <= NAME_MAX]
    known = told([MARK, *(tag.key for tag in short)]) if told else set()
    untold = [tag for tag in short if tag.key not in known]
    new = untold if MARK in known else [tag for tag in untold if tag.published_at > after]
    new.sort(key=lambda tag: (tag.published_at, tag.tag), reverse=True)
    passed: tuple[Key, ...] = ()
    if told and MARK not in known:
        names = {tag.tag for tag in new}
        passed = (MARK, *(tag.key for tag in untold if tag.tag not in names))
    long = len(found) - len(short)
    cuts = (f"Tags with names longer than {NAME_MAX} characters were left out: {long:,}.",) if long else ()
    return Tags(tuple(_with_notes(git, new, text_max)), passed, cuts)


def _format(fields: Sequence[str]) -> str:
    return f"--format={'%00'.join(fields)}%00"


def _rows(output: bytes, width: int) -> Iterator[list[str]]:
    parts = output.split(b"\0")
    for at in range(0, len(parts) - width, width):
        yield [readable(part).strip() for part in parts[at : at + width]]


def _listed(output: bytes) -> Iterator[Release]:
    for name, kind, target, seconds in _rows(output, len(_FIELDS)):
        if seconds and "commit" in (kind, target):
            yield Release(name, name, moment(seconds), is_prerelease=bool(_PRERELEASE.search(name)))


def _with_notes(git: Git, tags: Sequence[Release], text_max: int) -> Iterator[Release]:
    """An annotated tag's message is its notes; any other has none of its own."""
    for at in range(0, len(tags), BATCH):
        batch = tags[at : at + BATCH]
        output = git.raw("for-each-ref", _format(_NOTES), *(f"refs/tags/{tag.tag}" for tag in batch))
        notes = {
            name: f"{subject}\n\n{body}".strip()[:text_max]
            for name, kind, subject, body in _rows(output, len(_NOTES))
            if kind == "tag"
        }
        yield from (replace(tag, body=notes.get(tag.tag, "")) for tag in batch)
