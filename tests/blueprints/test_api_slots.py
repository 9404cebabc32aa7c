"""A job's next slots by the API: pause until an instant, leave the next one out, undo both."""

from datetime import timedelta

import pytest

from models import Execution, Job
from tests.blueprints.conftest import Api, fields
from tests.blueprints.pages import change

UNTIL, NEXT = "2025-10-10T09:00:00.000Z", "2025-10-04T09:00:00.000Z"


@pytest.fixture
def job(rows, user):
    return rows.job(rows.project(user))


def path(job, tail: str = "") -> str:
    return f"/api/cron/schedules/{job.id}{tail}"


def test_pausing_until_an_instant_and_ending_it(api, job):
    paused = api.patch(path(job), {"pausedUntil": "2025-10-10T10:30:00+02:00"}).get_json()["data"]
    assert (paused["status"], paused["pausedUntil"]) == ("PAUSED", "2025-10-10T08:30:00.000Z")
    assert paused["nextRunAt"] == UNTIL
    renamed = api.patch(path(job), {"name": "Another"}).get_json()["data"]
    assert renamed["pausedUntil"] == paused["pausedUntil"], "naming nothing changes nothing"
    ended = api.patch("/api/cron/schedule", {"jobId": job.id, "pausedUntil": None}).get_json()["data"]
    assert (ended["status"], ended["pausedUntil"], ended["nextRunAt"]) == ("IDLE", None, NEXT)


def test_a_pause_with_a_new_schedule_holds_for_that(api, job):
    body = {"pausedUntil": UNTIL, "timeConfig": {"hour": 8}}
    assert api.patch(path(job), body).get_json()["data"]["nextRunAt"] == "2025-10-11T08:00:00.000Z"


def test_the_end_of_a_short_pause_rings_the_near_slot(api, job, clock, bells):
    api.patch(path(job), {"pausedUntil": UNTIL})
    clock.advance(24 * 3600 - 30)
    api.patch(path(job), {"pausedUntil": None})
    assert [name for name, _ in bells()] == ["start"]


def test_ending_no_pause_passes_over_no_slot(api, rows, job, clock):
    clock.advance(24 * 3600 + 5)
    assert api.patch(path(job), {"pausedUntil": None}).get_json()["data"]["nextRunAt"] == NEXT
    change(rows, job, paused_until=clock.now() - timedelta(minutes=1))
    assert api.patch(path(job), {"pausedUntil": None}).get_json()["data"]["nextRunAt"] == NEXT


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2025-10-03T09:00:00Z", "in the future"),
        ("2024-01-01T00:00:00Z", "in the future"),
        ("9999-01-01T00:00:00Z", "in the future"),
        ("tomorrow", "an instant such as"),
        ("9999-12-31T23:59:59-14:00", "an instant"),
        (5, "text"),
    ],
)
def test_no_pause_until_what_is_past_or_no_instant(api, rows, job, until, said):
    response = api.patch(path(job), {"pausedUntil": until, "name": "Another"})
    assert (response.status_code, fields(response)) == (400, ["pausedUntil"])
    assert said in response.get_json()["error"]
    assert rows.get(Job, job.id).name == job.name


def test_a_disabled_job_is_not_paused(api, rows, job):
    response = api.patch(path(job), {"isEnabled": False, "pausedUntil": UNTIL})
    assert response.status_code == 409
    assert "enable it first" in response.get_json()["error"]
    assert rows.get(Job, job.id).is_enabled


def test_a_new_job_takes_no_pause(api, rows, user):
    project = rows.project(user)
    body = {
        "projectId": project.id,
        "name": "n",
        "frequency": "DAILY",
        "timeConfig": {},
        "pausedUntil": UNTIL,
    }
    assert fields(api.post("/api/cron/schedule", body)) == ["pausedUntil"]


def test_leaving_the_next_slot_out_and_undoing_it(api, rows, job):
    left = api.post(path(job, "/skip-next"), {"slot": NEXT}).get_json()["data"]
    assert (left["skippedUntil"], left["nextRunAt"]) == (NEXT, "2025-10-05T09:00:00.000Z")
    assert [(row.status, row.reason) for row in rows.all(Execution)] == [("SKIPPED", "Skipped by its owner.")]
    again = api.post(path(job, "/skip-next"), {"slot": NEXT})
    assert (again.status_code, len(rows.all(Execution))) == (409, 1), "sent twice, one slot is left out"
    undone = api.post(path(job, "/skip-next/undo")).get_json()["data"]
    assert (undone["skippedUntil"], undone["nextRunAt"], rows.all(Execution)) == (None, NEXT, [])
    assert api.post(path(job, "/skip-next")).get_json()["data"]["skippedUntil"] == NEXT, (
        "the body may be empty"
    )


def test_what_has_no_next_slot_or_is_due_is_not_left_out(api, rows, job, clock):
    assert fields(api.post(path(job, "/skip-next"), {"slot": "soon"})) == ["slot"]
    clock.advance(24 * 3600)
    assert "due now" in api.post(path(job, "/skip-next")).get_json()["error"]
    change(rows, job, is_enabled=False, next_run_at=None)
    assert api.post(path(job, "/skip-next")).status_code == 409


def test_nobody_else_and_no_reader_does_it(app, api, stranger, rows, user, job):
    reader = Api(app, rows.token(user, can_write=False))
    for who, status in ((stranger, 404), (reader, 403)):
        assert who.patch(path(job), {"pausedUntil": UNTIL}).status_code == status
        assert who.post(path(job, "/skip-next")).status_code == status
        assert who.post(path(job, "/skip-next/undo")).status_code == status
    row = rows.get(Job, job.id)
    assert (row.paused_until, row.skipped_until) == (None, None)
