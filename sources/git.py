"""Local git repositories, through the `git` command line. Nothing is written, nothing of theirs is run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from lib import clock
from lib.codes import Code
from models.values import Activity, Commit, Issue, Key, Person, PullRequest, Window
from sources.base import Caps, Known, Told
from sources.git_cli import Git
from sources.git_folder import git_dir, refusal, resolve
from sources.git_log import Logged
from sources.git_newcomers import newcomers
from sources.git_range import SHA, new_commits
from sources.git_read import Reader
from sources.git_tags import new_tags

LOCAL_CAPS = Caps(details=2_000)
"""Files cost no request here: every commit that is read has them."""

__all__ = ["LocalGit", "git_dir", "resolve"]

_GITHUB = "https://github.com/"
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+):(?!//)/?(?P<path>\S+)")
_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
# No name of a branch or tag has these (git-check-ref-format); with them it could lead to another kind.
_NO_REF = re.compile(r"\.\.|^[./-]|/[./]|[\0-\x20~^:?*\[\\\x7f]|@\{|/$|^$")


def head_of(git: Git, branch: str | None) -> str | None:
    """The branch's newest commit, of the one that HEAD names where `branch` is None; None in a repository
    without commits. Raises SourceError, for good when there is no such branch."""
    if branch is not None:
        for place in ("refs/heads/", "refs/remotes/origin/"):
            if not _NO_REF.search(branch) and git.asks("show-ref", "-q", "--verify", place + branch):
                return git.text("rev-parse", "--verify", f"{place}{branch}^{{commit}}")
        raise refusal(f"The repository has no branch {branch}: choose one that exists.", Code.BRANCH_GONE)
    if head := git.answer("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        return head
    # Bare repositories often name a branch that nobody ever pushed to.
    branches = git.text("for-each-ref", "--format=%(objectname)", "refs/heads").split()
    if len(branches) > 1:
        raise refusal("HEAD names no branch that exists: choose a branch.", Code.BRANCH_GONE)
    return branches[0] if branches else None


class LocalGit:
    """One local repository, a `sources.base.Source`.

    `path`, `root`: as for `resolve`. `branch`: its short name; None is the one that HEAD names. `caps`: how
    much of a window is read; what they cut is said in the activity's `cuts`.
    """

    def __init__(
        self, path: str | Path, *, root: Path | None, branch: str | None = None, caps: Caps = LOCAL_CAPS
    ) -> None:
        self._path = str(path)
        self._root = root
        self._branch = branch
        self._caps = caps

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

        Which commits are new is said at `new_commits`, which tags at `new_tags`: a tag is a release. A merge
        or squash commit that names a pull request gives it, once by its number; one that GitHub rebased names
        none, and its commits are told by themselves. Closing words in a new commit's message give issues,
        their titles empty, for git does not know them; once by their number, for nor does it know which were
        opened again, while copies and merges repeat such words. Beyond `caps.commits` only pull requests and
        issues are kept. Who is new is said at `newcomers`. A repository without commits has no activity.

        Raises SourceError: for good when the path or the branch is wrong, possibly passing when git fails.
        """
        until = clock.now().replace(microsecond=0)
        folder, git = self._open()
        head = head_of(git, self._branch)
        if head is None and base is not None:
            raise refusal(
                "The repository has no branch any more: give a folder that has one.", Code.REPOSITORY_GONE
            )
        name, url = _home(git.answer("config", "--no-includes", "--get", "remote.origin.url") or "")
        earliest = min(since, margin_from or since) if told else since
        tags = new_tags(git, earliest, told, self._caps.text)
        read, cuts = _Read(self._caps.commits), tags.cuts
        if head is not None:
            # An earlier scan that knows no head saw an empty repository: all in it is new.
            was_empty = base is None and margin_from is not None and told is not None
            new = new_commits(git, head, base, None if was_empty else earliest)
            shas = _untold(new.shas, told)
            reader = Reader(git, head, self._caps)
            read.take(reader.read(shas))
            cuts += (*new.cuts, *self._cut(len(shas)), *reader.cuts())
        found = Activity(
            name or folder.name.removesuffix(".git"),
            Window(since, until, base, head),
            url,
            commits=tuple(read.commits),
            releases=tags.releases,
            cuts=cuts,
            passed=tags.passed,
            newcomers=newcomers(git, base, head) if base and head and read.commits else (),
        )
        return _linked(_joined(found, read, told))

    def contains(self, tag: str, sha: str) -> bool:
        """As `Source.contains`: False also for a tag or commit that is not there. Raises SourceError."""
        _, git = self._open()
        ref = f"refs/tags/{tag}"
        if _NO_REF.search(tag) or not SHA.fullmatch(sha) or not git.asks("show-ref", "--verify", "-q", ref):
            return False
        target, part = git.commit(f"{ref}^{{commit}}"), git.commit(sha)
        return bool(target and part and git.asks("merge-base", "--is-ancestor", part, target))

    def _open(self) -> tuple[Path, Git]:
        folder = resolve(self._path, self._root)
        assert self._root is not None  # noqa: S101 - else resolve refused
        return folder, Git(git_dir(folder, self._root.resolve()), folder.name)

    def _cut(self, count: int) -> Iterator[str]:
        caps, read = self._caps, min(count, self._caps.commits)
        if count > read:
            whole = f"Only the newest {read:,} of {count:,} commits were read"
            yield f"{whole}; the others count as told, but their pull requests and issues are here."
        if caps.details < read:
            yield f"Files were read for the newest {caps.details:,} of {read:,} commits."


@dataclass
class _Read:
    """What is kept of the commits that were read: the newest `most`, and whatever names a pull request or an
    issue."""

    most: int
    commits: list[Commit] = field(default_factory=list)
    telling: list[Logged] = field(default_factory=list)
    authors: dict[str, Person] = field(default_factory=dict)

    def take(self, logged: Iterable[Logged]) -> None:
        """`logged`: newest first."""
        merged: set[str] = set()
        for number, one in enumerate(logged):
            commit = one.commit
            if number < self.most:
                self.commits.append(commit)
            # Children stand before their parents.
            merged.update(commit.parents[1:2])
            if commit.sha in merged:
                self.authors[commit.sha] = commit.author
            if one.closes or one.pull(self.authors.get):
                self.telling.append(one)

    def pulls(self) -> Iterator[PullRequest]:
        """Newest first, as often as merges name them."""
        for one in self.telling:
            if pull := one.pull(self.authors.get):
                yield pull

    def issues(self, name: str, url: str | None) -> Iterator[Issue]:
        """What the messages close of this repository's own, newest first, as often as they say so."""
        own = {"", name.casefold(), (url or name).casefold()}
        for one in self.telling:
            for number, home in one.closes:
                if home.casefold() in own:
                    yield Issue(number, "", one.commit.date)


def _untold(shas: Iterable[str], told: Told | None) -> list[str]:
    shas = list(shas)
    known = told([("commit", sha) for sha in shas]) if told and shas else set()
    return [sha for sha in shas if ("commit", sha) not in known]


def _joined(found: Activity, read: _Read, told: Told | None) -> Activity:
    """With its pull requests and issues, each number once and without those told."""
    # A branch merged into another one carries the first merge of the same number along: the newest stands.
    pulls = {pull.number: pull for pull in reversed(list(read.pulls()))}
    issues = {issue.number: issue for issue in reversed(list(read.issues(found.repository, found.url)))}
    asked: set[Key] = {("pull", str(number)) for number in (*pulls, *issues)}
    asked |= {_once(number) for number in issues}
    known = told(asked) if told and asked else set()
    closed = [
        issue
        for number, issue in issues.items()
        if number not in pulls and not known & {("pull", str(number)), _once(number)}
    ]
    return replace(
        found,
        pulls=tuple(pull for pull in reversed(pulls.values()) if pull.key not in known),
        issues=tuple(sorted(closed, key=lambda issue: (issue.closed_at, issue.number), reverse=True)),
        passed=(*found.passed, *(_once(issue.number) for issue in closed)),
    )


def _once(number: int) -> Key:
    """What is remembered of an issue beside its key, which holds a date: that it was told at all."""
    return "issue", f"{number}@"


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
    if not (found.url or "").startswith(_GITHUB):
        return found
    return replace(
        found,
        commits=tuple(_linked_commit(c, f"{found.url}/commit/{c.sha}") for c in found.commits),
        pulls=tuple(
            replace(p, url=f"{found.url}/pull/{p.number}", author=p.author and _linked_person(p.author))
            for p in found.pulls
        ),
        issues=tuple(replace(i, url=f"{found.url}/issues/{i.number}") for i in found.issues),
        releases=tuple(
            replace(r, url=f"{found.url}/releases/tag/{quote(r.tag, safe='')}") for r in found.releases
        ),
        newcomers=tuple(_linked_person(one) for one in found.newcomers),
    )


def _linked_commit(commit: Commit, url: str) -> Commit:
    co_authors = tuple(_linked_person(one) for one in commit.co_authors)
    return replace(commit, url=url, author=_linked_person(commit.author), co_authors=co_authors)


def _linked_person(one: Person) -> Person:
    if one.login is None or one.is_bot:
        return one
    return replace(one, url=_GITHUB + one.login)
