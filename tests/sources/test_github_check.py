"""The look at a GitHub repository before anything is read: its one sentence, in each case."""

import socket
import time
from datetime import UTC, datetime

import pytest

from lib.http import Limits
from models.values import Budget
from sources.check import Checked
from sources.github_check import check
from tests.standins.github import GitHubStandIn, Repository, awesome_lib, error
from tests.standins.server import Answer

pytestmark = pytest.mark.loopback

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
DATE = "Fri, 03 Oct 2025 09:00:00 GMT"
TOKEN = "github_pat_secret"


def private(**more) -> dict:
    data = awesome_lib()
    data["repository"] |= {"private": True, "id": 77} | more
    return data


def standin(*repositories) -> GitHubStandIn:
    server = GitHubStandIn(*(repositories or [private()]), server_time=NOW)
    server.login = "octocat"
    return server


def look(server: GitHubStandIn, *, base: str = "", **more) -> Checked:
    asked = {"owner": "username", "name": "awesome-lib", "token": TOKEN} | more
    checked = check(server.url + base, asked.pop("owner"), asked.pop("name"), **asked)
    assert TOKEN not in repr(checked)
    return checked


@pytest.fixture(autouse=True)
def frozen(clock) -> None:
    clock.move_to(NOW)


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        (None, "GitHub names no day on which the token expires."),
        ("2026-01-11 10:00:00 +0100", "the token expires on 11 January 2026 (in 100 days)."),
        ("2025-10-18 09:00:00 UTC", "the token expires on 18 October 2025 (in 15 days)."),
        (
            "2025-10-17 09:00:00 UTC",
            "the token expires on 17 October 2025 (in 14 days): make a new one in time.",
        ),
        (
            "2025-10-04 08:00:00 UTC",
            "the token expires on 4 October 2025 (tomorrow): make a new one in time.",
        ),
        ("2025-10-03 18:00:00 UTC", "the token expires on 3 October 2025 (today): make a new one in time."),
        # What GitHub sends with some fine-grained tokens: the present time.
        ("2025-10-03 14:00:01 +0500", "GitHub names no day on which the token expires."),
        ("soon", "GitHub names no day on which the token expires."),
    ],
)
def test_what_works_and_until_when(expires, said):
    with standin() as server:
        server.token_expires = expires
        checked = look(server)
    assert checked.works
    assert checked.sentence == f"Works: username/awesome-lib (private) can be read as octocat; {said}"
    assert len(server.requests) == 6
    assert {request.query.get("per_page", "1") for request in server.requests} == {"1"}


def test_what_is_learned():
    with standin() as server:
        server.token_expires = "2026-01-11 10:00:00 +0100"
        seen = look(server).seen
        assert seen is not None
        assert (seen.id, seen.full_name) == (77, "username/awesome-lib")
        assert seen.token_expires == datetime(2026, 1, 11, 9, tzinfo=UTC)
        assert isinstance(seen.budget, Budget)
        assert (seen.budget.limit, seen.budget.remaining) == (5000, 5000 - 6)


def test_without_a_token():
    with standin(awesome_lib()) as server:
        checked = look(server, token=None)
    assert checked.sentence == (
        "Works: username/awesome-lib (public) can be read without a token; a token would raise GitHub's limit"
        " of 60 requests an hour to 5,000."
    )
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("permissions", "lacks", "said"),
    [
        (
            {"contents=read", "pull_requests=read"},
            ("issues=read",),
            "The token lacks issues=read: closed issues cannot be read, and runs fail – add Issues: Read-only"
            " to the token on GitHub",
        ),
        (
            {"issues=read"},
            ("contents=read", "pull_requests=read"),
            "The token lacks contents=read and pull_requests=read: commits, merged pull requests and releases"
            " cannot be read, and runs fail – add Contents: Read-only and Pull requests: Read-only to the"
            " token on GitHub",
        ),
        (
            set(),
            ("contents=read", "pull_requests=read", "issues=read"),
            "The token lacks contents=read, pull_requests=read and issues=read: commits, merged pull"
            " requests, closed issues and releases cannot be read, and runs fail – add Contents: Read-only,"
            " Pull requests: Read-only and Issues: Read-only to the token on GitHub",
        ),
    ],
)
def test_what_a_fine_grained_token_lacks(permissions, lacks, said):
    with standin() as server:
        server.permissions = permissions
        checked = look(server)
    assert (checked.works, checked.lacks, checked.sentence) == (False, lacks, said)
    assert checked.seen is not None


def test_all_permissions_are_enough():
    with standin() as server:
        server.permissions = {"contents=read", "issues=read", "pull_requests=read"}
        assert look(server).works


def test_a_refusal_that_names_no_permission():
    with standin() as server:
        server.fail_always("/releases", error(403, "Resource not accessible"))
        assert look(server).lacks == ("contents=read",)


def test_a_classic_token_without_the_scope():
    with standin() as server:
        server.scopes = "public_repo, read:org"
        server.fail_always("/repos/", error(404, "Not Found", {"X-OAuth-Scopes": "public_repo, read:org"}))
        checked = look(server, token="ghp_classic")
    assert not checked.works
    assert "without the scope repo this token sees public repositories alone" in checked.sentence


def test_an_empty_repository_works():
    with standin(Repository().data) as server:
        checked = look(server)
    assert checked.works
    assert "it has no commits yet" in checked.sentence


def test_issues_switched_off_are_no_lack():
    with standin(private(has_issues=False)) as server:
        assert look(server).works


def test_an_archived_repository():
    with standin(private(archived=True)) as server:
        assert "it is archived, so nothing new will happen in it" in look(server).sentence


@pytest.mark.parametrize("branch", ["main", None])
def test_a_known_branch(branch):
    with standin() as server:
        assert look(server, branch=branch).works
    (asked,) = [request.query for request in server.requests if request.path.endswith("/commits")]
    assert asked["sha"] == "main"


def test_an_unknown_branch_is_said():
    with standin() as server:
        checked = look(server, branch="gone")
    assert (checked.works, checked.lacks) == (False, ())
    assert checked.sentence.startswith("GitHub API error: there is no branch gone – choose another branch")


def test_a_renamed_repository():
    with standin() as server:
        server.moved = {"username/old-name": "username/awesome-lib"}
        checked = look(server, name="old-name")
    assert checked.works
    assert "it was called username/old-name before" in checked.sentence


@pytest.mark.parametrize(("known", "works"), [(77, True), (None, True), (78, False)])
def test_another_repository_under_the_same_name(known, works):
    with standin() as server:
        checked = look(server, known_id=known)
    assert checked.works is works
    assert works or "is another repository than the one that was connected" in checked.sentence


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/repos/", error(401, "Bad credentials"), "the token is wrong, expired or revoked"),
        ("/repos/", error(404, "Not Found"), "Either username/awesome-lib does not exist"),
        ("/repos/", Answer(200, "<html>"), "without a JSON answer"),
        ("/repos/", Answer(200, []), "an answer of unknown shape"),
        ("/repos/", Answer(200, {"id": 1}), "an answer of unknown shape"),
        ("/repos/", error(503, "Unavailable"), "The server is in trouble (HTTP 503)"),
        (
            "/pulls",
            error(403, "Slow down", {"Retry-After": "90", "Date": DATE}),
            "GitHub wants a pause until 09:01:30 UTC",
        ),
        ("/issues", Answer(502, "<html>"), "The server is in trouble (HTTP 502)"),
        ("/releases", Answer(drop=True), "connection failed"),
    ],
)
def test_each_failure_is_its_own_sentence_and_asked_once(path, answer, said):
    with standin() as server:
        server.fail_always(path, answer)
        checked = look(server)
    assert (checked.works, checked.lacks, checked.seen) == (False, (), None)
    assert said in checked.sentence
    assert " – " in checked.sentence
    paths = [request.path for request in server.requests]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    "answer", [error(403, "Resource not accessible by integration"), Answer(200, "?"), Answer(200, [])]
)
def test_a_token_that_belongs_to_nobody(answer):
    with standin(awesome_lib("acme/lib")) as server:
        server.fail_always("/user", answer)
        checked = look(server, owner="acme", name="lib")
    assert checked.works
    assert "can be read;" in checked.sentence


def test_silence_ends_within_the_limits():
    with standin() as server:
        server.fail_always("/", Answer(delay=30))
        began = time.monotonic()
        checked = look(server, limits=Limits(connect=0.3, read=0.3, total=0.5))
        assert time.monotonic() - began < 5
    assert "no answer within" in checked.sentence


def test_nobody_listening():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        checked = check(f"http://127.0.0.1:{free.getsockname()[1]}", "o", "r")
    assert not checked.works
    assert "connection failed – it is often mended within minutes" in checked.sentence


class Enterprise(GitHubStandIn):
    """An Enterprise Server of old: it knows no version, and has no limits."""

    def _finished(self, request, answer):
        done = super()._finished(request, answer)
        kept = {name: value for name, value in done.headers.items() if "ratelimit" not in name.lower()}
        return Answer(done.status, done.body, kept)


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_enterprise_server(slash):
    with Enterprise(private(), server_time=NOW) as server:
        server.versions = set()
        checked = look(server, base=f"/api/v3{slash}")
    assert checked.works
    assert checked.seen is not None
    assert checked.seen.budget is None
    assert {request.path[:8] for request in server.requests} == {"/api/v3/"}
    assert not any("//" in request.path for request in server.requests)
    assert len(server.requests) == 7
    assert ["x-github-api-version" in request.headers for request in server.requests] == [True] + [False] * 6


def test_the_page_of_an_enterprise_server_instead_of_its_api():
    with standin() as server:
        server.fail_always("/", Answer(404, "<html>Page not found"))
        checked = look(server)
    assert not checked.works
    assert "HTTP 404 without a JSON answer" in checked.sentence
