"""Who is signed in where."""

import pytest
from sqlalchemy import delete

from tests.blueprints.pages import Visitor, sign_in, text


@pytest.fixture
def owner(app, user, clock) -> Visitor:
    return Visitor(app, user)


def test_the_settings_list_them_and_mark_this_one(app, user, owner):
    Visitor(app, user)
    page = text(owner.get("/settings"))
    assert page.count("This one") == 1
    assert "Sign out all others" in page


def test_ending_one_signs_that_browser_out_at_once(app, user, owner, rows):
    from models import UserSession

    mine = {row.id for row in rows.all(UserSession)}
    other = Visitor(app, user)
    (theirs,) = {row.id for row in rows.all(UserSession)} - mine
    assert other.get("/dashboard").status_code == 200
    assert "signed out" in owner.follow(owner.post(f"/settings/sessions/{theirs}/end"))
    assert other.get("/dashboard").location == "/login?next=/dashboard"
    assert owner.get("/dashboard").status_code == 200


def test_ending_all_others_keeps_this_one(app, user, owner, rows):
    from models import UserSession

    others = [Visitor(app, user), Visitor(app, user)]
    stranger = Visitor(app, rows.user())
    owner.post("/settings/sessions/end-others")
    assert [other.get("/dashboard").status_code for other in others] == [303, 303]
    assert owner.get("/dashboard").status_code == stranger.get("/dashboard").status_code == 200
    assert len(rows.all(UserSession)) == 2


def test_nobody_ends_anothers(app, owner, rows):
    from models import UserSession

    mine = rows.all(UserSession)[0]
    Visitor(app, rows.user()).post(f"/settings/sessions/{mine.id}/end")
    assert owner.get("/dashboard").status_code == 200


def test_signing_out_ends_it_also_for_who_copied_the_cookie(app, user, owner, rows):
    from models import UserSession

    thief = app.test_client()
    with owner._client.session_transaction() as own:
        stolen = dict(own)
    with thief.session_transaction() as session:
        session.update(stolen)
    assert thief.get("/dashboard").status_code == 200
    owner.post("/logout")
    assert thief.get("/dashboard").status_code == 303
    assert rows.all(UserSession) == []


def test_a_cookie_from_before_sessions_is_signed_out(app, user, clock):
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = user.id, True
    assert client.get("/dashboard").status_code == 303


def test_signing_in_leaves_nothing_that_was_planted(app, clock):
    visitor = Visitor(app)
    with visitor._client.session_transaction() as session:
        session["planted"] = "x"
    visitor.post("/register", {"email": "a@example.com", "password": "correct horse"})
    with visitor._client.session_transaction() as session:
        assert "planted" not in session


def test_remembering_lasts_until_the_session_is_ended(app, clock, rows):
    from models import UserSession

    Visitor(app).post("/register", {"email": "a@example.com", "password": "correct horse"})
    visitor = Visitor(app)
    visitor.post("/login", {"email": "a@example.com", "password": "correct horse", "remember": "on"})
    visitor._client.delete_cookie("session")
    assert visitor.get("/dashboard").status_code == 200
    for row in rows.all(UserSession):
        Visitor(app, rows.get(_user(), row.user_id)).post("/settings/sessions/end-others")
    visitor._client.delete_cookie("session")
    assert visitor.get("/dashboard").status_code == 303


def _user():
    from models import User

    return User


def test_it_is_seen_at_most_every_five_minutes(owner, rows, clock):
    from models import UserSession

    begun = rows.all(UserSession)[0].last_seen_at
    clock.advance(200)
    owner.get("/dashboard")
    assert rows.all(UserSession)[0].last_seen_at == begun
    clock.advance(200)
    owner.get("/dashboard")
    assert rows.all(UserSession)[0].last_seen_at == clock.now()


def test_one_that_another_browser_ends_meanwhile_still_gets_its_page(owner, rows, clock, monkeypatch):
    from blueprints import sessions
    from models import UserSession

    def end_it(user_id):
        with rows._sessions() as session, session.begin():
            session.execute(delete(UserSession))
        return []

    monkeypatch.setattr(sessions, "of", end_it)
    clock.advance(400)
    assert owner.get("/settings").status_code == 200
    assert owner.get("/dashboard").status_code == 303


def test_it_ends_after_a_year_unused(owner, clock):
    clock.advance(366 * 86400)
    assert owner.get("/dashboard").status_code == 303


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; iPhone OS 17_5 like Mac OS X) Version/17 Safari/604.1",
            "Safari on iPhone",
        ),
        ("<script>", "An unknown browser"),
    ],
)
def test_browsers_are_named_in_words(sent, words):
    from blueprints.sessions import agent_words

    assert agent_words(sent) == words


def test_addresses_are_shortened():
    from blueprints.sessions import masked

    assert masked("203.0.113.77") == "203.0.113.x"
    assert masked("2001:db8:1:2:3:4:5:6") == "2001:0db8:0001:0002::"
    assert masked("unix:") == masked(None) == ""


def test_the_user_and_the_session_are_one_query(app, user, rows, clock):
    from sqlalchemy import event

    client, seen = app.test_client(), []
    sign_in(app, client, user)
    from blueprints.extensions import db

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    client.get("/settings")
    assert sum("user_account" in statement for statement in seen) == 1
