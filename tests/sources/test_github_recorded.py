"""The GitHub source on real activity and on answers that GitHub once gave; both lie beside the checkout.

Every recording is replayed here through the client, or a reason says why none of it is asked for.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from lib.errors import parted
from sources.base import Caps, Known, SourceError
from sources.github import GitHub
from sources.github_api import Api
from sources.github_commits import Branch, _came_from
from sources.github_errors import GitHubError
from sources.github_shapes import Reader, repository
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
KEPT = {
    *("content-type", "date", "etag", "link", "location", "retry-after", "gh-limited-by"),
    *("x-oauth-scopes", "x-accepted-oauth-scopes", "x-accepted-github-permissions"),
    "github-authentication-token-expiration",
}
READER = Reader(10_000)
START = datetime(2010, 1, 1, tzinfo=UTC)
# Whole files that do not concern the app, and why.
NOT_ASKED = {
    "git_refs": "/git/refs: a branch's head comes with its commits, or from /branches",
}
NOT_YET = {
    "devto.json": "nothing is published yet, so Dev.to has no client",
    "hashnode.json": "nothing is published yet, so Hashnode has no client",
    "linkedin.json": "nothing is published yet, so LinkedIn has no client",
}


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
    assert activity.requests == len(server.requests) >= 5 + len(activity.commits)


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
    found = listed(
        replayed("commits_since_until_2013"), "/repos/PyGithub/PyGithub/commits", READER.commit, **params
    )
    assert len(found.items) == len({c.sha for c in found.items}) == 30 + 17
    assert found.date == datetime(2013, 8, 19, 21, 22, 58, tzinfo=UTC)
    assert all(c.date.month == 3 and c.author.name and c.url for c in found.items)


def test_commits_of_a_branch(replayed):
    server = replayed("commits_list_then_files_paged")
    server.answers = {key: value for key, value in server.answers.items() if "commits/" not in key[0]}
    for responses in server.answers.values():
        for response in responses:
            response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() != "link"}
    found = listed(
        server, "/repos/PyGithub/PyGithub/commits", READER.commit, sha="release-v2-0", per_page="2"
    )
    assert [bool(c.author.login) and not c.author.is_bot for c in found.items] == [True, True]
    assert found.items[0].parents


def test_files_of_a_commit_over_pages(shared_data):
    pages = interactions(shared_data, "commit_get_large_change")
    with Replay() as server, Api(server.url, None) as api:
        server.fail_always("/large", server.answer(pages[0]["response"]))
        files, more = api.files("/large", 100)
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
        replayed("issues_closed"), "/repos/PyGithub/PyGithub/issues", READER.issue, state="closed", type="*"
    )
    assert found.items
    assert all(i.closed_at.tzinfo and i.title and i.author and i.url for i in found.items)


def test_pull_requests_in_the_issue_list_are_no_issues(shared_data):
    raws = interactions(shared_data, "issues_with_pull_requests")[0]["response"]["body"]
    closed = [raw for raw in raws if raw["closed_at"] and "pull_request" not in raw]
    assert [i.number for raw in raws if (i := READER.issue(raw))] == [raw["number"] for raw in closed]


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
    found = listed(server, path, READER.pull, **params)
    assert [p.number for p in found.items] == [raw["number"] for raw in raws if raw["merged_at"]]


def test_a_merged_pull_request(shared_data):
    raw = interactions(shared_data, "pull_get_merged")[0]["response"]["body"]
    found = READER.pull(raw)
    assert found is not None
    assert (found.number, found.merge_sha) == (3370, raw["merge_commit_sha"])
    assert found.author is not None
    assert found.author.login == raw["user"]["login"]


def test_releases_over_three_pages(replayed):
    server = replayed("releases_three_pages")
    found = listed(server, "/repos/PyGithub/PyGithub/releases", READER.release, per_page="10")
    assert len(server.requests) == 3
    assert len({r.tag for r in found.items}) == len(found.items) > 20
    assert all(r.name and r.published_at.tzinfo for r in found.items)


def test_releases_on_one_page(replayed):
    server = replayed("releases_single_page")
    found = listed(server, "/repos/sigmavirus24/github3.py/releases", READER.release, per_page="100")
    assert len(found.items) == 2


@pytest.mark.parametrize("name", ["repo_301_2018", "repo_301_recent", "repo_renamed_301"])
def test_a_recorded_rename_is_followed(replayed, shared_data, name):
    server = replayed(name)
    pairs = interactions(shared_data, name)
    with Api(server.url, None) as api:
        answer = api.ask(urlsplit(pairs[0]["request"]["url"]).path)
        assert api.read(answer)["full_name"] == pairs[1]["response"]["body"]["full_name"]
        assert api.requests == 2


# One repository and its comparisons


class Pages(StandIn):
    """Gives a recorded comparison page by page, whatever its size, and one branch's head."""

    def __init__(self, responses: list[dict], head: str = "") -> None:
        super().__init__()
        self.responses, self.head = responses, head

    def handle(self, request: Request) -> Answer:
        if "/branches/" in request.path:
            return Answer(200, {"name": request.path.rpartition("/")[2], "commit": {"sha": self.head}})
        response = self.responses[int(request.query["page"]) - 1]
        return Answer(response["status"], response["body"], headers(response, self.url))


def interactions(shared_data: Path, name: str) -> list[dict]:
    return json.loads((shared_data / "recorded" / f"{name}.json").read_text())["interactions"]


@pytest.mark.parametrize(
    ("name", "which", "total", "status", "commits"),
    [
        ("compare_ahead_single", [0], 4, "ahead", [4]),
        ("compare_ahead_two_pages", [0, 1], 4, "ahead", [3, 1]),
        ("compare_diverged", [0], 1256, "diverged", [3]),
        ("compare_large_431", [0], 431, "ahead", [1]),
        ("compare_large_431", [1, 2, 3, 4, 5], 431, "ahead", [1, 1, 1, 1, 1]),
        ("compare_unpaged_vs_paged", [0], 1, "ahead", [1]),
        ("compare_unpaged_vs_paged", [1], 1, "ahead", [1]),
    ],
)
def test_pages_of_a_comparison(shared_data, name, which, total, status, commits):
    responses = [interactions(shared_data, name)[number]["response"] for number in which]
    with Pages(responses) as server, Api(server.url, None) as api:
        branch = Branch(api, "/repos/o/r", "main", READER, Caps())
        pages = [branch._page("base", "head", number) for number in range(1, len(which) + 1)]
    assert {(page.status, page.total) for page in pages} == {(status, total)}
    assert [len(page.commits) for page in pages] == commits
    raws = [raw for response in responses for raw in response["body"]["commits"]]
    assert [one.sha for page in pages for one, _ in page.commits] == [raw["sha"] for raw in raws]
    assert {page.merge_base for page in pages} == {responses[0]["body"]["merge_base_commit"]["sha"]}


@pytest.mark.parametrize("name", ["compare_ahead_single", "compare_unpaged_vs_paged"])
def test_commits_after_the_last_head(shared_data, name):
    response = interactions(shared_data, name)[0]["response"]
    with Pages([response]) as server, Api(server.url, None) as api:
        found = Branch(api, "/repos/o/r", "main", READER, Caps()).after("base", START)
    shas = [raw["sha"] for raw in response["body"]["commits"]]
    assert [one.sha for one in found.commits] == shas[::-1]
    assert (found.head, found.cuts) == (shas[-1], ())


def test_commits_after_the_last_head_over_two_pages(shared_data):
    responses = [one["response"] for one in interactions(shared_data, "compare_ahead_two_pages")]
    shas = [raw["sha"] for response in responses for raw in response["body"]["commits"]]
    # The recording's pages have three commits; the client asks for hundred, and by the number of them.
    for response in responses:
        response["body"]["total_commits"] = 101
    with Pages(responses, shas[-1]) as server, Api(server.url, None) as api:
        found = Branch(api, "/repos/o/r", "main", READER, Caps()).after("base", START)
    assert [one.sha for one in found.commits] == shas[::-1]
    assert found.head == shas[-1]


def test_a_repository(shared_data):
    response = interactions(shared_data, "repo_get")[0]["response"]
    about = repository(response["body"])
    assert (about.id, about.full_name) == (103703892, "octokit-fixture-org/hello-world")
    assert about.default_branch == response["body"]["default_branch"]


def test_an_unchanged_repository(replayed, shared_data):
    """The second answer is 304 to the first one's ETag, without a body."""
    first = interactions(shared_data, "conditional_304")[0]["response"]
    etag = {k.lower(): v for k, v in first["headers"].items()}["etag"]
    server = replayed("conditional_304")
    with Api(server.url, None) as api:
        answer = api.ask("/repos/akfish/PyGithub")
        assert (answer.status, answer.headers["etag"]) == (200, etag)
        assert repository(api.read(answer)).id == 12156762
    activity = GitHub(server.url, "akfish", "PyGithub").scan(
        START, base="a" * 40, known=Known(12156762, etag)
    )
    assert activity.unchanged
    assert activity.window.until == datetime(2013, 8, 22, 2, 13, 10, tzinfo=UTC)
    assert server.requests[-1].headers["if-none-match"] == etag


def test_a_502_that_passes(replayed):
    server = replayed("error_502_then_200")
    with Api(server.url, None) as api:
        with pytest.raises(GitHubError) as caught:
            api.read(api.ask("/repos/PyGithub/PyGithub"))
        assert (caught.value.status, caught.value.permanent) == (502, False)
        assert repository(api.read(api.ask("/repos/PyGithub/PyGithub"))).id == 3544490


@pytest.mark.parametrize(
    ("name", "size", "more"), [("commit_get_files_paged", 3, 1), ("commits_list_then_files_paged", 2, 1)]
)
def test_files_over_pages(shared_data, name, size, more):
    answers = [one["response"] for one in interactions(shared_data, name)]
    response = next(one for one in answers if isinstance(one["body"], dict))
    with Replay() as server, Api(server.url, None) as api:
        server.fail_always("/commit", server.answer(response))
        files, beyond = api.files("/commit", size)
    assert [one.path for one in files] == [raw["filename"] for raw in response["body"]["files"]]
    assert (len(files), beyond) == (size, more)


def test_pull_requests_of_a_commit(shared_data):
    pair = interactions(shared_data, "commit_pulls")[1]
    sha, raws = urlsplit(pair["request"]["url"]).path.split("/")[-2], pair["response"]["body"]
    with Replay() as server, Api(server.url, None) as api:
        server.fail_always(f"/commits/{sha}/pulls", server.answer(pair["response"]))
        found = READER.commit(interactions(shared_data, "commit_pulls")[0]["response"]["body"])
        assert found.sha == sha
        assert _came_from(api, "/repos/sigmavirus24/github3.py", found, raws[0]["number"])
        assert not _came_from(api, "/repos/sigmavirus24/github3.py", found, 0)


@pytest.mark.parametrize(
    ("name", "limit", "remaining", "expires"),
    [
        ("rate_limit", 5000, 4904, datetime(2023, 6, 14, 22, 9, 46, tzinfo=UTC)),
        ("issues_closed", 5000, None, datetime(2025, 10, 19, 5, 18, 25, tzinfo=UTC)),
        ("repo_301_recent", 5000, None, datetime(2023, 6, 8, 6, 12, 6, tzinfo=UTC)),
        ("repo_get", 5000, 4962, None),
        ("conditional_304", 5000, 4988, None),
        ("releases_single_page", None, None, None),
    ],
)
def test_what_the_headers_tell(shared_data, name, limit, remaining, expires):
    """The budget left, and both ways in which the end of a token was written."""
    response = interactions(shared_data, name)[0]["response"]
    with Replay() as server, Api(server.url, None) as api:
        answer = server.answer(response)
        server.fail_always(
            "/", Answer(200, answer.body, {k: v for k, v in answer.headers.items() if k != "location"})
        )
        api.ask("/any")
        assert api.token_expires == expires
        told = "x-ratelimit-reset" in answer.headers
        assert (api.budget is not None) is told
        if api.budget and limit:
            assert api.budget.limit == limit
            assert remaining in (None, api.budget.remaining)


# Refusals

TOKEN = "ghp_of_the_test"
ENTER = "in the project's settings"
BY_ITSELF = "runs wait by themselves"
REFUSALS = [  # file, which of its answers, permanent, retry_after, what the sentence has
    (
        "error_401_bad_credentials_2012",
        0,
        False,
        None,
        ["Bad credentials", "wrong, expired or revoked", ENTER],
    ),
    ("error_401_modern", 0, False, None, ["must be a numeric value", "wrong, expired or revoked", ENTER]),
    (
        "error_403_429_secondary_STUBS",
        0,
        False,
        60,
        ["secondary rate limit", "wants a pause until", BY_ITSELF],
    ),
    (
        "error_403_429_secondary_STUBS",
        1,
        False,
        8,
        ["secondary rate limit", "wants a pause until", BY_ITSELF],
    ),
    (
        "error_403_429_secondary_STUBS",
        2,
        False,
        30,
        ["Must have push access", "wants a pause until", BY_ITSELF],
    ),
    (
        "error_403_abuse_secondary_2018",
        0,
        False,
        60,
        ["abuse detection", "pause until 06:17:56 UTC", BY_ITSELF],
    ),
    ("error_403_forbidden", 0, False, None, ["You must be an admin", "give it read access", ENTER]),
    ("error_403_no_user_agent", 0, False, None, ["Missing or invalid User Agent", "give it read access"]),
    ("error_403_rate_limit_anonymous", 0, False, 60, ["All 60 requests", "until 12:24:56 UTC", BY_ITSELF]),
    ("error_404_2012", 0, False, None, ["Either jacquev6/Xxx does not exist", "check owner and name"]),
    ("error_404_branch_not_protected", 0, False, None, ["Branch not protected", "check owner and name"]),
    ("error_409_404_modern", 1, False, None, ["Branch not found", "Either Felixoid/PyGithub does not exist"]),
    ("error_409_404_modern", 2, False, None, ["Nothing is in it yet", "push a first commit"]),
    ("error_422_validation", 0, True, None, ["It does not take color (invalid)", "check the project's"]),
    ("error_502_then_200", 0, False, None, ["HTTP 502", "in trouble", "passes by itself"]),
    (
        "error_503_non_json",
        0,
        False,
        None,
        ["HTTP 503 without a JSON answer", "in trouble", "passes by itself"],
    ),
]


@pytest.mark.parametrize(
    ("name", "number", "permanent", "retry_after", "said"),
    REFUSALS,
    ids=[f"{name}-{number}" for name, number, *_ in REFUSALS],
)
def test_recorded_refusals(shared_data, name, number, permanent, retry_after, said):
    pair = interactions(shared_data, name)[number]
    response, path = pair["response"], urlsplit(pair["request"]["url"]).path
    error = refused(path, response["status"], response["body"], headers(response))
    assert (error.status, error.permanent, error.retry_after) == (response["status"], permanent, retry_after)
    names_cause_and_remedy(error, said)


DESCRIBED = {  # the start of `when`: permanent, retry_after, what the sentence has
    "any request, bad token": (False, None, ["Bad credentials", "wrong, expired or revoked", ENTER]),
    "GET /repos/o/r unknown": (False, None, ["Either o/r does not exist", "check owner and name"]),
    "GET /repos/o/r/commits on an empty": (False, None, ["Nothing is in it yet", "push a first commit"]),
    "GET compare when there is no": (False, None, ["No common ancestor", "check owner and name"]),
    "GET compare when BASE": (False, None, ["Not Found", "check owner and name"]),
    "repository taken down": (True, None, ["blocked it by law", "github/dmca/blob", "only GitHub can lift"]),
    "repository blocked for terms": (
        False,
        None,
        ["breaking its terms", "github.com/tos", "only GitHub can lift"],
    ),
    "primary rate limit": (False, 1802, ["All 60 requests", "used up until 15:41 UTC", BY_ITSELF]),
    "secondary rate limit": (False, 60, ["wants a pause until 15:12:06 UTC", BY_ITSELF]),
    "fine-grained token lacks": (
        False,
        None,
        ["lacks contents=read", "add Contents: Read-only to the token"],
    ),
    "more than ~10 s": (False, None, ["Server Error", "in trouble (HTTP 502)", "passes by itself"]),
    "load balancer": (False, None, ["HTTP 503 without a JSON answer", "passes by itself"]),
    "unknown X-GitHub-Api-Version": (True, None, ["does not understand", "ends in /api/v3"]),
}


def test_described_refusals(shared_data):
    """errors/github.json, case by case."""
    cases = json.loads((shared_data / "errors" / "github.json").read_text())
    left = dict(DESCRIBED)
    for case in cases:
        (when,) = [when for when in DESCRIBED if case["when"].startswith(when)]
        permanent, retry_after, said = left.pop(when)
        # Half an hour before the reset that one of them names.
        date = {"date": "Tue, 20 Aug 2013 15:11:06 GMT"}
        error = refused("/repos/o/r", case["status"], case["body"], date | case.get("headers", {}))
        assert (error.status, error.permanent, error.retry_after) == (case["status"], permanent, retry_after)
        names_cause_and_remedy(error, said)
    assert left == {}


def refused(path: str, status: int, body: object, headers: dict[str, str]) -> GitHubError:
    """What the client makes of it, asked alone; where a scan meets it, it is the same."""
    with StandIn() as server:
        server.fail_always("/", Answer(status, body, headers))
        with Api(server.url, TOKEN) as api, pytest.raises(GitHubError) as caught:
            api.read(api.ask(path))
        if status != 409:  # nothing there, see test_github.py
            with pytest.raises(SourceError) as scanned:
                GitHub(server.url, "o", "r", token=TOKEN).scan(datetime(2025, 10, 2, tzinfo=UTC))
            same = (scanned.value.permanent, scanned.value.retry_after)
            assert same == (caught.value.permanent, caught.value.retry_after)
            assert parted(scanned.value.message)[1] == parted(caught.value.message)[1]
    return caught.value


def names_cause_and_remedy(error: GitHubError, said: list[str]) -> None:
    happened, remedy = parted(error.message)
    assert happened.startswith("GitHub API error: ")
    assert remedy
    for words in said:
        assert words in error.message
    assert TOKEN not in error.message
    assert error.message.isprintable()
    assert len(error.message) < 700


# Nothing forgotten


def test_every_recording_is_replayed_or_has_its_reason(shared_data):
    here = Path(__file__).read_text()
    recorded = {file.stem for file in (shared_data / "recorded").glob("*.json")}
    assert {name for name in recorded if f'"{name}"' not in here} == set()
    assert NOT_ASKED.keys() < recorded
    described = {file.name for file in (shared_data / "errors").glob("*.json")}
    assert described == {"github.json", *NOT_YET}
