"""The GitHub source against the stand-in: what it reads, in how many rounds, and how each failure reads."""

import json
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from lib.errors import parted
from lib.http import Limits
from models.values import FileChange, Person
from sources.base import Caps, Known, SourceError
from sources.github import GitHub
from tests.standins.github import DOCS, GitHubStandIn, Repository, awesome_lib, error
from tests.standins.server import Answer

pytestmark = pytest.mark.loopback

TOKEN = "ghp_secret"
SINCE = datetime(2025, 10, 2, 9, tzinfo=UTC)
UNTIL = datetime(2025, 10, 3, 9, 0, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LISTS = ["/commits", "/pulls", "/issues", "/releases"]


def standin(*repositories, **more) -> GitHubStandIn:
    return GitHubStandIn(*repositories, **{"server_time": UNTIL} | more)


def source(server, **more) -> GitHub:
    return GitHub(server.url, "username", "awesome-lib", **{"token": TOKEN} | more)


def scan(*repositories, since=SINCE, margin_from=None, base=None, told=None, known=None, **more):
    with standin(*repositories) as server:
        return source(server, **more).scan(since, margin_from=margin_from, base=base, told=told, known=known)


def many(count: int, kind: str, **more) -> Repository:
    """`count` items, one a second back from just before the window's end."""
    made = Repository()
    for number in range(count, 0, -1):
        at = UNTIL - number * SECOND
        if kind == "commit":
            made.commit(f"{number:040x}", at, **more)
        else:
            getattr(made, kind)(number if kind != "release" else f"v{number}", at, **more)
    return made


# What a scan reads


def test_the_walkthrough():
    activity = scan(awesome_lib())
    assert activity.summary == "3 commits, 1 merged PR, 1 closed issue"
    assert activity.has_activity
    assert [(c.title, c.author.name) for c in activity.commits] == [
        ("Fix build errors", "John Doe"),
        ("Update documentation", "Jane Smith"),
        ("Add TypeScript support", "John Doe"),
    ]
    assert [[f.path for f in c.files] for c in activity.commits] == [
        ["package.json"],
        ["README.md"],
        ["src/index.ts", "tsconfig.json"],
    ]
    (pull,), (issue,) = activity.pulls, activity.issues
    assert (pull.number, pull.title) == (42, "Add CI/CD pipeline")
    assert (issue.number, issue.title, issue.reason) == (15, "Support Node 18", "completed")
    assert (activity.repository, activity.url) == (
        "username/awesome-lib",
        "https://github.com/username/awesome-lib",
    )
    assert (activity.window.since, activity.window.until) == (SINCE, UNTIL)
    assert (activity.window.base, activity.window.head) == (None, activity.commits[0].sha)
    assert activity.requests == 8
    seen = activity.seen
    assert (seen.id, seen.full_name, seen.token_expires) == (1000, "username/awesome-lib", None)
    assert seen.etag.startswith('W/"')
    assert (seen.budget.limit, 5000 - seen.budget.remaining) == (5000, 8)


def test_a_quiet_day_is_one_question():
    with standin(awesome_lib()) as server:
        first = source(server).scan(SINCE)
        head, seen = first.window.head, first.seen
        server.requests.clear()
        activity = source(server).scan(UNTIL, base=head, known=Known(seen.id, seen.etag))
        assert len(server.requests) == 1
        again = source(server).scan(UNTIL, base=head, known=Known(seen.id))
    assert (activity.unchanged, activity.summary, activity.requests) == (True, "No activity", 1)
    assert (activity.window.base, activity.window.head) == (head, head)
    assert (again.unchanged, again.summary, again.requests) == (False, "No activity", 5)
    assert again.window.head == head


def test_another_repository_under_the_old_name_is_noticed():
    with pytest.raises(SourceError) as caught:
        scan(awesome_lib(), base="b" * 40, known=Known(7))
    assert caught.value.permanent
    with pytest.raises(SourceError):
        scan(awesome_lib(), known=Known(7))


class Rounds(GitHubStandIn):
    """Answers a round only when all of its requests have come: who asks one after another gets 503."""

    rounds = (threading.Barrier(5, timeout=10), threading.Barrier(3, timeout=10))

    def handle(self, request):
        try:
            self.rounds["/commits/" in request.path].wait()
        except threading.BrokenBarrierError:
            return error(503, "one after another")
        return super().handle(request)


def test_two_rounds():
    """Four lists and the description at once, then all commits at once: no request waits for another of its
    round."""
    with Rounds(server_time=UNTIL + SECOND) as server:
        source(server).scan(SINCE)
    assert ["/commits/" in request.path for request in server.requests] == [False] * 5 + [True] * 3


def test_what_each_request_asks():
    with standin() as server:
        source(server, branch=None).scan(SINCE)
    by_path = {r.path.removeprefix("/repos/username/awesome-lib"): r for r in server.requests}
    at = "2025-10-02T09:00:00Z"
    update = {"state": "closed", "sort": "updated", "direction": "desc"}
    assert by_path["/commits"].query == {"since": at, "per_page": "100"}
    assert by_path["/pulls"].query == update | {"per_page": "50"}
    assert by_path["/issues"].query == update | {"since": at, "per_page": "100"}
    assert by_path["/releases"].query == {"per_page": "30", "page": "1"}
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["accept"] == "application/vnd.github+json"
        assert request.headers["x-github-api-version"] == "2022-11-28"
        assert request.headers["user-agent"] == "Repocast/1.0"


def test_no_token_no_header():
    with standin() as server:
        source(server, token=None).scan(SINCE)
    assert all("authorization" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("kind", "lists", "page"),
    [
        ("commit", "commits", 100),
        ("pull", "pulls", 50),
        ("issue", "issues", 100),
        ("release", "releases", 30),
    ],
)
@pytest.mark.parametrize("pages", [1, 3, 12])
def test_all_pages(kind, lists, page, pages):
    count = (pages - 1) * page + 1
    with standin(many(count, kind).data) as server:
        activity = source(server, caps=Caps(details=0)).scan(SINCE)
    items = getattr(activity, lists)
    assert len(items) == len(set(items)) == count
    asked = Counter(r.path.rsplit("/", 1)[1] for r in server.requests)
    # Pull requests fill the issue list too.
    issue_pages = -(-count // 100) if kind == "pull" else 1
    del asked["awesome-lib"]
    if pages > 1 and kind == "commit":
        asked["commits"] -= 1  # all of them again from the head, which may move
    if pages > 1 and kind in ("pull", "issue"):
        asked[lists] -= 1  # the front again, for what moved there meanwhile
        asked["issues"] -= kind == "pull" and issue_pages > 1
    assert asked == Counter(dict.fromkeys(("commits", "pulls", "issues", "releases"), 1)) | Counter(
        {lists: pages, "issues": max(issue_pages, pages if kind == "issue" else 1)}
    )


def test_exactly_full_pages():
    assert len(scan(many(200, "issue").data).issues) == 200


def test_pages_end_at_the_window():
    made = many(50, "pull").pull(51, SINCE - timedelta(days=1))
    for number in range(100, 400):
        made.pull(number, SINCE - timedelta(days=2)).release(f"v{number}", SINCE - timedelta(days=2))
    with standin(made.data) as server:
        activity = source(server).scan(SINCE)
    asked = Counter(r.path.rsplit("/", 1)[1] for r in server.requests)
    assert activity.summary == "50 merged PRs"
    assert (asked["pulls"], asked["releases"]) == (3, 10), "a late one may stand on any page"


def test_an_old_release_between_new_ones_does_not_end_the_list():
    made = Repository().commit("a" * 40, SINCE + SECOND)
    for number in range(40):
        published = UNTIL if number in (0, 39) else SINCE - timedelta(days=1)
        made.release(f"v{number}", published, created_at=f"2025-09-{1 + number // 2:02d}T00:00:00Z")
    made.release("draft", None, draft=True, created_at="2025-10-01T00:00:00Z")
    assert {r.tag for r in scan(made.data).releases} == {"v0", "v39"}


def test_a_release_that_comes_meanwhile_moves_none_out_of_sight():
    made = Repository()
    for number in range(60):
        made.release(f"v{number}", UNTIL, created_at=f"2025-09-01T00:{59 - number:02d}:00Z")

    class Busy(GitHubStandIn):
        def handle(self, request):
            answer = super().handle(request)
            (releases,) = (about["releases"] for about in self.repositories)
            if request.path.endswith("/releases") and len(releases) == 60:
                newest = {"tag_name": "v60", "created_at": "2025-09-02T00:00:00Z"}
                releases.append(releases[0] | newest)
            return answer

    with Busy(made.data, server_time=UNTIL) as server:
        found = {r.tag for r in source(server).scan(SINCE).releases}
    assert found >= {f"v{number}" for number in range(60)}


def test_a_list_without_end_is_cut(monkeypatch):
    for module in ("sources.github_api", "sources.github"):
        monkeypatch.setattr(f"{module}.PAGES_MAX", 3)
    with standin() as server:
        page = Answer(
            body=[], headers={"Link": f'<{server.url}/repositories/1000/issues?page=2>; rel="next"'}
        )
        server.fail_always("/issues", page)
        activity = source(server).scan(SINCE)
    assert len([r for r in server.requests if r.path.endswith("/issues")]) == 4, "its front is read again"
    assert "GitHub's list of issues went on after 3 pages and was cut there." in activity.cuts


# The window


@pytest.mark.parametrize("kind", ["commit", "pull", "issue", "release"])
def test_the_window_is_open_below_and_closed_above(kind):
    made = Repository().commit("f" * 40, SINCE - timedelta(days=9))
    for number, at in enumerate([SINCE - SECOND, SINCE, SINCE + SECOND, UNTIL, UNTIL + SECOND], 1):
        key = {"commit": f"{number:040x}", "release": f"v{number}"}.get(kind, number)
        getattr(made, kind)(key, at)
    keys = scan(made.data).keys()
    # A commit that a fast clock dated into the future is reached from the head: no later scan would tell it.
    future = ["5"] if kind == "commit" else []
    assert [key.partition("@")[0].lstrip("0v") for _, key in keys] == [*future, "4", "3"]


def test_the_head_is_the_newest_commit_that_is_told():
    made = Repository().commit("1" * 40, SINCE + SECOND).commit("2" * 40, UNTIL + SECOND)
    assert scan(made.data).window.head == "2" * 40


def test_newest_first_and_list_order_among_equals():
    made = Repository()
    for number in range(1, 4):
        made.commit(f"{number:040x}", SINCE + SECOND)
    activity = scan(made.commit("4" * 40, UNTIL).data)
    assert [c.sha[-1] for c in activity.commits] == ["4", "3", "2", "1"]


def test_the_end_is_the_earliest_of_the_first_answers():
    early = {"Date": "Fri, 03 Oct 2025 09:00:00 GMT"}
    with standin() as server:
        server.fail_once("/releases", Answer(body=[], headers=early))
        assert source(server).scan(SINCE).window.until == datetime(2025, 10, 3, 9, tzinfo=UTC)


def test_without_a_date_our_clock_counts(clock):
    with standin() as server:
        for path in LISTS:
            server.fail_once(path, Answer(body=[], headers={"Date": ""}))
        assert source(server).scan(SINCE).window.until == clock.now()


def test_a_server_behind_our_last_scan_does_not_turn_the_window_round():
    later = UNTIL + timedelta(minutes=5)
    window = scan(awesome_lib(), since=later).window
    assert (window.since, window.until) == (later, later)


def test_the_margin_brings_what_was_not_told():
    made = Repository().commit("1" * 40, SINCE - 2 * SECOND).commit("2" * 40, SINCE - SECOND)
    made.commit("3" * 40, SINCE + SECOND).commit("4" * 40, SINCE + 2 * SECOND)
    made.pull(7, SINCE - SECOND).issue(8, SINCE - SECOND).release("v1", SINCE - SECOND)
    made.commit("5" * 40, SINCE - timedelta(days=3))
    calls = []

    def told(keys):
        calls.append((threading.current_thread(), list(keys)))
        return {("commit", "1" * 40), ("commit", "4" * 40), ("release", "v1")}

    with standin(made.data) as server:
        activity = source(server).scan(SINCE, margin_from=SINCE - timedelta(days=1), told=told)
    assert [c.sha[0] for c in activity.commits] == ["3", "2"]
    assert activity.summary == "2 commits, 1 merged PR, 1 closed issue"
    ((thread, keys),) = calls
    assert thread is threading.current_thread()
    assert [k[0] for k in keys] == ["commit"] * 4 + ["pull", "issue", "release"]
    assert activity.window.head == "4" * 40
    details = {r.path[-40:] for r in server.requests if "/commits/" in r.path}
    assert details == {"2" * 40, "3" * 40}


def test_without_a_memory_the_margin_stays_out():
    made = Repository().commit("1" * 40, SINCE - SECOND).commit("2" * 40, SINCE + SECOND)
    assert scan(made.data, margin_from=SINCE - timedelta(days=1)).summary == "1 commit"


def test_an_issue_closed_again_is_another_item():
    keys = scan(Repository().commit("1" * 40, UNTIL).issue(8, UNTIL).data).keys()
    assert ("issue", "8@2025-10-03T09:00:04Z") in keys


@pytest.mark.parametrize(("kind", "page"), [("pull", 50), ("issue", 100)])
def test_an_item_that_moves_to_the_front_while_pages_are_read_is_told(kind, page):
    """A comment on the last pull request, while the first page was read already."""

    class Moving(GitHubStandIn):
        def handle(self, request):
            answer = super().handle(request)
            if request.path.endswith(f"/{kind}s") and "page" not in request.query:
                oldest = min(self.repositories[0][f"{kind}s"], key=lambda item: item["updated_at"])
                oldest["updated_at"] = UNTIL.strftime("%Y-%m-%dT%H:%M:%SZ")
            return answer

    made = many(2 * page + 1, kind).commit("f" * 40, SINCE + SECOND)
    with Moving(made.data, server_time=UNTIL) as server:
        activity = source(server).scan(SINCE)
    assert len(getattr(activity, f"{kind}s")) == 2 * page + 1


def test_an_item_that_two_pages_show_is_one():
    with standin(many(3, "issue").commit("1" * 40, UNTIL).data) as server:
        first = [i for i in server.repositories[0]["issues"] if i["number"] < 3]
        link = {"Link": f'<{server.url}/repositories/1000/issues?state=closed&page=1>; rel="next"'}
        server.fail_once(
            "/issues", Answer(body=first, headers=link | {"Date": "Fri, 03 Oct 2025 09:00:04 GMT"})
        )
        assert len(source(server).scan(SINCE).issues) == 3


# Items


def test_people():
    made = Repository()
    ada = {"login": "ada", "type": "User", "html_url": "https://github.com/ada"}
    made.commit("1" * 40, UNTIL, name="Ada L.", author=ada)
    made.commit("2" * 40, UNTIL, name="Nobody", author={})
    made.commit("3" * 40, UNTIL, name="renovate", author={"login": "renovate[bot]", "type": "User"})
    made.commit("4" * 40, UNTIL, name="ci", author={"login": "ci", "type": "Bot", "html_url": "javascript:x"})
    made.commit("5" * 40, UNTIL, name="github-actions[bot]")
    made.pull(1, UNTIL, user=None).pull(2, UNTIL, user=ada)
    activity = scan(made.data)
    people = {c.sha[0]: c.author for c in activity.commits}
    assert people["1"] == Person("Ada L.", "ada", "https://github.com/ada")
    assert people["2"] == Person("Nobody")
    assert people["3"] == Person("renovate", "renovate[bot]", "https://github.com/apps/renovate", True)
    assert people["4"] == Person("ci", "ci", None, True)
    assert people["5"] == Person("github-actions[bot]", None, None, True)
    pulls = {p.number: p.author for p in activity.pulls}
    assert pulls == {1: None, 2: Person("ada", "ada", "https://github.com/ada")}


def test_who_was_never_merged_before_is_told_as_far_as_github_says_so():
    made = Repository()
    says = {1: "FIRST_TIME_CONTRIBUTOR", 2: "FIRST_TIMER", 3: "CONTRIBUTOR", 4: "NONE"}
    for number, association in says.items():
        made.pull(number, UNTIL, author_association=association)
    made.pull(5, UNTIL)
    assert {pull.number for pull in scan(made.data).pulls if pull.first_time} == {1, 2}


def test_co_authors():
    message = """Pair on the parser

    Co-authored-by: indented, so none <a@b.example>
Co-authored-by: Grace <grace@example.org>
CO-AUTHORED-BY: Linus <123+linus@users.noreply.github.com>
Co-authored-by: linus again <linus@users.noreply.github.com>
Co-authored-by: John Doe <john@example.org>
Co-authored-by: <9+dependabot[bot]@users.noreply.github.com>
Co-authored-by: broken
"""
    (commit,) = scan(Repository().commit("1" * 40, UNTIL, message).data).commits
    assert commit.co_authors == (
        Person("Grace"),
        Person("Linus", "linus", "https://github.com/linus"),
        Person("dependabot[bot]", "dependabot[bot]", None, True),
    )


def test_what_pulls_issues_and_releases_keep(undescribed):
    made = Repository().commit("1" * 40, UNTIL)
    made.pull(1, UNTIL, body="why", labels=[{"name": "bug"}, {"name": "ui"}], merge_commit_sha="m" * 40)
    made.pull(2, None, closed_at="2025-10-03T08:00:00Z")
    made.issue(3, UNTIL, state_reason="not_planned", labels=["help", {"name": "docs"}, {"name": None}])
    made.release("v2", UNTIL, name="", prerelease=True, body="notes")
    activity = scan(made.data)
    (pull,), (issue,), (release,) = activity.pulls, activity.issues, activity.releases
    assert (pull.number, pull.body, pull.labels, pull.merge_sha) == (1, "why", ("bug", "ui"), "m" * 40)
    assert pull.url == "https://github.com/username/awesome-lib/pull/1"
    assert (issue.reason, issue.labels) == ("not_planned", ("help", "docs"))
    assert (release.tag, release.name, release.body, release.is_prerelease) == ("v2", "v2", "notes", True)


def test_long_texts_are_cut():
    made = (
        Repository().commit("1" * 40, UNTIL, "x" * 20_000).pull(1, UNTIL, title="t" * 999, body="y" * 20_000)
    )
    activity = scan(made.release("v1", UNTIL, body="z" * 20_000).data)
    assert {
        len(activity.commits[0].message),
        len(activity.pulls[0].body),
        len(activity.releases[0].body),
    } == {10_000}
    assert len(activity.pulls[0].title) == 500


def test_changed_files():
    text = {"filename": "a.py", "status": "renamed", "additions": 3, "deletions": 1, "patch": "@@"}
    (commit,) = scan(Repository().commit("1" * 40, UNTIL, files=(text, "logo.png")).data).commits
    assert commit.files == (FileChange("a.py", "renamed", 3, 1), FileChange("logo.png", "modified", 0, 0))
    assert commit.more_files == 0


@pytest.mark.parametrize(("count", "more"), [(100, 0), (101, 1), (250, 101)])
def test_many_changed_files_are_counted_by_pages(count, more):
    files = tuple(f"f{n}" for n in range(count))
    with standin(Repository().commit("1" * 40, UNTIL, files=files).data) as server:
        (commit,) = source(server).scan(SINCE).commits
    assert (len(commit.files), commit.more_files) == (100, more)
    assert len([r for r in server.requests if "/commits/" in r.path]) == 1


def test_a_server_that_ignores_the_page_size():
    files = [{"filename": f"f{n}"} for n in range(300)]
    with standin(Repository().commit("1" * 40, UNTIL).data) as server:
        server.fail_once("/commits/1", Answer(body={"files": files}))
        (commit,) = source(server).scan(SINCE).commits
    assert (len(commit.files), commit.more_files) == (100, 200)


def test_only_the_newest_commits_get_their_files():
    with standin(many(60, "commit", files=("a",)).data) as server:
        activity = source(server).scan(SINCE)
    assert [bool(c.files) for c in activity.commits] == [True] * 50 + [False] * 10
    assert activity.requests == 55
    assert activity.cuts == ("Changed files were read for the newest 50 of 60 commits.",)


@pytest.mark.parametrize("answer", [error(s, "Gone") for s in (400, 404, 409, 422, 451)])
def test_a_commit_that_vanished_is_told_without_files(answer):
    with standin() as server:
        server.fail_always("/commits/abc123", answer)
        activity = source(server).scan(SINCE)
    assert [len(c.files) for c in activity.commits] == [1, 1, 0]


def test_a_commit_too_large_to_read_is_told_without_files():
    with standin() as server:
        server.fail_once("/commits/abc123", Answer(body={"files": [], "x": "y" * 50_000}))
        activity = source(server, limits=Limits(size=40_000)).scan(SINCE)
    assert [len(c.files) for c in activity.commits] == [1, 1, 0]


# Nothing there


def test_an_empty_repository_still_has_issues():
    activity = scan(Repository().issue(1, UNTIL).release("v0", UNTIL).data)
    assert activity.summary == "1 closed issue, 1 release"
    assert activity.window.until == UNTIL


def test_issues_switched_off():
    made = Repository(has_issues=False).commit("1" * 40, UNTIL).pull(2, UNTIL)
    assert scan(made.data).summary == "1 commit, 1 merged PR"


# Branches, names, addresses


def two_branches() -> dict:
    made = Repository().commit("1" * 40, SINCE + SECOND).commit("2" * 40, UNTIL)
    made.pull(1, UNTIL).pull(2, UNTIL, base={"ref": "next/1.0"})
    made.data["branches"] = {"next/1.0": ["1" * 40]}
    return made.data


def test_a_chosen_branch():
    activity = scan(two_branches(), branch="next/1.0")
    assert [c.sha[0] for c in activity.commits] == ["1"]
    assert [p.number for p in activity.pulls] == [2]


def test_an_unknown_branch_is_named():
    with pytest.raises(SourceError) as caught:
        scan(two_branches(), branch="gone\n")
    assert quoted(caught.value) == "GitHub API error: there is no branch gone"
    assert not caught.value.permanent


def test_an_unknown_repository_is_not_taken_for_a_branch():
    with standin() as server, pytest.raises(SourceError) as caught:
        GitHub(server.url, "username", "other", branch="main").scan(SINCE)
    assert quoted(caught.value) == "GitHub API error: Not Found"


def test_a_renamed_repository_is_followed():
    with standin(awesome_lib("new/home")) as server:
        server.moved["username/awesome-lib"] = "new/home"
        activity = source(server).scan(SINCE)
    assert activity.summary == "3 commits, 1 merged PR, 1 closed issue"
    assert activity.url == "https://github.com/new/home"
    assert (activity.repository, activity.seen.full_name) == ("new/home", "new/home")
    assert activity.requests == 13  # each of the five asked for the old name, the files for the new one


def test_enterprise_server():
    with standin(awesome_lib()) as server:
        github = GitHub(server.url + "/api/v3/", "Username", "Awesome-Lib")
        assert github.scan(SINCE).summary == "3 commits, 1 merged PR, 1 closed issue"


@pytest.mark.parametrize(
    ("api", "page"),
    [
        ("https://api.github.com", "https://github.com/username/awesome-lib"),
        ("https://git.example.org/api/v3", "https://git.example.org/username/awesome-lib"),
        ("https://api.tenant.ghe.com", "https://tenant.ghe.com/username/awesome-lib"),
    ],
)
def test_the_page_of_a_repository_without_items(api, page):
    assert GitHub(api, "username", "awesome-lib")._page() == page


def test_an_older_enterprise_server_is_asked_without_a_version():
    with standin() as server:
        server.versions.clear()
        activity = source(server).scan(SINCE)
    assert activity.summary == "3 commits, 1 merged PR, 1 closed issue"
    # Each of the first four may learn it by itself; after them it is known.
    assert [("x-github-api-version" in r.headers) for r in server.requests][-3:] == [False] * 3


def test_a_name_cannot_reach_another_path():
    with standin() as server, pytest.raises(SourceError):
        GitHub(server.url, "username", "awesome-lib/../../user").scan(SINCE)
    assert all("%2F" in request.path for request in server.requests)


# Failures


def failure(server, **more) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source(server, **more).scan(SINCE)
    assert not [t for t in threading.enumerate() if t.name.startswith("github")]
    assert TOKEN not in repr(caught.value) + str(caught.value)
    return caught.value


def said(error: SourceError) -> tuple:
    """The error in the server's own words; what they mean and what helps is in test_github_recorded.py."""
    return quoted(error), error.permanent, error.retry_after


def quoted(error: SourceError) -> str:
    happened, _remedy = parted(error.message)
    return happened.partition(". ")[0].removesuffix(".")


def test_bad_credentials():
    with standin(required_token="another") as server:
        assert said(failure(server)) == ("GitHub API error: Bad credentials", False, None)


def test_a_listed_bad_token():
    with standin(bad_tokens=(TOKEN,)) as server:
        assert quoted(failure(server)) == "GitHub API error: Bad credentials"


@pytest.mark.parametrize("path", [*LISTS, "/commits/abc123"])
@pytest.mark.parametrize(
    ("answer", "sentence", "retry_after"),
    [
        (error(401, "Bad credentials"), "Bad credentials", None),
        (error(403, "Resource not accessible"), "Resource not accessible", None),
        (error(403, "API rate limit", {"Retry-After": "90"}), "API rate limit", 90),
        (
            Answer(403, {"message": "Too fast", "documentation_url": f"{DOCS}#about-secondary-rate-limits"}),
            "Too fast",
            60,
        ),
        (error(429, "Slow down"), "Slow down", 60),
        (Answer(429, "<p>no"), "HTTP 429 without a JSON answer", 60),
        (error(500, "Server Error"), "Server Error", None),
        (Answer(502, {"error": "x"}), "HTTP 502", None),
        (Answer(503, "<html>"), "HTTP 503 without a JSON answer", None),
        (Answer(200, "<html>"), "HTTP 200 without a JSON answer", None),
        (Answer(200, "null"), "an answer of unknown shape", None),
        (Answer(drop=True), "connection failed", None),
        (
            Answer(302, {}, {"Location": "http://127.0.0.1:9/"}),
            "redirected to another server, which was not followed",
            None,
        ),
    ],
)
def test_each_refusal(path, answer, sentence, retry_after):
    with standin() as server:
        server.fail_always(path, answer)
        assert said(failure(server)) == (f"GitHub API error: {sentence}", False, retry_after)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (error(400, "Problems parsing"), True),
        (error(404, "Not Found"), False),
        (error(422, "Validation Failed"), True),
        (error(451, "Repository access blocked"), True),
    ],
)
def test_each_refusal_of_a_list(answer, permanent):
    with standin() as server:
        server.fail_always("/repos", answer)
        assert said(failure(server)) == (f"GitHub API error: {answer.body['message']}", permanent, None)


def test_the_primary_limit_ends_at_its_reset():
    headers = {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(UNTIL.timestamp()) + 1800),
        "Date": "Fri, 03 Oct 2025 09:00:04 GMT",
    }
    with standin() as server:
        server.fail_always("/repos", error(403, "API rate limit exceeded", headers))
        assert said(failure(server)) == ("GitHub API error: API rate limit exceeded", False, 1802)


@pytest.mark.parametrize("reset", ["", "soon", "9" * 5000])
def test_a_limit_that_names_no_time(reset):
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    with standin() as server:
        server.fail_always("/repos", error(403, "API rate limit exceeded", headers))
        assert failure(server).retry_after == 60


def test_silence():
    with standin() as server:
        server.fail_always("/issues", Answer(delay=3))
        error = failure(server, limits=Limits(read=0.2))
    assert said(error) == ("GitHub API error: no answer within 0.2 s", False, None)


def test_nobody_listening():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        github = GitHub(f"http://127.0.0.1:{free.getsockname()[1]}", "o", "r")
        with pytest.raises(SourceError) as caught:
            github.scan(SINCE)
    assert said(caught.value) == ("GitHub API error: connection failed", False, None)


def test_an_oversized_list():
    with standin() as server:
        server.fail_always("/pulls", Answer(body=["x" * 5000]))
        error = failure(server, limits=Limits(size=4000))
    assert said(error) == ("GitHub API error: an answer over 4,000 bytes", True, None)


@pytest.mark.parametrize("item", [{}, [], None, {"number": 1, "title": None, "closed_at": "never"}])
def test_an_odd_item(item):
    with standin() as server:
        server.fail_always("/issues", Answer(body=[item]))
        assert quoted(failure(server)) == "GitHub API error: an answer of unknown shape"


def test_the_most_telling_of_several_failures_is_raised():
    with standin() as server:
        server.fail_always("/pulls", error(500, "Server Error"))
        server.fail_always("/releases", error(403, "rate limit", {"Retry-After": "30"}))
        server.fail_always("/commits", error(403, "rate limit", {"Retry-After": "300"}))
        assert failure(server).retry_after == 300
        server.fail_once("/issues", Answer(401, {"message": "Bad credentials"}, delay=0.1))
        assert quoted(failure(server)) == "GitHub API error: Bad credentials"


def test_after_a_failure_nothing_new_is_begun():
    with standin(many(50, "commit").data, latency=0.05) as server:
        server.fail_always("/commits/", error(500, "Server Error"))
        failure(server)
    assert len(server.requests) < 4 + 3 * 8


def test_the_next_page_of_another_server_is_not_asked():
    with standin() as server, standin() as other:
        link = {"Link": f'<{other.url}/repositories/1000/issues?page=2>; rel="next"'}
        server.fail_once("/issues", Answer(body=[], headers=link))
        assert (
            quoted(failure(server))
            == "GitHub API error: the next page is on another server, which was not asked"
        )
        assert other.requests == []


def test_a_redirect_does_not_carry_the_token_away():
    with standin() as server, standin() as other:
        server.fail_always(
            "/issues", Answer(302, {}, {"Location": other.url + "/repos/username/awesome-lib/issues"})
        )
        failure(server)
        assert other.requests == []


def test_the_sentence_is_short_clean_and_without_the_token():
    with standin() as server:
        server.fail_always("/repos", error(403, f"No \x1b[31m{TOKEN}\n\x00" + "x" * 500))
        message = failure(server).message
    assert message.startswith("GitHub API error: No [31m… xxx")
    assert len(parted(message)[0]) <= len("GitHub API error: ") + 200
    assert message.isprintable()


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}…"])
def test_a_malformed_token(token):
    with standin() as server:
        assert failure(server, token=token).permanent


# The stand-in itself


def test_dates_move_together():
    newest = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with standin(server_time=newest) as server:
        server.move_dates(newest)
        activity = GitHub(server.url, "username", "awesome-lib").scan(newest - timedelta(days=1))
    assert activity.commits[0].date == newest
    assert activity.commits[0].date - activity.commits[2].date == timedelta(hours=17, minutes=50)
    assert activity.summary == "3 commits, 1 merged PR, 1 closed issue"


def test_the_stand_in_knows_what_is_asked_wrongly(undescribed):
    from lib.http import Client

    with standin() as server, Client("Test", SourceError) as client:
        base = server.url + "/repos/username/awesome-lib"
        asked = [
            client.get(base + "/pulls", {"since": "x"}).status,
            client.get(base + "/").status,
            client.get(base + "/nothing").status,
            client.get(server.url + "/repos/other/repo").status,
            client.get(base, headers={"User-Agent": ""}).status,
            client.get(base, headers={"X-GitHub-Api-Version": "1999-01-01"}).status,
            client.request("POST", base, json={}).status,
        ]
        assert asked == [422, 404, 404, 404, 403, 400, 404]
        first = client.get(base)
        assert client.get(base, headers={"If-None-Match": first.headers["etag"]}).status == 304
        assert json.loads(first.body)["full_name"] == "username/awesome-lib"
