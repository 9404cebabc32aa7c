"""What git prints about commits and tags, and what their messages tell about pull requests and people."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from models.values import Commit, FileChange, Person, PullRequest, Release
from sources.git_cli import readable

MESSAGE_MAX = 20_000
"""Characters of a message that are kept."""

FILES_MAX = 100
"""Changed files that are listed per commit; the others are counted."""

COMMIT_FIELDS = ("%H", "%P", "%aN", "%aE", "%cE", "%ct", "%B")
COMMIT_FLAGS = (
    "-z",
    "--no-walk=unsorted",
    "--stdin",
    "--no-color",
    "--no-notes",
    "--no-decorate",
    "--encoding=UTF-8",
    f"--format={'%x00'.join(COMMIT_FIELDS)}",
)
FILE_FLAGS = (
    "--raw",
    "--numstat",
    "--no-abbrev",
    "--root",
    "--diff-merges=first-parent",
    "--find-renames",
    "-l200",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
)
TAG_FIELDS = (
    "%(refname:strip=2)",
    "%(objecttype)",
    "%(*objecttype)",
    "%(creatordate:unix)",
    "%(contents:subject)",
    "%(contents:body)",
)
TAG_FORMAT = f"--format={'%00'.join(TAG_FIELDS)}%00"

_STATUS = {"A": "added", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
_GITHUB = "noreply@github.com"
_NOREPLY = re.compile(r"(?:\d+\+)?([A-Za-z\d-]{1,39}(?:\[bot\])?)@users\.noreply\.github\.com", re.I)
_CO_AUTHOR = re.compile(r"^Co-authored-by:([^<>\n]*)<([^<>\n]*)>[ \t]*$", re.I | re.M)
_TRAILER = re.compile(r"^(?:[A-Za-z]+-)+(?:by|Id): .*\n?", re.M)
_MERGE = re.compile(r"Merge pull request #(\d{1,9}) from [^\s/]+/(\S+)")
_NUMBERED = re.compile(r"(.*\S)\s*\(#(\d{1,9})\)$")
_PRERELEASE = re.compile(r"\d[._-]?(?:a|b|c|rc|alpha|beta|dev|pre|preview)[._-]?\d*(?:$|[.+-])", re.I)


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit, and the e-mail address of its committer, which goes no further."""

    commit: Commit
    committer: str

    def pull(self, author_of: Callable[[str], Person | None]) -> PullRequest | None:
        """The pull request that this commit merged, by its message; None when it merged none.

        `(#12)` may as well name an issue: it counts only on GitHub's own commits and on merges, and there the
        last one, as in `Revert "x (#1)" (#2)`. `author_of` finds another commit's author by its id.
        """
        commit, is_merge = self.commit, len(self.commit.parents) > 1
        if is_merge and (named := _MERGE.match(commit.title)):
            title, _, body = commit.body.partition("\n")
            branch = named[2].rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
            return _pull(commit, named[1], title.strip() or branch, body, author_of(commit.parents[1]))
        if (is_merge or self.committer == _GITHUB) and (numbered := _NUMBERED.match(commit.title)):
            author = author_of(commit.parents[1]) if is_merge else commit.author
            return _pull(commit, numbered[2], numbered[1], commit.body, author)
        return None


def _pull(commit: Commit, number: str, title: str, body: str, author: Person | None) -> PullRequest:
    body = _TRAILER.sub("", body).strip()
    return PullRequest(
        int(number), title, commit.date, author, body, merge_sha=commit.sha, closed_at=commit.date
    )


def commits(output: bytes) -> Iterator[Logged]:
    """The commits in what `git log` with COMMIT_FLAGS printed, with or without FILE_FLAGS.

    Per commit: the fields, a raw entry for each changed file, then an entry of line counts for each. No field
    and no path holds a NUL, so a hostile message stays where it is.
    """
    parts = output.split(b"\0")
    at = 0
    while at + len(COMMIT_FIELDS) <= len(parts):
        fields = [readable(part) for part in parts[at : at + len(COMMIT_FIELDS)]]
        at += len(COMMIT_FIELDS)
        changes: list[tuple[str, str]] = []
        while at < len(parts) and parts[at].lstrip(b"\n").startswith(b":"):
            letter = readable(parts[at]).rpartition(" ")[2][:1]
            at += 2 if letter in "RC" else 1
            changes.append((letter, readable(parts[at])))
            at += 1
        counts: list[list[str]] = []
        for _ in changes:
            counts.append(readable(parts[at]).split("\t", 2))
            at += 1 if counts[-1][2] else 3
        yield _logged(fields, changes, counts)


def _logged(fields: list[str], changes: list[tuple[str, str]], counts: list[list[str]]) -> Logged:
    sha, parents, name, mail, committer, seconds, message = fields
    author = person(name, mail)
    files = [
        FileChange(path, _STATUS.get(letter, "modified"), _lines(added), _lines(removed))
        for (letter, path), (added, removed, _) in zip(changes, counts, strict=True)
    ]
    commit = Commit(
        sha.strip(),
        message.strip()[:MESSAGE_MAX],
        author,
        moment(seconds),
        parents=tuple(parents.split()),
        files=tuple(files[:FILES_MAX]),
        more_files=len(files[FILES_MAX:]),
        co_authors=_co_authors(message, author),
    )
    return Logged(commit, committer)


def _lines(count: str) -> int | None:
    return int(count) if count.isdigit() else None


def _co_authors(message: str, author: Person) -> tuple[Person, ...]:
    found = dict.fromkeys(person(name, mail) for name, mail in _CO_AUTHOR.findall(message))
    return tuple(one for one in found if one != author and one.name)


def person(name: str, mail: str) -> Person:
    """Somebody by name and e-mail address, which is not kept; GitHub's noreply addresses tell the login."""
    name, known = name.strip(), _NOREPLY.fullmatch(mail.strip())
    login = known[1] if known else None
    is_bot = any(part.lower().endswith("[bot]") for part in (name, login or ""))
    return Person(name or login or "", login, is_bot=is_bot)


def releases(output: bytes) -> Iterator[Release]:
    """The tags of commits in what `git for-each-ref` with TAG_FORMAT printed.

    An annotated tag has its tagger's date, and its message as notes; any other its commit's date and no
    notes.
    """
    parts = output.split(b"\0")
    for at in range(0, len(parts) - len(TAG_FIELDS), len(TAG_FIELDS)):
        name, kind, target, seconds, subject, body = (
            readable(part).strip() for part in parts[at : at + len(TAG_FIELDS)]
        )
        if seconds and "commit" in (kind, target):
            notes = f"{subject}\n\n{body}".strip()[:MESSAGE_MAX] if kind == "tag" else ""
            yield Release(name, name, moment(seconds), notes, is_prerelease=bool(_PRERELEASE.search(name)))


def moment(seconds: str) -> datetime:
    """The instant, from seconds since 1970 as git prints them; what no calendar holds is the epoch."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
