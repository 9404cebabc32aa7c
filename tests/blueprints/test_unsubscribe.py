"""No more mails by the link of a mail, without signing in."""

import pytest

from lib.links import Links
from models import User
from tests.blueprints.pages import Visitor, text


@pytest.fixture
def path(app, user, clock):
    key = app.extensions["repocast"].secret_key.get_secret_value()
    return Links("", key).unsubscribe(user.id, "success")


def off(rows, user):
    return (rows.get(User, user.id).notices or {}).get("emailOff")


def test_opening_the_link_changes_nothing(app, rows, user, path):
    assert "Stop these mails?" in text(Visitor(app).get(path))
    assert off(rows, user) is None


def test_the_button_stops_them_and_another_starts_them_again(app, rows, user, path):
    stranger = Visitor(app)
    assert "No more of these mails" in text(stranger.post(path))
    assert off(rows, user) == ["success"]
    assert "Stop these mails?" in text(stranger.post(path, {"again": "on"}))
    assert off(rows, user) == []


def test_a_mail_program_needs_no_page(app, rows, user, path):
    client = app.test_client()
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert off(rows, user) == ["success"]
    assert client.post(path).status_code == 400


def test_a_link_that_is_not_ours_stops_nothing(app, rows, user, path):
    assert Visitor(app).get(path[:-2]).status_code == 404
    assert Visitor(app).post(path[:-2]).status_code == 404
    assert off(rows, user) is None


@pytest.mark.parametrize("kind", ["daily", "weekly"])
def test_a_digest_is_stopped_as_a_whole_and_started_again(app, rows, user, clock, kind):
    from pipeline.wishes import Pace, Wishes
    from tests.blueprints.pages import change

    key = app.extensions["repocast"].secret_key.get_secret_value()
    path = Links("", key).unsubscribe(user.id, kind)
    change(rows, user, notices=Wishes(pace=Pace.WEEKLY).stored(), digest_at=clock.now())
    stranger = Visitor(app)
    assert f"The {kind} digest" in text(stranger.get(path))
    assert "No more of these mails" in text(stranger.post(path))
    assert (rows.get(User, user.id).notices["pace"], rows.get(User, user.id).digest_at) == ("NONE", None)
    stranger.post(path, {"again": "on"})
    assert rows.get(User, user.id).notices["pace"] == kind.upper()
    assert rows.get(User, user.id).digest_at > clock.now()
