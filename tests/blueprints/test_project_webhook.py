"""A project's webhook in the browser and by the API, and the jobs that listen to it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from blueprints.project_webhook import _at_github, _unreachable
from models import Job, Project, WebhookDelivery
from tests.blueprints.conftest import fields
from tests.blueprints.pages import Visitor, change, text

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
DAILY = {"name": "Daily", "frequency": "DAILY", "timeConfig": {"hour": 9}}
FORM = {
    "name": "Daily",
    "frequency": "DAILY",
    "hour": "9",
    "minute": "0",
    "timezone": "UTC",
    "allPlatforms": "on",
}


@pytest.fixture
def environ(environ):
    return environ | {"BASE_URL": "http://repocast.example"}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


def test_turning_it_on_shows_the_secret_once(visitor, rows, project, app):
    path = f"/projects/{project.id}"
    assert "Off: jobs run on their schedules" in text(visitor.get(path))
    answer = visitor.post(f"{path}/webhook")
    assert answer.status_code == 200
    shown = text(answer)
    assert f"Payload URL http://repocast.example/webhooks/github/{project.id} " in shown
    assert "Content type application/json" in shown
    assert "Pushes ( push ), Pull requests ( pull_request ), Issues ( issues ), Releases ( release )" in shown
    assert 'href="https://github.com/username/awesome-lib/settings/hooks/new"' in answer.get_data(
        as_text=True
    )
    assert "cannot reach" not in shown
    assert answer.headers["Cache-Control"] == "no-store"
    secret = re.search(r"Secret (\S+)", shown)[1]
    sealed = rows.get(Project, project.id).webhook_secret
    assert app.extensions["secret_box"].open(sealed) == secret
    again = visitor.get(path)
    assert secret not in again.get_data(as_text=True)
    assert "No delivery yet" in text(again)
    assert "no job starts on a push yet" in text(again)


def test_the_last_delivery_is_seen(visitor, rows, project):
    visitor.post(f"/projects/{project.id}/webhook")
    for hours, event in ((2, "push"), (1, "pull_request"), (3, "ping")):
        at = NOW - timedelta(hours=hours)
        rows.add(WebhookDelivery(project_id=project.id, guid=event, event=event, received_at=at))
    rows.job(project, run_on_push=True)
    page = text(visitor.get(f"/projects/{project.id}"))
    assert "Last delivery Today 8:00 AM UTC (1 h ago): pull request" in page
    assert "On: a push starts 1 job after ten quiet minutes." in page


def test_replacing_asks_first(visitor, rows, project):
    path = f"/projects/{project.id}/webhook"
    assert visitor.get(path).status_code == 303  # there is nothing to replace yet
    visitor.post(path)
    before = rows.get(Project, project.id).webhook_secret
    assert "are refused from then on" in text(visitor.get(path))
    assert rows.get(Project, project.id).webhook_secret == before
    assert visitor.post(path).status_code == 200
    assert rows.get(Project, project.id).webhook_secret != before


def test_turning_it_off(visitor, rows, project):
    path = f"/projects/{project.id}/webhook"
    visitor.post(path)
    job = rows.job(project, run_on_push=True, push_since=NOW, push_at=NOW + timedelta(minutes=10))
    assert "Its secret is deleted" in text(visitor.get(f"{path}/off"))
    assert "The webhook is off" in visitor.follow(visitor.post(f"{path}/off"))
    assert rows.get(Project, project.id).webhook_secret is None
    assert rows.get(Job, job.id).push_at is None


def test_a_local_repository_says_why_it_has_none(visitor, api, rows, project):
    change(rows, project, source_type="GIT", git_path="/srv/lib", webhook_secret="left over")
    page = text(visitor.get(f"/projects/{project.id}"))
    assert "reads a local repository, which sends no webhook" in page
    assert "Turn on" not in page
    assert "sends no webhook" in visitor.follow(visitor.post(f"/projects/{project.id}/webhook"))
    refused = api.post(f"/api/projects/{project.id}/webhook")
    assert (refused.status_code, "local repository" in refused.get_json()["error"]) == (409, True)
    assert "runOnPush" not in visitor.get(f"/projects/{project.id}/cron/new").get_data(as_text=True)
    sent = DAILY | {"projectId": project.id, "runOnPush": True}
    assert fields(api.post("/api/cron/schedule", sent)) == ["runOnPush"]


def test_nobody_elses_webhook(app, rows, project, stranger):
    other = Visitor(app, rows.user())
    for path in (f"/projects/{project.id}/webhook", f"/projects/{project.id}/webhook/off"):
        assert (other.get(path).status_code, other.post(path).status_code) == (404, 404)
    assert stranger.post(f"/api/projects/{project.id}/webhook").status_code == 404
    assert stranger.delete(f"/api/projects/{project.id}/webhook").status_code == 404
    assert rows.get(Project, project.id).webhook_secret is None


def test_by_the_api(api, rows, project, app):
    path = f"/api/projects/{project.id}"
    assert api.get(path).get_json()["data"]["hasWebhook"] is False
    made = api.post(f"{path}/webhook")
    assert made.status_code == 201
    found = made.get_json()["data"]
    secret = found.pop("secret")
    assert found == {
        "url": f"http://repocast.example/webhooks/github/{project.id}",
        "events": ["push", "pull_request", "issues", "release"],
    }
    assert app.extensions["secret_box"].open(rows.get(Project, project.id).webhook_secret) == secret
    assert api.post(f"{path}/webhook").get_json()["data"]["secret"] != secret
    assert api.get(path).get_json()["data"]["hasWebhook"] is True
    assert api.delete(f"{path}/webhook").get_json()["data"] == {"id": project.id}
    assert api.get(path).get_json()["data"]["hasWebhook"] is False


def test_a_job_listens_by_the_api(api, rows, project):
    job = api.post("/api/cron/schedule", DAILY | {"projectId": project.id, "runOnPush": True}).get_json()[
        "data"
    ]
    assert (job["runOnPush"], job["pushAt"]) == (True, None)
    path = f"/api/cron/schedules/{job['id']}"
    change(rows, rows.get(Job, job["id"]), push_since=NOW, push_at=NOW + timedelta(minutes=10))
    assert api.get(path).get_json()["data"]["pushAt"] == "2025-10-03T09:10:00.000Z"
    off = api.patch(path, {"runOnPush": False}).get_json()["data"]
    assert (off["runOnPush"], off["pushAt"]) == (False, None)
    assert fields(api.patch(path, {"runOnPush": "yes"})) == ["runOnPush"]


def test_a_job_listens_by_its_form(visitor, rows, project):
    path = f"/projects/{project.id}/cron"
    assert "Needs the project's webhook, which is off" in text(visitor.get(f"{path}/new"))
    change(rows, project, webhook_secret="sealed")
    assert "which is off" not in text(visitor.get(f"{path}/new"))
    visitor.post(f"{path}/new", FORM | {"runOnPush": "on", "isEnabled": "on", "firstRun": "7"})
    (job,) = rows.all(Job)
    assert job.run_on_push
    assert re.search(
        r'name="runOnPush"[^>]*checked', visitor.get(f"{path}/{job.id}/edit").get_data(as_text=True)
    )
    assert "On a push Runs ten minutes after the last one" in text(visitor.get(f"{path}/{job.id}"))
    visitor.post(f"{path}/{job.id}/edit", FORM | {"isEnabled": "on"})
    assert not rows.get(Job, job.id).run_on_push


def test_the_jobs_page_says_when_a_push_starts_it(visitor, rows, project):
    job = rows.job(project, run_on_push=True)
    path = f"/projects/{project.id}/cron/{job.id}"
    assert "because of a push" not in text(visitor.get(path))
    change(rows, job, push_since=NOW, push_at=NOW + timedelta(minutes=10))
    said = "A run starts on 3 Oct at 9:10 AM UTC (in 10 min) because of a push."
    assert said in text(visitor.get(path))
    rows.execution(job, status="RUNNING", outcome=None)
    assert said in text(visitor.get(path))
    change(rows, job, push_at=NOW)
    waits = "A run starts when the present one has ended, unless that tells it, because of a push."
    assert waits in text(visitor.get(path))


@pytest.mark.parametrize(
    ("api_url", "page"),
    [
        ("https://api.github.com", "https://github.com/username/awesome-lib/settings/hooks/new"),
        ("https://git.example/api/v3", "https://git.example/username/awesome-lib/settings/hooks/new"),
        ("http://git.example:8080/api/v3", "http://git.example:8080/username/awesome-lib/settings/hooks/new"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/username/awesome-lib/settings/hooks/new"),
        ("http://127.0.0.1:1234", None),
    ],
)
def test_where_githubs_page_is(project, api_url, page):
    assert _at_github(api_url, project) == page


@pytest.mark.parametrize(
    ("base_url", "reachable"),
    [
        ("https://repocast.example", True),
        ("https://8.8.8.8", True),
        ("http://localhost:5000", False),
        ("http://127.0.0.1:5000", False),
        ("http://[::1]:5000", False),
        ("http://192.168.1.5", False),
        ("http://repocast.local", False),
        ("http://server:5000", False),
    ],
)
def test_what_github_can_reach(base_url, reachable):
    assert (_unreachable(base_url) == "") is reachable


class TestOnThisMachine:
    @pytest.fixture
    def environ(self, environ):
        return environ | {"BASE_URL": "http://127.0.0.1:5000"}

    def test_it_says_that_github_cannot_reach_it(self, visitor, project):
        said = "GitHub cannot reach http://127.0.0.1:5000 from outside."
        assert said in text(visitor.get(f"/projects/{project.id}"))
        assert said in text(visitor.post(f"/projects/{project.id}/webhook"))
