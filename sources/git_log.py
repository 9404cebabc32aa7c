"""What git prints about commits, and what their messages tell about pull requests and people."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from models.values import Commit, FileChange, Person, PullRequest
from sources.base import Caps
from sources.git_cli import readable
from sources.git_closing import Reference, closings

MESSAGE_MAX = 200_000
"""Characters of a message that are looked at."""

PLAIN_FLAGS = ("--no-color", "--no-notes", "--no-decorate", "--encoding=UTF-8")
COMMIT_FIELDS = ("%H", "%P", "%aN", "%aE", "%cE", "%ct", "%B")
_LOG_FLAGS = ("-z", "--no-walk=unsorted", "--stdin", *PLAIN_FLAGS)
COMMIT_FLAGS = (*_LOG_FLAGS, f"--format={'%x00'.join(COMMIT_FIELDS)}")
SILENT_FLAGS = (*_LOG_FLAGS, f"--format={'%x00'.join(COMMIT_FIELDS[:-1])}%x00")
"""The same without the message."""

_DIFF_FLAGS = (
    "--raw",
    "--no-abbrev",
    "--root",
    "--diff-merges=first-parent",
    "--ignore-submodules=none",
    "--submodule=short",
    "--diff-algorithm=default",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
)
FILE_FLAGS = (*_DIFF_FLAGS, "--numstat", "--find-renames", "-l200")
PATH_FLAGS = (*_DIFF_FLAGS, "--no-renames")
"""Without counts and renames, which need the files themselves: a partial clone may not have them."""

_STATUS = {"A": "added", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
_GITHUB = "noreply@github.com"
_NOREPLY = re.compile(r"(?:\d+\+)?([A-Za-z\d-]{1,39}(?:\[bot\])?)@users\.noreply\.github\.com", re.I)
_CO_AUTHOR = re.compile(r"^Co-authored-by:([^<>\n]*)<([^<>\n]*)>[ \t]*$", re.I | re.M)
_TRAILER = re.compile(r"^(?:[A-Za-z]+-)+(?:by|Id): .*\n?", re.M)
_MERGE = re.compile(r"Merge pull request #(\d{1,9}) from [^\s/]+/(\S+)")
_NUMBERED = re.compile(r"(.*\S)\s*\(#(\d{1,9})\)$")


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit, the issues that its whole message says it closes, and whether that message was cut."""

    commit: Commit
    closes: tuple[Reference, ...] = ()
    is_cut: bool = False

    def pull(self, author_of: Callable[[str], Person | None]) -> PullRequest | None:
        """The pull request that this commit merged, by its message; None when it merged none.

        `(#12)` may as well name an issue: it counts only on GitHub's own commits and on merges, and there the
        last one, as in `Revert "x (#1)" (#2)`. What GitHub rebased names no number, so that its commits are
        told one by one. `author_of` finds another commit's author by its id.
        """
        commit, is_merge = self.commit, len(self.commit.parents) > 1
        if is_merge and (named := _MERGE.match(commit.title)):
            title, _, body = commit.body.partition("\n")
            branch = named[2].rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
            return _pull(commit, named[1], title.strip() or branch, body, author_of(commit.parents[1]))
        if (is_merge or commit.by_forge) and (numbered := _NUMBERED.match(commit.title)):
            author = author_of(commit.parents[1]) if is_merge else commit.author
            return _pull(commit, numbered[2], numbered[1], commit.body, author)
        return None


def _pull(commit: Commit, number: str, title: str, body: str, author: Person | None) -> PullRequest:
    body = _TRAILER.sub("", body).strip()
    return PullRequest(
        int(number), title, commit.date, author, body, merge_sha=commit.sha, closed_at=commit.date
    )


def commits(output: bytes, caps: Caps) -> Iterator[Logged]:
    """The commits in what `git log` with COMMIT_FLAGS printed, with or without FILE_FLAGS or PATH_FLAGS.

    Per commit: the fields, a raw entry for each changed file, then (FILE_FLAGS) an entry of line counts for
    each. No field and no path holds a NUL, so a hostile message stays where it is.
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
            counted = readable(parts[at]).split("\t", 2) if at < len(parts) else []
            if len(counted) < 3:
                break
            counts.append(counted)
            at += 1 if counted[2] else 3
        yield _logged(fields, changes, counts or [["", ""]] * len(changes), caps)


def _logged(fields: list[str], changes: list[tuple[str, str]], counts: list[list[str]], caps: Caps) -> Logged:
    sha, parents, name, mail, committer, seconds, message = fields
    author, message = person(name, mail), message[:MESSAGE_MAX].strip()
    files = tuple(
        FileChange(path, _STATUS.get(letter, "modified"), _lines(count[0]), _lines(count[1]))
        for (letter, path), count in zip(changes[: caps.files], counts, strict=False)
    )
    commit = Commit(
        sha.strip(),
        message[: caps.text],
        author,
        moment(seconds),
        parents=tuple(parents.split()),
        files=files,
        more_files=len(changes) - len(files),
        co_authors=_co_authors(message, author),
        by_forge=committer == _GITHUB,
    )
    return Logged(commit, tuple(closings(message)), len(message) > caps.text)


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


def moment(seconds: str) -> datetime:
    """The instant, from seconds since 1970 as git prints them; what no calendar holds is the epoch."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
