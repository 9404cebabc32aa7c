"""What the pages and the API say of windows that are carried over, of what rejected posts gave back, and of
who writes."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.conftest import fields, statements
from tests.blueprints.pages import Visitor, beside, change, text

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)
REASON = "Nothing worth a post yet: 7 dependency updates. They are carried over to the next run."
DAILY = {"name": "Daily", "frequency": "DAILY", "timeConfig": {"hour": 9, "timezone": "UTC"}}
CARRIED = (
    "Since 26 Sep at 9:00 AM UTC too little has come in for a post. The next run reads it again with what"
    " has come by then, and from 2 Nov at 9:00 AM UTC on tells whatever there is. “Trigger Now” tells it at"
    " once."
)


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


@pytest.fixture
def job(rows, project):
    return rows.job(project, carried_since=AT, cursor_until=AT - timedelta(days=7))


@pytest.fixture
def small(rows, job):
    return rows.execution(
        job,
        outcome="NOT_SIGNIFICANT",
        reason=REASON,
        summary="7 commits",
        triggered_by="scheduled",
        started_at=AT,
        window_since=AT - timedelta(days=1),
        window_until=AT,
    )


def at(job, tail: str = "") -> str:
    return f"/projects/{job.project_id}/cron/{job.id}{tail}"


def test_the_execution_says_why_and_until_when(visitor, rows, job, small):
    path = f"/executions/{small.id}"
    page = text(visitor.get(path))
    assert (
        f"Too little to tell {REASON} From 2 Nov 2025, 9:00:02 AM UTC on a run tells whatever there is."
        in page
    )
    change(rows, job, carried_since=None)
    assert "whatever there is" not in text(visitor.get(path)), "it has been told since"
    change(rows, job, carried_since=AT + timedelta(days=5))
    assert "whatever there is" not in text(visitor.get(path)), "it was told in between"


def test_the_card_and_the_jobs_page_say_what_is_carried(visitor, rows, job, small):
    for path in ("/dashboard", at(job)):
        assert CARRIED in text(visitor.get(path))
    history = text(visitor.get(at(job))).partition("Next runs")[0]
    assert REASON in history
    assert "Too little to tell" in text(visitor.get("/dashboard"))
    change(rows, job, carried_since=None)
    for path in ("/dashboard", at(job)):
        assert "too little has come in" not in text(visitor.get(path))


def test_a_first_run_that_told_nothing_is_not_called_done(visitor, rows, job):
    assert "Nothing told yet; everything since 26 Sep 2025, 9:00:02 AM UTC" in text(visitor.get(at(job)))
    change(rows, job, cursor_read=AT)
    assert "Done; told up to 26 Sep 2025" in text(visitor.get(at(job)))


def test_the_api_says_why_nothing_was_written(api, small, job):
    shown = api.get(f"/api/executions/{small.id}").get_json()["data"]
    assert (shown["status"], shown["outcome"], shown["reason"]) == ("COMPLETED", "NOT_SIGNIFICANT", REASON)
    assert (shown["output"], shown["itemsProcessed"]) == (None, 0)
    assert shown["metadata"] == {
        "projectId": job.project_id,
        "userId": job.user_id,
        "message": REASON,
        "activity": {"hasActivity": True, "summary": "7 commits"},
    }
    carried = api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]["carriedSince"]
    assert carried == "2025-10-03T09:00:02.000Z"


# What came back


def test_what_came_back_is_shown_where_it_waits(visitor, rows, project, job):
    from models import GivenBack

    for kind, count in (("DEVTO", 2), ("LINKEDIN", 1)):
        platform = rows.platform(project, kind)
        for number in range(count):
            key = {"job_id": job.id, "platform_id": platform.id, "kind": "commit", "key": f"c{number}"}
            rows.add(GivenBack(**key, item={}, since=AT))
    said = "2 items given back for Dev.to, 1 item given back for LinkedIn: the next run tells that again"
    assert said in text(visitor.get(at(job)))


def test_what_a_post_tells_again_is_shown_with_it(visitor, api, rows, job):
    output = {
        "activity": {"summary": "1 commit", "hasActivity": True},
        "results": [
            {"platformId": "p", "platformType": "DEVTO", "success": True, "error": None, "draftId": None}
            | {"givenBack": 2},
            {"platformId": "q", "platformType": "LINKEDIN", "success": True, "error": None, "draftId": None},
        ],
    }
    done = rows.execution(job, output=output, summary="1 commit", items_success=2, items_processed=2)
    page = text(visitor.get(f"/executions/{done.id}"))
    assert "2 posts written from 1 commit plus 2 items given back." in page
    assert page.count("that a rejected post gave back.") == 1
    change(rows, done, summary="No activity")
    assert "2 posts written from 2 items given back." in text(visitor.get(f"/executions/{done.id}"))
    results = api.get(f"/api/executions/{done.id}").get_json()["data"]["output"]["results"]
    assert [one.get("givenBack") for one in results] == [2, None]


def test_lists_stay_at_their_number_of_queries(visitor, rows, project, job, small, queries):
    visitor.get(at(job))
    one = statements(queries)
    for number in range(3):
        rows.execution(job, outcome="NOT_SIGNIFICANT", reason=REASON, started_at=AT + timedelta(days=number))
    queries.clear()
    visitor.get(at(job))
    assert statements(queries) == one


# Choosing


FORM = {
    "name": "Weekly notes",
    "frequency": "DAILY",
    "hour": "9",
    "minute": "0",
    "timezone": "UTC",
    "allPlatforms": "on",
    "isEnabled": "on",
}


def test_the_form_proposes_news_and_the_model_where_there_is_one(visitor, project):
    page = visitor.get(f"/projects/{project.id}/cron/new").get_data(as_text=True)
    assert '<option value="NORMAL" selected>' in page
    assert '<option value="AUTO" selected>' in page
    assert 'name="fallsBack" value="on">' in page


def test_what_is_chosen_in_the_form_is_stored_shown_and_changed(visitor, rows, project):
    from models import Job

    chosen = FORM | {"significance": "STRICT", "writer": "MODEL", "fallsBack": "on"}
    page = visitor.follow(visitor.post(f"/projects/{project.id}/cron/new", chosen))
    assert (
        "A post is written For great news only: a release, a breaking change, a feature, or three fixes"
        in page
    )
    assert "Written by The model; without a key the run fails; the template writer steps in" in page
    job = rows.all(Job)[0]
    assert (job.significance, job.writer, job.falls_back) == ("STRICT", "MODEL", True)
    form = visitor.get(at(job, "/edit")).get_data(as_text=True)
    assert '<option value="STRICT" selected>' in form
    assert '<option value="MODEL" selected>' in form
    assert 'name="fallsBack" value="on" checked' in form
    visitor.post(at(job, "/edit"), FORM | {"significance": "OFF", "writer": "TEMPLATE"})
    job = rows.all(Job)[0]
    assert (job.significance, job.writer, job.falls_back) == ("OFF", "TEMPLATE", False)


@pytest.mark.parametrize("field", ["significance", "writer"])
def test_a_wrong_choice_is_answered_beside_its_field(visitor, rows, project, field):
    from models import Job

    answer = visitor.post(f"/projects/{project.id}/cron/new", FORM | {field: "SOME", "name": "Typed"})
    assert answer.status_code == 422
    assert beside(answer, field).startswith("Must be ")
    assert 'value="Typed"' in answer.get_data(as_text=True)
    assert rows.all(Job) == []


def test_the_api_stores_and_changes_the_choice(api, rows, project):
    sent = DAILY | {"type": "GENERATE_CONTENT", "projectId": project.id}
    plain = api.post("/api/cron/schedule", sent).get_json()["data"]
    names = ("significance", "writer", "fallsBack", "carriedSince")
    assert [plain[name] for name in names] == ["NORMAL", "AUTO", False, None]
    more = {"significance": "STRICT", "writer": "TEMPLATE", "fallsBack": True}
    made = api.post("/api/cron/schedule", sent | more).get_json()["data"]
    assert {name: made[name] for name in more} == more
    changed = api.patch(f"/api/cron/schedules/{made['id']}", {"significance": "OFF"}).get_json()["data"]
    assert {name: changed[name] for name in more} == more | {"significance": "OFF"}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"significance": "SOME"}, "significance"),
        ({"significance": None}, "significance"),
        ({"writer": "auto"}, "writer"),
        ({"fallsBack": "true"}, "fallsBack"),
        ({"carriedSince": "2025-10-03T09:00:00Z"}, "carriedSince"),
    ],
)
def test_the_api_refuses_what_is_no_choice(api, rows, project, sent, field):
    answer = api.post("/api/cron/schedule", DAILY | {"projectId": project.id} | sent)
    assert (answer.status_code, fields(answer)) == (400, [field])
