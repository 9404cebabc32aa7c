import pytest

from models import Notification, User
from pipeline.wishes import EVENTS
from tests.blueprints.conftest import fields, statements


@pytest.fixture
def tell(rows, clock):
    def add(user, **values):
        clock.advance(1)
        given = {
            "type": "JOB_SUCCESS",
            "title": "Daily Content Generation completed successfully",
            "message": "Execution completed successfully in 14s",
            "link": "/projects/clxxx_my_project/cron/cron_abc123def456",
        }
        return rows.add(Notification(user_id=user.id, **given | values))

    return add


def test_the_walkthroughs_notification(api, user, tell):
    told = tell(user)
    body = api.get("/api/notifications").get_json()
    assert body == {
        "success": True,
        "data": [
            {
                "id": told.id,
                "type": "JOB_SUCCESS",
                "title": "Daily Content Generation completed successfully",
                "message": "Execution completed successfully in 14s",
                "link": "/projects/clxxx_my_project/cron/cron_abc123def456",
                "read": False,
                "executionId": None,
                "createdAt": "2025-10-03T09:00:01.000Z",
            }
        ],
        "count": 1,
        "nextCursor": None,
    }


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_list_has_a_fixed_number_of_queries(api, rows, user, tell, queries, count):
    made = [tell(user).id for _ in range(count)]
    tell(rows.user())
    api.get("/api/projects")
    queries.clear()
    body = api.get("/api/notifications?limit=100").get_json()
    assert [shown["id"] for shown in body["data"]] == made[::-1]
    assert statements(queries) == 3


def test_read_one(api, rows, user, tell):
    one, other = tell(user), tell(user)
    shown = api.post(f"/api/notifications/{one.id}/read").get_json()["data"]
    assert (shown["id"], shown["read"]) == (one.id, True)
    assert [rows.get(Notification, told.id).is_read for told in (one, other)] == [True, False]


def test_read_all_is_mine_alone(api, rows, user, tell):
    stranger = rows.user()
    mine, theirs = [tell(user), tell(user)], tell(stranger)
    assert api.post("/api/notifications/read-all").get_json()["data"] == {"read": 2}
    assert api.post("/api/notifications/read-all").get_json()["data"] == {"read": 0}
    assert all(rows.get(Notification, told.id).is_read for told in mine)
    assert not rows.get(Notification, theirs.id).is_read


def test_others_cannot_read_it(stranger, rows, user, tell):
    told = tell(user)
    assert stranger.post(f"/api/notifications/{told.id}/read").status_code == 404
    assert not rows.get(Notification, told.id).is_read


def test_the_preferences_as_they_are_until_something_is_chosen(api, user):
    body = api.get("/api/notifications/preferences").get_json()["data"]
    assert body == {
        "events": {event: {"app": True, "email": True} for event in EVENTS},
        "onlyChanges": False,
        "pace": "EACH",
        "hour": 8,
        "weekday": 1,
        "urgentAtOnce": True,
        "timezone": "UTC",
        "nextDigestAt": None,
        "email": user.email,
        "isVerified": True,
    }


def test_what_is_left_out_of_a_change_stays(api, rows, user):
    path = "/api/notifications/preferences"
    first = {"events": {"success": {"email": False}, "failure": {"app": False}}, "onlyChanges": True}
    api.patch(path, first)
    body = api.patch(path, {"events": {"failure": {"app": True}}, "pace": "WEEKLY", "hour": 17}).get_json()
    assert body["data"]["events"]["success"] == {"app": True, "email": False}
    assert body["data"]["events"]["failure"] == {"app": True, "email": True}
    assert (body["data"]["onlyChanges"], body["data"]["pace"]) == (True, "WEEKLY")
    assert body["data"]["nextDigestAt"] == "2025-10-06T17:00:00.000Z"
    assert api.get(path).get_json()["data"] == body["data"]
    assert rows.get(User, user.id).digest_at is not None
    assert api.patch(path, {"pace": "EACH"}).get_json()["data"]["nextDigestAt"] is None


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"pace": "HOURLY"}, ["pace"]),
        ({"hour": 24}, ["hour"]),
        ({"hour": "8"}, ["hour"]),
        ({"weekday": 7, "hour": -1}, ["hour", "weekday"]),
        ({"onlyChanges": None}, ["onlyChanges"]),
        ({"events": {"nonsense": {"app": True}}}, ["events.nonsense"]),
        ({"events": {"success": {"sms": True}}}, ["events.success.sms"]),
        ({"events": {"success": {"app": "yes"}}}, ["events.success.app"]),
        ({"nonsense": 1}, ["nonsense"]),
    ],
)
def test_preferences_that_make_no_sense_change_nothing(api, rows, user, sent, wrong):
    refused = api.patch("/api/notifications/preferences", sent)
    assert refused.status_code == 400
    assert [field.removesuffix(".[key]") for field in fields(refused)] == wrong
    assert rows.get(User, user.id).notices is None


def test_a_token_that_only_reads_changes_no_preferences(rows, as_user, app, user, clock):
    from tests.blueprints.conftest import Api

    reader = Api(app, rows.token(user, can_write=False))
    assert reader.get("/api/notifications/preferences").status_code == 200
    assert reader.patch("/api/notifications/preferences", {"hour": 3}).status_code == 403
