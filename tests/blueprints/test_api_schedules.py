from datetime import UTC, datetime

import pytest

from models import Execution, Job
from tests.blueprints.conftest import fields, statements

DAILY = {
    "type": "GENERATE_CONTENT",
    "name": "Daily Content Generation",
    "description": "Generate blog posts from GitHub activity",
    "frequency": "DAILY",
    "timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"},
    "isEnabled": True,
    "maxRetries": 3,
    "retryDelay": 300,
}

BAD = [
    ({"timeConfig": {"hour": 9, "timezone": "Mars/Olympus"}}, "timeConfig.timezone", "Mars/Olympus"),
    ({"timeConfig": {"hour": 9, "timezone": "europe/berlin"}}, "timeConfig.timezone", "Europe/Berlin"),
    ({"timeConfig": {"hour": 24}}, "timeConfig.hour", "0 to 23"),
    ({"timeConfig": {"hour": "9"}}, "timeConfig.hour", "whole number"),
    ({"timeConfig": {"hour": True}}, "timeConfig.hour", "whole number"),
    ({"timeConfig": {"minute": 60}}, "timeConfig.minute", "0 to 59"),
    ({"timeConfig": {"hours": 9}}, "timeConfig.hours", "not known"),
    ({"timeConfig": []}, "timeConfig", "object"),
    ({"frequency": "HOURLY"}, "frequency", "DAILY"),
    ({"frequency": "WEEKLY"}, "timeConfig.dayOfWeek", "needed"),
    ({"frequency": "WEEKLY", "timeConfig": {"dayOfWeek": 7}}, "timeConfig.dayOfWeek", "0 (Sunday)"),
    ({"frequency": "MONTHLY", "timeConfig": {"dayOfMonth": 32}}, "timeConfig.dayOfMonth", "1 to 31"),
    ({"frequency": "CUSTOM"}, "timeConfig.expression", "needed"),
    ({"frequency": "CUSTOM", "timeConfig": {"expression": "0 0 31 2 *"}}, "timeConfig.expression", "31"),
    (
        {"frequency": "CUSTOM", "timeConfig": {"expression": "0 0 9 * * *"}},
        "timeConfig.expression",
        "five fields",
    ),
    ({"frequency": "CUSTOM", "timeConfig": {"expression": "*/0 * * * *"}}, "timeConfig.expression", "*/0"),
    ({"name": "x" * 256}, "name", "255"),
    ({"name": ""}, "name", "empty"),
    ({"type": "SEND_MAIL"}, "type", "GENERATE_CONTENT"),
    ({"maxRetries": 11}, "maxRetries", "10"),
    ({"maxRetries": -1}, "maxRetries", "0"),
    ({"maxRetries": False}, "maxRetries", "whole number"),
    ({"maxRetries": 1.5}, "maxRetries", "whole number"),
    ({"retryDelay": 3601}, "retryDelay", "3600"),
    ({"retryDelay": 10**30}, "retryDelay", "3600"),
    ({"timeLimit": 29}, "timeLimit", "30"),
    ({"pauseAfter": 101}, "pauseAfter", "100"),
    ({"pauseAfter": -1}, "pauseAfter", "0"),
    ({"pauseAfter": None}, "pauseAfter", "whole number"),
    ({"isEnabled": "true"}, "isEnabled", "true or false"),
    ({"isEnabled": None}, "isEnabled", "true or false"),
    ({"onMissed": "ALL"}, "onMissed", "RUN_ONCE"),
    ({"notify": "SOME"}, "notify", "PROBLEMS"),
    ({"firstRun": {"days": 2}}, "firstRun.days", "1, 7 or 30"),
    ({"firstRun": {"days": True}}, "firstRun.days", "whole number"),
    ({"firstRun": {}}, "firstRun", "days"),
    ({"firstRun": {"days": 7, "since": "2025-01-01"}}, "firstRun", "either"),
    ({"firstRun": {"since": "2026-01-01T00:00:00Z"}}, "firstRun.since", "past"),
    ({"firstRun": {"since": "yesterday"}}, "firstRun.since", "instant"),
    ({"firstRun": {"since": "0001-01-01T00:00:00+14:00"}}, "firstRun.since", "instant"),
    ({"platformIds": []}, "platformIds", "at least one"),
    ({"platformIds": ["plat_other"]}, "platformIds", "plat_other"),
    ({"platformIds": "plat_other"}, "platformIds", "list"),
    ({"platformIds": [1]}, "platformIds.0", "text"),
    ({"projectId": 5}, "projectId", "text"),
    ({"cron": "0 9 * * *"}, "cron", "unknown field"),
    ({"nextRunAt": "2025-10-03T09:00:00Z"}, "nextRunAt", "unknown field"),
]


@pytest.fixture
def project(rows, user):
    return rows.project(user)


def test_the_walkthroughs_job(api, rows, project, clock):
    clock.move_to(datetime(2025, 10, 2, 10, 30, tzinfo=UTC))
    response = api.post("/api/cron/schedule", DAILY | {"projectId": project.id})
    assert response.status_code == 201
    job = response.get_json()["data"]
    assert job.pop("id").startswith("cron_")
    assert job == {
        "projectId": project.id,
        "type": "GENERATE_CONTENT",
        "name": "Daily Content Generation",
        "description": "Generate blog posts from GitHub activity",
        "frequency": "DAILY",
        "timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"},
        "schedule": "0 9 * * *",
        "timezone": "UTC",
        "isEnabled": True,
        "status": "IDLE",
        "nextRunAt": "2025-10-03T09:00:00.000Z",
        "pausedAt": None,
        "pausedUntil": None,
        "skippedUntil": None,
        "lastRunAt": None,
        "lastSuccess": None,
        "lastFailure": None,
        "runCount": 0,
        "successCount": 0,
        "failureCount": 0,
        "failuresInRow": 0,
        "maxRetries": 3,
        "retryDelay": 300,
        "timeLimit": 600,
        "pauseAfter": 5,
        "onMissed": "RUN_ONCE",
        "notify": "ALL",
        "firstRun": {"days": 7},
        "platformIds": None,
        "runOnPush": False,
        "pushAt": None,
        "significance": "NORMAL",
        "carriedSince": None,
        "writer": "AUTO",
        "fallsBack": False,
        "createdAt": "2025-10-02T10:30:00.000Z",
    }


def test_every_field_is_stored(api, rows, project):
    platforms = [rows.platform(project, kind).id for kind in ("DEVTO", "LINKEDIN")]
    sent = DAILY | {
        "projectId": project.id,
        "frequency": "WEEKLY",
        "timeConfig": {"hour": 18, "minute": 30, "timezone": "Europe/Berlin", "dayOfWeek": [5, 1]},
        "isEnabled": False,
        "maxRetries": 0,
        "retryDelay": 1,
        "timeLimit": 30,
        "pauseAfter": 0,
        "onMissed": "SKIP",
        "notify": "PROBLEMS",
        "firstRun": {"since": "2025-09-01T02:00:00+02:00"},
        "platformIds": [*platforms, platforms[0]],
    }
    job = api.post("/api/cron/schedule", sent).get_json()["data"]
    same = ("frequency", "isEnabled", "maxRetries", "retryDelay", "timeLimit", "onMissed", "notify")
    same += ("pauseAfter",)
    assert {key: job[key] for key in same} == {key: sent[key] for key in same}
    assert job["timeConfig"] == sent["timeConfig"] | {"dayOfWeek": [1, 5]}
    assert (job["schedule"], job["timezone"]) == ("30 18 * * 1,5", "Europe/Berlin")
    assert (job["status"], job["nextRunAt"]) == ("DISABLED", None)
    assert job["firstRun"] == {"since": "2025-09-01T00:00:00.000Z"}
    assert job["platformIds"] == platforms


def test_a_near_slot_gets_its_bell_at_once(api, project, bells):
    sent = DAILY | {"projectId": project.id, "timeConfig": {"hour": 9, "minute": 1}}
    job = api.post("/api/cron/schedule", sent).get_json()["data"]
    assert bells() == [("start", (job["id"], "2025-10-03T09:01:00+00:00"))]


def test_bad_fields_are_named_and_nothing_is_stored(api, rows, project, bells):
    for change, field, word in BAD:
        response = api.post("/api/cron/schedule", DAILY | {"projectId": project.id} | change)
        assert (response.status_code, fields(response)) == (400, [field]), change
        assert response.get_json()["error"].startswith(f"{field}: ")
        assert word in response.get_json()["details"][0]["message"]
    assert rows.all(Job) == []
    assert bells() == []


def test_all_mistakes_are_told_at_once(api):
    response = api.post("/api/cron/schedule", {"frequency": "DAILY", "timeConfig": {"hour": 24}, "notify": 1})
    assert response.status_code == 400
    assert sorted(fields(response)) == ["name", "notify", "projectId", "timeConfig.hour"]


def test_platforms_of_another_project_are_refused(api, rows, user, project):
    other = rows.platform(rows.project(user), "DEVTO")
    response = api.post("/api/cron/schedule", DAILY | {"projectId": project.id, "platformIds": [other.id]})
    assert fields(response) == ["platformIds"]


def test_somebody_elses_project_is_absent(api, rows):
    theirs = rows.project(rows.user())
    for project_id in (theirs.id, "proj_none", "a\x00b", "\ud800"):
        response = api.post("/api/cron/schedule", DAILY | {"projectId": project_id})
        assert response.status_code == 404
        assert fields(response) == ["projectId"]
    assert rows.all(Job) == []


class TestEdit:
    @pytest.fixture(params=["its own address", "jobId"])
    def edit(self, api, request):
        """One PATCH under two addresses."""

        def send(job, change):
            if request.param == "jobId":
                return api.patch("/api/cron/schedule", {"jobId": job.id} | change)
            return api.patch(f"/api/cron/schedules/{job.id}", change)

        return send

    def test_one_key_of_the_time_keeps_the_others(self, edit, rows, project):
        job = rows.job(project, time_config={"hour": 9, "minute": 30, "timezone": "Europe/Berlin"})
        changed = edit(job, {"timeConfig": {"hour": 18}}).get_json()["data"]
        assert changed["timeConfig"] == {"hour": 18, "minute": 30, "timezone": "Europe/Berlin"}
        assert (changed["schedule"], changed["nextRunAt"]) == ("30 18 * * *", "2025-10-03T16:30:00.000Z")
        assert changed["name"] == "Daily Content Generation"

    def test_another_frequency_keeps_hour_minute_and_zone(self, edit, rows, project):
        job = rows.job(project, time_config={"hour": 7, "minute": 30, "timezone": "Europe/Berlin"})
        changed = edit(job, {"frequency": "WEEKLY", "timeConfig": {"dayOfWeek": 1}}).get_json()["data"]
        assert changed["timeConfig"] == {
            "hour": 7,
            "minute": 30,
            "timezone": "Europe/Berlin",
            "dayOfWeek": 1,
        }
        changed = edit(job, {"frequency": "CUSTOM", "timeConfig": {"expression": "0 6 * * *"}})
        assert changed.get_json()["data"]["timeConfig"] == {
            "expression": "0 6 * * *",
            "timezone": "Europe/Berlin",
        }

    def test_a_frequency_that_needs_more_says_so(self, edit, rows, project):
        job = rows.job(project)
        response = edit(job, {"frequency": "MONTHLY"})
        assert response.status_code == 400
        assert fields(response) == ["timeConfig.dayOfMonth"]
        assert rows.get(Job, job.id).frequency == "DAILY"

    def test_disable_and_enable(self, edit, rows, project):
        job = rows.job(project)
        off = edit(job, {"isEnabled": False}).get_json()["data"]
        assert (off["status"], off["nextRunAt"]) == ("DISABLED", None)
        on = edit(job, {"isEnabled": True}).get_json()["data"]
        assert (on["status"], on["nextRunAt"]) == ("IDLE", "2025-10-04T09:00:00.000Z")

    def test_a_new_schedule_cancels_what_waits_by_the_old(self, edit, rows, project):
        job = rows.job(project)
        waiting = rows.execution(job, status="QUEUED", outcome=None, triggered_by="scheduled")
        assert edit(job, {"timeConfig": {"hour": 10}}).get_json()["data"]["status"] == "IDLE"
        assert rows.get(Execution, waiting.id).status == "CANCELLED"

    def test_other_changes_leave_the_slot_alone(self, edit, rows, project):
        job = rows.job(project)
        changed = edit(job, {"name": "Other", "maxRetries": 0, "platformIds": None}).get_json()["data"]
        assert (changed["name"], changed["maxRetries"]) == ("Other", 0)
        assert changed["nextRunAt"] == "2025-10-04T09:00:00.000Z"

    def test_a_bad_change_stores_nothing(self, edit, rows, project):
        job = rows.job(project)
        response = edit(job, {"name": "Other", "timeConfig": {"hour": 24}})
        assert (response.status_code, fields(response)) == (400, ["timeConfig.hour"])
        assert rows.get(Job, job.id).name == "Daily Content Generation"

    def test_the_project_stays(self, edit, rows, project):
        assert fields(edit(rows.job(project), {"projectId": "proj_other"})) == ["projectId"]

    def test_an_absent_or_strange_job(self, edit, rows):
        theirs = rows.job(rows.project(rows.user()))
        assert edit(theirs, {"name": "Mine"}).status_code == 404
        assert rows.get(Job, theirs.id).name == "Daily Content Generation"


def test_edit_needs_a_job_id(api):
    for body in ({"name": "x"}, {"jobId": 5}):
        response = api.patch("/api/cron/schedule", body)
        assert (response.status_code, fields(response)) == (400, ["jobId"])


@pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "RETRYING"])
def test_the_status_is_that_of_the_live_execution(api, rows, project, status):
    job = rows.job(project, is_enabled=False)
    rows.execution(job, status=status, outcome=None)
    assert api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]["status"] == status
    assert api.get("/api/cron/schedules").get_json()["data"][0]["status"] == status


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_list_has_a_fixed_number_of_queries(api, rows, project, queries, count):
    made = [rows.job(project) for _ in range(count)]
    for job in made:
        rows.execution(job, status="RUNNING", outcome=None)
    rows.job(rows.project(rows.user()))
    api.get("/api/cron/schedules")
    queries.clear()
    body = api.get("/api/cron/schedules?limit=100").get_json()
    assert [(job["id"], job["status"]) for job in body["data"]] == [(j.id, "RUNNING") for j in made[::-1]]
    assert body["count"] == count
    assert statements(queries) == 4


def test_delete_takes_executions_along(api, rows, project):
    job = rows.job(project)
    execution = rows.execution(job, status="RUNNING", outcome=None)
    rows.draft(execution, "DEVTO")
    assert api.delete(f"/api/cron/schedules/{job.id}").get_json()["data"] == {"id": job.id}
    assert rows.all(Job) == []
    assert rows.all(Execution) == []


def test_others_see_nothing(stranger, rows, project):
    job = rows.job(project)
    assert stranger.get("/api/cron/schedules").get_json()["data"] == []
    for method in ("GET", "DELETE"):
        assert stranger(method, f"/api/cron/schedules/{job.id}").status_code == 404
    assert rows.get(Job, job.id) is not None


class TestPreview:
    def test_six_slots_in_words_and_zone(self, api, clock):
        clock.move_to(datetime(2025, 10, 23, 12, tzinfo=UTC))
        body = {"frequency": "DAILY", "timeConfig": {"hour": 2, "minute": 30, "timezone": "Europe/Berlin"}}
        shown = api.post("/api/cron/preview", body).get_json()["data"]
        assert shown["schedule"] == "30 2 * * *"
        assert shown["words"] == "Every day at 2:30 AM Europe/Berlin"
        assert shown["warnings"] == []
        assert len(shown["slots"]) == 6
        assert shown["slots"][0] == {
            "at": "2025-10-24T00:30:00.000Z",
            "local": "2025-10-24 02:30 CEST",
            "note": None,
        }
        assert [slot["note"] for slot in shown["slots"]] == [None, None, "REPEATED", None, None, None]

    def test_warnings(self, api):
        body = {"frequency": "CUSTOM", "timeConfig": {"expression": "* * * * *"}}
        assert len(api.post("/api/cron/preview", body).get_json()["data"]["warnings"]) == 1

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, ["frequency", "timeConfig"]),
            ({"frequency": "DAILY", "timeConfig": {"hour": 24}}, ["timeConfig.hour"]),
            ({"frequency": "DAILY", "timeConfig": {}, "name": "x"}, ["name"]),
        ],
    )
    def test_bad_input(self, api, body, expected):
        response = api.post("/api/cron/preview", body)
        assert (response.status_code, fields(response)) == (400, expected)


def test_a_paused_job_says_so_and_goes_on_when_it_is_enabled(api, rows, project, clock):
    job = rows.job(project, paused_at=clock.now(), failures_in_row=5, next_run_at=None)
    path = f"/api/cron/schedules/{job.id}"
    shown = api.get(path).get_json()["data"]
    assert (shown["status"], shown["isEnabled"], shown["nextRunAt"]) == ("PAUSED", True, None)
    assert (shown["pausedAt"], shown["failuresInRow"]) == ("2025-10-03T09:00:00.000Z", 5)
    assert api.patch(path, {"pauseAfter": 7}).get_json()["data"]["status"] == "PAUSED"
    shown = api.patch(path, {"isEnabled": True}).get_json()["data"]
    assert (shown["status"], shown["pausedAt"], shown["failuresInRow"]) == ("IDLE", None, 0)
    assert (shown["pauseAfter"], shown["nextRunAt"]) == (7, "2025-10-04T09:00:00.000Z")
