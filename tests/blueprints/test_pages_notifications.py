"""The list of notifications with its filters, and what a person chooses to be told."""

import re
from datetime import timedelta

import pytest

from models import Notification, User
from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, text


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


def test_everything_is_told_until_something_is_chosen(visitor):
    body = visitor.get("/notifications/preferences").get_data(as_text=True)
    assert body.count(" checked") == 12
    assert 'name="onlyChanges" value="on">' in body


def test_what_is_not_ticked_is_switched_off(visitor, rows, user):
    chosen = {"app": ["success", "failure"], "email": ["failure", "nonsense"], "onlyChanges": "on"}
    saved = visitor.follow(visitor.post("/notifications/preferences", chosen))
    assert "Saved what you are told." in saved
    assert rows.get(User, user.id).notices == {
        "appOff": ["expiry", "partial", "paused", "recovery"],
        "emailOff": ["expiry", "partial", "paused", "recovery", "success"],
        "onlyChanges": True,
    }
    body = visitor.get("/notifications/preferences").get_data(as_text=True)
    assert body.count(" checked") == 4


def test_an_address_that_is_not_verified_is_said(app, rows):
    said = text(Visitor(app, rows.user(verified_at=None)).get("/notifications/preferences"))
    assert "until the address is verified" in said


def add(rows, user, **values):
    given = {"type": "JOB_SUCCESS", "title": "Daily succeeded", "message": "In 14s", "link": "/l"}
    return rows.add(Notification(user_id=user.id, **given | values))


def test_the_address_filters_by_kind_and_unread(visitor, rows, user):
    add(rows, user, title="Good")
    add(rows, user, type="JOB_TIMEOUT", title="Slow")
    add(rows, user, type="JOB_FAILED", title="Bad", is_read=True)
    failures = text(visitor.get("/notifications?kind=failure"))
    assert ("Slow" in failures, "Bad" in failures, "Good" in failures) == (True, True, False)
    unread = text(visitor.get("/notifications?kind=failure&show=unread"))
    assert ("Slow" in unread, "Bad" in unread) == (True, False)
    for path in ("?kind=expiry", "?kind=nonsense"):
        assert "No notification matches" in text(visitor.get("/notifications" + path))
    kept = visitor.get("/notifications?kind=failure").get_data(as_text=True)
    assert 'href="/notifications?kind=failure&amp;show=unread"' in kept


def test_the_lines_stand_under_their_day_in_the_readers_zone(app, rows, clock):
    tokyo = rows.user(timezone="Asia/Tokyo")
    for hours in (0, 13, 19):  # 18:00, 5:00 and 23:00 there
        add(rows, tokyo, created_at=clock.now() - timedelta(hours=hours))
    body = Visitor(app, tokyo).get("/notifications").get_data(as_text=True)
    assert re.findall(r"<h2>(\w+)</h2>", body) == ["Today", "Yesterday"]


@pytest.mark.parametrize("many", [1, 30])
def test_the_page_has_a_fixed_number_of_queries(visitor, rows, user, queries, many):
    for _ in range(many):
        add(rows, user)
    visitor.get("/settings")
    queries.clear()
    visitor.get("/notifications?show=unread")
    assert statements(queries) <= 8
