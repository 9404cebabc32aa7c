"""The stand-in's own traps: where GitHub surprises, it must surprise in the same way."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lib.http import Answer, Client
from sources.base import SourceError
from tests.standins.github import GitHubStandIn, Repository
from tests.standins.github_world import LiveStandIn, World

pytestmark = pytest.mark.loopback
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def asked(server: GitHubStandIn, path: str, **headers: str) -> Answer:
    with Client("Test", SourceError, headers=headers) as client:
        return client.get(server.url + "/repos/octo/alive" + path)


def body(server: GitHubStandIn, path: str):
    return json.loads(asked(server, path).body)


def test_a_large_comparison_unpaged_gives_the_newest_and_paged_all():
    made = Repository("octo/alive")
    for number in range(300):
        made.commit(f"{number:040x}", NOW + timedelta(seconds=number), files=("a.py",))
    with GitHubStandIn(made.data) as server:
        path = f"/compare/{0:040x}...main"
        unpaged = body(server, path)
        assert (unpaged["status"], unpaged["ahead_by"], len(unpaged["commits"])) == ("ahead", 299, 250)
        assert (unpaged["commits"][0]["sha"], unpaged["commits"][-1]["sha"]) == (f"{50:040x}", f"{299:040x}")
        pages = [body(server, f"{path}?per_page=100&page={number}") for number in (1, 2, 3)]
        assert [c["sha"] for page in pages for c in page["commits"]] == [f"{n:040x}" for n in range(1, 300)]
        assert ["files" in page for page in pages] == [True, False, False]
        assert 'rel="next"' in asked(server, f"{path}?per_page=100").headers["link"]


def test_what_a_force_push_leaves_comparable():
    world = World(NOW)
    old = world.push("main", None, None, None)
    world.set_head("main", old[0])
    (new,) = world.push("main")
    with LiveStandIn(world) as server:
        found = body(server, f"/compare/{old[2]}...main")
        assert (found["status"], found["ahead_by"], found["behind_by"]) == ("diverged", 1, 2)
        assert found["merge_base_commit"]["sha"] == old[0]
        assert [c["sha"] for c in found["commits"]] == [new]
        assert body(server, "/compare/main...main")["status"] == "identical"
        assert body(server, f"/compare/main...{old[0]}")["status"] == "behind"
        world.set_head("main", world.commit([]))
        assert "No common ancestor" in body(server, f"/compare/{old[2]}...main")["message"]
        world.collect()
        assert asked(server, f"/compare/{old[2]}...main").status == 404


def test_commits_are_listed_as_git_logs_them_and_chosen_by_their_committers_date():
    world = World(NOW)
    first, late, tip = world.push("main", NOW - timedelta(days=1), NOW - timedelta(days=30), NOW)
    with LiveStandIn(world) as server:
        assert [c["sha"] for c in body(server, "/commits")] == [tip, late, first]
        since = "/commits?since=2026-02-20T00:00:00Z"
        assert [c["sha"] for c in body(server, since)] == [tip, first]
        assert [c["sha"] for c in body(server, f"/commits?sha={late}")] == [late, first]
        assert asked(server, "/commits?sha=gone").status == 404


def test_updated_pull_requests_come_oldest_first_by_themselves():
    world = World(NOW)
    world.push("main")
    for _ in range(2):
        world.merge(world.open_pull("main", [None]), "squash")
        world.now += timedelta(minutes=1)
    with LiveStandIn(world) as server:
        path = "/pulls?state=closed&sort=updated"
        assert [p["number"] for p in body(server, path)] == [1, 2]
        assert [p["number"] for p in body(server, f"{path}&direction=desc")] == [2, 1]
        assert [i["number"] for i in body(server, "/issues?state=closed")] == [2, 1]


def test_the_merge_commit_of_each_way_to_merge():
    world = World(NOW)
    world.push("main")
    merged = {}
    for how in ("merge", "squash", "rebase", "push"):
        pull = world.open_pull("main", [None, None])
        world.merge(pull, how)
        merged[how] = pull, world.line("main")[0]
    assert all(pull["merge_commit_sha"] == top for pull, top in merged.values())
    parents = {h: len(world.data["commit_details"][top]["parents"]) for h, (_, top) in merged.items()}
    assert parents == {"merge": 2, "squash": 1, "rebase": 1, "push": 1}
    pull, top = merged["rebase"]
    assert world.identity(top) == world.identity(pull["_commits"][-1])
    with LiveStandIn(world) as server:
        (found,) = body(server, f"/commits/{top}/pulls")
        assert found["number"] == pull["number"]


def test_an_unchanged_description_costs_a_token_nothing():
    world = World(NOW)
    world.push("main")
    with LiveStandIn(world) as server:
        first = asked(server, "", Authorization="Bearer t")
        again = {"If-None-Match": first.headers["etag"], "Authorization": "Bearer t"}
        for _ in range(2):
            answer = asked(server, "", **again)
            assert (answer.status, answer.headers["x-ratelimit-used"]) == (304, "1")
        world.close(world.open_issue(), "completed")
        assert asked(server, "", **again).status == 304
        world.open_issue()
        assert asked(server, "", **again).status == 200
        world.now += timedelta(seconds=1)
        world.push("next")
        assert asked(server, "").status == 200


def test_a_token_that_lacks_a_permission_is_told_which():
    world = World(NOW)
    world.push("main")
    with LiveStandIn(world) as server:
        server.permissions = {"contents=read"}
        answer = asked(server, "/issues", Authorization="Bearer t")
        assert (answer.status, answer.headers["x-accepted-github-permissions"]) == (403, "issues=read")
        assert asked(server, "/pulls", Authorization="Bearer t").status == 200


def test_names_that_moved():
    world = World(NOW)
    world.push("main")
    world.rename_default("trunk")
    with LiveStandIn(world) as server:
        answer = asked(server, "/branches/main")
        assert (answer.status, json.loads(answer.body)["name"]) == (200, "trunk")
        assert asked(server, "/branches/gone").status == 404
        server.moved["octo/alive"], world.data["repository"]["full_name"] = "octo/other", "octo/other"
        assert json.loads(asked(server, "").body)["full_name"] == "octo/other"
