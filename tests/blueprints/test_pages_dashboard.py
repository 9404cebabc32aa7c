"""The dashboard: the walkthrough's card, by state, and what it costs."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, change, text

DAY = timedelta(days=1)


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


def ran(rows, job, at, **values):
    given = {
        "started_at": at,
        "completed_at": at + timedelta(seconds=14),
        "duration": 14000,
        "created_at": at,
    }
    given |= {"items_processed": 3, "items_success": 3, "triggered_by": "scheduled"}
    return rows.execution(job, **given | values)


def test_an_empty_account_is_led_on(visitor, rows, user):
    page = text(visitor.get("/dashboard"))
    assert "No job yet: connect a repository, then schedule its first post." in page
    assert "Begin with the first steps" in page
    project = rows.project(user)
    body = visitor.get("/dashboard").get_data(as_text=True)
    assert "Go on with the first steps" in body
    assert f'href="/projects/{project.id}/cron/new"' in body


def test_the_walkthroughs_card(visitor, rows, project, clock):
    clock.move_to(datetime(2025, 10, 3, 10, tzinfo=UTC))
    job = rows.job(
        project,
        run_count=20,
        success_count=19,
        failure_count=1,
        total_duration=19 * 15000,
        last_success=datetime(2025, 10, 3, 9, tzinfo=UTC),
    )
    nine = datetime(2025, 10, 3, 9, tzinfo=UTC)
    ran(rows, job, nine)
    ran(rows, job, nine - DAY, duration=16000)
    ran(rows, job, nine - 2 * DAY, duration=12000, items_success=2, outcome="PARTIAL")
    page = visitor.get("/dashboard")
    assert (
        "Next run Tomorrow at 9:00 AM UTC (in 23 h) Status Idle Recent executions "
        "Success Today 9:00 AM 14s 3/3 platforms "
        "Success Yesterday 9:00 AM 16s 3/3 platforms "
        "Partial 2 days ago 9:00 AM 12s 2/3 platforms "
        "Success Rate 95% (19/20) Avg Duration 15s "
        "View History Trigger Now Edit Disable"
    ) in text(page)
    assert "1 job, next in 23 h." in text(page)
    assert 'datetime="2025-10-04T09:00:00.000Z" title="2025-10-04 09:00:00 UTC"' in page.get_data(
        as_text=True
    )


@pytest.mark.parametrize(
    ("values", "word", "said"),
    [
        ({"status": "QUEUED", "outcome": None}, "Queued", "1 queued"),
        ({"status": "RUNNING", "outcome": None}, "Running", "1 running"),
        ({"status": "RETRYING", "outcome": None}, "Waiting to retry", "1 waiting to retry"),
        ({"outcome": "NO_ACTIVITY"}, "No activity", "1 job"),
        ({"outcome": "NOT_SIGNIFICANT"}, "Too little to tell", "1 job"),
        ({"status": "FAILED", "outcome": "FAILED"}, "Failed", "1 job"),
        ({"status": "TIMEOUT", "outcome": "TIMEOUT"}, "Timed out", "1 job"),
        ({"status": "CANCELLED", "outcome": "CANCELLED"}, "Cancelled", "1 job"),
        ({"status": "SKIPPED", "outcome": "SKIPPED"}, "Skipped", "1 job"),
    ],
)
def test_every_state_has_its_word_and_polls_often_only_while_live(visitor, rows, project, values, word, said):
    job = rows.job(project)
    rows.execution(job, **values)
    page = visitor.get("/dashboard")
    assert word in text(page)
    assert said in text(page)
    assert ('hx-trigger="every 2s"' in pulse(page)) == (values.get("outcome") is None)


def test_what_waits_says_why_and_until_when(visitor, rows, project, clock):
    error = "GitHub API error: Bad credentials"
    job = rows.job(project)
    rows.execution(
        job,
        status="RETRYING",
        outcome=None,
        attempt=1,
        error=error,
        next_retry_at=clock.now() + timedelta(minutes=5),
    )
    page = text(visitor.get("/dashboard"))
    assert f"Attempt 1 failed: {error}. Next try: Today at 9:05 AM UTC (in 5 min)." in page
    assert "See what happened or cancel" in page
    assert "Retry now" in page
    assert "Trigger Now" not in page


def test_what_waits_for_a_worker_alone_does_not_name_a_time(visitor, rows, project, clock):
    job = rows.job(project)
    execution = rows.execution(job, status="RETRYING", outcome=None, next_retry_at=clock.now())
    assert "The worker that ran it stopped. It goes on as soon as a worker is free." in text(
        visitor.get("/dashboard")
    )
    change(rows, execution, error="Bad credentials")
    page = text(visitor.get("/dashboard"))
    assert (
        "It goes on as soon as a worker is free. An attempt before did not succeed: Bad credentials" in page
    )
    assert "Next try" not in page


def test_a_paused_job_says_since_when_and_why(visitor, rows, project, clock):
    at = clock.now() - timedelta(hours=3)
    job = rows.job(
        project, next_run_at=None, paused_at=at, failures_in_row=5, failure_count=5, last_failure=at
    )
    ran(rows, job, at, status="FAILED", outcome="FAILED", error="Bad credentials")
    page = visitor.get("/dashboard")
    assert "1 job, none is scheduled, 1 is paused." in text(page)
    assert "Next run Not while paused Status Paused" in text(page)
    assert (
        "Paused since 3 Oct at 6:00 AM UTC: its last 5 runs failed. It goes on when a run succeeds, or when "
        "you press Resume. The last error: Bad credentials See what happened and retry"
    ) in text(page)
    assert "View History Trigger Now Edit Resume" in text(page)
    assert f'aria-label="Resume: {job.name}"' in page.get_data(as_text=True)
    assert 'class="mark warn"' in page.get_data(as_text=True)
    rows.execution(job, status="RUNNING", outcome=None)
    page = text(visitor.get("/dashboard"))
    assert "Next run Not while paused Status Running" in page
    assert "Watch it run Edit Resume" in page


def test_a_paused_job_goes_on_at_its_card(visitor, rows, project, clock, bells):
    job = rows.job(project, next_run_at=None, paused_at=clock.now(), failures_in_row=1)
    assert "its last run failed" in text(visitor.get("/dashboard"))
    path = f"/projects/{project.id}/cron/{job.id}/enable"
    card = visitor.post(path, {"from": "dashboard"}, htmx=True)
    assert 'data-state="IDLE"' in card.get_data(as_text=True)
    assert "goes on." in card.headers["HX-Trigger"]
    assert "1 job, next in 24 h." in text(card)


def test_a_card_tells_the_newest_of_what_did_not_run(visitor, rows, project, clock):
    job = rows.job(project, timezone="Europe/Berlin")
    for days in (8, 3, 2, 1):
        skip(rows, job, clock.now() - days * DAY, reason="The execution before it was still running.")
    other = rows.job(project, name="Other")
    skip(rows, other, clock.now() - 2 * DAY, reason="No worker was running.")
    page = visitor.get("/dashboard")
    assert (
        "3 slots did not run between 30 Sep at 11:00 AM and 2 Oct at 11:00 AM CEST. "
        "The execution before it was still running."
    ) in text(page)
    assert "The slot of 1 Oct at 9:00 AM UTC did not run. No worker was running." in text(page)
    skip(rows, other, clock.now(), reason="The execution before it was still queued.")
    assert (
        "2 slots did not run between 1 Oct at 9:00 AM and 3 Oct at 9:00 AM UTC. "
        "The last one: The execution before it was still queued."
    ) in text(visitor.get("/dashboard"))
    assert 'title="2025-10-02 11:00:00 CEST (2025-10-02 09:00:00 UTC)"' in page.get_data(as_text=True)


def test_skipped_slots_are_looked_for_among_the_newest_alone(visitor, rows, project, clock, monkeypatch):
    monkeypatch.setattr("blueprints.pages_skipped.SEEN", 3)
    job = rows.job(project)
    skip(rows, job, clock.now() - DAY)
    for hours in range(3):
        ran(rows, job, clock.now() - timedelta(hours=hours))
    assert "did not run" not in text(visitor.get("/dashboard"))


def skip(rows, job, at, **values):
    given = {"status": "SKIPPED", "outcome": "SKIPPED", "triggered_by": "scheduled", "reason": "No worker."}
    return rows.execution(job, **given | {"scheduled_for": at, "created_at": at} | values)


def test_what_failed_says_why_and_needs_you(visitor, rows, project, clock):
    job = rows.job(project, failure_count=1, last_failure=clock.now())
    ran(rows, job, clock.now(), status="FAILED", outcome="FAILED", error="<b>Bad credentials</b>")
    page = visitor.get("/dashboard")
    assert "1 job, next in 24 h, 1 needs you." in text(page)
    assert "Idle, the last run failed" in text(page)
    assert "<b>Bad" not in page.get_data(as_text=True)


def test_a_live_card_is_told_nothing_until_something_changed(visitor, rows, project):
    job = rows.job(project)
    execution = rows.execution(job, status="RUNNING", outcome=None)
    path = address(visitor.get("/dashboard"))
    same = visitor.get(path, htmx=True)
    assert (same.status_code, same.data) == (204, b"")
    change(rows, execution, status="COMPLETED", outcome="SUCCESS", items_processed=3, items_success=3)
    fresh = visitor.get(path, htmx=True)
    assert "3/3 platforms" in text(fresh)
    assert "every 2s" not in pulse(fresh)
    assert 'id="overview" hx-swap-oob="outerMorph"' in fresh.get_data(as_text=True)
    path = address(fresh)
    rows.job(project, name="Another")
    assert "Another" in text(visitor.get(path, htmx=True))


def test_a_poll_answers_only_the_card_that_changed(visitor, rows, project):
    one, other = rows.job(project, name="One"), rows.job(project, name="Other")
    execution = rows.execution(one, status="RUNNING", outcome=None)
    for view in ("", "?view=list"):
        path = address(visitor.get(f"/dashboard{view}"))
        change(rows, execution, status="RUNNING" if view else "RETRYING")
        body = visitor.get(path, htmx=True).get_data(as_text=True)
        assert f'id="card-{one.id}"' in body
        assert f'id="card-{other.id}"' not in body


def pulse(page) -> str:
    return re.search(r'<div id="pulse"[^>]*>', page.get_data(as_text=True))[0]


def address(page) -> str:
    return html.unescape(re.search(r'hx-get="([^"]*)"', pulse(page))[1])


def test_the_last_thirty_runs_are_bars_with_words(visitor, rows, project, clock):
    job = rows.job(project)
    for number in range(35):
        ran(rows, job, clock.now() - number * DAY, duration=1000 * (number + 1))
    ran(
        rows,
        job,
        clock.now() - timedelta(hours=1),
        status="FAILED",
        outcome="FAILED",
        error="Bad <credentials>",
    )
    body = visitor.get("/dashboard").get_data(as_text=True)
    drawn = re.findall(
        r'<a class="(\w+) h(\d+)" href="/executions/\w+" title="([^"]*)"( tabindex="-1")?>', body
    )
    assert len(drawn) == 30
    assert [bool(one[3]) for one in drawn] == [True] * 29 + [False]
    assert (drawn[0][1], drawn[-1][0]) == ("10", "full")
    assert drawn[-2][0] == "fail"
    assert drawn[-2][2].startswith("Failed, 3 Oct 8:00 AM, 14s: Bad &lt;credentials")


def test_what_is_kept_of_a_job_goes_with_its_row(visitor, rows, project, clock, queries):
    job = rows.job(project)
    runs = [ran(rows, job, clock.now() - number * DAY) for number in range(3)]
    visitor.get("/dashboard")
    queries.clear()
    assert visitor.get("/dashboard").get_data(as_text=True).count(" h10") == 3
    assert statements(queries) <= 6
    with rows._sessions() as session:
        session.delete(session.get(type(runs[1]), runs[1].id))
        session.commit()
    body = visitor.get("/dashboard").get_data(as_text=True)
    assert body.count(" h10") == 2
    assert runs[1].id not in body


def test_search_state_sort_and_view_are_in_the_address(visitor, rows, project, clock):
    rows.job(project, name="Alpha")
    at = clock.now() - DAY
    rows.job(project, name="Beta", last_failure=at, failure_count=1)
    rows.job(project, name="Gamma", is_enabled=False, next_run_at=None)
    page = visitor.get("/dashboard")
    assert "All 3 Needs you 1 Idle 2 Disabled 1 Cards List" in text(page)
    found = text(visitor.get("/dashboard?q=alp", htmx=True))
    assert "Alpha" in found
    assert "Beta" not in found
    assert names(visitor.get("/dashboard?sort=needs")) == ["Beta", "Alpha", "Gamma"]
    assert names(visitor.get("/dashboard?state=disabled")) == ["Gamma"]
    assert "No job matches “zzz”. Show all jobs" in text(visitor.get("/dashboard?q=zzz"))
    assert 'class="joblist' in visitor.get("/dashboard?view=list").get_data(as_text=True)
    assert visitor.get("/dashboard?page=x&sort=?&state=<&view=0").status_code == 200


def test_more_than_fifty_jobs_have_pages(visitor, rows, project):
    for number in range(52):
        rows.job(project, name=f"Job {number:02}")
    assert len(names(visitor.get("/dashboard"))) == 50
    assert names(visitor.get("/dashboard?page=2")) == ["Job 50", "Job 51"]


def names(page) -> list[str]:
    return re.findall(r'<h2 id="name-[^>]*><a [^>]*>([^<]*)</a>', page.get_data(as_text=True))


def test_what_needs_one_is_listed_with_its_button(visitor, rows, project, clock):
    rows.job(project, name="Calm")
    assert "Nothing needs you." in text(visitor.get("/dashboard"))
    rows.job(project, name="Broken", last_failure=clock.now(), failure_count=1)
    rows.job(project, name="Stopped", paused_at=clock.now(), next_run_at=None)
    change(rows, project, token_expires_at=clock.now() + 2 * DAY)
    page = text(visitor.get("/dashboard"))
    assert "Broken failed. See why" in page
    assert "Stopped is paused. Resume" in page
    assert f"{project.name}: its token expires in 2 days. Renew the token" in page


def test_what_runs_within_a_day_is_listed_once_a_job(visitor, rows, project, clock):
    often = {"frequency": "CUSTOM", "time_config": {"expression": "* * * * *", "timezone": "UTC"}}
    rows.job(project, name="Often", next_run_at=clock.now() + timedelta(minutes=1), **often)
    page = text(visitor.get("/dashboard"))
    assert "Coming in the next 24 hours: Often, in 1 min" in page
    assert "and 1439 more times by then" in page


def test_the_newest_five_are_shown_and_the_live_one_even_if_older(visitor, rows, project, clock):
    job = rows.job(project)
    rows.execution(job, status="RUNNING", outcome=None, created_at=clock.now() - DAY)
    for number in range(8):
        rows.execution(
            job,
            status="SKIPPED",
            outcome="SKIPPED",
            created_at=clock.now() - timedelta(minutes=number),
            scheduled_for=clock.now() - timedelta(minutes=number),
        )
    page = text(visitor.get("/dashboard"))
    assert page.count("AM Skipped") == 5
    assert "Status Running" in page


def test_only_ones_own_jobs_are_shown(visitor, rows, project):
    rows.job(project, name="Mine")
    theirs = rows.job(rows.project(rows.user()), name="Theirs")
    rows.execution(theirs, status="RUNNING", outcome=None)
    page = text(visitor.get("/dashboard"))
    assert "Mine" in page
    assert "Theirs" not in page
    assert "running" not in page.partition("Mine")[0]


def test_its_queries_do_not_grow_with_its_jobs(visitor, rows, project, queries, session):
    counts = []
    for more in (1, 2, 17):
        for _ in range(more):
            job = rows.job(project)
            for number in range(7):
                ran(rows, job, datetime(2025, 10, 1, number, tzinfo=UTC))
            skip(rows, job, datetime(2025, 10, 1, 8, tzinfo=UTC))
        queries.clear()
        assert visitor.get("/dashboard").status_code == 200
        counts.append(statements(queries))
    assert counts[0] == counts[1] == counts[2] <= 8
    if session.get_bind().dialect.name == "sqlite":
        assert " ".join(plans(session, queries)).count("uq_execution_live") == 1


def plans(session, queries):
    """What SQLite does for each of them; no history is read through for what is live."""
    for query in list(queries):
        if "FROM execution" in query:
            values = ("x",) * query.count("?")
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
            plan = " ".join(row.detail for row in rows)
            assert "SCAN" not in plan.replace("SCAN anon_", "")  # a subquery's own few rows
            assert "ix_execution_user_history" not in plan
            yield plan
