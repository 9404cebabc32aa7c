"""Which commits are new: by reachability from the last scan's head, by dates only where nothing better is
known."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from sources.base import Caps
from sources.git_cli import LIST_MAX, Failed, Git, TooMuch, readable
from sources.git_log import COMMIT_FLAGS, PATH_FLAGS, PLAIN_FLAGS, commits, moment

WALK_MAX = 200_000
"""Commits of the branch, newest first, among which the window's are looked for."""

NEWEST_FIRST = "--date-order"
"""No commit before its children, and by the committer's date where that leaves a choice: a wrong clock
reorders nothing (git-rev-list, "Commit Ordering")."""

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_IDENTITY = "%an%x00%ae%x00%at%x00%s"
_Identities = dict[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class New:
    """Ids of commits, newest first, and sentences about what was not looked at."""

    shas: Sequence[str]
    cuts: tuple[str, ...] = ()


def new_commits(git: Git, head: str, base: str | None, after: datetime | None) -> New:
    """The commits that came since the last scan.

    `base`: the branch's head then. While it is an ancestor of `head` they are exactly `head ^base`. After a
    force push they are those of `base...head` on the side of `head`, without the copies that a rebase or an
    amendment made of commits on the other side. A base that the repository does not hold any more, and a
    first scan, leave the committers' dates: all `after` that instant (None: all there are), those of clocks
    that run ahead included, since the next scan begins at this head. Raises SourceError.
    """
    if base is not None and SHA.fullmatch(base):
        try:
            if git.asks("merge-base", "--is-ancestor", base, head):
                return _walk(git, head, f"^{base}")
            return New(list(_without_copies(git, base, head)))
        except TooMuch:
            why = "The branch was rewritten beyond what can be compared"
        except Failed:
            if git.commit(base):
                raise
            why = "The last scan's newest commit is gone from the repository"
        return New(_by_date(git, head, after).shas, (f"{why}: new commits were told by their dates.",))
    return _by_date(git, head, after)


def _walk(git: Git, *revisions: str) -> New:
    listed = git.raw("rev-list", NEWEST_FIRST, f"--max-count={WALK_MAX}", *revisions, most=LIST_MAX)
    shas = listed.decode().split()
    if len(shas) < WALK_MAX:
        return New(shas)
    total = int(git.text("rev-list", "--count", *revisions))
    return New(shas, _beyond(total))


def _by_date(git: Git, head: str, after: datetime | None) -> New:
    """Not by `--since`: git stops at the first older commit, though one made by a wrong clock may stand
    before newer ones."""
    if after is None:
        return _walk(git, head)
    flags = ("--timestamp", NEWEST_FIRST, f"--max-count={WALK_MAX}")
    listed, shas, oldest = git.raw("rev-list", *flags, head, most=LIST_MAX), [], after
    for line in BytesIO(listed):
        seconds, _, sha = line.decode().strip().partition(" ")
        oldest = moment(seconds)
        if oldest > after:
            shas.append(sha)
    # Where the last one looked at is no older than the window, what follows may belong to it.
    return New(shas, _beyond(int(git.text("rev-list", "--count", head))) if oldest > after else ())


def _beyond(total: int) -> tuple[str, ...]:
    if total <= WALK_MAX:
        return ()
    return (f"Only the newest {WALK_MAX:,} of {total:,} commits were looked at; the others count as told.",)


def _without_copies(git: Git, base: str, head: str) -> Iterator[str]:
    """What `head` has and `base` has not, newest first, without copies of what `base` alone has.

    A copy has the author, the author's date and the subject of its original, since a rebase and an amendment
    keep them; or, with another subject, the same author, date and changed files.
    """
    sides: dict[str, _Identities] = {"<": {}, ">": {}}
    flags = (NEWEST_FIRST, "--left-right", "-z", *PLAIN_FLAGS, f"--format=%m%H%x00{_IDENTITY}")
    parts = git.raw("log", *flags, f"{base}...{head}", most=LIST_MAX).split(b"\0")
    for at in range(0, len(parts) - 4, 5):
        mark = readable(parts[at]).strip()
        sides[mark[0]][mark[1:]] = tuple(parts[at + 1 : at + 5])
    come = list(sides[">"])
    gone_rest, come_rest = _unpaired(sides["<"], sides[">"])
    dates = {who[:3] for who in gone_rest.values()} & {who[:3] for who in come_rest.values()}
    if dates:
        reworded = [
            {s: who for s, who in rest.items() if who[:3] in dates} for rest in (gone_rest, come_rest)
        ]
        gone_files, come_files = (_with_files(git, some) for some in reworded)
        _, unlike = _unpaired(gone_files, come_files)
        come_rest = {sha: who for sha, who in come_rest.items() if sha in unlike or sha not in come_files}
    return (sha for sha in come if sha in come_rest)


def _unpaired(one: _Identities, other: _Identities) -> tuple[_Identities, _Identities]:
    """What is left on each side, given newest first, when equals have been taken out in pairs, the oldest
    first."""
    pairs = Counter(one.values()) & Counter(other.values())
    return _without(one, pairs.copy()), _without(other, pairs)


def _without(side: _Identities, pairs: Counter[tuple[object, ...]]) -> _Identities:
    taken = set()
    for sha in reversed(side):
        if pairs[side[sha]] > 0:
            pairs[side[sha]] -= 1
            taken.add(sha)
    return {sha: who for sha, who in side.items() if sha not in taken}


def _with_files(git: Git, some: _Identities) -> _Identities:
    output = git.raw("log", *COMMIT_FLAGS, *PATH_FLAGS, lines=some)
    # By name alone: what one line of history adds, another may change.
    files = {
        one.commit.sha: (*(file.path for file in one.commit.files), one.commit.more_files)
        for one in commits(output, Caps())
    }
    return {sha: (*who[:3], files.get(sha)) for sha, who in some.items()}
