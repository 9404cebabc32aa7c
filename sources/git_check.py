"""One look at a local repository: whether it can be read, how much is on its branch, and how new it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from lib import clock, words
from lib.errors import helped
from sources.base import SourceError
from sources.check import Checked
from sources.git import head_of
from sources.git_cli import Git
from sources.git_folder import git_dir, resolve
from sources.git_log import moment

# Somebody waits at a page; so many are counted in less than a second.
COUNTED_MAX = 100_000
LIMIT = 10.0
"""Seconds for the whole look."""


def check(path: str, root: Path | None, branch: str | None = None) -> Checked:
    """Count the branch's commits. `path`, `root`: as for `sources.git_folder.resolve`; `branch`: None is the
    one that HEAD names. Raises nothing: what fails is the sentence."""
    # A disk that hangs holds git for longer than anybody waits at a page; then git ends by its own limit.
    pool = ThreadPoolExecutor(1, "look")
    future = pool.submit(_look, path, root, branch)
    pool.shutdown(wait=False)
    try:
        return future.result(LIMIT)
    except TimeoutError:
        late = f"Git could not read the folder within {LIMIT:g} seconds"
        return Checked(False, helped(late, "try again, and see whether its disk answers"))


def _look(path: str, root: Path | None, branch: str | None) -> Checked:
    try:
        folder = resolve(path, root)
        assert root is not None  # noqa: S101 - else resolve refused
        git = Git(git_dir(folder, root.resolve()), folder.name)
        head = head_of(git, branch)
        if head is None:
            return Checked(True, f"Works: {folder.name} can be read; it has no commits yet.")
        name = branch or _name(git)
        count = int(git.text("rev-list", "--count", f"--max-count={COUNTED_MAX}", head))
        newest = moment(git.text("log", "-1", "--no-show-signature", "--format=%ct", head))
    except SourceError as error:
        return Checked(False, error.message)
    number = words.plural(count, "commit")
    many = f"at least {number}" if count == COUNTED_MAX else number
    return Checked(True, f"Works: {many} on {name}, the newest from {_ago(clock.now() - newest)}.")


def _name(git: Git) -> str:
    """The branch that HEAD names; it may name none, or one that nobody ever pushed to."""
    name = git.answer("symbolic-ref", "--short", "--quiet", "HEAD")
    if name is None:
        return "the commit that is checked out"
    return name if git.asks("show-ref", "-q", "--verify", f"refs/heads/{name}") else "its only branch"


def _ago(age: timedelta) -> str:
    """`2 hours ago`; `just now` for less than a minute, or where that clock ran ahead."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if (count := int(age.total_seconds() // length)) > 0:
            return f"{words.plural(count, unit)} ago"
    return "just now"
