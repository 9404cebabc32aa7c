"""GitHub's REST API as far as Repocast asks it, played from data; shapes and rules of API version 2022-11-28.

Rules from docs.github.com/rest (pagination, rate limits, commits, pulls, issues, releases), read 2026-11-23.
"""

import hashlib
import json
import re
import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlencode

from tests.standins.server import Answer, Request, StandIn

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"
FILES_PER_PAGE = 300
_PAGING = {"per_page", "page"}
_PARAMETERS = {
    "": set(),
    "commits": {"sha", "path", "author", "committer", "since", "until"} | _PAGING,
    "commit": _PAGING,
    "pulls": {"state", "head", "base", "sort", "direction"} | _PAGING,
    "issues": {"state", "labels", "creator", "sort", "direction", "since"} | _PAGING,
    "releases": _PAGING,
}


class GitHubStandIn(StandIn):
    """Serves repositories from data.

    `repositories`: objects with `repository`, `commits`, `commit_details`, `pulls`, `issues`, `releases`;
    absent lists are empty, and a repository without commits is an empty one. `repository.has_issues` False
    switches issues off, `branches` maps a branch's name to its commits' ids. Default: `awesome_lib()`.
    `required_token`: who does not send it gets 401. `bad_tokens`: these get 401. `versions`: the API versions
    known, others get 400. `server_time`: what the Date header says, the real time when None. `moved`: old
    full name (lower case) to the new one.
    """

    def __init__(
        self,
        *repositories: Json,
        required_token: str | None = None,
        bad_tokens: tuple[str, ...] = (),
        server_time: datetime | None = None,
        latency: float = 0.0,
    ) -> None:
        super().__init__(latency)
        self.repositories = [
            _completed(deepcopy(r), n) for n, r in enumerate(repositories or [awesome_lib()])
        ]
        self.required_token = required_token
        self.bad_tokens = bad_tokens
        self.server_time = server_time
        self.versions = {"2022-11-28", "2026-03-10"}
        self.moved: dict[str, str] = {}
        self._used = 0

    def move_dates(self, newest: datetime) -> None:
        """Shift all dates alike, so that the newest commit, merge, closing or release is at `newest`."""
        last = max(parse(text) for data in self.repositories for text in _moments(data))
        for data in self.repositories:
            _shift(data, newest - last)

    def handle(self, request: Request) -> Answer:
        if refused := self._refused(request):
            return self._finished(request, refused)
        found = re.fullmatch(r"(?:/api/v3)?/(repos/[^/]+/[^/]+|repositories/\d+)(?:/(.*))?", request.path)
        if request.method != "GET" or not found or request.path.endswith("/"):
            return self._finished(request, error(404, "Not Found"))
        return self._finished(request, self._served(unquote(found[1]).lower(), found[2] or "", request))

    def _refused(self, request: Request) -> Answer | None:
        token = request.headers.get("authorization", "").partition(" ")[2] or None
        if not request.headers.get("user-agent"):
            return error(403, "Missing or invalid User Agent string.")
        if token in self.bad_tokens or (self.required_token and token != self.required_token):
            return error(401, "Bad credentials")
        version = request.headers.get("x-github-api-version")
        if version and version not in self.versions:
            return error(400, f'"{version}" is not a supported version.')
        return None

    def _served(self, key: str, rest: str, request: Request) -> Answer:
        kind, _, name = key.partition("/")
        moved = kind == "repos" and name in self.moved
        data = self._repository(self.moved[name].lower() if moved else name)
        if data is None:
            return error(404, "Not Found")
        if moved:
            place = f"{_by_id(self.url, data)}/{rest}".rstrip("/")
            query = f"?{urlencode(request.query)}" if request.query else ""
            return Answer(301, {"message": "Moved Permanently", "url": place}, {"Location": place + query})
        return self._from(data, rest, request)

    def _repository(self, name: str) -> Json | None:
        for data in self.repositories:
            if name in (str(data["repository"]["id"]), data["repository"]["full_name"].lower()):
                return data
        return None

    def _from(self, data: Json, rest: str, request: Request) -> Answer:
        place, _, ref = rest.partition("/")
        kind = "commit" if place == "commits" and ref else place
        if kind not in _PARAMETERS or (ref and kind != "commit"):
            return error(404, "Not Found")
        if unknown := set(request.query) - _PARAMETERS[kind]:
            return error(422, f"Unknown query parameter: {', '.join(sorted(unknown))}")
        if kind == "":
            return Answer(body=data["repository"])
        if kind == "commit":
            return self._commit(data, unquote(ref), request.query)
        listed = {"commits": _commits, "pulls": _pulls, "issues": _issues, "releases": _releases}[kind]
        items = listed(data, request.query)
        return items if isinstance(items, Answer) else self._page(data, rest, request.query, items)

    def _commit(self, data: Json, sha: str, query: Json) -> Answer:
        if sha not in data["commit_details"]:
            return error(422, f"No commit found for SHA: {sha}")
        detail = data["commit_details"][sha]
        files = self._page(data, f"commits/{sha}", query, detail["files"], FILES_PER_PAGE, FILES_PER_PAGE)
        changes = {k: sum(f.get(k) or 0 for f in detail["files"]) for k in ("additions", "deletions")}
        stats = changes | {"total": sum(changes.values())}
        return Answer(body=detail | {"stats": stats, "files": files.body}, headers=files.headers)

    def _page(
        self, data: Json, rest: str, query: Json, items: list[Json], default: int = 30, most: int = 100
    ) -> Answer:
        size = max(1, min(most, int(query.get("per_page", default))))
        page = max(1, int(query.get("page", 1)))
        last = max(1, -(-len(items) // size))
        pages = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [r for r, n in pages.items() if (n < page and page > 1) or (n > page and page < last)]
        base = _by_id(self.url, data) + "/" + rest
        link = ", ".join(f'<{base}?{urlencode(query | {"page": pages[r]})}>; rel="{r}"' for r in wanted)
        chosen = items[(page - 1) * size : page * size]
        return Answer(body=chosen, headers={"Link": link} if link else {})

    def _finished(self, request: Request, answer: Answer) -> Answer:
        """The headers that come with every answer, and 304 for who has it already."""
        self._used += 1
        etag = 'W/"' + hashlib.sha256(json.dumps(answer.body).encode()).hexdigest() + '"'
        limit = 5000 if request.headers.get("authorization") else 60
        headers = {
            "Date": format_datetime(self.server_time or datetime.now(UTC), usegmt=True),
            "ETag": etag,
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self._used)),
            "X-RateLimit-Used": str(self._used),
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": request.headers.get("x-github-api-version", "2022-11-28"),
            "X-GitHub-Request-Id": f"0000:{self._used:04X}",
        }
        status = (
            304 if answer.status == 200 and request.headers.get("if-none-match") == etag else answer.status
        )
        return Answer(status, answer.body, headers | answer.headers)


def error(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as GitHub words it."""
    body = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return Answer(status, body, headers or {})


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _by_id(url: str, data: Json) -> str:
    return f"{url}/repositories/{data['repository']['id']}"


# The lists, as their endpoints choose and order them


def _commits(data: Json, query: Json) -> list[Json] | Answer:
    if not data["commits"]:
        return error(409, "Git Repository is empty.")
    commits, ref = data["commits"], query.get("sha", data["repository"]["default_branch"])
    if ref in data["branches"]:
        commits = [c for c in commits if c["sha"] in data["branches"][ref]]
    elif ref != data["repository"]["default_branch"]:
        return error(404, "Not Found")
    since, until = query.get("since"), query.get("until")
    kept = [
        c
        for c in commits
        if (not since or committed(c) >= parse(since)) and (not until or committed(c) <= parse(until))
    ]
    return sorted(kept, key=committed, reverse=True)


def committed(commit: Json) -> datetime:
    """The date that `since` and `until` look at: the committer's."""
    return parse(commit["commit"]["committer"]["date"])


def _pulls(data: Json, query: Json) -> list[Json]:
    pulls = [p for p in data["pulls"] if query.get("base", p["base"]["ref"]) == p["base"]["ref"]]
    # Only `created` comes newest first by itself.
    default = "desc" if query.get("sort", "created") == "created" else "asc"
    return _ordered(pulls, query, default)


def _issues(data: Json, query: Json) -> list[Json] | Answer:
    if not data["repository"].get("has_issues", True):
        return error(410, "Issues are disabled for this repo")
    items = data["issues"] + [_as_issue(p) for p in data["pulls"]]
    since = query.get("since")
    kept = [i for i in items if not since or parse(i["updated_at"]) >= parse(since)]
    return _ordered(kept, query, "desc")


def _as_issue(pull: Json) -> Json:
    shared = (
        "number",
        "title",
        "state",
        "html_url",
        "user",
        "labels",
        "body",
        "created_at",
        "updated_at",
        "closed_at",
    )
    links = {"url": pull["url"], "html_url": pull["html_url"], "merged_at": pull["merged_at"]}
    return {key: pull[key] for key in shared} | {"state_reason": None, "pull_request": links}


def _ordered(items: list[Json], query: Json, default: str) -> list[Json]:
    state = query.get("state", "open")
    kept = [i for i in items if state in ("all", i["state"])]
    key = {"created": "created_at", "updated": "updated_at"}[query.get("sort", "created")]
    return sorted(kept, key=lambda i: parse(i[key]), reverse=query.get("direction", default) == "desc")


def _releases(data: Json, query: Json) -> list[Json]:
    return sorted(data["releases"], key=lambda r: r["created_at"] or "", reverse=True)


# The data


def _completed(data: Json, number: int) -> Json:
    """Fill in what the API always sends and hand-made data may leave out."""
    for name in ("commits", "pulls", "issues", "releases"):
        data.setdefault(name, [])
    data.setdefault("branches", {})
    data["repository"].setdefault("id", 1000 + number)
    data["repository"].setdefault("default_branch", "main")
    details = data.setdefault("commit_details", {})
    for commit in data["commits"]:
        details.setdefault(commit["sha"], deepcopy(commit)).setdefault("files", [])
    for item in data["pulls"] + data["issues"]:
        _complete_item(item)
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


def _is_date(key: str) -> bool:
    return key == "date" or key.endswith("_at")


def _moments(data: Json) -> list[str]:
    """The dates of what happened; an item's last update is none of them."""
    found = [c["commit"]["committer"]["date"] for c in data["commits"]]
    found += [p["merged_at"] for p in data["pulls"]] + [i["closed_at"] for i in data["issues"]]
    return [text for text in found + [r["published_at"] for r in data["releases"]] if text]


def _shift(node: Any, span: timedelta) -> None:
    if isinstance(node, list):
        for child in node:
            _shift(child, span)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and _is_date(key):
                node[key] = stamp(parse(value) + span)
            else:
                _shift(value, span)


class Repository:
    """Builds one repository's data. Each method adds an item, the newest commit last; dates: aware or ISO."""

    def __init__(self, full_name: str = "username/awesome-lib", **more: Any) -> None:
        self.url = f"https://github.com/{full_name}"
        self.api = f"https://api.github.com/repos/{full_name}"
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
        at = _text(published_at) if published_at else None
        item = {"tag_name": tag, "name": tag, "html_url": f"{self.url}/releases/tag/{tag}", "body": None}
        self.data["releases"].append(item | {"published_at": at, "created_at": at, "author": None} | more)
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
