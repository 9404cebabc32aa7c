"""The page of an execution, by state, and what may be done there."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, attempt, change, step, text

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ACTIVITY = {
    "repository": "username/awesome-lib",
    "url": "https://github.com/username/awesome-lib",
    "window": {"since": "2025-10-02T09:00:00Z", "until": "2025-10-03T09:00:02Z"},
    "requests": 7,
    "commits": [
        {
            "sha": "abc1234567",
            "message": f"{HOSTILE} Add TypeScript\n\nsupport",
            "author": {"name": "John <b>Doe</b>", "login": "john"},
            "date": "2025-10-02T14:30:00Z",
            "url": "javascript:alert(1)",
        },
        {
            "sha": "def4567890",
            "message": "Update documentation",
            "author": {"name": "Jane Smith"},
            "date": "2025-10-02T16:45:00Z",
            "url": "https://github.com/username/awesome-lib/commit/def4567890",
        },
    ],
    "pulls": [{"number": 42, "title": "Add CI/CD pipeline", "merged_at": "2025-10-02T18:00:00Z"}],
    "issues": [{"number": 15, "title": "Support Node 18", "closed_at": "2025-10-02T15:30:00Z"}],
    "releases": [{"tag": "v1.0", "name": "", "published_at": "2025-10-02T19:00:00Z"}],
}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def job(rows, user):
    project = rows.project(user)
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        rows.platform(project, kind)
    return rows.job(project)


@pytest.fixture
def told(rows, job):
    """A finished execution with everything in it: two posts, one failure."""
    execution = rows.execution(
        job,
        outcome="PARTIAL",
        triggered_by="scheduled",
        scheduled_for=AT - timedelta(seconds=2),
        started_at=AT,
        completed_at=AT + timedelta(seconds=14),
        duration=14000,
        items_processed=3,
        items_success=2,
        items_failed=1,
        summary="2 commits, 1 merged PR, 1 closed issue, 1 release",
        window_since=AT - timedelta(days=1),
        window_until=AT,
        attempt=1,
    )
    drafts = {
        "HASHNODE": rows.draft(execution, "HASHNODE", title=HOSTILE, content=f"# Notes\n{HOSTILE}"),
        "LINKEDIN": rows.draft(execution, "LINKEDIN", title="", content="Plain & simple", tags=[]),
    }
    results = [
        {"platformType": kind, "success": True, "error": None, "draftId": draft.id, "platformId": "p"}
        for kind, draft in drafts.items()
    ]
    results.append(
        {
            "platformType": "DEVTO",
            "success": False,
            "error": "API rate limit",
            "draftId": None,
            "platformId": "p",
        }
    )
    change(rows, execution, output={"activity": {}, "results": results})
    attempt(rows, execution, 1, status="COMPLETED", started_at=AT, duration=14000)
    step(rows, execution, "scan", status="COMPLETED", started_at=AT, duration=4000, result=ACTIVITY)
    step(
        rows,
        execution,
        "write",
        platform_type="DEVTO",
        status="FAILED",
        started_at=AT + timedelta(seconds=4),
        duration=6000,
        error="API rate limit",
    )
    return execution


def test_a_finished_execution_tells_everything(visitor, told):
    page = text(visitor.get(f"/executions/{told.id}"))
    assert "2 of 3 posts written; Dev.to failed." in page
    assert "Started 3 Oct 2025, 9:00:02 AM UTC" in page
    assert "from 2 Oct 2025, 9:00:02 AM UTC to 3 Oct 2025, 9:00:02 AM UTC, in 7 requests" in page
    for line in (
        "2 commits",
        "abc1234",
        "#42 Add CI/CD pipeline",
        "#15 Support Node 18",
        "v1.0",
        "Jane Smith",
    ):
        assert line in page
    assert "Plain & simple" in page
    assert "Dev.to Failed API rate limit" in page
    assert "Read the repository Done 4s" in page
    assert "Write for Dev.to Failed 6s after 4s API rate limit" in page
    assert "Retry failed platforms" in page
    assert "Cancel" not in page


def test_what_strangers_wrote_stays_text(visitor, told):
    body = visitor.get(f"/executions/{told.id}").get_data(as_text=True)
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    assert "<b>Doe" not in body
    assert 'href="javascript:' not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


@pytest.mark.parametrize(
    ("values", "said", "buttons"),
    [
        ({"status": "QUEUED", "outcome": None}, "It waits for a free worker", ["Cancel"]),
        ({"status": "RUNNING", "outcome": None}, "It records the results.", ["Cancel"]),
        (
            {
                "status": "RETRYING",
                "outcome": None,
                "error": "Bad",
                "next_retry_at": AT + timedelta(minutes=5),
            },
            "Next try: Today at 9:05 AM UTC (in 5 min)",
            ["Retry now", "Cancel"],
        ),
        (
            {
                "status": "RETRYING",
                "outcome": None,
                "error": "Bad",
                "next_retry_at": AT - timedelta(minutes=5),
            },
            "Waiting to retry It goes on as soon as a worker is free.",
            ["Retry now", "Cancel"],
        ),
        (
            {"status": "FAILED", "outcome": "FAILED", "attempt": 5, "failures": 4},
            "Failed after 3 retries",
            ["Retry"],
        ),
        (
            {"status": "FAILED", "outcome": "FAILED", "error": "Bad", "reason": "Its next slot came."},
            "nothing was written. Its next slot came. Retry Bad",
            ["Retry"],
        ),
        ({"status": "FAILED", "outcome": "FAILED", "dry_run": True}, "nothing was written", []),
        ({"outcome": "PARTIAL", "items_success": 2}, "the rest failed", ["Retry failed platforms"]),
        ({"status": "TIMEOUT", "outcome": "TIMEOUT"}, "longer than the job's time limit", ["Retry"]),
        (
            {"status": "CANCELLED", "outcome": "CANCELLED", "reason": "Cancelled by its owner."},
            "Cancelled by",
            [],
        ),
        ({"status": "SKIPPED", "outcome": "SKIPPED", "reason": "No worker."}, "No worker.", []),
        ({"outcome": "NO_ACTIVITY"}, "Nothing happened in the repository", []),
        ({"outcome": "NO_ACTIVITY", "summary": "2 commits"}, "2 commits came in, and nothing to tell", []),
        ({"outcome": "NOT_SIGNIFICANT"}, "Too little happened", []),
        (
            {"items_success": 3, "summary": "3 commits", "duration": 14000},
            "3 posts written from 3 commits in 14s.",
            [],
        ),
    ],
)
def test_every_state_says_its_truth_and_offers_its_buttons(visitor, rows, job, values, said, buttons):
    execution = rows.execution(job, **values)
    page = visitor.get(f"/executions/{execution.id}")
    body = page.get_data(as_text=True)
    assert said in text(page)
    known = ("Retry now", "Retry failed platforms", "Retry", "Cancel")
    offered = [button for button in known if f">{button}</button>" in body]
    assert offered == buttons
    assert ("every 2s" in body) == (values.get("outcome", "SUCCESS") is None)


def test_an_error_stands_with_its_stack_trace_folded(visitor, rows, job):
    trace = "Error: Bad credentials\n    at scan (sources/github.py:88)"
    execution = rows.execution(
        job, status="FAILED", outcome="FAILED", error="GitHub API error: Bad credentials", stack_trace=trace
    )
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    assert "<strong>GitHub API error: Bad credentials</strong>" in body
    assert "<summary>Stack trace</summary>" in body
    assert f'<pre class="lines" id="trace" tabindex="0">{trace}</pre>' in body


def test_a_dry_run_shows_what_would_be_said(visitor, rows, job):
    content = {"title": "Would be", "content": "Text of the dry run", "tags": ["one"]}
    result = {"platformType": "DEVTO", "success": True, "error": None, "platformId": "p", "content": content}
    execution = rows.execution(job, dry_run=True, output={"activity": {}, "results": [result]})
    page = text(visitor.get(f"/executions/{execution.id}"))
    assert "dry run" in page
    assert "Would be #one Text of the dry run" in page


def test_a_live_page_is_told_nothing_until_something_changed(visitor, rows, job):
    execution = rows.execution(job, status="RUNNING", outcome=None, started_at=AT, attempt=1)
    attempt(rows, execution, 1, started_at=AT)
    step(rows, execution, "scan", status="RUNNING", started_at=AT)
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    path = "/executions/" + body.partition('hx-get="/executions/')[2].partition('"')[0]
    assert "It reads what happened" in body
    assert visitor.get(path, htmx=True).status_code == 204
    step(rows, execution, "write", platform_type="DEVTO", status="RUNNING", started_at=AT)
    assert visitor.get(path, htmx=True).status_code == 200


def test_cancelling(visitor, rows, job, clock):
    execution = rows.execution(job, status="RUNNING", outcome=None, started_at=AT)
    page = visitor.follow(visitor.post(f"/executions/{execution.id}/cancel"))
    assert "Cancelled by its owner." in page
    again = visitor.post(f"/executions/{execution.id}/cancel", htmx=True)
    assert again.status_code == 409
    assert "has ended already" in again.headers["HX-Trigger"]
    assert "Cancelled" in text(again)


def test_retrying_now_wakes_what_waits(visitor, rows, job, bells):
    execution = rows.execution(
        job, status="RETRYING", outcome=None, started_at=AT, next_retry_at=AT + timedelta(hours=1)
    )
    live = visitor.post(f"/executions/{execution.id}/retry", htmx=True)
    assert live.status_code == 200
    assert bells() == [("run", (execution.id,))]


def test_retrying_what_failed_leads_to_its_successor(visitor, rows, job, bells):
    execution = rows.execution(job, status="FAILED", outcome="FAILED", started_at=AT)
    answer = visitor.post(f"/executions/{execution.id}/retry")
    assert answer.status_code == 303
    assert answer.location != f"/executions/{execution.id}"
    assert "An earlier execution" in visitor.follow(answer)
    assert [name for name, _ in bells()] == ["run"]
    live = visitor.post(f"/executions/{execution.id}/retry", htmx=True)
    assert live.status_code == 409


def test_its_queries_do_not_grow(visitor, rows, told, queries):
    counts = []
    for more in (0, 1, 20):
        for number in range(more):
            step(
                rows, told, "write", platform_type="DEVTO", status="COMPLETED", started_at=AT, attempt=number
            )
        queries.clear()
        assert visitor.get(f"/executions/{told.id}").status_code == 200
        counts.append(statements(queries))
    assert counts[0] == counts[1] == counts[2] <= 8


STOPPED = "The worker was asked to stop while this attempt ran."


def test_every_attempt_tells_its_whole_story(visitor, rows, job, clock):
    """One failed, one was handed on by its worker, one waits: each with both its ends."""
    execution = rows.execution(
        job, status="RETRYING", outcome=None, attempt=3, error="Second error", stack_trace="second trace",
        started_at=AT, next_retry_at=clock.now() + timedelta(minutes=10),
    )  # fmt: skip
    failed = {"status": "FAILED", "duration": 4000}
    attempt(rows, execution, 1, status="CANCELLED", started_at=AT, duration=2000, error=STOPPED,
            completed_at=AT + timedelta(seconds=2))  # fmt: skip
    attempt(rows, execution, 2, **failed, started_at=AT + timedelta(seconds=2), error="First error",
            completed_at=AT + timedelta(seconds=6), stack_trace="first trace", reused=["scan"])  # fmt: skip
    attempt(rows, execution, 3, **failed, started_at=AT + timedelta(seconds=306), error="Second error",
            completed_at=AT + timedelta(seconds=310), stack_trace="second trace",
            reused=["scan", "write:a", "write:b"])  # fmt: skip
    step(rows, execution, "scan", status="CANCELLED", started_at=AT, duration=2000, error=STOPPED)
    page = visitor.get(f"/executions/{execution.id}")
    assert "Second error Next try: Today at 9:10 AM UTC (in 10 min)." in text(page)
    assert (
        "Attempt 3 Failed 3 Oct 2025, 9:05:08 AM to 9:05:12 AM UTC, 4s; "
        "used the scan and 2 posts of an earlier attempt Second error "
        "Stack trace of attempt 3 second trace Copy the stack trace of attempt 3 "
        "Waited 5m before attempt 3 Attempt 2 Failed"
    ) in text(page)
    assert "4s; used the scan of an earlier attempt First error Stack trace of attempt 2 first" in text(page)
    calm = text(page).partition("Attempt 1 ")[2]
    assert calm.startswith("Handed on 3 Oct 2025, 9:00:02 AM to 9:00:04 AM UTC, 2s " + STOPPED)
    assert calm.count(STOPPED) == 1
    assert "Read the repository Handed on 2s" in calm
    body = page.get_data(as_text=True).partition('aria-label="Attempt 1"')[2]
    assert "complaint" not in body
    assert "i-bad" not in body


@pytest.mark.parametrize("error", [None, "Bad credentials"])
def test_what_was_handed_on_is_no_failure(visitor, rows, job, clock, error):
    execution = rows.execution(
        job, status="RETRYING", outcome=None, attempt=1, error=error, started_at=AT, next_retry_at=clock.now()
    )
    attempt(rows, execution, 1, status="CANCELLED", started_at=AT, completed_at=AT, error=STOPPED)
    page = text(visitor.get(f"/executions/{execution.id}"))
    assert "The worker that ran it stopped. It goes on as soon as a worker is free." in page
    assert "Next try" not in page
    assert ("An attempt before did not succeed: Bad credentials" in page) == (error is not None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": "RUNNING", "outcome": None}, "An attempt before did not succeed: Bad credentials"),
        (
            {"status": "CANCELLED", "outcome": "CANCELLED", "reason": "Cancelled by its owner."},
            "Cancelled by its owner. An attempt before did not succeed: Bad credentials",
        ),
    ],
)
def test_an_earlier_error_is_told_as_one(visitor, rows, job, values, said):
    execution = rows.execution(job, error="Bad credentials", started_at=AT, attempt=2, **values)
    page = visitor.get(f"/executions/{execution.id}")
    assert said in text(page)
    assert 'class="notice bad"' not in page.get_data(as_text=True)


def test_retrying_now_from_the_card_and_from_the_jobs_page(visitor, rows, job, clock, bells):
    execution = rows.execution(
        job, status="RETRYING", outcome=None, attempt=1, error="Bad", next_retry_at=AT + timedelta(hours=1)
    )
    retry = f"/executions/{execution.id}/retry"
    card = visitor.post(retry, {"from": "dashboard"}, htmx=True)
    assert card.status_code == 200
    assert f'id="card-{job.id}" data-state="RETRYING"' in card.get_data(as_text=True)
    assert "It goes on as soon as a worker is free. An attempt before did not succeed: Bad" in text(card)
    assert bells() == [("run", (execution.id,))]
    assert rows.get(type(execution), execution.id).next_retry_at == clock.now()
    assert 'id="job"' in visitor.post(retry, {"from": "job"}, htmx=True).get_data(as_text=True)
    assert visitor.post(retry, {"from": "dashboard"}).location == f"/dashboard#card-{job.id}"
    change(rows, execution, status="CANCELLED", outcome="CANCELLED")
    late = visitor.post(retry, {"from": "dashboard"}, htmx=True)
    assert (late.status_code, "Only a failed" in late.headers["HX-Trigger"]) == (409, True)
    assert 'data-state="IDLE"' in late.get_data(as_text=True)


def test_cancelling_what_waits_for_its_retry(visitor, rows, job):
    execution = rows.execution(job, status="RETRYING", outcome=None, next_retry_at=AT + timedelta(hours=1))
    page = visitor.follow(visitor.post(f"/executions/{execution.id}/cancel"))
    assert "Cancelled by its owner." in page
    assert rows.get(type(execution), execution.id).next_retry_at is None


def test_retrying_the_failed_platforms_alone(visitor, rows, told, bells):
    answer = visitor.post(f"/executions/{told.id}/retry", htmx=True)
    successor = answer.headers["HX-Redirect"].rpartition("/")[2]
    assert bells() == [("run", (successor,))]
    stored = rows.get(type(told), successor)
    assert (stored.retry_of, stored.moves_cursor, stored.triggered_by) == (told.id, False, "retry")
