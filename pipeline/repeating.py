"""The same thing once more: what was picked from another change, and steps under one title."""

import re
from collections.abc import Sequence

from pipeline.joining import Change, said, without_trailers

# The line that `git cherry-pick -x` adds.
_PICKED = re.compile(r"\(cherry[ -]picked from commit ([0-9a-f]{7,64})\)")
# As people and helpers write it: `Backports #7`, `Backport PR #7 on branch 1.x`, `[PR #7/1a2b3c4d backport]`.
_BACKPORT = re.compile(
    r"\bbackport(?:s|ed)?(?: [0-9a-f]{7,40})?(?: of| from)?(?: PR| pull request)? #(\d{1,9})\b"
    r"|\[PR #(\d{1,9})/[0-9a-f]+ backport\]",
    re.I,
)


def once(changes: Sequence[Change]) -> list[Change]:
    """The changes, copies folded into what they were picked from (or into the newest of them, where that is
    not in the window), and commits that say the same of one author made one change.
    """
    return _steps(_without_copies(changes))


def _without_copies(changes: Sequence[Change]) -> list[Change]:
    owners = {commit.sha[:7]: change for change in changes for commit in change.all_commits}
    pulls = {change.pull.number: change for change in changes if change.pull}
    kept: list[Change] = []
    into: dict[Change, Change] = {}
    for change in changes:
        target = _backported(change, pulls) or _picked(change, owners)
        while target in into:
            target = into[target]
        if target is None or target is change:
            kept.append(change)
        else:
            into[change] = target
            target.copies += [change, *change.copies]
            change.copies = []
    return kept


def _picked(change: Change, owners: dict[str, Change]) -> Change | None:
    """The one change from which all its commits were picked; itself where it is the newest of such."""
    origins = {_origin(commit.message) for commit in change.commits}
    if None in origins:
        return None
    targets = {owners.setdefault(origin[:7], change) for origin in origins if origin}
    return targets.pop() if len(targets) == 1 else None


def _backported(change: Change, pulls: dict[int, Change]) -> Change | None:
    """The pull request that it says it backports, where its own commits went to another branch."""
    if not change.pull or change.all_commits:
        return None
    found = _BACKPORT.search(change.pull.title) or _BACKPORT.search(change.pull.body)
    return pulls.get(int(found[1] or found[2])) if found else None


def _origin(message: str) -> str | None:
    """What it was picked from first, if it was picked from picked ones."""
    return next(iter(_PICKED.findall(message)), None)


def _steps(changes: Sequence[Change]) -> list[Change]:
    steps: dict[tuple[str, str, str], Change] = {}
    kept = []
    for change in changes:
        if change.pull or change.merges or len(change.commits) != 1:
            kept.append(change)
            continue
        [commit] = change.commits
        title, body = said(commit)
        key = (title.casefold(), without_trailers(body).strip(), commit.author.name.casefold())
        if key in steps:
            steps[key].commits.append(commit)
            steps[key].copies += change.copies
        else:
            steps[key] = change
            kept.append(change)
    return kept
