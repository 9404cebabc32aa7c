import pytest

from models import Notification
from tests.blueprints.conftest import statements


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
