"""The list of notifications with its filters, and what a person chooses to be told."""

import re
from datetime import timedelta

import pytest

from models import DigestEntry, EmailDelivery, Notification, User
from pipeline.wishes import EVENTS
from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, beside, change, text


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


def test_everything_is_told_until_something_is_chosen(visitor):
    body = visitor.get("/notifications/preferences").get_data(as_text=True)
    assert body.count(" checked") == 2 * len(EVENTS) + 2
    assert 'name="onlyChanges" value="on">' in body


def test_what_is_not_ticked_is_switched_off(visitor, rows, user):
    chosen = {"app": ["success", "failure"], "email": ["failure", "nonsense"], "onlyChanges": "on"}
    saved = visitor.follow(visitor.post("/notifications/preferences", chosen))
    assert "Saved what you are told." in saved
    assert rows.get(User, user.id).notices == {
        "appOff": ["drafts", "expiry", "partial", "paused", "recovery"],
        "emailOff": ["drafts", "expiry", "partial", "paused", "recovery", "success"],
        "onlyChanges": True,
        "pace": "EACH",
        "hour": 8,
        "weekday": 1,
        "urgentAtOnce": True,
    }
    body = visitor.get("/notifications/preferences").get_data(as_text=True)
    assert body.count(" checked") == 6


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


DIGEST = {"pace": "WEEKLY", "hour": "17", "weekday": "3"}


def test_a_digest_is_chosen_and_its_next_one_said(app, rows, clock):
    user = rows.user(timezone="Europe/Berlin")
    visitor = Visitor(app, user)
    saved = visitor.follow(visitor.post("/notifications/preferences", DIGEST))
    assert "The next digest comes Wednesday at 5:00 PM CEST" in saved
    assert "Nothing waits for it." in saved
    entry = {
        "event": "success",
        "job": "",
        "icon": "",
        "title": "t",
        "message": "m",
        "link": "l",
        "posts": [],
    }
    rows.add(DigestEntry(user_id=user.id, **entry))
    assert "1 notification waits for it." in text(visitor.get("/notifications/preferences"))
    stored = rows.get(User, user.id)
    assert (stored.notices["pace"], stored.notices["urgentAtOnce"]) == ("WEEKLY", False)
    profile = {"fullName": "", "timezone": "UTC", "timeFormat": "24", "theme": "auto"}
    visitor.post("/settings/profile", profile)
    assert (rows.get(User, user.id).digest_at - stored.digest_at).total_seconds() == 2 * 3600


def test_what_was_typed_stays_where_it_makes_no_sense(visitor, rows, user):
    sent = DIGEST | {"hour": "24", "pace": "HOURLY", "app": ["success"], "onlyChanges": "on"}
    refused = visitor.post("/notifications/preferences", sent)
    assert refused.status_code == 422
    assert "from 0 to 23" in beside(refused, "hour") or "23" in beside(refused, "hour")
    assert beside(refused, "pace")
    body = refused.get_data(as_text=True)
    assert body.count('type="checkbox" name="app"') == body.count('name="app"') == len(EVENTS)
    assert len(re.findall(r'name="app"[^>]* checked', body)) == 1
    assert rows.get(User, user.id).notices is None


def test_jobs_filter_what_is_told_of_them(visitor, rows, user):
    project = rows.project(user)
    one, other = (rows.job(project, name=name) for name in ("B job", "A job"))
    foreign = rows.job(rows.project(rows.user()))
    for job in (one, other):
        add(rows, user, title=f"Of {job.name}", link=f"/projects/{project.id}/cron/{job.id}")
    found = visitor.get(f"/notifications?job={one.id}&show=unread")
    assert ("Of B job" in text(found), "Of A job" in text(found)) == (True, False)
    body = found.get_data(as_text=True)
    assert f'<option value="{one.id}" selected>' in body
    assert body.index("A job</option>") < body.index("B job</option>")
    assert f'href="/notifications?kind=failure&amp;show=unread&amp;job={one.id}"' in body
    for job_id in (foreign.id, "nonsense"):
        assert "No notification matches" in text(visitor.get(f"/notifications?job={job_id}"))
    assert foreign.id not in visitor.get("/notifications").get_data(as_text=True)


def test_one_is_read_in_place_and_the_filters_stay(visitor, rows, user):
    told = add(rows, user, title="Good")
    path = f"/notifications/{told.id}/read?kind=success"
    body = visitor.post(path, htmx=True).get_data(as_text=True)
    assert ("<html" in body, "All is read." in body, 'hx-swap-oob="outerMorph"' in body) == (
        False,
        True,
        True,
    )
    assert f"/notifications/{told.id}/unread?kind=success" in body
    assert rows.get(Notification, told.id).is_read
    plain = visitor.post(f"/notifications/{told.id}/unread?kind=success")
    assert (plain.status_code, plain.location) == (303, "/notifications?kind=success")
    assert not rows.get(Notification, told.id).is_read
    visitor.post("/notifications/read-all?show=unread", htmx=True)
    assert rows.get(Notification, told.id).is_read


def test_others_cannot_mark_it(app, rows, user):
    told = add(rows, user)
    stranger = Visitor(app, rows.user())
    for path in ("read", "unread"):
        assert stranger.post(f"/notifications/{told.id}/{path}").status_code == 404
    assert not rows.get(Notification, told.id).is_read


def test_older_ones_keep_the_filters(visitor, rows, user, clock):
    for _ in range(31):
        clock.advance(1)
        add(rows, user)
    told = visitor.post(f"/notifications/{add(rows, user).id}/read?kind=success", htmx=True)
    older = re.search(r'href="([^"]+)" rel="next"', told.get_data(as_text=True))[1].replace("&amp;", "&")
    assert older.startswith("/notifications?kind=success&cursor=")
    assert visitor.get(older).get_data(as_text=True).count("data-item") == 2


def test_a_test_message_goes_through_the_outbox(visitor, rows, user, bells):
    saved = visitor.follow(visitor.post("/notifications/test"))
    assert f"A test message goes to {user.email}." in saved
    assert f"Waiting to be sent to {user.email}" in saved
    [mail] = rows.all(EmailDelivery)
    assert (mail.recipient, mail.event, mail.status) == (user.email, "test", "PENDING")
    assert ("deliver", (mail.id,)) in bells()
    shown = visitor.get("/notifications/preferences").get_data(as_text=True)
    live = re.search(r'hx-get="(/notifications/test\?v=\w+)"', shown)[1]
    assert visitor.get(live, htmx=True).status_code == 204
    change(rows, mail, status="SENT", sent_at=mail.created_at)
    done = visitor.get(live, htmx=True)
    assert "Saved as a file" in text(done)
    assert "outbox folder" in text(done)
    assert "hx-trigger" not in done.get_data(as_text=True)
    change(rows, mail, status="FAILED", error="550 No such person")
    assert "550 No such person. It is not tried again" in text(visitor.get(live, htmx=True))


def test_test_messages_are_few(visitor, rows, user, clock):
    for _ in range(3):
        assert visitor.post("/notifications/test").status_code == 303
        clock.advance(600)
    refused = visitor.post("/notifications/test", htmx=True)
    assert refused.status_code == 429
    assert "Ask again after 3 Oct at 10:00 AM UTC." in text(refused)
    assert len(rows.all(EmailDelivery)) == 3
    clock.advance(1800)
    assert visitor.post("/notifications/test").status_code == 303


def test_nothing_is_tried_on_an_address_that_is_not_verified(app, rows):
    visitor = Visitor(app, rows.user(verified_at=None))
    refused = visitor.post("/notifications/test")
    assert (refused.status_code, rows.all(EmailDelivery)) == (409, [])
    assert "confirm your address first" in text(refused)
    assert "Send a test message" not in text(refused)


@pytest.mark.parametrize("jobs", [1, 20])
def test_the_preferences_have_a_fixed_number_of_queries(visitor, rows, user, queries, jobs):
    project = rows.project(user)
    for _ in range(jobs):
        rows.job(project)
    change(rows, user, digest_at=user.created_at)
    visitor.get("/settings")
    for path in ("/notifications/preferences", "/notifications?kind=success"):
        queries.clear()
        visitor.get(path)
        assert statements(queries) <= 8
