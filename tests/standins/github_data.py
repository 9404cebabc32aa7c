"""The data that the GitHub stand-in plays: a builder, and what moves or completes it."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.standins.github_graph import committed
from tests.standins.github_shapes import API, Json


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def completed(data: Json, number: int) -> Json:
    """Fill in the lists and dates that hand-made data may leave out."""
    for name in ("commits", "pulls", "issues", "releases"):
        data.setdefault(name, [])
    data.setdefault("branches", {})
    tags = data.setdefault("tags", {})
    if isinstance(tags, list):
        data["tags"] = {tag["name"]: tag["commit"]["sha"] for tag in tags}
    data["repository"].setdefault("id", 1000 + number)
    data["repository"].setdefault("default_branch", "main")
    details = data.setdefault("commit_details", {})
    for commit in data["commits"]:
        details.setdefault(commit["sha"], deepcopy(commit)).setdefault("files", [])
    for item in data["pulls"] + data["issues"]:
        _complete_item(item)
    for pull in data["pulls"]:
        pull.setdefault("_commits", pull.get("_commit_shas") or [])
    for release in data["releases"]:
        release.setdefault("prerelease", False)
        release.setdefault("draft", False)
        release.setdefault("created_at", release["published_at"])
    return data


def _complete_item(item: Json) -> None:
    latest = item.get("closed_at") or item.get("merged_at")
    item.setdefault("closed_at", latest)
    item.setdefault("updated_at", latest)
    item.setdefault("created_at", item["updated_at"])
    for key, value in (
        ("user", None),
        ("body", None),
        ("labels", []),
        ("state", "closed" if latest else "open"),
    ):
        item.setdefault(key, value)


def moments(data: Json) -> list[datetime]:
    """The dates of what happened; an item's last update is none of them."""
    found = [p["merged_at"] for p in data["pulls"]] + [i["closed_at"] for i in data["issues"]]
    found += [r["published_at"] for r in data["releases"]]
    return [committed(c) for c in data["commits"]] + [parse(text) for text in found if text]


def shift(node: Any, span: timedelta) -> None:
    """Move all dates in a body alike."""
    if isinstance(node, list):
        for child in node:
            shift(child, span)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and (key == "date" or key.endswith("_at")):
                node[key] = stamp(parse(value) + span)
            else:
                shift(value, span)


class Repository:
    """Builds one repository's data. Each method adds an item, the newest commit last; dates: aware or ISO."""

    def __init__(self, full_name: str = "username/awesome-lib", **more: Any) -> None:
        self.url = f"https://github.com/{full_name}"
        self.api = f"{API}/repos/{full_name}"
        owner, _, name = full_name.partition("/")
        about = {"name": name, "full_name": full_name, "owner": {"login": owner}, "html_url": self.url}
        self.data: Json = {"repository": about | {"private": False, "default_branch": "main"} | more}
        self.data |= {
            "commits": [],
            "commit_details": {},
            "pulls": [],
            "issues": [],
            "releases": [],
            "branches": {},
            "tags": {},
        }

    def commit(
        self,
        sha: str,
        date: datetime | str,
        message: str = "Change something",
        name: str = "John Doe",
        files: tuple[str | Json, ...] = (),
        **more: Any,
    ) -> "Repository":
        who = {"name": name, "email": "someone@example.invalid", "date": _text(date)}
        parents = [{"sha": self.data["commits"][0]["sha"]}] if self.data["commits"] else []
        commit = {
            "sha": sha,
            "url": f"{self.api}/commits/{sha}",
            "html_url": f"{self.url}/commit/{sha}",
            "commit": {"author": who, "committer": dict(who), "message": message},
            "author": None,
            "committer": None,
            "parents": parents,
        } | more
        self.data["commits"].insert(0, commit)
        changed = [f if isinstance(f, dict) else {"filename": f, "status": "modified"} for f in files]
        self.data["commit_details"][sha] = deepcopy(commit) | {"files": changed}
        return self

    def pull(
        self, number: int, merged_at: datetime | str | None, title: str = "Improve", **more: Any
    ) -> "Repository":
        """`_commits`: the ids of its own commits, so that these can be asked for their pull request."""
        at = _text(merged_at) if merged_at else None
        links = {"url": f"{self.api}/pulls/{number}", "html_url": f"{self.url}/pull/{number}"}
        item = {"number": number, "title": title, "state": "closed", "merged_at": at, "closed_at": at}
        base = {"base": {"ref": "main"}, "merge_commit_sha": None}
        self.data["pulls"].append(item | links | base | more)
        return self

    def issue(
        self, number: int, closed_at: datetime | str, title: str = "Broken", **more: Any
    ) -> "Repository":
        links = {"url": f"{self.api}/issues/{number}", "html_url": f"{self.url}/issues/{number}"}
        item = {"number": number, "title": title, "state": "closed", "closed_at": _text(closed_at)}
        self.data["issues"].append(item | {"state_reason": "completed"} | links | more)
        return self

    def release(self, tag: str, published_at: datetime | str | None, **more: Any) -> "Repository":
        """Its tag is at the newest commit so far."""
        at = _text(published_at) if published_at else None
        item = {"tag_name": tag, "name": tag, "html_url": f"{self.url}/releases/tag/{tag}", "body": None}
        self.data["releases"].append(item | {"published_at": at, "created_at": at, "author": None} | more)
        return self.tag(tag) if self.data["commits"] else self

    def tag(self, name: str, sha: str | None = None) -> "Repository":
        """A tag at this commit, or at the newest one so far."""
        self.data["tags"][name] = sha or self.data["commits"][0]["sha"]
        return self


def _text(date: datetime | str) -> str:
    return date if isinstance(date, str) else stamp(date)


def awesome_lib(full_name: str = "username/awesome-lib") -> Json:
    """The walkthrough's repository: three commits, pull request 42, issue 15; 2 and 3 October 2025."""
    made = Repository(full_name)
    made.commit(
        "abc123".ljust(40, "0"),
        "2025-10-02T14:30:00Z",
        "Add TypeScript support",
        "John Doe",
        ("src/index.ts", "tsconfig.json"),
    )
    made.commit(
        "def456".ljust(40, "0"), "2025-10-02T16:45:00Z", "Update documentation", "Jane Smith", ("README.md",)
    )
    made.commit(
        "ghi789".ljust(40, "0"), "2025-10-03T08:20:00Z", "Fix build errors", "John Doe", ("package.json",)
    )
    made.pull(42, "2025-10-02T18:00:00Z", "Add CI/CD pipeline")
    made.issue(15, "2025-10-02T15:30:00Z", "Support Node 18")
    return made.data
