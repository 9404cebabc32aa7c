"""A repository that lives: people push, merge, close and publish while GitHub's stand-in serves it.

Commits carry whatever date their author's machine had; everything else is dated by the server. What GitHub
does to the repository's description (`pushed_at`, the count of what is open) happens here too.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.standins.github import GitHubStandIn, Json, parse, stamp
from tests.standins.github_graph import Graph
from tests.standins.server import Answer, Request

MAIN = "main"
Meets = Answer | Callable[[], None]
ItemKey = tuple[str, str]


@dataclass
class World:
    """One repository. `now` is the server's clock, whole seconds; `salt` makes its commits' ids its own."""

    now: datetime
    salt: str = ""
    full_name: str = "octo/alive"
    default_branch: str = MAIN
    data: Json = field(init=False)

    def __post_init__(self) -> None:
        about = {
            "id": 4711,
            "full_name": self.full_name,
            "name": self.full_name.partition("/")[2],
            "default_branch": self.default_branch,
            "size": 0,
            "pushed_at": stamp(self.now),
        }
        self.data = {"repository": about, "commit_details": {}, "branches": {}, "tags": {}, "gone": set()}
        self.data |= {name: [] for name in ("commits", "pulls", "issues", "releases")}
        self._made = 0
        self._number = 0

    # Commits and branches

    def head(self, branch: str) -> str | None:
        return self.data["branches"].get(branch)

    def commit(
        self,
        parents: Iterable[str | None],
        *,
        date: datetime | None = None,
        message: str | None = None,
        like: str | None = None,
        author: str = "Ada",
    ) -> str:
        """A commit that is on no branch yet. `like`: with this one's author, author date and message, as a
        rebase makes it."""
        self._made += 1
        sha = hashlib.sha1(f"{self.salt}/{self._made}".encode(), usedforsecurity=False).hexdigest()
        at = stamp(date or self.now)
        who = {"name": author, "email": f"{author.lower()}@example.invalid", "date": at}
        inner = {"author": who, "committer": who | {"date": at}, "message": message or f"Work {self._made}"}
        if like:
            copied = self.data["commit_details"][like]["commit"]
            inner |= {"author": dict(copied["author"]), "message": copied["message"]}
        raw = {"sha": sha, "commit": inner, "parents": [{"sha": p} for p in parents if p]}
        self.data["commits"].insert(0, raw)
        self.data["commit_details"][sha] = raw | {"files": [{"filename": f"file-{self._made % 7}.py"}]}
        return sha

    def push(self, branch: str, *dates: datetime | None) -> list[str]:
        """Commits with these dates on a branch, which may be new."""
        made = []
        for date in dates or (None,):
            made.append(self.commit([self.head(branch)], date=date))
            self.data["branches"][branch] = made[-1]
        self.pushed()
        return made

    def branch_off(self, branch: str, back: int = 0) -> None:
        """A new branch from the default branch, so many commits back."""
        line = self.line(self.default_branch)
        self.data["branches"][branch] = line[min(back, len(line) - 1)]
        self.pushed()

    def line(self, branch: str) -> list[str]:
        """A branch's commits along the first parents, the newest first."""
        found, sha = [], self.head(branch)
        while sha:
            found.append(sha)
            parents = self.data["commit_details"][sha]["parents"]
            sha = parents[0]["sha"] if parents else None
        return found

    def set_head(self, branch: str, sha: str) -> None:
        self.data["branches"][branch] = sha
        self.pushed()

    def rename_default(self, name: str) -> None:
        """As in the repository's settings: GitHub redirects the old name and moves what was based on it."""
        old, branches = self.default_branch, self.data["branches"]
        branches[name] = branches.pop(old)
        renamed = self.data.setdefault("renamed_branches", {})
        renamed |= dict.fromkeys((*(k for k, v in renamed.items() if v == old), old), name)
        for pull in self.data["pulls"]:
            if pull["state"] == "open" and pull["base"]["ref"] == old:
                pull["base"]["ref"] = name
        self.switch_default(name)

    def switch_default(self, name: str) -> None:
        self.default_branch = self.data["repository"]["default_branch"] = name

    def replay(self, branch: str, count: int, *, below: bool) -> None:
        """Rebase the last `count` commits in place, as a force push after `git rebase -i` or an amend does;
        `below` puts a new commit under them."""
        line = self.line(branch)
        count = min(count, len(line) - 1)
        top = line[count]
        if below:
            top = self.commit([top])
        for old in reversed(line[:count]):
            top = self.commit([top], like=old)
        self.set_head(branch, top)

    def collect(self) -> None:
        """Collect as garbage what no branch and no tag reaches."""
        graph = Graph(self.data)
        heads = [*self.data["branches"].values(), *self.data["tags"].values()]
        kept = graph.reach(*(sha for sha in heads if sha in graph.commits))
        self.data["gone"] |= set(graph.commits) - kept

    def pushed(self) -> None:
        self.data["repository"]["pushed_at"] = stamp(self.now)

    # Pull requests

    def number(self) -> int:
        self._number += 1
        return self._number

    def open_pull(self, base: str, dates: Sequence[datetime | None], back: int = 0) -> Json:
        number = self.number()
        branch = f"change-{number}"
        self.branch_off(branch, back)
        own = self.push(branch, *dates)
        raw = {"number": number, "title": f"Change {number}", "base": {"ref": base}, "head": {"ref": branch}}
        raw |= {"_commits": own, "merged_at": None, "merge_commit_sha": None, **self._dated("open")}
        self.data["pulls"].append(raw)
        return raw

    def merge(self, pull: Json, how: str) -> None:
        """`how`: merge, squash or rebase by the button; push: the owner pushed its commits themselves."""
        base, title = pull["base"]["ref"], f"{pull['title']} (#{pull['number']})"
        top = self.head(base)
        if how == "merge" or (how == "push" and top != self.fork(pull)):
            words = f"Merge pull request #{pull['number']} from octo/{pull['head']['ref']}\n\n{pull['title']}"
            top = self.commit([top, pull["_commits"][-1]], message=words)
        elif how == "push":
            top = pull["_commits"][-1]
        elif how == "squash":
            top = self.commit([top], message=title)
        else:
            for old in pull["_commits"]:
                top = self.commit([top], like=old)
        assert top is not None
        self.set_head(base, top)
        at = stamp(self.now)
        pull |= {"merged_at": at, "closed_at": at, "updated_at": at, "state": "closed"}
        pull["merge_commit_sha"] = top

    def fork(self, pull: Json) -> str | None:
        """The commit that the pull request began at."""
        parents = self.data["commit_details"][pull["_commits"][0]]["parents"]
        return parents[0]["sha"] if parents else None

    def drop_branch(self, pull: Json) -> None:
        self.data["branches"].pop(pull["head"]["ref"], None)

    def close(self, item: Json, reason: str | None = None) -> None:
        """A pull request without a merge, or an issue."""
        at = stamp(self.now)
        item |= {"state": "closed", "closed_at": at, "updated_at": at}
        if reason:
            item["state_reason"] = reason

    # Issues, releases, the rest

    def open_issue(self) -> Json:
        raw = {"number": (number := self.number()), "title": f"Trouble {number}", **self._dated("open")}
        self.data["issues"].append(raw)
        return raw

    def reopen(self, item: Json) -> None:
        item |= {
            "state": "open",
            "closed_at": None,
            "updated_at": stamp(self.now),
            "state_reason": "reopened",
        }

    def touch(self, item: Json) -> None:
        """A comment or a label."""
        item["updated_at"] = stamp(self.now)

    def draft(self, sha: str) -> Json:
        """A release is dated by its commit, not by who wrote it."""
        date = self.data["commit_details"][sha]["commit"]["committer"]["date"]
        tag = f"v{len(self.data['releases']) + 1}"
        raw = {"tag_name": tag, "draft": True, "created_at": date, "published_at": None, "_sha": sha}
        self.data["releases"].append(raw)
        return raw

    def publish(self, release: Json) -> None:
        release |= {"draft": False, "published_at": stamp(self.now)}
        self.data["tags"][release["tag_name"]] = release["_sha"]
        self.pushed()

    def _dated(self, state: str) -> Json:
        at = stamp(self.now)
        return {"state": state, "created_at": at, "updated_at": at, "closed_at": None}

    # What a reader may expect to be told

    def on_branch(self, branch: str) -> set[str]:
        head = self.head(branch)
        return Graph(self.data).reach(head) if head else set()

    def happened(self, branch: str, base: str | None) -> dict[ItemKey, datetime]:
        """What GitHub shows now as done, and when: commits of the branch by their own date, merged pull
        requests (to `base`, or to any branch), closed issues by their latest closing, releases."""
        shown: dict[ItemKey, datetime] = {}
        for sha in self.on_branch(branch):
            shown["commit", sha] = parse(self.data["commit_details"][sha]["commit"]["committer"]["date"])
        for pull in self.data["pulls"]:
            if pull["merged_at"] and base in (None, pull["base"]["ref"]):
                shown["pull", str(pull["number"])] = parse(pull["merged_at"])
        for issue in self.data["issues"]:
            if issue["closed_at"]:
                shown["issue", f"{issue['number']}@{issue['closed_at']}"] = parse(issue["closed_at"])
        for release in self.data["releases"]:
            if release["published_at"]:
                shown["release", release["tag_name"]] = parse(release["published_at"])
        return shown

    def identity(self, sha: str) -> tuple[str, str, str]:
        """What a rebase keeps of a commit: author, author date, title."""
        about = self.data["commit_details"][sha]["commit"]
        return about["author"]["name"], about["author"]["date"], about["message"].partition("\n")[0]

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)


class LiveStandIn(GitHubStandIn):
    """Serves a world by the world's clock. `after` plants what a later request meets."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.repositories = [world.data]
        self._met: dict[int, Meets] = {}
        self._number = 0

    def now(self) -> datetime:
        return self.world.now

    def after(self, meets: dict[int, Meets]) -> None:
        """What the requests from now on meet, by their number from 0: a change of the world before they are
        answered, or the answer that they get instead."""
        self._met, self._number = dict(meets), 0

    def handle(self, request: Request) -> Answer:
        with self._lock:
            met = self._met.pop(self._number, None)
            self._number += 1
            if isinstance(met, Answer):
                return met
            if met is not None:
                met()
        return super().handle(request)
