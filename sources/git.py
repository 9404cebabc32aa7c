"""Local git repositories, through the `git` command line. Nothing is written, nothing of theirs is run."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from lib import clock
from models.values import Activity, Commit, Person, PullRequest, Release, Window
from sources.base import Known, SourceError, Told
from sources.git_cli import Git, TooMuch
from sources.git_log import COMMIT_FLAGS, FILE_FLAGS, TAG_FORMAT, Logged, commits, moment, releases

WALK_MAX = 200_000
"""Commits of the branch, newest first, among which the window's are looked for."""

BATCH = 500
"""Commits read in one call."""

DETAILED_MAX = 5_000
"""Commits of a window whose changed files are read; older ones come without."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+):(?!//)/?(?P<path>\S+)")
_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)+")


def resolve(path: str, root: Path | None) -> Path:
    """The folder of a git repository under `root`, links followed.

    `path`: relative to `root`, or absolute. `root`: GIT_ROOT, the only folder where repositories may lie.
    Raises SourceError (for good) with one sentence fit to stand beside the field that `path` was typed into.
    """
    if root is None:
        raise _refusal("Local repositories are off: GIT_ROOT must name the folder they lie in.")
    if not path.strip() or "\0" in path:
        raise _refusal("Give the folder of a git repository.")
    if ".." in Path(path).parts:
        raise _refusal("The path must not contain '..'.")
    root = root.resolve()
    folder = _inside(root, root / path.strip())
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise _refusal(f"There is no folder {path.strip()[:200]} under GIT_ROOT.")
    git_dir(folder, root)
    return folder


def _refusal(sentence: str) -> SourceError:
    return SourceError(sentence, permanent=True)


def _inside(root: Path, path: Path) -> Path:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        raise _refusal("The path cannot be followed to its end.") from None
    if not real.is_relative_to(root):
        raise _refusal("The path leads outside GIT_ROOT.")
    return real


def git_dir(folder: Path, root: Path) -> Path:
    """Where the repository in `folder` lives: `.git`, what a `.git` file points to, or itself if it is bare.

    Raises SourceError (for good) when `folder` holds no repository, or one whose parts lie outside `root`.
    """
    found = folder
    try:
        if (folder / ".git").exists():
            found = _inside(root, folder / ".git")
            if found.is_file():
                found = _inside(root, folder / found.read_text()[:4096].strip().removeprefix("gitdir: "))
        common = found / "commondir"
        home = _inside(root, found / common.read_text()[:4096].strip()) if common.is_file() else found
        _inside(root, home / "objects")
        whole = (found / "HEAD").exists() and (home / "objects").is_dir() and (home / "refs").is_dir()
    except (OSError, UnicodeDecodeError):
        whole = False
    if not whole:
        raise _refusal(f"{folder.name} is not a git repository.")
    return found


class LocalGit:
    """One local repository, a `sources.base.Source`.

    `path`, `root`: as for `resolve`. `branch`: its short name; None is the one that HEAD names.
    """

    def __init__(self, path: str | Path, *, root: Path | None, branch: str | None = None) -> None:
        self._path = str(path)
        self._root = root
        self._branch = branch

    def scan(
        self,
        since: datetime,
        *,
        margin_from: datetime | None = None,
        base: str | None = None,
        told: Told | None = None,
        known: Known | None = None,
    ) -> Activity:
        """As `Source.scan`; `until` is this machine's clock, in whole seconds as git keeps them.

        Commits of the branch are taken by committer date and, when `base` is an ancestor of the head, all
        since `base` whatever their date. Merge and squash commits give pull requests, tags give releases. A
        repository without commits has no activity.

        Raises SourceError: for good when the path or the branch is wrong, possibly passing when git fails.
        """
        until = clock.now().replace(microsecond=0)
        folder, git = self._open()
        head = self._head(git)
        name, url = _home(git.maybe("config", "--get", "remote.origin.url") or "")
        found = Activity(name or folder.name.removesuffix(".git"), Window(since, until, base, head), url)
        if head is None:
            return found
        earliest = min(since, margin_from or since) if told else since
        new = _since(git, base, head)
        picked = [sha for sha, date in _walk(git, head) if sha in new or earliest < date <= until]
        logged = list(_read(git, head, _untold(picked, told)))
        found = replace(
            found,
            commits=tuple(one.commit for one in logged),
            pulls=tuple(_pulls(logged)),
            releases=tuple(_tags(git, earliest, until)),
        )
        return _linked(_without(found, told) if told else found)

    def contains(self, tag: str, sha: str) -> bool:
        """As `Source.contains`. Raises SourceError."""
        _, git = self._open()
        return git.maybe("merge-base", "--is-ancestor", sha, f"refs/tags/{tag}") is not None

    def _open(self) -> tuple[Path, Git]:
        folder = resolve(self._path, self._root)
        assert self._root is not None  # noqa: S101 - else resolve refused
        return folder, Git(git_dir(folder, self._root.resolve()), folder.name)

    def _head(self, git: Git) -> str | None:
        """The branch's newest commit; None in a repository without commits."""
        if self._branch is not None:
            for place in ("refs/heads/", "refs/remotes/origin/"):
                if found := git.maybe("show-ref", "--verify", "--hash", place + self._branch):
                    return found
            raise _refusal(f"The repository has no branch {self._branch}.")
        if head := git.maybe("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            return head
        # Bare repositories often name a branch that nobody ever pushed to.
        branches = git.text("for-each-ref", "--format=%(objectname)", "refs/heads").split()
        if len(branches) > 1:
            raise _refusal("HEAD names no branch that exists: choose a branch.")
        return branches[0] if branches else None


def _walk(git: Git, head: str) -> Iterator[tuple[str, datetime]]:
    """Each commit of the branch with its committer's date. Not by `--since`: git stops at the first older
    commit, though one made by a wrong clock may stand before newer ones.
    """
    listed = git.text("rev-list", "--timestamp", f"--max-count={WALK_MAX}", head)
    for line in listed.splitlines():
        seconds, _, sha = line.partition(" ")
        yield sha, moment(seconds)


def _since(git: Git, base: str | None, head: str) -> set[str]:
    """What came after `base`, whatever its date; nothing when `base` is unknown or was rewritten away."""
    if (
        base is None
        or not _SHA.fullmatch(base)
        or git.maybe("merge-base", "--is-ancestor", base, head) is None
    ):
        return set()
    return set(git.text("rev-list", f"--max-count={WALK_MAX}", head, f"^{base}").split())


def _untold(shas: list[str], told: Told | None) -> list[str]:
    known = told([("commit", sha) for sha in shas]) if told else set()
    return [sha for sha in shas if ("commit", sha) not in known]


def _read(git: Git, head: str, shas: list[str]) -> Iterator[Logged]:
    """The commits in that order. A shallow clone's first ones seem to add every file: they get none."""
    cut = set()
    if git.maybe("rev-parse", "--is-shallow-repository") == "true":
        cut = set(git.text("rev-list", "--max-parents=0", head).split())
    for at in range(0, len(shas), BATCH):
        batch = shas[at : at + BATCH]
        flags = FILE_FLAGS if at < DETAILED_MAX else ()
        try:
            output = git.raw("log", *COMMIT_FLAGS, *flags, lines=batch)
        except TooMuch:
            output = git.raw("log", *COMMIT_FLAGS, lines=batch)
        for one in commits(output):
            bare = one.commit.sha in cut
            yield replace(one, commit=replace(one.commit, files=(), more_files=0)) if bare else one


def _tags(git: Git, after: datetime, until: datetime) -> list[Release]:
    found = releases(git.raw("for-each-ref", TAG_FORMAT, "refs/tags"))
    inside = (tag for tag in found if after < tag.published_at <= until)
    return sorted(inside, key=lambda tag: (tag.published_at, tag.tag), reverse=True)


def _pulls(logged: list[Logged]) -> Iterator[PullRequest]:
    authors = {one.commit.sha: one.commit.author for one in logged}
    seen: set[int] = set()
    for one in logged:
        pull = one.pull(authors.get)
        # A branch merged into another one carries the first merge of the same number along.
        if pull and pull.number not in seen:
            seen.add(pull.number)
            yield pull


def _without(found: Activity, told: Told) -> Activity:
    known = told([key for key in found.keys() if key[0] != "commit"])  # noqa: SIM118 - not a dict
    return replace(
        found,
        pulls=tuple(p for p in found.pulls if ("pull", str(p.number)) not in known),
        releases=tuple(r for r in found.releases if ("release", r.tag) not in known),
    )


def _home(remote: str) -> tuple[str | None, str | None]:
    """`owner/name` and home page as a remote's address tells them, without credentials; nothing for a
    path.
    """
    try:
        parts = urlsplit(remote)
    except ValueError:
        return None, None
    if parts.netloc and parts.scheme in ("https", "http", "ssh", "git"):
        host, path = parts.hostname or "", parts.path
    elif scp := _SCP.fullmatch(remote):
        host, path = scp["host"].lower(), scp["path"]
    else:
        return None, None
    path = path.strip("/").removesuffix(".git")
    if not _NAME.fullmatch(path) or "." not in host:
        return None, None
    return path, f"https://{host}/{path}"


def _linked(found: Activity) -> Activity:
    """With addresses, where the repository's home is known to have them."""
    if not (found.url or "").startswith("https://github.com/"):
        return found
    return replace(
        found,
        commits=tuple(_linked_commit(c, f"{found.url}/commit/{c.sha}") for c in found.commits),
        pulls=tuple(
            replace(p, url=f"{found.url}/pull/{p.number}", author=p.author and _linked_person(p.author))
            for p in found.pulls
        ),
        releases=tuple(
            replace(r, url=f"{found.url}/releases/tag/{quote(r.tag, safe='')}") for r in found.releases
        ),
    )


def _linked_commit(commit: Commit, url: str) -> Commit:
    co_authors = tuple(_linked_person(one) for one in commit.co_authors)
    return replace(commit, url=url, author=_linked_person(commit.author), co_authors=co_authors)


def _linked_person(one: Person) -> Person:
    if one.login is None or one.is_bot:
        return one
    return replace(one, url=f"https://github.com/{one.login}")
