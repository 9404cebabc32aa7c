"""The connection's test on pages and in the API, and what a project's page says of token and limit."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.pages import Visitor, text, value
from tests.standins.github import GitHubStandIn, awesome_lib

pytestmark = pytest.mark.loopback

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
FORM = {
    "name": "",
    "sourceType": "GITHUB",
    "githubRepoOwner": "username",
    "githubRepoName": "awesome-lib",
    "tone": "Dry",
    "platforms": ["DEVTO"],
}
WORKS = "Works: username/awesome-lib (public) can be read"


@pytest.fixture
def github():
    with GitHubStandIn(awesome_lib(), server_time=NOW) as server:
        server.token_expires = "2025-10-13 09:00:00 UTC"
        server.reset = NOW + timedelta(minutes=5)
        yield server


@pytest.fixture
def environ(environ, github):
    return environ | {"GITHUB_API_URL": github.url}


@pytest.fixture(autouse=True)
def fresh_limits(app) -> None:
    """Every test may look ten times."""
    from blueprints.extensions import limiter

    limiter.reset()


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(app, rows, user):
    sealed = app.extensions["secret_box"].seal("ghp_stored")
    return rows.project(user, github_token=sealed)


def sent_token(github: GitHubStandIn) -> set[str | None]:
    return {request.headers.get("authorization") for request in github.requests}


def test_the_page_says_what_works_and_keeps_what_it_learned(visitor, rows, project, github):
    page = text(visitor.post(f"/projects/{project.id}/test"))
    assert f"{WORKS} as octo-maintainer; the token expires on 13 October 2025 (in 10 days)" in page
    stored = rows.get(type(project), project.id)
    assert stored.token_expires_at == NOW + timedelta(days=10)
    assert stored.github_id
    assert sent_token(github) == {"Bearer ghp_stored"}
    assert "Stored, never shown Expires soon: 13 Oct at 9:00 AM UTC (in 10 days)" in page
    assert "GitHub allows 4,994 of 5,000 until 3 Oct at 9:05 AM UTC as of the last look, just now" in page
    assert "ghp_stored" not in page


def test_htmx_gets_the_repository_alone(visitor, project):
    answer = visitor.post(f"/projects/{project.id}/test", htmx=True)
    body = answer.get_data(as_text=True).strip()
    assert body.startswith('<section class="paper" id="repository">')
    assert "</html>" not in body
    assert WORKS in text(answer)


def test_a_refusal_is_said_and_changes_nothing(visitor, rows, project, github):
    github.bad_tokens = ("ghp_stored",)
    page = text(visitor.post(f"/projects/{project.id}/test"))
    assert "GitHub API error: Bad credentials – the token is wrong, expired or revoked" in page
    assert rows.get(type(project), project.id).github_id is None


def test_a_secret_that_no_key_opens(visitor, rows, user):
    project = rows.project(user, github_token="sealed elsewhere")
    assert "Enter the secret again." in text(visitor.post(f"/projects/{project.id}/test"))


def test_a_new_form_is_tested_as_typed_and_stored_nowhere(visitor, rows, github):
    from models import Project

    answer = visitor.post("/projects/new/test", FORM | {"githubToken": "ghp_typed"})
    assert answer.status_code == 200
    assert WORKS in text(answer)
    assert "still stands in the tab before this one" in text(answer)
    assert (value(answer, "githubRepoOwner"), value(answer, "tone")) == ("username", "Dry")
    assert 'action="/projects/new"' in answer.get_data(as_text=True)
    assert "ghp_typed" not in answer.get_data(as_text=True)
    assert rows.all(Project) == []
    assert sent_token(github) == {"Bearer ghp_typed"}


def test_htmx_gets_the_sentence_alone(visitor):
    answer = visitor.post("/projects/new/test", FORM, htmx=True)
    assert answer.get_data(as_text=True).startswith('<div id="tested" role="status">')
    assert f"{WORKS} without a token" in text(answer)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_form_that_names_no_repository(visitor, github, htmx):
    answer = visitor.post(
        "/projects/new/test", FORM | {"githubRepoName": "a/b", "name": "x" * 300}, htmx=htmx
    )
    assert answer.status_code == 422
    assert "Repository: Must be the name alone, without a slash" in text(answer)
    assert github.requests == []


def test_an_edited_form_uses_the_stored_token_unless_another_is_typed(visitor, rows, project, github):
    answer = visitor.post(f"/projects/{project.id}/edit/test", FORM)
    assert WORKS in text(answer)
    assert rows.get(type(project), project.id).token_expires_at is not None
    visitor.post(f"/projects/{project.id}/edit/test", FORM | {"githubToken": "ghp_typed"})
    visitor.post(f"/projects/{project.id}/edit/test", FORM | {"removeToken": "on"})
    assert sent_token(github) == {"Bearer ghp_stored", "Bearer ghp_typed", None}
    assert rows.get(type(project), project.id).github_token == project.github_token


def test_a_test_of_another_repository_is_not_kept(visitor, rows, project, github):
    github.moved = {"other/one": "username/awesome-lib"}
    page = text(
        visitor.post(
            f"/projects/{project.id}/edit/test", FORM | {"githubRepoOwner": "other", "githubRepoName": "one"}
        )
    )
    assert "it was called other/one before" in page
    assert rows.get(type(project), project.id).github_id is None


def test_strangers_get_nothing(app, clock, rows, project, github):
    other = Visitor(app, rows.user())
    for path in ("test", "edit/test"):
        assert other.post(f"/projects/{project.id}/{path}", FORM).status_code == 404
    nobody = Visitor(app)
    assert nobody.post("/projects/new/test", FORM).status_code == 303
    assert nobody.post("/projects/new/test", FORM, token="x").status_code == 400
    assert github.requests == []


def test_ten_looks_a_minute_each_owner(app, visitor, rows, project):
    answers = [visitor.post(f"/projects/{project.id}/test").status_code for _ in range(6)]
    answers += [visitor.post("/projects/new/test", FORM).status_code for _ in range(5)]
    assert answers == [200] * 10 + [429]
    assert Visitor(app, rows.user()).post("/projects/new/test", FORM).status_code == 200


def test_no_transaction_is_open_while_github_is_asked(visitor, rows, project, github):
    """Whoever writes meanwhile need not wait."""
    seen = []
    answer = github.handle

    def while_asked(request):
        seen.append(rows.user().id)
        return answer(request)

    github.handle = while_asked
    assert WORKS in text(visitor.post(f"/projects/{project.id}/test"))
    assert len(seen) == 6


def test_the_api(api, app, rows, user, github):
    project = rows.project(user, github_token=app.extensions["secret_box"].seal("ghp_stored"))
    github.permissions = {"contents=read", "pull_requests=read"}
    data = api.post(f"/api/projects/{project.id}/test").get_json()["data"]
    assert data == {
        "works": False,
        "sentence": data["sentence"],
        "lacks": ["issues=read"],
        "tokenExpiresAt": "2025-10-13T09:00:00.000Z",
        "budget": {
            "limit": 5000,
            "remaining": 4994,
            "reset": "2025-10-03T09:05:00.000Z",
            "at": "2025-10-03T09:00:00.000Z",
        },
    }
    assert data["sentence"].startswith("The token lacks issues=read: closed issues cannot be read")
    shown = api.get(f"/api/projects/{project.id}").get_json()["data"]
    assert (shown["tokenExpiresAt"], shown["githubBudget"]) == (data["tokenExpiresAt"], data["budget"])


def test_the_api_on_what_fails(api, stranger, rows, user, github):
    project = rows.project(user, github_repo_name="gone")
    data = api.post(f"/api/projects/{project.id}/test").get_json()["data"]
    assert (data["works"], data["lacks"], data["tokenExpiresAt"], data["budget"]) == (False, [], None, None)
    assert "Either username/gone does not exist, or it is private." in data["sentence"]
    assert stranger.post(f"/api/projects/{project.id}/test").status_code == 404
    for _ in range(9):
        api.post(f"/api/projects/{project.id}/test")
    assert api.post(f"/api/projects/{project.id}/test").status_code == 429


# What the page says without asking


def about(visitor: Visitor, rows, user, **values) -> str:
    page = text(visitor.get(f"/projects/{rows.project(user, **values).id}"))
    return page[page.index("Repository GitHub") :]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (NOW + timedelta(days=15), "Stored, never shown Expires 18 Oct at 9:00 AM UTC (in 15 days)"),
        (NOW + timedelta(days=14), "Expires soon: 17 Oct at 9:00 AM UTC (in 14 days)"),
        (NOW - timedelta(hours=2), "Expired: 3 Oct at 7:00 AM UTC (2 h ago)"),
    ],
)
def test_when_the_token_ends(visitor, rows, user, end, said):
    assert said in about(visitor, rows, user, github_token="sealed", token_expires_at=end)


def budget(remaining: int, reset: datetime) -> dict:
    return {"limit": 5000, "remaining": remaining, "reset": reset.isoformat(), "at": NOW.isoformat()}


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (
            budget(4321, NOW + timedelta(minutes=5)),
            "GitHub allows 4,321 of 5,000 until 3 Oct at 9:05 AM UTC as of the last look, just now",
        ),
        (budget(0, NOW + timedelta(minutes=5)), "Used up: GitHub allows 0 of 5,000 until"),
        (
            budget(0, NOW - timedelta(minutes=5)),
            "Requests GitHub allowed 5,000 until 3 Oct at 8:55 AM UTC, of which 0 were left; since then it"
            " allows 5,000 anew as of the last look, just now",
        ),
    ],
)
def test_what_the_limit_left(visitor, rows, user, left, said):
    assert said in about(visitor, rows, user, github_budget=left)


def test_nothing_known(visitor, rows, user):
    page = about(visitor, rows, user)
    assert "None: public repositories, at a low rate limit" in page
    assert "Requests" not in page
    assert "Expire" not in page
    local = rows.project(user, source_type="GIT", git_path="lib", token_expires_at=NOW)
    assert "Token" not in text(visitor.get(f"/projects/{local.id}"))


class TestCommonToken:
    @pytest.fixture
    def environ(self, environ):
        return environ | {"GITHUB_TOKEN": "ghp_common"}

    def test_it_is_used_and_said(self, visitor, rows, user, github):
        project = rows.project(user)
        page = text(visitor.post(f"/projects/{project.id}/test"))
        assert "None of its own: this instance's is used" in page
        assert sent_token(github) == {"Bearer ghp_common"}
        assert rows.get(type(project), project.id).token_expires_at is not None


# Elsewhere on the pages


def test_a_local_repository(visitor, rows, user):
    project = rows.project(user, source_type="GIT", git_path="lib")
    page = text(visitor.post(f"/projects/{project.id}/test"))
    assert "GIT_ROOT must name the folder they lie in" in page
    assert "Requests" not in page


def test_the_announcement_leads_to_the_project(visitor, api, rows, user):
    from models import Notification

    project = rows.project(user)
    about = {"title": "The GitHub token of Lib expires in 7 days", "message": "Make a new one."}
    rows.add(
        Notification(user_id=user.id, type="TOKEN_EXPIRES", link=f"/projects/{project.id}/edit", **about)
    )
    page = visitor.get("/notifications")
    assert "Token expires unread The GitHub token of Lib expires in 7 days Make a new one." in text(page)
    assert f'href="/projects/{project.id}/edit"' in page.get_data(as_text=True)
    assert "See the execution" not in text(page)
    (shown,) = api.get("/api/notifications").get_json()["data"]
    assert (shown["type"], shown["executionId"]) == ("TOKEN_EXPIRES", None)


def test_an_error_and_what_helps_come_apart(visitor, api, rows, user):
    whole = "GitHub API error: Bad credentials – the token is wrong: enter a new one"
    job = rows.job(rows.project(user))
    failed = rows.execution(job, status="FAILED", outcome="FAILED", error=whole)
    shown = api.get(f"/api/executions/{failed.id}").get_json()["data"]
    assert shown["error"] == "GitHub API error: Bad credentials"
    assert shown["remedy"] == "the token is wrong: enter a new one"
    page = text(visitor.get(f"/executions/{failed.id}"))
    assert "GitHub API error: Bad credentials" in page
    assert "The token is wrong: enter a new one" in page
    fine = rows.execution(job)
    shown = api.get(f"/api/executions/{fine.id}").get_json()["data"]
    assert (shown["error"], shown["remedy"]) == (None, None)
