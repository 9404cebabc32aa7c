from datetime import UTC, datetime, timedelta

import pytest

from models import Attempt, Execution, Step
from models.values import ACTIVITY as ACTIVITY_SHAPE
from models.values import Activity, Window
from tests.blueprints.conftest import fields, statements

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)
ACTIVITY = {"summary": "3 commits, 1 merged PR, 1 closed issue", "hasActivity": True}
KINDS = ("HASHNODE", "DEVTO", "LINKEDIN")


@pytest.fixture
def job(rows, user):
    return rows.job(
        rows.project(user),
        run_count=1,
        success_count=1,
        total_duration=14000,
        last_run_at=AT,
        last_success=AT,
    )


@pytest.fixture
def completed(rows, job):
    """The walkthrough's run, as the pipeline stores it."""
    return make_completed(rows, job)


def make_completed(rows, job, **values):
    execution = rows.execution(
        job,
        triggered_by="scheduled",
        scheduled_for=values.pop("scheduled_for", datetime(2025, 10, 3, 9, tzinfo=UTC)),
        started_at=AT,
        completed_at=AT + timedelta(seconds=14),
        duration=14000,
        items_processed=3,
        items_success=3,
        attempt=1,
        window_since=datetime(2025, 10, 2, 9, tzinfo=UTC),
        window_until=AT,
        summary=ACTIVITY["summary"],
        **values,
    )
    results = []
    for kind in KINDS:
        draft = rows.draft(execution, kind)
        results.append(
            {
                "platformId": f"plat_{kind.lower()}",
                "platformType": kind,
                "success": True,
                "error": None,
                "draftId": draft.id,
            }
        )
    with rows._sessions() as session:
        session.get(Execution, execution.id).output = {"activity": ACTIVITY, "results": results}
        session.commit()
    return execution


def test_the_walkthroughs_history(api, completed, job):
    body = api.get(f"/api/cron/executions?jobId={job.id}&stats=true&include=content").get_json()
    assert body["success"] is True
    assert (body["count"], body["nextCursor"]) == (1, None)
    shown = body["data"][0]
    assert (
        shown
        | {
            "id": completed.id,
            "jobId": job.id,
            "status": "COMPLETED",
            "startedAt": "2025-10-03T09:00:02.000Z",
            "completedAt": "2025-10-03T09:00:16.000Z",
            "duration": 14000,
            "itemsProcessed": 3,
            "itemsSuccess": 3,
            "itemsFailed": 0,
            "triggeredBy": "scheduled",
            "metadata": {"projectId": job.project_id, "userId": job.user_id},
            "outcome": "SUCCESS",
            "scheduledFor": "2025-10-03T09:00:00.000Z",
            "window": {"since": "2025-10-02T09:00:00.000Z", "until": "2025-10-03T09:00:02.000Z"},
            "nextRetryAt": None,
            "retryOf": None,
            "reason": None,
            "missed": None,
            "error": None,
            "stackTrace": None,
            "dryRun": False,
        }
        == shown
    )
    assert shown["output"]["activity"] == ACTIVITY
    hashnode, devto, linkedin = shown["output"]["results"]
    assert hashnode["platformType"] == "HASHNODE"
    assert hashnode["success"] is True
    assert devto["content"] == {
        "title": "A title for DEVTO",
        "content": "A post for DEVTO",
        "tags": ["webdev"],
    }
    assert linkedin["content"] == {"content": "A post for LINKEDIN"}
    assert body["statistics"] == {
        "totalRuns": 1,
        "totalSuccess": 1,
        "totalFailures": 0,
        "successRate": "100.00",
        "avgDuration": 14000,
        "lastRun": "2025-10-03T09:00:02.000Z",
        "lastSuccess": "2025-10-03T09:00:02.000Z",
        "nextRun": "2025-10-04T09:00:00.000Z",
        "recentExecutions": [
            {
                "id": completed.id,
                "status": "COMPLETED",
                "startedAt": "2025-10-03T09:00:02.000Z",
                "duration": 14000,
            }
        ],
    }


def test_a_list_leaves_the_posts_text_out(api, completed, job):
    body = api.get(f"/api/cron/executions?jobId={job.id}").get_json()
    assert "statistics" not in body
    for result in body["data"][0]["output"]["results"]:
        assert set(result) == {"platformId", "platformType", "success", "error", "draftId"}


def test_one_execution_has_attempts_steps_and_posts(api, rows, completed):
    rows.add(Attempt(execution_id=completed.id, number=1, status="COMPLETED", started_at=AT, duration=14000))
    rows.add(
        Step(
            execution_id=completed.id,
            attempt=1,
            name="scan",
            status="COMPLETED",
            started_at=AT,
            completed_at=AT + timedelta(seconds=4),
            duration=4000,
            result=ACTIVITY_SHAPE.dump_python(Activity("username/awesome-lib", Window(AT, AT)), mode="json"),
        )
    )
    rows.add(
        Step(
            execution_id=completed.id,
            attempt=1,
            name="write",
            platform_id="plat_devto",
            platform_type="DEVTO",
            status="FAILED",
            started_at=AT + timedelta(seconds=4),
            error="API rate limit",
        )
    )
    shown = api.get(f"/api/executions/{completed.id}").get_json()["data"]
    assert shown["attempts"] == [
        {
            "number": 1,
            "startedAt": "2025-10-03T09:00:02.000Z",
            "completedAt": None,
            "duration": 14000,
            "status": "COMPLETED",
            "error": None,
            "errorCode": None,
            "stackTrace": None,
            "reused": [],
        }
    ]
    assert shown["steps"][0] == {
        "name": "scan",
        "platformId": None,
        "platformType": None,
        "attempt": 1,
        "status": "COMPLETED",
        "startedAt": "2025-10-03T09:00:02.000Z",
        "completedAt": "2025-10-03T09:00:06.000Z",
        "duration": 4000,
        "error": None,
        "errorCode": None,
    }
    assert (shown["steps"][1]["platformId"], shown["steps"][1]["error"]) == ("plat_devto", "API rate limit")
    assert shown["output"]["results"][0]["content"]["content"] == "A post for HASHNODE"


def test_a_run_without_activity(api, rows, job):
    execution = rows.execution(job, outcome="NO_ACTIVITY", duration=7000, summary="No activity")
    shown = api.get(f"/api/executions/{execution.id}").get_json()["data"]
    assert (shown["status"], shown["outcome"], shown["duration"]) == ("COMPLETED", "NO_ACTIVITY", 7000)
    assert (shown["itemsProcessed"], shown["itemsSuccess"], shown["itemsFailed"]) == (0, 0, 0)
    assert shown["output"] is None
    assert shown["metadata"] == {
        "projectId": job.project_id,
        "userId": job.user_id,
        "message": "No GitHub activity detected",
        "activity": {"hasActivity": False, "summary": "No activity"},
    }


def test_a_partial_failure(api, rows, job):
    draft_less = {"platformId": "plat_2", "platformType": "DEVTO", "success": False, "draftId": None}
    execution = rows.execution(
        job,
        outcome="PARTIAL",
        output={"activity": ACTIVITY, "results": [draft_less | {"error": "API rate limit"}]},
    )
    shown = api.get(f"/api/executions/{execution.id}").get_json()["data"]
    assert shown["output"]["results"] == [draft_less | {"error": "API rate limit"}]


def test_a_dry_runs_posts_are_its_own(api, rows, job):
    content = {"title": "", "content": "Not kept as a draft", "tags": []}
    result = {"platformId": "plat_3", "platformType": "LINKEDIN", "success": True, "error": None}
    stored = result | {"draftId": None, "content": content}
    execution = rows.execution(job, dry_run=True, output={"activity": ACTIVITY, "results": [stored]})
    shown = api.get(f"/api/executions/{execution.id}").get_json()["data"]
    assert shown["dryRun"] is True
    assert shown["output"]["results"][0]["content"] == {"content": "Not kept as a draft"}
    listed = api.get(f"/api/cron/executions?jobId={job.id}").get_json()["data"][0]
    assert "content" not in listed["output"]["results"][0]


def test_a_failure(api, rows, job):
    execution = rows.execution(
        job,
        status="FAILED",
        outcome="FAILED",
        error="GitHub API error: Bad credentials",
        stack_trace="Error: GitHub API error: Bad credentials\n    at scan",
        duration=3000,
    )
    shown = api.get(f"/api/executions/{execution.id}").get_json()["data"]
    assert (shown["status"], shown["error"]) == ("FAILED", "GitHub API error: Bad credentials")
    assert shown["stackTrace"].startswith("Error: GitHub API error")


def test_skipped_and_waiting(api, rows, job):
    gap = {"count": 3, "from": "2025-10-01T09:00:00.000Z", "to": "2025-10-03T09:00:00.000Z"}
    skipped = rows.execution(job, status="SKIPPED", outcome="SKIPPED", reason="Missed.", missed=gap)
    waiting = rows.execution(job, status="RETRYING", outcome=None, next_retry_at=AT)
    shown = api.get(f"/api/executions/{skipped.id}").get_json()["data"]
    assert (shown["reason"], shown["missed"]) == ("Missed.", gap)
    shown = api.get(f"/api/executions/{waiting.id}").get_json()["data"]
    assert (shown["nextRetryAt"], shown["outcome"]) == ("2025-10-03T09:00:02.000Z", None)


class TestList:
    @pytest.mark.parametrize("count", [1, 3, 30])
    def test_a_fixed_number_of_queries(self, api, rows, job, queries, count):
        made = []
        for n in range(count):
            slot = AT - timedelta(days=count - n)
            made.append(make_completed(rows, job, scheduled_for=slot).id)
        api.get("/api/projects")
        queries.clear()
        path = f"/api/cron/executions?jobId={job.id}&stats=true&include=content&limit=100"
        body = api.get(path).get_json()
        assert [execution["id"] for execution in body["data"]] == made[::-1]
        assert all(len(execution["output"]["results"]) == 3 for execution in body["data"])
        assert [recent["id"] for recent in body["statistics"]["recentExecutions"]] == made[::-1][:5]
        assert statements(queries) == 7

    def test_without_a_job_all_of_the_users(self, api, rows, user, job):
        other = rows.execution(rows.job(rows.project(user)))
        mine = rows.execution(job)
        rows.execution(rows.job(rows.project(rows.user())))
        body = api.get("/api/cron/executions").get_json()
        assert [execution["id"] for execution in body["data"]] == [mine.id, other.id]

    def test_by_status(self, api, rows, job):
        rows.execution(job)
        failed = rows.execution(job, status="FAILED", outcome="FAILED")
        body = api.get(f"/api/cron/executions?jobId={job.id}&status=FAILED").get_json()
        assert [execution["id"] for execution in body["data"]] == [failed.id]

    def test_pages(self, api, rows, job):
        made = [rows.execution(job).id for _ in range(3)]
        path = f"/api/cron/executions?jobId={job.id}&limit=2"
        first = api.get(path).get_json()
        second = api.get(f"{path}&cursor={first['nextCursor']}").get_json()
        assert [e["id"] for e in first["data"] + second["data"]] == made[::-1]
        assert second["nextCursor"] is None

    def test_bad_queries(self, api):
        bad = [
            ("stats=true", "jobId"),
            ("stats=yes", "stats"),
            ("status=DONE", "status"),
            ("include=all", "include"),
            ("limit=-1", "limit"),
        ]
        for query, field in bad:
            response = api.get(f"/api/cron/executions?{query}")
            assert (response.status_code, fields(response)) == (400, [field]), query

    def test_somebody_elses_job(self, stranger, rows, job):
        execution = rows.execution(job)
        response = stranger.get(f"/api/cron/executions?jobId={job.id}")
        assert (response.status_code, fields(response)) == (404, ["jobId"])
        assert stranger.get("/api/cron/executions").get_json()["data"] == []
        assert stranger.get(f"/api/executions/{execution.id}").status_code == 404


@pytest.mark.parametrize(
    ("runs", "successes", "total", "rate", "average"),
    [
        (0, 0, 0, "0.00", None),
        (1, 0, 0, "0.00", None),
        (3, 2, 30001, "66.67", 15000),
        (20, 19, 1, "95.00", 0),
    ],
)
def test_statistics_come_from_the_jobs_row(api, rows, user, runs, successes, total, rate, average):
    job = rows.job(
        rows.project(user),
        run_count=runs,
        success_count=successes,
        failure_count=runs - successes,
        total_duration=total,
    )
    shown = api.get(f"/api/cron/executions?jobId={job.id}&stats=true").get_json()["statistics"]
    assert (shown["successRate"], shown["avgDuration"]) == (rate, average)
    assert (shown["totalRuns"], shown["totalFailures"]) == (runs, runs - successes)
    assert shown["recentExecutions"] == []


class TestTrigger:
    def test_now(self, api, rows, job, bells):
        response = api.post("/api/cron/trigger", {"jobId": job.id})
        assert response.status_code == 202
        shown = response.get_json()["data"]
        assert (shown["status"], shown["triggeredBy"], shown["scheduledFor"]) == ("QUEUED", "manual", None)
        assert (shown["startedAt"], shown["output"], shown["attempts"]) == (None, None, [])
        assert bells() == [("run", (shown["id"],))]
        after = api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]
        assert (after["nextRunAt"], after["status"]) == ("2025-10-04T09:00:00.000Z", "QUEUED")

    def test_dry_and_since(self, api, rows, job):
        body = {"jobId": job.id, "dryRun": True, "since": "2025-09-01T00:00:00Z"}
        shown = api.post("/api/cron/trigger", body).get_json()["data"]
        stored = rows.get(Execution, shown["id"])
        assert (stored.dry_run, stored.moves_cursor) == (True, False)
        assert stored.tell_since == datetime(2025, 9, 1, tzinfo=UTC)

    def test_a_live_one_is_shown(self, api, rows, job, bells):
        live = rows.execution(job, status="RUNNING", outcome=None)
        response = api.post("/api/cron/trigger", {"jobId": job.id})
        assert response.status_code == 409
        assert response.get_json()["data"]["id"] == live.id
        assert response.get_json()["error"].startswith("This job is running already")
        assert len(rows.all(Execution)) == 1
        assert bells() == []

    def test_bad_input(self, api, rows, job):
        bad = [
            ({"jobId": None}, "jobId"),
            ({"dryRun": 1}, "dryRun"),
            ({"since": "2026-01-01"}, "since"),
            ({"since": 5}, "since"),
            ({"force": True}, "force"),
        ]
        for change, field in bad:
            response = api.post("/api/cron/trigger", {"jobId": job.id} | change)
            assert (response.status_code, fields(response)) == (400, [field]), change
        assert rows.all(Execution) == []

    def test_somebody_elses(self, stranger, rows, job):
        response = stranger.post("/api/cron/trigger", {"jobId": job.id})
        assert (response.status_code, fields(response)) == (404, ["jobId"])
        assert rows.all(Execution) == []


class TestCancel:
    @pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "RETRYING"])
    def test_what_lives(self, api, rows, job, status):
        live = rows.execution(job, status=status, outcome=None, started_at=AT)
        rows.add(Attempt(execution_id=live.id, number=1, started_at=AT))
        shown = api.post(f"/api/executions/{live.id}/cancel").get_json()["data"]
        assert (shown["status"], shown["outcome"]) == ("CANCELLED", "CANCELLED")
        assert shown["completedAt"] == "2025-10-03T09:00:00.000Z"
        assert shown["attempts"][0]["status"] == "CANCELLED"

    def test_what_ended(self, api, completed):
        response = api.post(f"/api/executions/{completed.id}/cancel")
        assert response.status_code == 409
        assert response.get_json()["data"]["id"] == completed.id

    def test_somebody_elses(self, stranger, rows, job):
        live = rows.execution(job, status="QUEUED", outcome=None)
        assert stranger.post(f"/api/executions/{live.id}/cancel").status_code == 404
        assert rows.get(Execution, live.id).status == "QUEUED"


class TestRetry:
    def test_a_failed_one_gets_a_successor(self, api, rows, job, bells):
        failed = rows.execution(job, status="FAILED", outcome="FAILED")
        response = api.post(f"/api/executions/{failed.id}/retry")
        assert response.status_code == 202
        shown = response.get_json()["data"]
        assert (shown["triggeredBy"], shown["retryOf"], shown["status"]) == ("retry", failed.id, "QUEUED")
        assert bells() == [("run", (shown["id"],))]

    def test_a_waiting_one_retries_at_once(self, api, rows, job, bells):
        waiting = rows.execution(job, status="RETRYING", outcome=None, next_retry_at=AT + timedelta(hours=1))
        shown = api.post(f"/api/executions/{waiting.id}/retry").get_json()["data"]
        assert (shown["id"], shown["nextRetryAt"]) == (waiting.id, "2025-10-03T09:00:00.000Z")
        assert bells() == [("run", (waiting.id,))]

    def test_a_success_is_not_retried(self, api, completed, rows):
        response = api.post(f"/api/executions/{completed.id}/retry")
        assert response.status_code == 409
        assert len(rows.all(Execution)) == 1

    def test_somebody_elses(self, stranger, rows, job):
        failed = rows.execution(job, status="FAILED", outcome="FAILED")
        assert stranger.post(f"/api/executions/{failed.id}/retry").status_code == 404
        assert len(rows.all(Execution)) == 1
