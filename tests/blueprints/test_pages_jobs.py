"""Jobs in the browser: the form and its preview, the job's page, and what may be done to it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.pages import Visitor, beside, text, value

FORM = {
    "name": "Weekly notes",
    "frequency": "WEEKLY",
    "dayOfWeek": ["1", "4"],
    "hour": "9",
    "minute": "30",
    "timezone": "Europe/Berlin",
    "allPlatforms": "on",
    "firstRun": "30",
    "maxRetries": "2",
    "retryDelay": "60",
    "timeLimit": "600",
    "pauseAfter": "2",
    "onMissed": "SKIP",
    "notify": "PROBLEMS",
    "isEnabled": "on",
}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


def url(job, tail: str = "") -> str:
    return f"/projects/{job.project_id}/cron/{job.id}{tail}"


def test_scheduling_a_job(visitor, rows, project, bells):
    from models import Job

    page = visitor.follow(visitor.post(f"/projects/{project.id}/cron/new", FORM))
    assert "“Weekly notes” is scheduled." in page
    assert "Every Monday and Thursday at 9:30 AM Europe/Berlin; next in 3 days." in page
    job = rows.all(Job)[0]
    assert (job.schedule, job.timezone, job.next_run_at) == (
        "30 9 * * 1,4",
        "Europe/Berlin",
        datetime(2025, 10, 6, 7, 30, tzinfo=UTC),
    )
    stored = (job.first_run, job.max_retries, job.pause_after, job.on_missed, job.notify)
    assert stored == ({"days": 30}, 2, 2, "SKIP", "PROBLEMS")
    assert bells() == []


def test_a_near_slot_is_rung_at_once(visitor, project, bells):
    daily = FORM | {"frequency": "CUSTOM", "expression": "* * * * *"}
    visitor.post(f"/projects/{project.id}/cron/new", daily)
    assert [name for name, _ in bells()] == ["start"]


def test_the_new_form_proposes_the_walkthroughs_job_and_shows_its_next_runs(visitor, project):
    page = visitor.get(f"/projects/{project.id}/cron/new")
    assert value(page, "name") == "Daily Content Generation"
    assert "Every day at 9:00 AM UTC." in text(page)
    assert text(page).count("at 9:00 AM UTC") == 7
    assert "Tomorrow at 9:00 AM UTC in 24 h" in text(page)


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"hour": "24"}, "time", "00:00 to 23:59"),
        ({"timezone": "Mars/Base"}, "timezone", "no time zone"),
        ({"dayOfWeek": []}, "dayOfWeek", "Is needed"),
        ({"frequency": "CUSTOM", "expression": "0 0 31 2 *"}, "expression", "day-of-month"),
        ({"frequency": "CUSTOM", "expression": "0 0 9 * * *"}, "expression", "five fields"),
        ({"frequency": "MONTHLY", "dayOfMonth": "32"}, "dayOfMonth", "1 to 31"),
        ({"name": "x" * 256}, "name", "at most 255"),
        ({"maxRetries": "many"}, "maxRetries", "whole number"),
        ({"retryDelay": "3601"}, "retryDelay", "at most 3600"),
        ({"pauseAfter": "101"}, "pauseAfter", "at most 100"),
        ({"pauseAfter": "never"}, "pauseAfter", "whole number"),
        ({"firstRun": "since", "since": "2999-01-01T00:00"}, "since", "in the past"),
    ],
)
def test_a_wrong_schedule_is_answered_beside_its_field(visitor, rows, project, changed, field, said):
    from models import Job

    answer = visitor.post(f"/projects/{project.id}/cron/new", FORM | changed)
    assert answer.status_code == 422
    assert said in beside(answer, field)
    assert value(answer, "retryDelay") == changed.get("retryDelay", "60")
    assert 'value="30" checked' in answer.get_data(as_text=True) or "firstRun" in changed
    assert rows.all(Job) == []


def test_choosing_no_platform_is_refused(visitor, rows, project):
    rows.platform(project, "DEVTO")
    form = {name: value for name, value in FORM.items() if name != "allPlatforms"}
    answer = visitor.post(f"/projects/{project.id}/cron/new", form)
    assert "at least one platform" in beside(answer, "platformIds")


def test_the_preview_follows_what_is_typed(visitor, project):
    path = f"/projects/{project.id}/cron/preview"
    autumn = FORM | {"frequency": "DAILY", "hour": "2"}
    live = visitor.post(path, autumn, htmx=True)
    assert live.status_code == 200
    assert text(live).startswith("Next runs Every day at 2:30 AM Europe/Berlin.")
    assert "<html" not in live.get_data(as_text=True)
    wrong = visitor.post(path, FORM | {"hour": "25"}, htmx=True)
    assert "Time: Must be a time of day such as 09:30, from 00:00 to 23:59." in text(wrong)
    whole = visitor.post(path, FORM | {"name": "Typed <name>"})
    assert value(whole, "name") == "Typed <name>"
    assert "Every Monday and Thursday" in text(whole)


def test_the_preview_marks_clock_changes_and_warns_of_cost(visitor, project, clock):
    clock.move_to(datetime(2025, 10, 25, 12, tzinfo=UTC))
    path = f"/projects/{project.id}/cron/preview"
    assert "Clocks go back here" in text(visitor.post(path, FORM | {"frequency": "DAILY", "hour": "2"}))
    often = FORM | {"frequency": "CUSTOM", "expression": "*/5 * * * *"}
    assert "every run may cost money" in text(visitor.post(path, often, htmx=True))


def test_editing_shows_what_is_stored_and_saves_it(visitor, rows, project):
    job = rows.job(
        project,
        frequency="WEEKLY",
        time_config={"hour": 7, "minute": 5, "timezone": "Asia/Tokyo", "dayOfWeek": 2},
        schedule="5 7 * * 2",
        timezone="Asia/Tokyo",
    )
    page = visitor.get(url(job, "/edit"))
    body = page.get_data(as_text=True)
    assert (value(page, "time"), value(page, "timezone")) == ("07:05", "Asia/Tokyo")
    assert 'name="dayOfWeek" value="2" checked' in body
    assert "data-own-zone" not in body
    assert "is saved" in visitor.follow(visitor.post(url(job, "/edit"), FORM))
    stored = rows.get(type(job), job.id)
    assert (stored.name, stored.schedule) == ("Weekly notes", "30 9 * * 1,4")


def test_unchecking_every_day_does_not_keep_the_old_ones(visitor, rows, project):
    job = rows.job(project, frequency="WEEKLY", time_config={"dayOfWeek": 2, "timezone": "UTC"})
    answer = visitor.post(url(job, "/edit"), FORM | {"dayOfWeek": []})
    assert answer.status_code == 422
    assert beside(answer, "dayOfWeek").startswith("Is needed")


def test_the_jobs_page_tells_its_story(visitor, rows, project, clock):
    job = rows.job(
        project,
        success_count=19,
        failure_count=1,
        run_count=20,
        total_duration=19 * 15000,
        last_success=clock.now() - timedelta(days=1),
    )
    at = clock.now() - timedelta(days=1)
    rows.execution(
        job, started_at=at, duration=14000, items_processed=3, items_success=3, summary="3 commits"
    )
    rows.execution(
        job,
        status="SKIPPED",
        outcome="SKIPPED",
        reason="No worker was running when it was due.",
        missed={"count": 4, "from": "2025-10-01T09:00:00.000Z", "to": "2025-10-02T09:00:00.000Z"},
        scheduled_for=clock.now() - timedelta(days=2),
    )
    page = text(visitor.get(url(job)))
    assert "Every day at 9:00 AM UTC; next in 24 h." in page
    assert "95% (19/20)" in page
    assert "15s" in page
    assert "Success Yesterday 9:00 AM by hand 3 commits 3/3 14s" in page
    assert (
        "Skipped 2 days ago 9:00 AM by hand No worker was running when it was due. "
        "4 slots did not run between 1 Oct at 9:00 AM and 2 Oct at 9:00 AM UTC." in page
    )
    assert "3 retries, the first after 5 minutes" in page


def test_the_history_goes_on_page_by_page(visitor, rows, project, clock):
    job = rows.job(project)
    for number in range(45):
        rows.execution(
            job, summary=f"Run {number:02d}", created_at=clock.now() - timedelta(hours=number // 2)
        )
    seen, path = [], url(job)
    while path:
        page = visitor.get(path)
        body = page.get_data(as_text=True)
        seen += [word for word in text(page).replace("Run ", "Run-").split() if word.startswith("Run-")]
        path = body.partition('href="')[0] and next(
            (
                part.split('"')[0].replace("&amp;", "&")
                for part in body.split('href="')
                if "cursor=" in part.split('"')[0]
            ),
            None,
        )
    assert len(seen) == len(set(seen)) == 45
    assert visitor.get(f"{url(job)}?cursor=nonsense").status_code == 404


def test_trigger_now_without_javascript(visitor, rows, project, bells):
    from models import Execution

    job = rows.job(project)
    page = visitor.follow(visitor.post(url(job, "/trigger"), {"from": "job"}))
    execution = rows.all(Execution)[0]
    assert (execution.status, execution.triggered_by) == ("QUEUED", "manual")
    assert bells() == [("run", (execution.id,))]
    assert "It waits for a free worker" in page
    assert rows.get(type(job), job.id).next_run_at == job.next_run_at
    again = visitor.follow(visitor.post(url(job, "/trigger"), {"from": "job"}))
    assert "running already" in again
    assert len(rows.all(Execution)) == 1


def test_trigger_now_by_htmx_swaps_the_card(visitor, rows, project, bells):
    job = rows.job(project)
    live = visitor.post(url(job, "/trigger"), {"from": "dashboard"}, htmx=True)
    body = live.get_data(as_text=True)
    assert live.status_code == 200
    assert f'id="card-{job.id}" data-state="QUEUED"' in body
    assert 'hx-trigger="every 2s"' in body
    assert "1 job, next in 24 h, 1 queued." in text(live)
    conflict = visitor.post(url(job, "/trigger"), {"from": "dashboard"}, htmx=True)
    assert conflict.status_code == 409
    assert 'data-state="QUEUED"' in conflict.get_data(as_text=True)
    assert "running already" in conflict.headers["HX-Trigger"]


def test_disabling_asks_first_and_ends_what_waits(visitor, rows, project, clock):
    job = rows.job(project)
    execution = rows.execution(job, status="RETRYING", outcome=None, next_retry_at=clock.now())
    asked = text(visitor.get(url(job, "/disable")))
    assert "Nothing is deleted" in asked
    assert "ends as cancelled" in asked
    page = visitor.follow(visitor.post(url(job, "/disable")))
    assert "runs only when you trigger it" in page
    assert rows.get(type(job), job.id).next_run_at is None
    assert rows.get(type(execution), execution.id).status == "CANCELLED"
    visitor.post(url(job, "/enable"))
    assert rows.get(type(job), job.id).next_run_at is not None


def test_deleting_names_what_goes_with_it(visitor, rows, project):
    job = rows.job(project)
    rows.draft(rows.execution(job), "DEVTO")
    assert "1 execution and 1 draft" in text(visitor.get(url(job, "/delete")))
    assert "is deleted" in visitor.follow(visitor.post(url(job, "/delete")))
    assert rows.get(type(job), job.id) is None


def test_a_job_is_found_under_its_own_project_alone(visitor, rows, project, user):
    job = rows.job(project)
    assert visitor.get(f"/projects/{rows.project(user).id}/cron/{job.id}").status_code == 404


@pytest.fixture
def paused(rows, project, clock):
    """Since two hours, after five failures; the last of them is in its history."""
    at = clock.now() - timedelta(hours=2)
    job = rows.job(
        project, timezone="Europe/Berlin", next_run_at=None, paused_at=at, failures_in_row=5, last_failure=at
    )
    rows.execution(job, status="FAILED", outcome="FAILED", started_at=at, error="Bad credentials")
    return job


def test_a_paused_job_says_why_and_offers_what_mends_it(visitor, paused):
    page = visitor.get(url(paused))
    assert (
        "Paused since 3 Oct at 9:00 AM CEST: its last 5 runs failed. It goes on when a run succeeds, or when "
        "you press Resume. Resume Trigger Now Edit Disable Delete The last error: Bad credentials "
        "See what happened and retry"
    ) in text(page)
    assert "Status Paused Next run Not while paused" in text(page)
    assert "Next runs None while it is paused. Every day at 9:00 AM UTC." in text(page)
    assert "Pause After 5 failed runs in a row; 5 by now" in text(page)
    body = page.get_data(as_text=True)
    assert 'title="2025-10-03 09:00:00 CEST (2025-10-03 07:00:00 UTC)"' in body
    assert body.count('class="primary"') == 1


def test_resuming_says_that_it_goes_on(visitor, rows, paused):
    page = visitor.follow(visitor.post(url(paused, "/enable"), {"from": "job"}))
    assert "“Daily Content Generation” goes on." in page
    assert "next in 24 h" in page
    stored = rows.get(type(paused), paused.id)
    assert (stored.paused_at, stored.failures_in_row) == (None, 0)
    assert "is enabled." in visitor.follow(visitor.post(url(paused, "/enable")))


def test_resuming_by_htmx_shows_the_next_runs_again(visitor, paused):
    live = visitor.post(url(paused, "/enable"), {"from": "job"}, htmx=True)
    assert "goes on." in live.headers["HX-Trigger"]
    assert text(live).count("at 9:00 AM UTC") >= 6


def test_saving_the_form_of_a_paused_job_leaves_it_paused(visitor, rows, paused):
    page = visitor.get(url(paused, "/edit"))
    assert value(page, "pauseAfter") == "5"
    assert "It is paused and stays so when you save" in text(page)
    assert "Paused since" in visitor.follow(visitor.post(url(paused, "/edit"), FORM))
    stored = rows.get(type(paused), paused.id)
    assert (stored.name, stored.paused_at, stored.next_run_at) == ("Weekly notes", paused.paused_at, None)
    off = {name: value for name, value in FORM.items() if name != "isEnabled"}
    assert "It is disabled" in visitor.follow(visitor.post(url(paused, "/edit"), off))
    assert rows.get(type(paused), paused.id).paused_at is None


def test_triggering_a_paused_job(visitor, rows, paused, bells):
    page = visitor.follow(visitor.post(url(paused, "/trigger"), {"from": "job"}))
    assert "It waits for a free worker" in page
    assert "Next run Not while paused" in page
    assert "Resume Watch it run" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pause_after": 0}, "Pause Never Time limit"),
        ({"pause_after": 1}, "Pause After a failed run Time limit"),
        ({"pause_after": 3, "failures_in_row": 2}, "Pause After 3 failed runs in a row; 2 by now Time limit"),
    ],
)
def test_the_settings_tell_when_it_would_pause(visitor, rows, project, values, said):
    assert said in text(visitor.get(url(rows.job(project, **values))))


def test_what_did_not_run_is_summed_up_by_its_reason(visitor, rows, project, clock, queries):
    job = rows.job(project, timezone="America/New_York")

    def skip(ago, reason, **values):
        at = clock.now() - ago
        rows.execution(
            job, status="SKIPPED", outcome="SKIPPED", reason=reason, scheduled_for=at, created_at=at, **values
        )

    missed = {"count": 3, "from": "2024-12-30T09:00:00.000Z", "to": "2025-10-01T09:00:00.000Z"}
    skip(timedelta(days=8), "Long ago.")
    skip(timedelta(days=2), "No worker was running when it was due.", missed=missed)
    skip(timedelta(hours=2), "The execution before it was still running.")
    visitor.get(url(job))
    queries.clear()
    page = text(visitor.get(url(job)))
    assert len(queries) <= 12
    assert (
        "The slot of 3 Oct at 3:00 AM EDT did not run. The execution before it was still running. "
        "3 slots did not run between 30 Dec 2024 at 4:00 AM EST and 1 Oct at 5:00 AM EDT. "
        "No worker was running when it was due. Nothing in the repository is lost by it"
    ) in page
    assert page.count("Long ago.") == 1
