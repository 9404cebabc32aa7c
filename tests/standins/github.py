"""GitHub's REST API as far as Repocast asks it, played from data; shapes and rules of API version 2022-11-28.

Rules from docs.github.com/rest (pagination, rate limits, commits, pulls, issues, releases), read 2026-11-23.
"""

import hashlib
import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlencode

from tests.standins import github_shapes as shapes
from tests.standins.github_data import Repository, awesome_lib, completed, moments, parse, shift, stamp
from tests.standins.github_graph import Graph, committed, of_branch
from tests.standins.github_shapes import Json
from tests.standins.server import Answer, Request, StandIn

__all__ = [
    "DOCS",
    "FILES_PER_PAGE",
    "GitHubStandIn",
    "Json",
    "Repository",
    "awesome_lib",
    "committed",
    "error",
    "parse",
    "stamp",
]

DOCS = "https://docs.github.com/rest"
FILES_PER_PAGE = 300
COMPARED = 250
"""Commits of a comparison that is asked for without paging: the newest."""
_PAGING = {"per_page", "page"}
# What is served, the parameters that it takes, and what a fine-grained token needs for it.
_ROUTES: tuple[tuple[str, str, set[str], str], ...] = (
    ("description", r"", set(), "metadata=read"),
    (
        "commits",
        r"commits",
        {"sha", "path", "author", "committer", "since", "until"} | _PAGING,
        "contents=read",
    ),
    ("commit_pulls", r"commits/([^/]+)/pulls", _PAGING, "pull_requests=read; contents=read"),
    ("commit", r"commits/(.+)", _PAGING, "contents=read"),
    ("compare", r"compare/(.+\.\.\..+)", _PAGING, "contents=read"),
    ("branch", r"branches/(.+)", set(), "contents=read"),
    ("git_ref", r"git/ref/(.+)", set(), "contents=read"),
    ("tags", r"tags", _PAGING, "contents=read"),
    (
        "pulls",
        r"pulls",
        {"state", "head", "base", "sort", "direction"} | _PAGING,
        "pull_requests=read; contents=read",
    ),
    ("pull", r"pulls/(\d+)", set(), "pull_requests=read; contents=read"),
    (
        "issues",
        r"issues",
        {"state", "labels", "creator", "sort", "direction", "since"} | _PAGING,
        "issues=read",
    ),
    ("issue", r"issues/(\d+)", set(), "issues=read"),
    ("releases", r"releases", _PAGING, "contents=read"),
)
_VALUES = {
    "state": {"open", "closed", "all"},
    "direction": {"asc", "desc"},
    "sort": {"created", "updated", "comments", "popularity", "long-running"},
}


class GitHubStandIn(StandIn):
    """Serves repositories from data.

    `repositories`: objects with `repository`, `commits`, `commit_details`, `pulls`, `issues`, `releases`;
    absent lists are empty, and a repository without commits is an empty one. `repository.has_issues` False
    switches issues off. `branches` maps a branch's name to its head's id, or to the list of its commits' ids;
    `renamed_branches` an old name to the new one; `tags` a tag's name to its commit's id; `gone` are ids of
    commits that were collected as garbage. Default: `awesome_lib()`.

    `required_token`: who does not send it gets 401. `bad_tokens`: these get 401. `versions`: the API versions
    known, others get 400. `server_time`: what the Date header says, the real time when None. `moved`: old
    full name (lower case) to the new one.

    What a token may: `login` is its owner's; `permissions` of a fine-grained one (`{"issues=read"}`; None:
    all), `scopes` of a classic one, `token_expires` as GitHub writes it, `shows_drafts` to who may push.
    `allowance`: counted requests after which 403 is answered until `reset`.
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
        self.repositories = [completed(deepcopy(r), n) for n, r in enumerate(repositories or [awesome_lib()])]
        self.required_token = required_token
        self.bad_tokens = bad_tokens
        self.server_time = server_time
        self.versions = {"2022-11-28", "2026-03-10"}
        self.moved: dict[str, str] = {}
        self.login = "octo-maintainer"
        self.permissions: set[str] | None = None
        self.scopes: str | None = None
        self.token_expires: str | None = None
        self.shows_drafts = True
        self.allowance: int | None = None
        self.reset: datetime | None = None
        self._used = 0
        self._answered = 0

    def now(self) -> datetime:
        """The server's clock."""
        return self.server_time or datetime.now(UTC)

    def move_dates(self, newest: datetime) -> None:
        """Shift all dates alike, so that the newest commit, merge, closing or release is at `newest`."""
        last = max(moment for data in self.repositories for moment in moments(data))
        for data in self.repositories:
            shift(data, newest - last)

    def handle(self, request: Request) -> Answer:
        answer = self._refused(request) or self._without_repository(request)
        if answer is None:
            found = re.fullmatch(r"(?:/api/v3)?/(repos/[^/]+/[^/]+|repositories/\d+)(?:/(.*))?", request.path)
            if request.method != "GET" or not found or request.path.endswith("/"):
                answer = error(404, "Not Found")
            else:
                answer = self._served(unquote(found[1]).lower(), found[2] or "", request)
        return self._finished(request, answer)

    def _refused(self, request: Request) -> Answer | None:
        token = _token(request)
        if not request.headers.get("user-agent"):
            return error(403, "Missing or invalid User Agent string.")
        if token in self.bad_tokens or (self.required_token and token != self.required_token):
            return error(401, "Bad credentials")
        version = request.headers.get("x-github-api-version")
        if version and version not in self.versions:
            return error(400, f'"{version}" is not a supported version.')
        if self.allowance is not None and self._used >= self.allowance and request.path != "/rate_limit":
            return error(403, f"API rate limit exceeded for {self.login}.")
        return None

    def _without_repository(self, request: Request) -> Answer | None:
        """What is asked of the server as such."""
        path = request.path.removeprefix("/api/v3")
        if path == "/user":
            if _token(request) is None:
                return error(401, "Requires authentication")
            return Answer(body=shapes.token_owner(self.login))
        if path == "/rate_limit":
            counted = self._limits(request)
            core = {name: int(counted[name]) for name in ("limit", "remaining", "used", "reset")}
            core["resource"] = "core"
            search = core | {"limit": 30, "remaining": 30, "used": 0, "resource": "search"}
            return Answer(body={"resources": {"core": core, "search": search}, "rate": core})
        return None

    def _served(self, key: str, rest: str, request: Request) -> Answer:
        kind, _, name = key.partition("/")
        moved = kind == "repos" and name in self.moved
        data = self._repository(self.moved[name].lower() if moved else name)
        if data is None or (data["repository"].get("private") and _token(request) is None):
            return error(404, "Not Found")
        if moved:
            return self._elsewhere(data, rest, request)
        return self._from(data, rest, request)

    def _elsewhere(self, data: Json, rest: str, request: Request) -> Answer:
        place = f"{_by_id(self.url, data)}/{rest}".rstrip("/")
        query = f"?{urlencode(request.query)}" if request.query else ""
        body = {"message": "Moved Permanently", "url": place, "documentation_url": DOCS}
        return Answer(301, body, {"Location": place + query})

    def _repository(self, name: str) -> Json | None:
        for data in self.repositories:
            if name in (str(data["repository"]["id"]), data["repository"]["full_name"].lower()):
                return data
        return None

    def _from(self, data: Json, rest: str, request: Request) -> Answer:
        for kind, pattern, parameters, needed in _ROUTES:
            if found := re.fullmatch(pattern, rest):
                if refused := self._wrongly_asked(request, parameters) or self._forbidden(request, needed):
                    return refused
                parts = [unquote(part) for part in found.groups()]
                answer: Answer = getattr(self, f"_get_{kind}")(data, request, rest, *parts)
                if _token(request) and not answer.headers.get("X-Accepted-GitHub-Permissions"):
                    answer.headers["X-Accepted-GitHub-Permissions"] = needed
                return answer
        return error(404, "Not Found")

    def _wrongly_asked(self, request: Request, parameters: set[str]) -> Answer | None:
        if unknown := set(request.query) - parameters:
            return error(422, f"Unknown query parameter: {', '.join(sorted(unknown))}")
        for name, value in request.query.items():
            if (name in _VALUES and value not in _VALUES[name]) or (name in _PAGING and not value.isdigit()):
                return error(422, "Validation Failed")
        return None

    def _forbidden(self, request: Request, needed: str) -> Answer | None:
        """Any one of the permissions is enough; every token may read the description."""
        enough = set(needed.split("; "))
        if self.permissions is None or _token(request) is None or "metadata=read" in enough:
            return None
        if enough & self.permissions:
            return None
        headers = {"X-Accepted-GitHub-Permissions": needed}
        return error(403, "Resource not accessible by personal access token", headers)

    # What is served; `rest` is the path behind the repository, as it was asked

    def _get_description(self, data: Json, request: Request, rest: str) -> Answer:
        return Answer(body=shapes.description(data))

    def _get_commits(self, data: Json, request: Request, rest: str) -> Answer:
        if not data["commits"]:
            return error(409, "Git Repository is empty.")
        commits = of_branch(data, request.query.get("sha", data["repository"]["default_branch"]))
        if commits is None:
            return error(404, "Not Found")
        since, until = request.query.get("since"), request.query.get("until")
        kept = [
            c
            for c in commits
            if (not since or committed(c) >= parse(since)) and (not until or committed(c) <= parse(until))
        ]
        return self._page(data, rest, request.query, kept, shape=shapes.commit)

    def _get_commit(self, data: Json, request: Request, rest: str, ref: str) -> Answer:
        if not data["commits"]:
            return error(409, "Git Repository is empty.")
        sha = Graph(data).resolve(ref) or ref
        if sha not in data["commit_details"] or sha in (data.get("gone") or ()):
            return error(422, f"No commit found for SHA: {ref}")
        detail, name = data["commit_details"][sha], data["repository"]["full_name"]
        listed = [shapes.changed_file(raw, name, sha) for raw in detail.get("files") or ()]
        files = self._page(data, rest, request.query, listed, FILES_PER_PAGE, FILES_PER_PAGE)
        changes = {k: sum(f[k] for f in listed) for k in ("additions", "deletions")}
        stats = changes | {"total": sum(changes.values())}
        body = shapes.commit(detail, name) | {"sha": sha, "stats": stats, "files": files.body}
        return Answer(body=body, headers=files.headers)

    def _get_commit_pulls(self, data: Json, request: Request, rest: str, sha: str) -> Answer:
        if not data["commits"]:
            return error(409, "Git Repository is empty.")
        if sha not in Graph(data).commits:
            return error(422, f"No commit found for SHA: {sha}")
        pulls = [p for p in data["pulls"] if sha in (p.get("merge_commit_sha"), *(p.get("_commits") or ()))]
        return self._pull_page(data, rest, request.query, pulls)

    def _get_compare(self, data: Json, request: Request, rest: str, names: str) -> Answer:
        graph = Graph(data)
        first, _, second = names.partition("...")
        base, head = graph.resolve(first), graph.resolve(second)
        if base is None or head is None:
            return error(404, "Not Found")
        common = graph.merge_base(base, head)
        if common is None:
            return error(404, f"No common ancestor between {first} and {second}.")
        ahead, behind = graph.between(base, head), graph.between(head, base)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        name = data["repository"]["full_name"]
        shown = [graph.commits[sha] for sha in ahead]
        if request.query:
            # Without per_page as many as unpaged; see the recorded comparisons of 2023 and 2025.
            most = 100 if "per_page" in request.query else COMPARED
            commits = self._page(data, rest, request.query, shown, most, most, shape=shapes.commit)
        else:
            commits = Answer(body=[shapes.commit(raw, name) for raw in shown[-COMPARED:]])
        body = shapes.comparison(names, (base, head), name) | {
            "base_commit": shapes.commit(graph.commits[base], name),
            "merge_base_commit": shapes.commit(graph.commits[common], name),
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": commits.body,
        }
        if request.query.get("page", "1") == "1":
            body["files"] = self._compared_files(data, ahead, head)
        return Answer(body=body, headers=commits.headers)

    def _compared_files(self, data: Json, shas: list[str], head: str) -> list[Json]:
        name = data["repository"]["full_name"]
        changed: dict[str, Json] = {}
        for sha in shas:
            for raw in (data["commit_details"].get(sha) or {}).get("files") or ():
                changed.setdefault(raw["filename"], raw)
        return [shapes.changed_file(raw, name, head) for raw in list(changed.values())[:FILES_PER_PAGE]]

    def _get_branch(self, data: Json, request: Request, rest: str, name: str) -> Answer:
        if renamed := (data.get("renamed_branches") or {}).get(name):
            return self._elsewhere(data, f"branches/{renamed}", request)
        graph = Graph(data)
        head = graph.head(name)
        if head is None or head not in graph.commits:
            return error(404, "Branch not found")
        full_name = data["repository"]["full_name"]
        return Answer(body=shapes.branch(name, shapes.commit(graph.commits[head], full_name), full_name))

    def _get_git_ref(self, data: Json, request: Request, rest: str, ref: str) -> Answer:
        if not data["commits"]:
            return error(409, "Git Repository is empty.")
        sha = Graph(data).resolve(ref) if ref.startswith(("heads/", "tags/")) else None
        if sha is None:
            return error(404, "Not Found")
        return Answer(body=shapes.git_ref(ref, sha, data["repository"]["full_name"]))

    def _get_tags(self, data: Json, request: Request, rest: str) -> Answer:
        name = data["repository"]["full_name"]
        # By name, the highest first; no dates.
        tags = sorted((data.get("tags") or {}).items(), reverse=True)
        return self._page(data, rest, request.query, [shapes.tag(tag, sha, name) for tag, sha in tags])

    def _get_pulls(self, data: Json, request: Request, rest: str) -> Answer:
        query = request.query
        pulls = [p for p in data["pulls"] if query.get("base", p["base"]["ref"]) == p["base"]["ref"]]
        # Only `created` comes newest first by itself.
        default = "desc" if query.get("sort", "created") == "created" else "asc"
        return self._pull_page(data, rest, query, _ordered(pulls, query, default))

    def _get_pull(self, data: Json, request: Request, rest: str, number: str) -> Answer:
        for raw in data["pulls"]:
            if raw["number"] == int(number):
                return Answer(body=shapes.pull_alone(raw, shapes.description(data)))
        return error(404, "Not Found")

    def _get_issues(self, data: Json, request: Request, rest: str) -> Answer:
        if not data["repository"].get("has_issues", True):
            return error(410, "Issues are disabled for this repo")
        since = request.query.get("since")
        items = [i | {"_pull": False} for i in data["issues"]] + [p | {"_pull": True} for p in data["pulls"]]
        kept = [i for i in items if not since or parse(i["updated_at"]) >= parse(since)]
        ordered = _ordered(kept, request.query, "desc")
        return self._page(data, rest, request.query, ordered, shape=_issue_or_pull)

    def _get_issue(self, data: Json, request: Request, rest: str, number: str) -> Answer:
        if not data["repository"].get("has_issues", True):
            return error(410, "Issues are disabled for this repo")
        items = [i | {"_pull": False} for i in data["issues"]] + [p | {"_pull": True} for p in data["pulls"]]
        for raw in items:
            if raw["number"] == int(number):
                return Answer(body=_issue_or_pull(raw, data["repository"]["full_name"]))
        return error(404, "Not Found")

    def _get_releases(self, data: Json, request: Request, rest: str) -> Answer:
        shown = [r for r in data["releases"] if self.shows_drafts or not r.get("draft")]
        ordered = sorted(shown, key=lambda r: r["created_at"] or "", reverse=True)
        return self._page(data, rest, request.query, ordered, shape=shapes.release)

    # Pages and headers

    def _pull_page(self, data: Json, rest: str, query: Json, pulls: list[Json]) -> Answer:
        about = shapes.description(data)
        return self._page(data, rest, query, pulls, shape=lambda raw, _: shapes.pull(raw, about))

    def _page(
        self,
        data: Json,
        rest: str,
        query: Json,
        items: list[Json],
        default: int = 30,
        most: int = 100,
        *,
        shape: Any = None,
    ) -> Answer:
        size = max(1, min(most, int(query.get("per_page", default))))
        page = max(1, int(query.get("page", 1)))
        last = max(1, -(-len(items) // size))
        pages = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [r for r, n in pages.items() if (n < page and page > 1) or (n > page and page < last)]
        base = _by_id(self.url, data) + "/" + rest
        link = ", ".join(f'<{base}?{urlencode(query | {"page": pages[r]})}>; rel="{r}"' for r in wanted)
        chosen = items[(page - 1) * size : page * size]
        if shape is not None:
            name = data["repository"]["full_name"]
            chosen = [shape(raw, name) for raw in chosen]
        return Answer(body=chosen, headers={"Link": link} if link else {})

    def _limits(self, request: Request) -> dict[str, str]:
        limit = self.allowance if self.allowance is not None else 5000 if _token(request) else 60
        reset = self.reset.timestamp() if self.reset else self.now().timestamp() + 3600
        return {
            "limit": str(limit),
            "remaining": str(max(0, limit - self._used)),
            "used": str(self._used),
            "reset": str(int(reset)),
        }

    def _finished(self, request: Request, answer: Answer) -> Answer:
        """The headers that come with every answer, and 304 for who has it already."""
        etag = 'W/"' + hashlib.sha256(json.dumps(answer.body).encode()).hexdigest() + '"'
        unchanged = answer.status == 200 and request.headers.get("if-none-match") == etag
        token = _token(request)
        with self._lock:
            self._answered += 1
            # Who has it already pays nothing, if we know who that is.
            if not (unchanged and token) and not request.path.endswith("/rate_limit"):
                self._used += 1
            number = self._answered
        headers = {
            "Date": format_datetime(self.now(), usegmt=True),
            "ETag": etag,
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": request.headers.get("x-github-api-version", "2022-11-28"),
            "X-GitHub-Request-Id": f"0000:{number:04X}",
        }
        headers |= {f"X-RateLimit-{k.title()}": v for k, v in self._limits(request).items()}
        if token and self.scopes is not None:
            headers |= {"X-OAuth-Scopes": self.scopes, "X-Accepted-OAuth-Scopes": "repo"}
        if token and self.token_expires:
            headers["GitHub-Authentication-Token-Expiration"] = self.token_expires
        return Answer(304 if unchanged else answer.status, answer.body, headers | answer.headers)


def error(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as GitHub words it."""
    body = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return Answer(status, body, headers or {})


def _token(request: Request) -> str | None:
    return request.headers.get("authorization", "").partition(" ")[2] or None


def _by_id(url: str, data: Json) -> str:
    return f"{url}/repositories/{data['repository']['id']}"


def _issue_or_pull(raw: Json, full_name: str) -> Json:
    plain = {key: value for key, value in raw.items() if not key.startswith("_")}
    return (shapes.pull_as_issue if raw["_pull"] else shapes.issue)(plain, full_name)


def _ordered(items: list[Json], query: Json, default: str) -> list[Json]:
    state = query.get("state", "open")
    kept = [i for i in items if state in ("all", i["state"])]
    key = {"created": "created_at", "updated": "updated_at"}[query.get("sort", "created")]
    return sorted(kept, key=lambda i: parse(i[key]), reverse=query.get("direction", default) == "desc")
