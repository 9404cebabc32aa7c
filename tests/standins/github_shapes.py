"""GitHub's answers in full: what the data leaves out is filled in, so that each has the members that GitHub
always sends.

Shapes from GitHub's OpenAPI description (API version 2022-11-28), read 2026-11-23; the values are ours.
"""

import zlib
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
API = "https://api.github.com"
LONG_AGO = "2020-01-01T00:00:00Z"
TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_ABOUT_USER = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_ABOUT_REPOSITORY = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_COUNTS = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count")


def number_of(text: str) -> int:
    """An id for what has none, the same each time."""
    return zlib.crc32(text.encode()) + 1


def node(text: str) -> str:
    return f"N_{number_of(text):08x}"


def user(raw: Json | None, default: str | None = None) -> Json | None:
    """An account; None and {} stay, but for an account that must be there: then `default` is its login."""
    if not raw and default is None:
        return raw
    login = (raw or {}).get("login") or default or "ghost"
    home = f"{API}/users/{login}"
    about = {
        "login": login,
        "id": number_of(login),
        "node_id": node(login),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number_of(login)}",
        "gravatar_id": "",
        "url": home,
        "html_url": f"https://github.com/{_page(login)}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }
    return about | {name: home + path for name, path in _ABOUT_USER.items()} | (raw or {})


def _page(login: str) -> str:
    return f"apps/{login.removesuffix('[bot]')}" if login.endswith("[bot]") else login


def token_owner(login: str) -> Json:
    """What /user says of the token's owner, as far as the token may see."""
    more = {
        "name": None,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 1,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "user_view_type": "public",
    }
    return (user({"login": login}) or {}) | more


def repository(raw: Json) -> Json:
    """As it stands inside other answers."""
    full_name = raw["full_name"]
    owner, _, name = full_name.partition("/")
    home, page = f"{API}/repos/{full_name}", f"https://github.com/{full_name}"
    about = {
        "id": 1,
        "node_id": node(full_name),
        "name": name,
        "full_name": full_name,
        "private": False,
        "visibility": "private" if raw.get("private") else "public",
        "html_url": page,
        "description": None,
        "fork": False,
        "url": home,
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "topics": [],
        "size": 0,
        "default_branch": "main",
        "open_issues": raw.get("open_issues_count", 0),
        "open_issues_count": 0,
        "has_issues": True,
        "has_projects": True,
        "has_wiki": True,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "pushed_at": LONG_AGO,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
    }
    about |= {name: home + path for name, path in _ABOUT_REPOSITORY.items()} | dict.fromkeys(_COUNTS, 0)
    return about | raw | {"owner": user(raw.get("owner"), owner)}


def description(data: Json) -> Json:
    """The repository itself. What its data does not say follows from the rest: a push or a merge changes
    `pushed_at` and `size`, an issue that is opened or closed the count of the open ones."""
    raw = data["repository"]
    commits = data.get("commits") or []
    dates = [c["commit"]["committer"]["date"] for c in commits]
    shas = ",".join(c["sha"] for c in commits) + f"{len(data.get('releases') or [])}"
    pulls, issues = data.get("pulls") or [], data.get("issues") or []
    still_open = sum(item.get("state") == "open" for item in pulls + issues)
    newest = max(map(datetime.fromisoformat, dates), default=None)
    derived = {
        "pushed_at": newest.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if newest else LONG_AGO,
        "size": number_of(shas) % 10_000,
        "open_issues_count": still_open,
        "network_count": 0,
        "subscribers_count": 0,
    }
    return repository(derived | raw) | {"network_count": 0, "subscribers_count": 0}


def commit(raw: Json, full_name: str) -> Json:
    """An item of the commit list."""
    sha, home = raw["sha"], f"{API}/repos/{full_name}"
    inner = raw["commit"]
    about = {
        "url": f"{home}/git/commits/{sha}",
        "comment_count": 0,
        "tree": {"sha": TREE, "url": f"{home}/git/trees/{TREE}"},
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }
    whole = {
        "url": f"{home}/commits/{sha}",
        "html_url": f"https://github.com/{full_name}/commit/{sha}",
        "node_id": node(sha),
        "comments_url": f"{home}/commits/{sha}/comments",
        "author": None,
        "committer": None,
    }
    parents = [
        {
            "sha": p["sha"],
            "url": f"{home}/commits/{p['sha']}",
            "html_url": f"https://github.com/{full_name}/commit/{p['sha']}",
        }
        for p in raw.get("parents") or ()
    ]
    people = {role: user(raw.get(role)) for role in ("author", "committer")}
    return whole | raw | people | {"commit": about | inner, "parents": parents}


def changed_file(raw: Json, full_name: str, sha: str) -> Json:
    """An entry of a commit's files."""
    name = raw["filename"]
    added, deleted = raw.get("additions") or 0, raw.get("deletions") or 0
    page, home = f"https://github.com/{full_name}", f"{API}/repos/{full_name}"
    about = {
        "sha": f"{number_of(name + sha):040x}",
        "status": "modified",
        "blob_url": f"{page}/blob/{sha}/{name}",
        "raw_url": f"{page}/raw/{sha}/{name}",
        "contents_url": f"{home}/contents/{name}?ref={sha}",
    }
    return about | raw | {"additions": added, "deletions": deleted, "changes": added + deleted}


def label(raw: Json | str, full_name: str) -> Json | str:
    if isinstance(raw, str):
        return raw
    name = raw.get("name") or ""
    about = {
        "id": number_of(name),
        "node_id": node(name),
        "url": f"{API}/repos/{full_name}/labels/{name}",
        "description": "",
        "color": "ededed",
        "default": False,
    }
    return about | raw


def _numbered(raw: Json, full_name: str, kind: str) -> Json:
    """What pull requests and issues share."""
    home, number = f"{API}/repos/{full_name}", raw["number"]
    page = f"https://github.com/{full_name}/{'pull' if kind == 'pulls' else kind}/{number}"
    latest = raw.get("closed_at") or raw.get("merged_at")
    updated = raw.get("updated_at") or latest or raw.get("created_at") or LONG_AGO
    about = {
        "id": number_of(f"{kind}/{number}"),
        "node_id": node(f"{kind}/{number}"),
        "url": f"{home}/{kind}/{number}",
        "html_url": page,
        "comments_url": f"{home}/issues/{number}/comments",
        "state": "closed" if latest else "open",
        "locked": False,
        "title": "",
        "body": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "closed_at": latest,
        "author_association": "CONTRIBUTOR",
        "active_lock_reason": None,
    }
    own = {
        "user": user(raw.get("user")),
        "labels": [label(one, full_name) for one in raw.get("labels") or ()],
        "updated_at": updated,
        "created_at": raw.get("created_at") or updated,
    }
    return about | raw | own


def issue(raw: Json, full_name: str) -> Json:
    """An item of the issue list."""
    whole = _numbered(raw, full_name, "issues")
    home = f"{API}/repos/{full_name}/issues/{raw['number']}"
    about = {
        "repository_url": f"{API}/repos/{full_name}",
        "labels_url": f"{home}/labels{{/name}}",
        "events_url": f"{home}/events",
        "comments": 0,
        "state_reason": None,
    }
    return about | whole


def pull_as_issue(raw: Json, full_name: str) -> Json:
    """A pull request as the issue list shows it."""
    shared = (
        *("number", "title", "state", "html_url", "user", "labels", "body"),
        *("created_at", "updated_at", "closed_at"),
    )
    whole = _numbered(raw, full_name, "pulls")
    links = {
        "url": whole["url"],
        "html_url": whole["html_url"],
        "diff_url": f"{whole['html_url']}.diff",
        "patch_url": f"{whole['html_url']}.patch",
        "merged_at": raw.get("merged_at"),
    }
    return issue({key: whole[key] for key in shared} | {"pull_request": links}, full_name)


def pull(raw: Json, about_repository: Json) -> Json:
    """An item of the pull request list."""
    full_name = about_repository["full_name"]
    whole = _numbered(raw, full_name, "pulls")
    home, number = f"{API}/repos/{full_name}", raw["number"]
    owner = full_name.partition("/")[0]
    links = {
        "self": whole["url"],
        "html": whole["html_url"],
        "issue": f"{home}/issues/{number}",
        "comments": f"{home}/issues/{number}/comments",
        "review_comments": f"{home}/pulls/{number}/comments",
        "review_comment": f"{home}/pulls/comments{{/number}}",
        "commits": f"{home}/pulls/{number}/commits",
        "statuses": f"{home}/statuses/{TREE}",
    }
    about = {
        "diff_url": f"{whole['html_url']}.diff",
        "patch_url": f"{whole['html_url']}.patch",
        "draft": False,
        "merged_at": None,
        "merge_commit_sha": None,
        "auto_merge": None,
        "requested_reviewers": [],
        "requested_teams": [],
        "_links": {name: {"href": url} for name, url in links.items()},
    }
    about |= {
        f"{name}_url": links[name]
        for name in ("issue", "commits", "review_comments", "review_comment", "statuses")
    }
    ends = {}
    for end, ref in (("base", about_repository.get("default_branch", "main")), ("head", f"change-{number}")):
        given = raw.get(end) or {}
        name = given.get("ref", ref)
        side = {"ref": name, "label": f"{owner}:{name}", "sha": f"{number_of(name):040x}"}
        ends[end] = side | {"user": user(None, owner), "repo": repository(about_repository)} | given
    return about | {k: v for k, v in whole.items() if not k.startswith("_")} | ends


def pull_alone(raw: Json, about_repository: Json) -> Json:
    """A pull request asked for by its number."""
    whole = pull(raw, about_repository)
    merged = bool(raw.get("merged_at"))
    more = {
        "merged": merged,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": user(None, "merger") if merged else None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(raw.get("_commits") or [1]),
        "additions": 0,
        "deletions": 0,
        "changed_files": 0,
    }
    return more | whole | {"user": user(raw.get("user"), "ghost")}


def release(raw: Json, full_name: str) -> Json:
    """An item of the release list."""
    home, tag = f"{API}/repos/{full_name}", raw["tag_name"]
    number = number_of(tag)
    about = {
        "url": f"{home}/releases/{number}",
        "html_url": f"https://github.com/{full_name}/releases/tag/{tag}",
        "assets_url": f"{home}/releases/{number}/assets",
        "upload_url": f"https://uploads.github.com/repos/{full_name}/releases/{number}/assets{{?name,label}}",
        "tarball_url": f"{home}/tarball/{tag}",
        "zipball_url": f"{home}/zipball/{tag}",
        "id": number,
        "node_id": node(tag),
        "target_commitish": "main",
        "name": tag,
        "draft": False,
        "prerelease": False,
        "immutable": False,
        "body": None,
        "assets": [],
    }
    dates = {"created_at": raw.get("created_at") or raw.get("published_at") or LONG_AGO}
    whole = about | raw | dates | {"author": user(raw.get("author"), full_name.partition("/")[0])}
    return {key: value for key, value in whole.items() if not key.startswith("_")}


def tag(name: str, sha: str, full_name: str) -> Json:
    home = f"{API}/repos/{full_name}"
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{home}/commits/{sha}"},
        "zipball_url": f"{home}/zipball/refs/tags/{name}",
        "tarball_url": f"{home}/tarball/refs/tags/{name}",
        "node_id": node(name),
    }


def branch(name: str, head: Json, full_name: str) -> Json:
    """A branch asked for by its name; `head` is its newest commit, in full."""
    home = f"{API}/repos/{full_name}/branches/{name}"
    return {
        "name": name,
        "commit": head,
        "_links": {"self": home, "html": f"https://github.com/{full_name}/tree/{name}"},
        "protected": False,
        "protection": {
            "enabled": False,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{home}/protection",
    }


def git_ref(ref: str, sha: str, full_name: str) -> Json:
    home = f"{API}/repos/{full_name}/git"
    target = {"sha": sha, "type": "commit", "url": f"{home}/commits/{sha}"}
    return {"ref": f"refs/{ref}", "node_id": node(ref), "url": f"{home}/refs/{ref}", "object": target}


def comparison(names: str, shas: tuple[str, str], full_name: str) -> Json:
    """The addresses of a comparison."""
    owner = full_name.partition("/")[0]
    page = f"https://github.com/{full_name}/compare/"
    fixed = "...".join(f"{owner}:{sha[:7]}" for sha in shas)
    return {
        "url": f"{API}/repos/{full_name}/compare/{names}",
        "html_url": page + names,
        "permalink_url": page + fixed,
        "diff_url": f"{page}{names}.diff",
        "patch_url": f"{page}{names}.patch",
    }
