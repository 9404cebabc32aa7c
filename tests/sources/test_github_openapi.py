"""Every request that the client can make, and every answer of the stand-in, is valid by GitHub's own
description, which lies beside the checkout.

The whole folder's tests are held against it as well (conftest.py). Here are the calls one by one, and the
check itself, on descriptions of our own: it must notice.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from lib.http import USER_AGENT, Client
from sources import github_check
from sources.base import Known, SourceError
from sources.github import GitHub
from tests.sources.github_histories import History
from tests.sources.test_github import SINCE, TOKEN, UNTIL
from tests.standins.github import GitHubStandIn, Repository, awesome_lib
from tests.standins.github_openapi import Conformity, load
from tests.standins.github_world import LiveStandIn, World
from tests.standins.openapi import Description
from tests.standins.server import Answer, Request

REPO = "GET /repos/{owner}/{repo}"
# What the client asks GitHub for; a new call is added here when it is made.
CALLS = {
    REPO,
    f"{REPO}/branches/{{branch}}",
    f"{REPO}/commits",
    f"{REPO}/commits/{{ref}}",
    f"{REPO}/commits/{{commit_sha}}/pulls",
    f"{REPO}/compare/{{basehead}}",
    f"{REPO}/issues",
    f"{REPO}/pulls",
    f"{REPO}/releases",
    "GET /user",
}


@pytest.fixture
def conformity(shared_data: Path, undescribed, monkeypatch: pytest.MonkeyPatch) -> Conformity:
    """Counts from nothing, and checks each answer."""
    made = Conformity(load(shared_data.parent / "contracts"))
    handle = GitHubStandIn.handle

    def watched(standin: GitHubStandIn, request: Request) -> Answer:
        answer = handle(standin, request)
        if request.headers.get("user-agent") == USER_AGENT:  # a browser of another test may still try a port
            made.watch(request, answer, always=True)
        return answer

    monkeypatch.setattr(GitHubStandIn, "handle", watched)
    return made


def rebased_world() -> World:
    """A pull request of two commits that was merged by rebasing them: the client asks whose they are."""
    world = World(UNTIL - timedelta(hours=3))
    world.push("main", world.ago(days=2), world.ago(days=1))
    world.now += timedelta(minutes=1)
    world.merge(world.open_pull("main", [None, None]), "rebase")
    world.publish(world.draft(world.line("main")[0]))
    world.close(world.open_issue(), "completed")
    return world


@pytest.mark.loopback
def test_every_call_and_every_answer(conformity):
    world = rebased_world()
    tip = world.line("main")[0]
    with LiveStandIn(world) as server:
        server.token_expires, server.scopes = "2026-02-06 07:42:23 +0100", "repo"

        def github(branch: str | None = None) -> GitHub:
            return GitHub(server.url, "octo", "alive", branch=branch, token=TOKEN)

        first = github().scan(SINCE)
        assert first.seen is not None
        assert len(first.commits) == 2
        known = Known(first.seen.id, first.seen.etag)
        same = {"base": first.window.head, "told": lambda keys: set(), "known": known}
        assert github().scan(first.window.until, **same).unchanged
        world.now += timedelta(minutes=1)
        world.replay("main", 1, below=True)
        world.push("main")
        assert github("main").scan(first.window.until, **same).has_activity
        world.collect()
        world.set_head("main", world.line("main")[1])
        assert github().scan(first.window.until, **same | {"base": "0" * 40}).commits
        assert github().contains("v1", tip)
        assert github_check.check(server.url, "octo", "alive", token=TOKEN).works
        server.moved["octo/alive"], world.data["repository"]["full_name"] = "octo/other", "octo/other"
        assert github().scan(SINCE).repository == "octo/other"
        with pytest.raises(SourceError):
            github("gone").scan(SINCE)
    assert conformity.faults == []
    assert set(conformity.asked) == CALLS
    assert conformity.answers > 40


REFUSALS = {
    "empty": lambda server: server.repositories.__setitem__(0, Repository(id=1).data),
    "issues off": lambda server: server.repositories[0]["repository"].update(has_issues=False),
    "private": lambda server: server.repositories[0]["repository"].update(private=True),
    "bad token": lambda server: setattr(server, "bad_tokens", (TOKEN,)),
    "no permission": lambda server: setattr(server, "permissions", {"contents=read"}),
    "limit": lambda server: setattr(server, "allowance", 0),
    "old server": lambda server: server.versions.clear(),
}


@pytest.mark.loopback
@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("token", [TOKEN, None])
def test_refusals_are_answers_too(conformity, refusal, token):
    with GitHubStandIn(awesome_lib(), server_time=UNTIL) as server:
        REFUSALS[refusal](server)
        github_check.check(server.url, "username", "awesome-lib", token=token)
        try:
            GitHub(server.url, "username", "awesome-lib", token=token).scan(SINCE)
        except SourceError:
            assert refusal in ("private", "bad token", "no permission", "limit")
    assert conformity.faults == []
    assert conformity.asked


PATHS = (
    *("", "/commits", "/commits/{sha}", "/commits/{sha}/pulls", "/compare/{sha}...main", "/branches/main"),
    *("/branches/gone", "/branches/old", "/git/ref/heads/main", "/git/ref/tags/v1", "/git/ref/tags/none"),
    *("/tags", "/pulls?state=closed", "/pulls/7", "/pulls/99", "/issues?state=all", "/issues/8", "/issues/7"),
    *(
        "/releases",
        "/commits/" + "0" * 40,
        "/compare/{sha}...gone",
        "/compare/{sha}...main?per_page=1&page=2",
    ),
)


@pytest.mark.loopback
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_of_the_stand_in(conformity, path):
    made = Repository()
    for number in range(3):
        made.commit(f"{number:040x}", UNTIL - timedelta(hours=9 - number), files=("a.py", {"filename": "b"}))
    person = {"login": "ada", "type": "User"}
    made.pull(7, UNTIL, user=person, labels=[{"name": "bug"}], merge_commit_sha=f"{2:040x}")
    made.pull(9, None, state="open", updated_at="2025-10-03T08:00:00Z").issue(8, UNTIL, labels=["x"])
    made.release("v1", UNTIL, author=person, prerelease=True).release("v2", None, draft=True)
    made.data["renamed_branches"] = {"old": "main"}
    with GitHubStandIn(made.data, server_time=UNTIL) as server, Client("Test", SourceError) as client:
        client.get(server.url + "/repos/username/awesome-lib" + path.format(sha="0" * 40))
    assert conformity.faults == []
    assert conformity.answers


def test_histories_conform(conformity, monkeypatch):
    """Answers of a repository that lives, without sockets: the paths of each scan in a row."""
    from tests.sources.github_histories import direct

    servers: dict[str, LiveStandIn] = {}
    monkeypatch.setattr("lib.http.Client._exchange", direct(servers))
    monkeypatch.setattr(LiveStandIn, "url", "http://github.test")

    def serve(server: LiveStandIn) -> str:
        servers["github.test"] = server
        return server.url

    for seed in range(900, 906):
        History(seed, serve, lambda now: monkeypatch.setattr("lib.clock.now", now)).run()
    assert conformity.faults == []
    assert conformity.answers > 100


# The check itself

OWN = {
    "paths": {
        "/things/{name}": {
            "get": {
                "parameters": [
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["up", "down"]}},
                    {"name": "size", "in": "query", "schema": {"type": "integer"}},
                    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
                ],
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}}
                    },
                    "404": {"$ref": "#/components/responses/none"},
                },
            }
        },
        "/things/{name}/parts/{part}": {
            "get": {
                "parameters": [
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
                    {
                        "name": "part",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "integer"},
                        "x-multi-segment": True,
                    },
                ],
                "responses": {"204": {"description": "nothing"}},
            }
        },
    },
    "components": {
        "responses": {"none": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        "schemas": {
            "thing": {
                "type": "object",
                "required": ["name", "made", "owner"],
                "properties": {
                    "name": {"type": "string", "example": "x"},
                    "made": {"type": "string", "format": "date-time", "nullable": True},
                    "owner": {"$ref": "#/components/schemas/owner"},
                },
            },
            "owner": {
                "type": "object",
                "nullable": True,
                "required": ["url"],
                "properties": {"url": {"type": "string", "format": "uri"}},
            },
        },
    },
}
THING = {"name": "x", "made": None, "owner": None}


@pytest.fixture(scope="module")
def own() -> Description:
    return Description(OWN)


def test_what_is_right_is_not_blamed(own):
    query = {"sort": "up", "size": "3", "since": "2025-10-02T09:00:00Z"}
    assert own.request_faults("GET", "/things/a%2Fb", query) == []
    assert own.request_faults("GET", "/things/a/parts/7", {}) == []
    for body in (
        THING,
        THING | {"made": "2025-10-02T09:00:00Z", "owner": {"url": "https://example.org"}, "more": 1},
    ):
        assert own.answer_faults("GET", "/things/a", 200, body) == []
    assert own.answer_faults("GET", "/things/a", 404, {}) == []
    assert own.answer_faults("GET", "/things/a/parts/7", 204, None) == []


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/thing/a", {}, "no such path"),
        ("/things/a/b", {}, "no such path"),
        ("/things/a", {"Sort": "up"}, "no parameter Sort"),
        ("/things/a", {"sort": "sideways"}, "sort is sideways"),
        ("/things/a", {"size": "big"}, "size is big"),
        ("/things/a", {"since": "yesterday"}, "since is yesterday"),
        ("/things/a", {"since": "2025-13-02T09:00:00Z"}, "since is"),
        ("/things/a/parts/b", {}, "part is b"),
    ],
)
def test_wrong_requests_are_noticed(own, path, query, words):
    (fault,) = own.request_faults("GET", path, query)
    assert words in fault


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, {}, "500 is no answer"),
        (200, [], "is not of type 'object'"),
        (200, {"name": "x", "made": None}, "'owner' is a required property"),
        (200, THING | {"name": None}, "$.name"),
        (200, THING | {"made": "yesterday"}, "$.made"),
        (200, THING | {"owner": {}}, "'url' is a required property"),
        (200, THING | {"owner": {"url": "nowhere"}}, "$.owner.url"),
        (404, [], "answer 404"),
    ],
)
def test_wrong_answers_are_noticed(own, status, body, words):
    (fault,) = own.answer_faults("GET", "/things/a", status, body)
    assert words in fault


def test_a_page_larger_than_github_gives_is_noticed(conformity):
    request = Request("GET", "/repos/o/r/pulls", {"per_page": "500"}, {}, b"", 0.0)
    assert conformity.request_faults(request) == [
        "/repos/o/r/pulls: per_page is 500, from 1 to 100 are allowed"
    ]


def test_a_body_without_a_member_is_noticed(conformity):
    """Each member that GitHub always sends: without it the stand-in's answer is no longer valid."""
    request = Request("GET", "/repos/o/r", {}, {"user-agent": "x"}, b"", 0.0)
    whole = GitHubStandIn(awesome_lib("o/r"), server_time=UNTIL).handle(request).body
    assert conformity.answer_faults(request, Answer(200, whole)) == []
    for name in ("id", "full_name", "owner", "pushed_at", "default_branch", "open_issues_count"):
        less = {key: value for key, value in whole.items() if key != name}
        assert conformity.answer_faults(request, Answer(200, less)), name
