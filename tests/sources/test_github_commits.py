"""New commits are those that the branch's head reaches and its last head did not, whatever their dates."""

from datetime import UTC, datetime, timedelta

import pytest

from sources.base import Caps, Known, SourceError
from sources.github import GitHub
from sources.github_commits import BASE_LOST, NOT_COMPARED, REBASED_IN_ALL
from tests.standins.github import GitHubStandIn, Repository, error
from tests.standins.server import Answer

pytestmark = pytest.mark.loopback

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
LAST = NOW - timedelta(days=1)
SECOND = timedelta(seconds=1)


def sha(number: int) -> str:
    return f"{number:040x}"


def line(count: int, start: datetime = LAST) -> Repository:
    """Commits 1, 2, ... on one branch; the first is the last scan's head."""
    made = Repository()
    for number in range(1, count + 1):
        made.commit(sha(number), start + number * SECOND, f"Change {number}")
    return made


def scan(made: Repository, base: str | None = sha(1), *, branch=None, caps=None, told=None, **served):
    """The activity since LAST, and the server that was asked for it."""
    with GitHubStandIn(made.data, server_time=NOW) as server:
        for name, value in served.items():
            setattr(server, name, value)
        source = GitHub(server.url, "username", "awesome-lib", branch=branch, caps=caps)
        return source.scan(LAST, base=base, told=told, margin_from=LAST - timedelta(days=1)), server


def numbers(activity) -> list[int]:
    return [int(commit.sha, 16) for commit in activity.commits]


def test_a_commit_that_is_pushed_late_keeps_its_date_and_is_told():
    made = line(1).commit(sha(2), LAST - timedelta(days=90), "Written in July").commit(sha(3), NOW)
    activity, _ = scan(made)
    assert numbers(activity) == [3, 2]
    assert (activity.window.base, activity.window.head) == (sha(1), sha(3))


def test_nothing_new_asks_nothing_more():
    activity, server = scan(line(1))
    assert (numbers(activity), activity.window.head) == ([], sha(1))
    assert len(server.requests) == 5


@pytest.mark.parametrize(("count", "asked"), [(100, 1), (101, 4), (350, 6)])
def test_all_pages_of_a_comparison_from_one_head(count, asked):
    activity, server = scan(line(count + 1), caps=Caps(details=0))
    assert numbers(activity) == list(range(count + 1, 1, -1))
    requests = [r for r in server.requests if "/compare/" in r.path or "/branches/" in r.path]
    assert len(requests) == asked
    assert all(r.path.endswith(sha(count + 1)) for r in requests[2:])


def test_a_window_larger_than_the_cap_is_told_from_its_newest():
    activity, server = scan(line(1001), caps=Caps(commits=300, details=0))
    assert numbers(activity) == list(range(1001, 701, -1))
    assert "Only the newest 300 of 1,000 commits were read; the others count as told." in activity.cuts
    assert activity.window.head == sha(1001)
    assert len([r for r in server.requests if "/compare/" in r.path]) <= 6


def test_a_first_window_larger_than_the_cap_says_so():
    activity, _ = scan(line(350), None, caps=Caps(commits=200, details=0))
    assert numbers(activity) == list(range(350, 150, -1))
    assert "Only the newest 200 commits of the window were read; the others count as told." in activity.cuts


def test_rebased_copies_of_what_was_told_are_not_told_again():
    """A force push: 2 and 3 were rewritten as 12 and 13 on top of 11, which is new, and 3's title changed."""
    made = line(3)
    old = {c["sha"]: c["commit"]["author"] for c in made.data["commits"]}
    copies = Repository().commit(sha(1), LAST + SECOND, "Change 1")
    for number, title, author in (
        (11, "Change 11", None),
        (12, "Change 2", old[sha(2)]),
        (13, "Change 3, better", old[sha(3)]),
    ):
        copies.commit(sha(number), NOW, title)
        if author:
            copies.data["commits"][0]["commit"]["author"] = author
    copies.data["commits"] += made.data["commits"][:2]
    copies.data["branches"]["main"] = sha(13)
    activity, server = scan(copies, sha(3))
    assert numbers(activity) == [13, 11]
    assert len([r for r in server.requests if "/compare/" in r.path]) == 2


def test_a_branch_that_was_set_back_tells_nothing_and_remembers_where_it_stands():
    made = line(3)
    made.data["branches"]["main"] = sha(2)
    activity, _ = scan(made, sha(3))
    assert (numbers(activity), activity.window.head) == ([], sha(2))


def test_a_lost_base_falls_back_to_dates_and_drops_what_was_told():
    activity, _ = scan(line(3), "f" * 40, told=lambda keys: {("commit", sha(2))})
    assert (numbers(activity), activity.window.head) == ([3, 1], sha(3))
    assert activity.cuts == (BASE_LOST,)


def test_a_renamed_branch_is_followed_from_where_it_was():
    made = line(1).commit(sha(2), LAST - timedelta(days=9))
    made.data["branches"] = {"trunk": sha(2)}
    with GitHubStandIn(made.data, server_time=NOW) as server:
        renamed = {"name": "trunk", "commit": {"sha": sha(2)}}
        server.fail_always("/branches/master", Answer(body=renamed))
        activity = GitHub(server.url, "username", "awesome-lib", branch="master").scan(LAST, base=sha(1))
    assert numbers(activity) == [2]


def test_a_branch_that_vanished_is_named():
    with pytest.raises(SourceError, match="no branch gone") as caught:
        scan(line(1), branch="gone")
    assert not caught.value.permanent


def test_a_repository_that_was_emptied_has_nothing_new():
    activity, _ = scan(Repository(), sha(1))
    assert activity.summary == "No activity"


def test_an_outage_is_no_size():
    with GitHubStandIn(line(2).data, server_time=NOW) as server:
        server.fail_always("/compare/", error(502, "Server Error"))
        with pytest.raises(SourceError) as caught:
            GitHub(server.url, "username", "awesome-lib").scan(LAST, base=sha(1))
    assert not caught.value.permanent


def test_a_difference_too_large_to_show_is_told_by_date():
    class TooLarge(GitHubStandIn):
        def handle(self, request):
            if "/compare/" in request.path and request.query.get("page") == "1":
                return error(500, "Sorry, this diff is taking too long to generate.")
            return super().handle(request)

    with TooLarge(line(3).data, server_time=NOW) as server:
        activity = GitHub(server.url, "username", "awesome-lib").scan(LAST, base=sha(1))
    assert numbers(activity) == [3, 2, 1]
    assert NOT_COMPARED in activity.cuts


def test_a_pull_request_comes_with_its_commits_though_it_was_merged_after_the_windows_end():
    """The description was asked first, the branch later: what is told of the branch is told whole."""
    made = line(1).commit(sha(2), NOW + SECOND, "Merged (#7)")
    made.pull(7, NOW + SECOND, merge_commit_sha=sha(2)).pull(8, NOW + SECOND)
    activity, _ = scan(made)
    assert (numbers(activity), [p.number for p in activity.pulls]) == ([2], [7])


def test_a_pull_request_that_was_merged_between_two_answers_is_asked_for_again():
    made = line(1).commit(sha(2), NOW, "Merged (#7)").pull(7, NOW, merge_commit_sha=sha(2))

    class Late(GitHubStandIn):
        asked = 0

        def handle(self, request):
            if request.path.endswith("/pulls"):
                self.asked += 1
                if self.asked == 1:
                    return self._finished(request, Answer(body=[]))
            return super().handle(request)

    with Late(made.data, server_time=NOW) as server:
        activity = GitHub(server.url, "username", "awesome-lib").scan(LAST, base=sha(1))
    assert [p.number for p in activity.pulls] == [7]


def test_a_rebased_pull_request_names_its_commits():
    made = line(5)
    made.pull(7, NOW, merge_commit_sha=sha(4), _commits=[sha(3), sha(4)]).pull(
        8, NOW, merge_commit_sha=sha(5)
    )
    activity, server = scan(made)
    found = {p.number: p.commits for p in activity.pulls}
    assert found == {7: (sha(4), sha(3)), 8: ()}
    assert sorted(
        r.path[-46:-6] for r in server.requests if r.path.endswith("/pulls") and sha(0)[:30] in r.path
    ) == [
        sha(2),
        sha(3),
    ]


def test_asking_for_rebased_commits_has_an_end():
    made = line(201)
    for number in range(1, 101):
        own = [sha(2 * number), sha(2 * number + 1)]
        made.pull(number, NOW, merge_commit_sha=own[1], _commits=own)
    activity, server = scan(made, caps=Caps(details=0))
    asked = [r for r in server.requests if r.path.endswith("/pulls") and "/commits/" in r.path]
    assert len(asked) == REBASED_IN_ALL
    assert sum(bool(p.commits) for p in activity.pulls) == REBASED_IN_ALL


def test_two_failures_of_a_comparison_are_no_size():
    with GitHubStandIn(line(2).data, server_time=NOW) as server:
        for _ in range(2):
            server.fail_once("/compare/", error(502, "Server Error"))
        activity = GitHub(server.url, "username", "awesome-lib").scan(LAST, base=sha(1))
    assert (numbers(activity), activity.cuts) == ([2], ())


def test_whether_a_release_carries_a_commit():
    made = line(3).tag("v1", sha(2))
    with GitHubStandIn(made.data, server_time=NOW) as server:
        source = GitHub(server.url, "username", "awesome-lib")
        assert [source.contains("v1", sha(n)) for n in (1, 2, 3, 9)] == [True, True, False, False]
        assert not source.contains("v9", sha(1))
        server.fail_always("/compare/", error(502, "Server Error"))
        with pytest.raises(SourceError):
            source.contains("v1", sha(1))


def test_a_scan_that_finds_nothing_changed_costs_nothing_of_the_budget():
    made = line(1)
    with GitHubStandIn(made.data, server_time=NOW) as server:
        source = GitHub(server.url, "username", "awesome-lib", token="ghp_x")
        seen = source.scan(LAST, base=sha(1)).seen
        quiet = source.scan(NOW, base=sha(1), known=Known(seen.id, seen.etag))
        after = source.scan(NOW, base=sha(1)).seen.budget
    assert quiet.unchanged
    assert seen.budget.remaining - after.remaining == 5
