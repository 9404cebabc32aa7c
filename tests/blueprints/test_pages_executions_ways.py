"""Where an execution's page leads: neighbours, remedies, raw JSON, receipt."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.pages import Visitor, attempt, step, text

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def job(rows, user):
    project = rows.project(user)
    rows.platform(project, "DEVTO")
    return rows.job(project)


def test_its_neighbours_and_its_retry_are_linked(visitor, rows, job):
    first, middle, last = (
        rows.execution(job, created_at=AT + timedelta(hours=hours), status="FAILED", outcome="FAILED")
        for hours in range(3)
    )
    retried = rows.execution(job, created_at=AT + timedelta(hours=4), retry_of=middle.id)
    body = visitor.get(f"/executions/{middle.id}").get_data(as_text=True)
    assert f'href="/executions/{first.id}" rel="prev"' in body
    assert f'href="/executions/{last.id}" rel="next"' in body
    assert f'href="/executions/{retried.id}">The retry of it' in body
    assert "Previous execution" not in text(visitor.get(f"/executions/{first.id}"))
    assert "An earlier execution" in text(visitor.get(f"/executions/{retried.id}"))


@pytest.mark.parametrize(
    ("status", "failed", "remedy"),
    [
        ("FAILED", {"name": "scan"}, "Check the repository and its token"),
        ("RETRYING", {"name": "scan"}, "Check the repository and its token"),
        ("FAILED", {"name": "write", "permanent": True}, "Check the project's platforms and budget"),
        ("FAILED", {"name": "write", "permanent": False}, None),
        ("FAILED", None, "Check the project's platforms and budget"),
        ("TIMEOUT", {"name": "scan"}, "Change the job's time limit"),
        ("CANCELLED", {"name": "scan"}, None),
    ],
)
def test_what_failed_decides_what_helps(visitor, rows, job, status, failed, remedy):
    outcome = None if status == "RETRYING" else status
    execution = rows.execution(job, status=status, outcome=outcome, error="Bad", attempt=1)
    attempt(rows, execution, 1, status="FAILED", started_at=AT, completed_at=AT)
    if failed:
        step(rows, execution, **failed, platform_type="DEVTO", status="FAILED", started_at=AT)
    page = text(visitor.get(f"/executions/{execution.id}"))
    labels = ("Check the repository", "Check the project's", "Change the job's")
    assert [label for label in labels if label in page] == [one for one in labels if one in (remedy or "")]


def test_a_dry_run_says_so_and_is_run_for_real(visitor, rows, job):
    execution = rows.execution(job, dry_run=True)
    page = visitor.get(f"/executions/{execution.id}")
    assert "No draft is stored" in text(page)
    assert "Run it for real" in text(page)
    assert f"/cron/{job.id}/trigger" in page.get_data(as_text=True)


def test_the_receipt_tells_what_was_done(visitor, rows, job):
    execution = rows.execution(job, summary="2 commits", window_since=AT, window_until=AT)
    attempt(rows, execution, 1, status="COMPLETED", started_at=AT, completed_at=AT)
    draft = rows.draft(execution, "DEVTO", usage={"model": "m", "prompt": "7", "prompt_tokens": 5})
    answer = visitor.get(f"/executions/{execution.id}/receipt.json")
    kept = json.loads(answer.get_data(as_text=True))
    assert answer.headers["Content-Disposition"].endswith(f'"repocast-receipt-{execution.id}.json"')
    assert kept["job"]["id"] == job.id
    assert kept["execution"]["id"] == execution.id
    assert kept["execution"]["attempts"][0]["number"] == 1
    assert kept["posts"][0]["draftId"] == draft.id
    assert (kept["posts"][0]["usage"]["model"], kept["posts"][0]["usage"]["prompt"]) == ("m", "7")
    assert kept["mails"] == []


def test_the_raw_json_is_the_apis_and_cut_when_long(visitor, rows, job, monkeypatch):
    execution = rows.execution(job)
    whole = visitor.get(f"/executions/{execution.id}/execution.json").get_data(as_text=True)
    assert json.loads(whole) == visitor.get(f"/api/executions/{execution.id}").json["data"]
    assert f'"id": "{execution.id}"' in text(visitor.get(f"/executions/{execution.id}/raw"))
    monkeypatch.setattr("blueprints.pages_receipt.LINES", 3)
    assert "more lines are in the file" in text(visitor.get(f"/executions/{execution.id}/raw"))


@pytest.mark.parametrize("part", ["raw", "execution.json", "receipt.json"])
def test_they_are_their_owners_alone(app, rows, job, part):
    execution = rows.execution(job)
    stranger = Visitor(app, rows.user())
    assert stranger.get(f"/executions/{execution.id}/{part}").status_code == 404
