"""The GitHub source on real activity and on answers that GitHub once gave; both lie beside the checkout."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from sources.base import SourceError
from sources.github import GitHub
from sources.github_api import Api
from sources.github_errors import GitHubError
from sources.github_shapes import commit, issue, pull, release
from tests.standins.github import GitHubStandIn
from tests.standins.server import Answer, Request, StandIn

pytestmark = pytest.mark.loopback

ACTIVITY = [
    "coleifer__huey__2026-07-06_2026-07-13",
    "healthchecks__healthchecks__2025-09-01_2025-09-08",
    "pallets__flask__2025-08-18_2025-08-25",
    "username__awesome-lib__seed",
]
MAIN = "https://api.github.com"
# Of each recorded header, those that a client may read.
KEPT = {"content-type", "date", "link", "location", "retry-after", "gh-limited-by"}


# Real activity


@pytest.fixture(params=ACTIVITY)
def recorded(request: pytest.FixtureRequest, shared_data: Path) -> dict:
    return json.loads((shared_data / "activity" / f"{request.param}.json").read_text())


def scanned(recorded: dict):
    window = recorded["_meta"]["window"]
    since, until = datetime.fromisoformat(window["from"]), datetime.fromisoformat(window["to"])
    # Their windows are closed below and open above, ours the other way round.
    with GitHubStandIn(recorded, server_time=until - timedelta(seconds=1)) as server:
        owner, _, name = recorded["repository"]["full_name"].partition("/")
        return GitHub(server.url, owner, name).scan(since - timedelta(seconds=1)), server


def test_the_summary_counts_what_the_file_counts(recorded):
    counts = recorded["_meta"]["counts"]
    activity, _ = scanned(recorded)
    found = {kind: len(getattr(activity, kind)) for kind in ("commits", "pulls", "issues", "releases")}
    assert found == {kind: counts[kind] for kind in found}
    words = {"commits": "commit", "pulls": "merged PR", "issues": "closed issue", "releases": "release"}
    told = [f"{counts[k]} {w}{'s' if counts[k] > 1 else ''}" for k, w in words.items() if counts[k]]
    assert activity.summary == ", ".join(told)
    assert activity.url == recorded["repository"]["html_url"]


def test_every_commit_has_its_files(recorded):
    activity, server = scanned(recorded)
    assert [c.sha for c in activity.commits] == [c["sha"] for c in recorded["commits"]]
    for found in activity.commits:
        files = recorded["commit_details"][found.sha]["files"]
        assert [f.path for f in found.files] == [f["filename"] for f in files][:100]
    assert sum(len(c.files) for c in activity.commits) == recorded["_meta"]["counts"]["files"]
    assert activity.requests == len(server.requests) == 4 + len(activity.commits)


def test_pull_requests_keep_their_merge_commit(recorded):
    activity, _ = scanned(recorded)
    expected = {p["number"]: (p["title"], p["merge_commit_sha"]) for p in recorded["pulls"]}
    assert {p.number: (p.title, p.merge_sha) for p in activity.pulls} == expected


# Answers that GitHub once gave


class Replay(StandIn):
    """Gives the recorded answer to the recorded request, its links and redirects pointing here; else 404."""

    def __init__(self, *files: Path) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], list[dict]] = {}
        for file in files:
            for pair in json.loads(file.read_text())["interactions"]:
                self.answers.setdefault(_key(pair["request"]["url"]), []).append(pair["response"])

    def handle(self, request: Request) -> Answer:
        responses = self.answers.get(_key(f"{request.path}?{urlencode(request.query)}"))
        if not responses:
            return Answer(404, {"message": "Not Found"})
        return self.answer(responses.pop(0) if len(responses) > 1 else responses[0])

    def answer(self, response: dict) -> Answer:
        return Answer(response["status"], response["body"], headers(response, self.url))


def headers(response: dict, url: str = MAIN) -> dict[str, str]:
    kept = {k.lower(): v for k, v in response["headers"].items() if isinstance(v, str) and "{{" not in v}
    return {k: v.replace(MAIN, url) for k, v in kept.items() if k in KEPT or k.startswith("x-ratelimit")}


def _key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.path, urlencode(sorted(parse_qsl(parts.query)))


@pytest.fixture
def replayed(shared_data: Path) -> Iterator:
    running: list[Replay] = []

    def start(*names: str) -> Replay:
        running.append(Replay(*(shared_data / "recorded" / f"{name}.json" for name in names)))
        running[-1].start()
        return running[-1]

    yield start
    for server in running:
        server.stop()


def listed(server: StandIn, path: str, read, **params: str):
    with Api(server.url, None) as api:
        return api.listing(path, params, read)


def test_commits_of_2013_over_two_pages(replayed):
    params = {"since": "2013-03-01T00:00:00Z", "until": "2013-03-31T00:00:00Z"}
    found = listed(replayed("commits_since_until_2013"), "/repos/PyGithub/PyGithub/commits", commit, **params)
    assert len(found.items) == len({c.sha for c in found.items}) == 30 + 17
    assert found.date == datetime(2013, 8, 19, 21, 22, 58, tzinfo=UTC)
    assert all(c.date.month == 3 and c.author.name and c.url for c in found.items)


def test_commits_of_a_branch(replayed):
    server = replayed("commits_list_then_files_paged")
    server.answers = {key: value for key, value in server.answers.items() if "commits/" not in key[0]}
    for responses in server.answers.values():
        for response in responses:
            response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() != "link"}
    found = listed(server, "/repos/PyGithub/PyGithub/commits", commit, sha="release-v2-0", per_page="2")
    assert [bool(c.author.login) and not c.author.is_bot for c in found.items] == [True, True]
    assert found.items[0].parents


def test_files_of_a_commit_over_pages(shared_data):
    pages = json.loads((shared_data / "recorded" / "commit_get_large_change.json").read_text())[
        "interactions"
    ]
    with Replay() as server, Api(server.url, None) as api:
        server.fail_always("/large", server.answer(pages[0]["response"]))
        files, more = api.files("/large")
    assert (len(files), more) == (2, 101)
    assert files[0].path == pages[0]["response"]["body"]["files"][0]["filename"]
    assert files[0].additions is not None


def test_issues_over_five_pages(replayed):
    path = "/repos/octokit-fixture-org/tmp-scenario-paginate-issues-20220719043836917-izyoe/issues"
    server = replayed("issues_paginated")
    found = listed(server, path, lambda raw: raw["number"], per_page="3")
    assert sorted(found.items) == list(range(1, 14))
    assert len(server.requests) == 5


def test_closed_issues(replayed):
    found = listed(
        replayed("issues_closed"), "/repos/PyGithub/PyGithub/issues", issue, state="closed", type="*"
    )
    assert found.items
    assert all(i.closed_at.tzinfo and i.title and i.author and i.url for i in found.items)


def test_pull_requests_in_the_issue_list_are_no_issues(shared_data):
    file = shared_data / "recorded" / "issues_with_pull_requests.json"
    raws = json.loads(file.read_text())["interactions"][0]["response"]["body"]
    closed = [raw for raw in raws if raw["closed_at"] and "pull_request" not in raw]
    assert [i.number for raw in raws if (i := issue(raw))] == [raw["number"] for raw in closed]


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("pulls_closed_2012", "/repos/PyGithub/PyGithub/pulls", {"state": "closed"}),
        (
            "pulls_sort_updated",
            "/repos/betamaxpy/betamax/pulls",
            {"sort": "updated", "direction": "asc", "per_page": "100"},
        ),
    ],
)
def test_pull_requests(replayed, name, path, params):
    server = replayed(name)
    raws = server.answers[path, urlencode(sorted(params.items()))][0]["body"]
    found = listed(server, path, pull, **params)
    assert [p.number for p in found.items] == [raw["number"] for raw in raws if raw["merged_at"]]


def test_a_merged_pull_request(shared_data):
    file = shared_data / "recorded" / "pull_get_merged.json"
    raw = json.loads(file.read_text())["interactions"][0]["response"]["body"]
    found = pull(raw)
    assert found is not None
    assert (found.number, found.merge_sha) == (3370, raw["merge_commit_sha"])
    assert found.author is not None
    assert found.author.login == raw["user"]["login"]


def test_releases_over_three_pages(replayed):
    server = replayed("releases_three_pages")
    found = listed(server, "/repos/PyGithub/PyGithub/releases", release, per_page="10")
    assert len(server.requests) == 3
    assert len({r.tag for r in found.items}) == len(found.items) > 20
    assert all(r.name and r.published_at.tzinfo for r in found.items)


def test_releases_on_one_page(replayed):
    server = replayed("releases_single_page")
    found = listed(server, "/repos/sigmavirus24/github3.py/releases", release, per_page="100")
    assert len(found.items) == 2


@pytest.mark.parametrize("name", ["repo_301_2018", "repo_301_recent", "repo_renamed_301"])
def test_a_recorded_rename_is_followed(replayed, shared_data, name):
    server = replayed(name)
    pairs = json.loads((shared_data / "recorded" / f"{name}.json").read_text())["interactions"]
    with Api(server.url, None) as api:
        answer = api._client.get(server.url + urlsplit(pairs[0]["request"]["url"]).path)
        assert api._client.decode(answer)["full_name"] == pairs[1]["response"]["body"]["full_name"]
        assert api.requests == 2


REFUSALS = [  # file, which of its answers, sentence, permanent, retry_after
    ("error_401_bad_credentials_2012", 0, "Bad credentials", False, None),
    ("error_401_modern", 0, "'Expiration time' claim ('exp') must be a numeric value", False, None),
    ("error_403_429_secondary_STUBS", 0, "You have exceeded a secondary rate limit", False, 60),
    ("error_403_429_secondary_STUBS", 1, "You have exceeded a secondary rate limit", False, 8),
    ("error_403_429_secondary_STUBS", 2, "Must have push access to repository", False, 30),
    ("error_403_abuse_secondary_2018", 0, "You have triggered an abuse detection mechanism", False, 60),
    ("error_403_forbidden", 0, "You must be an admin", False, None),
    ("error_403_no_user_agent", 0, "Missing or invalid User Agent string.", False, None),
    ("error_403_rate_limit_anonymous", 0, "API Rate Limit Exceeded for 92.104.200.119", False, 60),
    ("error_404_2012", 0, "Not Found", False, None),
    ("error_404_branch_not_protected", 0, "Branch not protected", False, None),
    ("error_409_404_modern", 1, "Branch not found", False, None),
    ("error_422_validation", 0, "Validation Failed", True, None),
    ("error_502_then_200", 0, "HTTP 502", False, None),
    ("error_503_non_json", 0, "HTTP 503 without a JSON answer", False, None),
]


@pytest.mark.parametrize(
    ("name", "number", "sentence", "permanent", "retry_after"),
    REFUSALS,
    ids=[f"{name}-{number}" for name, number, *_ in REFUSALS],
)
def test_recorded_refusals(shared_data, name, number, sentence, permanent, retry_after):
    file = shared_data / "recorded" / f"{name}.json"
    response = json.loads(file.read_text())["interactions"][number]["response"]
    error = refused(response["status"], response["body"], headers(response))
    assert error.message.startswith(f"GitHub API error: {sentence}")
    assert (error.status, error.permanent, error.retry_after) == (response["status"], permanent, retry_after)


def test_described_refusals(shared_data):
    """errors/github.json: the status alone decides, but for rate limits."""
    cases = json.loads((shared_data / "errors" / "github.json").read_text())
    assert len(cases) >= 13
    for case in cases:
        status, when = case["status"], case["when"]
        if status == 409:
            continue  # nothing there, see test_github.py
        # Half an hour before the reset that one of them names.
        date = {"date": "Tue, 20 Aug 2013 15:11:06 GMT"}
        error = refused(status, case["body"], date | case.get("headers", {}))
        wait = {"primary": 1802.0, "secondary": 60.0}.get(when.partition(" ")[0])
        assert (error.status, error.permanent, error.retry_after) == (status, status in (400, 422, 451), wait)
        if isinstance(case["body"], dict):
            assert error.message.startswith(f"GitHub API error: {case['body']['message']}"[:200])


def refused(status: int, body: object, headers: dict[str, str]) -> GitHubError:
    with StandIn() as server:
        server.fail_always("/", Answer(status, body, headers))
        with pytest.raises(SourceError) as caught:
            GitHub(server.url, "o", "r").scan(datetime(2025, 10, 2, tzinfo=UTC))
    assert isinstance(caught.value, GitHubError)
    return caught.value
