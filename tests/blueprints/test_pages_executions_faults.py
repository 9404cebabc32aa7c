"""What an execution's page tells of failures, results and mails; what it asks the database for that."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, attempt, change, step, text

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)
ACTIVITY = {
    "repository": "username/awesome-lib",
    "window": {"since": "2025-10-02T09:00:00Z", "until": "2025-10-03T09:00:02Z"},
}
LONG = "# What is new\n\n" + "TypeScript is understood now. " * 40


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def job(rows, user):
    project = rows.project(user)
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        rows.platform(project, kind)
    return rows.job(project)


def failed(rows, job, code, status="FAILED", **values):
    outcome = None if status == "RETRYING" else status
    said = {"error": "It broke – mend it", "error_code": code, "attempt": 1, "failures": 1, "started_at": AT}
    return rows.execution(job, status=status, outcome=outcome, **said | values)


@pytest.mark.parametrize(
    ("code", "status", "label", "place"),
    [
        ("token_refused", "RETRYING", "Replace the token", "/projects/{0}/edit#f-githubToken"),
        ("token_missing", "FAILED", "Enter a token", "/projects/{0}/edit#f-githubToken"),
        ("repository_gone", "FAILED", "Correct the repository", "/projects/{0}/edit#f-githubRepoName"),
        ("branch_gone", "FAILED", "Choose another branch", "/projects/{0}/edit#f-githubBranch"),
        ("budget_spent", "FAILED", "Raise the budget", "/projects/{0}/edit#f-monthlyBudget"),
        ("no_platform", "FAILED", "Connect a platform", "/projects/{0}#platforms"),
        ("model_refused", "FAILED", "Choose another writer", "/projects/{0}/cron/{1}/edit#f-writer"),
        ("timeout", "TIMEOUT", "Raise the time limit", "/projects/{0}/cron/{1}/edit#f-timeLimit"),
    ],
)
def test_a_code_decides_what_helps(visitor, rows, job, code, status, label, place):
    execution = failed(rows, job, code, status)
    path, anchor = place.format(job.project_id, job.id).split("#")
    page = visitor.get(f"/executions/{execution.id}")
    button = f'<a class="button primary" href="{path}#{anchor}">{label}</a>'
    assert button in page.get_data(as_text=True)
    assert "It broke What helps: Mend it." in text(page)
    assert f'id="{anchor}"' in visitor.get(path).get_data(as_text=True), "the button leads to a place that is"


@pytest.mark.parametrize("code", ["model_unreachable", "source_unreachable", "worker_died", "unexpected"])
def test_what_only_another_try_mends_has_retry_as_its_one_button(visitor, rows, job, code):
    execution = failed(rows, job, code)
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    assert re.findall(r'class="(?:button )?primary"[^>]*>([^<]+)<', body) == ["Retry"]


def test_card_and_jobs_page_have_the_same_button(visitor, rows, job):
    failed(rows, job, "token_refused", next_retry_at=None, completed_at=AT)
    change(rows, job, last_failure=AT, failure_count=1)
    link = f'href="/projects/{job.project_id}/edit#f-githubToken">Replace the token</a>'
    for path in ("/dashboard", f"/projects/{job.project_id}/cron/{job.id}"):
        assert link in visitor.get(path).get_data(as_text=True)


def test_a_failure_without_a_code_has_no_button_of_its_own(visitor, rows, job):
    """As those from before there were codes."""
    failed(rows, job, None, next_retry_at=None, completed_at=AT)
    change(rows, job, last_failure=AT, failure_count=1)
    shown = visitor.get("/dashboard").get_data(as_text=True)
    assert "See what happened" in shown
    assert "Replace the token" not in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "The next run is planned for Tomorrow at 9:00 AM UTC (in 24 h). It covers this time, too"),
        ({"next_run_at": None, "paused_at": AT}, "The job is paused: it goes on when a run succeeds"),
        ({"next_run_at": None, "is_enabled": False}, "No further run is planned: the job is disabled."),
    ],
)
def test_it_says_what_comes_next(visitor, rows, job, values, said):
    execution = failed(rows, job, "token_refused")
    change(rows, job, **values)
    assert said in text(visitor.get(f"/executions/{execution.id}"))
    rows.execution(job, created_at=datetime(2025, 10, 3, 12, tzinfo=UTC))
    assert said not in text(visitor.get(f"/executions/{execution.id}")), "something has followed by now"


def told(rows, job, **values):
    """A run with two posts, one of them the other writer's, and one that failed."""
    from models import Spend

    execution = rows.execution(job, outcome="PARTIAL", items_processed=3, items_success=2, attempt=1)
    one = rows.draft(execution, "HASHNODE", title="One", content=LONG, usage={"model": "gpt-5-mini"})
    other = rows.draft(execution, "LINKEDIN", title="", content="Short.", usage=None)
    for place in ("h", "l"):
        paid = {"model": "gpt-5-mini", "prompt_tokens": 10, "completion_tokens": 5, "cost": 20_000}
        rows.add(Spend(project_id=job.project_id, execution_id=execution.id, platform_id=place, **paid))
    made = {"success": True, "error": None}
    missing = {"success": False, "error": "The budget is spent", "errorCode": "budget_spent", "draftId": None}
    results = [
        {"platformId": "h", "platformType": "HASHNODE", "draftId": one.id, **made},
        {"platformId": "l", "platformType": "LINKEDIN", "draftId": other.id, "fellBack": True, **made},
        {"platformId": "d", "platformType": "DEVTO", **missing},
    ]
    change(rows, execution, output={"activity": {}, "results": results}, **values)
    attempt(rows, execution, 1, status="COMPLETED", started_at=AT, completed_at=AT)
    step(rows, execution, "scan", status="COMPLETED", started_at=AT, completed_at=AT, result=ACTIVITY)
    return execution, one


def test_results_are_excerpts_with_their_drafts_writers_and_costs(visitor, rows, job):
    execution, draft = told(rows, job)
    answer = visitor.get(f"/executions/{execution.id}")
    body, page = answer.get_data(as_text=True), text(answer)
    excerpt = re.search(r'<p class="excerpt"[^>]*>(.*?)</p>', body)[1]
    assert excerpt.startswith("What is new TypeScript is understood now.")
    assert 200 < len(excerpt) <= 280
    assert body.count('class="excerpt"') == 1, "a short post is shown whole"
    assert "The whole post for Hashnode" in page
    assert f'href="/drafts/{draft.id}"' in body
    assert "Written by gpt-5-mini: 0.020 USD; tokens: 10 in, 5 out" in page
    assert "The model failed for good, so the template writer wrote this post." in page
    assert "Written by the template writer; asking the model in vain cost 0.020 USD" in page
    assert "Dev.to: The budget is spent" in page
    assert "Raise the budget" in page


def test_mails_tell_what_became_of_them(visitor, rows, job):
    from models import EmailDelivery

    execution, _ = told(rows, job)
    common = {"user_id": job.user_id, "execution_id": execution.id, "subject": "s", "text": "t", "html": "h"}
    later = AT + timedelta(minutes=4)
    for name, values in {
        "a": {"status": "SENT", "sent_at": AT},
        "b": {},
        "c": {"error": "No answer", "next_try_at": later},
        "d": {"status": "FAILED", "error": "No such user"},
    }.items():
        rows.add(EmailDelivery(recipient=f"{name}@example.com", **common, **values))
    page = text(visitor.get(f"/executions/{execution.id}"))
    assert "Saved as a file to a@example.com (no mail server is set) 3 Oct 2025, 9:00:02 AM UTC" in page
    assert "Waiting to be sent to b@example.com" in page
    assert "Not taken yet to c@example.com: No answer Next try: Today at 9:04 AM UTC" in page
    assert "Not delivered to d@example.com: No such user" in page


def test_the_receipt_has_a_page_to_print(visitor, rows, job):
    execution, draft = told(rows, job, summary="2 commits")
    change(rows, draft, sources=[{"ref": "c1", "kind": "commit", "title": "Add it", "url": "javascript:no"}])
    answer = visitor.get(f"/executions/{execution.id}/receipt")
    page = text(answer)
    assert "Receipt 2 of 3 posts written; Dev.to failed. Print Download" in page
    assert "Hashnode: One State Waits for review, version 1 Written by gpt-5-mini" in page
    assert "Rests on Add it" in page
    assert "Dev.to got no post: The budget is spent" in page
    assert "Nobody was mailed about it." in page
    assert "javascript:" not in answer.get_data(as_text=True)
    assert f'href="/executions/{execution.id}/receipt"' in visitor.see(f"/executions/{execution.id}").text


@pytest.mark.parametrize("count", [1, 3, 40])
def test_its_queries_are_few_whatever_it_holds(visitor, rows, job, queries, count):
    from models import EmailDelivery

    execution, _ = told(rows, job)
    mail = {"user_id": job.user_id, "recipient": "a", "subject": "s", "text": "t", "html": "h"}
    for number in range(count):
        rows.execution(job, created_at=AT + timedelta(hours=number))
        attempt(rows, execution, number + 2, status="FAILED", started_at=AT)
        step(rows, execution, "write", attempt=number + 2, platform_type="DEVTO", started_at=AT)
        rows.draft(execution, "DEVTO")
        rows.add(EmailDelivery(execution_id=execution.id, **mail))
    queries.clear()
    assert visitor.get(f"/executions/{execution.id}").status_code == 200
    assert statements(queries) == 8


def test_a_page_at_rest_asks_for_nothing_more(visitor, rows, job):
    """What a poll of a live one costs and misses: test_pages_glance.py."""
    execution = rows.execution(job, status="RUNNING", outcome=None, started_at=AT, attempt=1)
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    path = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', body)[1]
    change(rows, execution, status="COMPLETED", outcome="SUCCESS")
    ended = visitor.get(path, htmx=True)
    assert ended.status_code == 200
    assert 'hx-trigger="every' not in ended.get_data(as_text=True)


def test_what_waits_is_told_when_its_time_has_come(visitor, rows, job, clock):
    at = clock.now() + timedelta(seconds=20)
    execution = failed(rows, job, "rate_limited", "RETRYING", next_retry_at=at)
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    path = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', body)[1]
    clock.advance(20)
    assert "as soon as a worker is free" in text(visitor.get(path, htmx=True))


def test_a_poll_is_its_owners_alone(app, rows, job):
    execution = rows.execution(job, status="RUNNING", outcome=None)
    stranger = Visitor(app, rows.user())
    assert stranger.get(f"/executions/{execution.id}?v=1", htmx=True).status_code == 404
    assert stranger.get(f"/executions/{execution.id}").status_code == 404
    assert stranger.get(f"/executions/{execution.id}/receipt").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_history_is_read_through(visitor, rows, job, queries, session):
    """Not by an index of all rows either, which ANALYZE makes useless where hardly any is a retry."""
    execution = failed(rows, job, "token_refused")
    queries.clear()
    visitor.get(f"/executions/{execution.id}")
    read = []
    for query in [query for query in list(queries) if "FROM execution" in query]:
        found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", ("x",) * query.count("?"))
        read += [row.detail for row in found]
    assert [detail for detail in read if detail.startswith("SCAN execution")] == []
    assert any("USING INDEX ix_execution_retry (" in detail for detail in read)
