"""Accounts in the browser."""

import re

import pytest

from tests.blueprints.pages import Visitor, beside, text, value

PASSWORD = "correct horse"


@pytest.fixture
def visitor(app, clock) -> Visitor:
    return Visitor(app)


def register(visitor: Visitor, email: str = "New@Example.com", password: str = PASSWORD):
    return visitor.post("/register", {"email": email, "password": password})


def test_the_start_says_what_it_is_and_leads_on(visitor):
    page = visitor.get("/")
    assert page.status_code == 200
    assert "written up on schedule" in text(page)
    assert 'href="/register"' in page.get_data(as_text=True)


def test_registering_signs_in_and_keeps_no_password(visitor, rows):
    from models import User

    answer = register(visitor)
    assert answer.location == "/start"
    assert "First steps" in visitor.follow(answer)
    user = rows.all(User)[0]
    assert user.email == "new@example.com"
    assert user.password_hash.startswith("scrypt:")
    assert visitor.get("/").location == "/dashboard"


@pytest.mark.usefixtures("real_passwords")
def test_a_password_is_dear_to_try(visitor, rows):
    """Hashed with what OWASP asks of scrypt, or more; other tests hash cheaply."""
    from models import User

    register(visitor)
    method, _, _ = rows.all(User)[0].password_hash.partition("$")
    assert method == "scrypt:32768:8:1"
    assert visitor.post("/login", {"email": "new@example.com", "password": PASSWORD}).status_code == 303


def test_registering_wrongly_keeps_what_was_typed(visitor, rows):
    from models import User

    answer = register(visitor, "nobody", "short")
    assert answer.status_code == 422
    assert beside(answer, "email") == "Must be an address such as you@example.com."
    assert "8" in beside(answer, "password")
    assert value(answer, "email") == "nobody"
    assert "short" not in answer.get_data(as_text=True)
    assert rows.all(User) == []


def test_an_email_registers_once(app, clock, rows):
    from models import User

    register(Visitor(app), "one@example.com")
    answer = register(Visitor(app), "ONE@example.com")
    assert answer.status_code == 422
    assert "already" in beside(answer, "email")
    assert len(rows.all(User)) == 1


def test_closed_registration_stores_nothing(visitor, app, rows):
    from models import User

    token = visitor.token()
    app.extensions["repocast"] = app.extensions["repocast"].model_copy(update={"registration": "closed"})
    answer = visitor.post("/register", {"email": "a@example.com", "password": PASSWORD}, token=token)
    assert answer.status_code == 403
    assert "Registration is closed" in text(visitor.get("/register"))
    assert "Create an account" not in text(visitor.get("/login"))
    assert rows.all(User) == []


def test_signing_in_and_out(visitor, app):
    register(visitor, "a@example.com")
    assert "signed out" in visitor.follow(visitor.post("/logout"))
    assert visitor.get("/dashboard").location == "/login?next=/dashboard"
    answer = visitor.post("/login", {"email": " A@Example.com ", "password": PASSWORD})
    assert answer.location == "/dashboard"
    assert visitor.get("/dashboard").status_code == 200


def test_unknown_email_and_wrong_password_are_answered_alike(visitor, app):
    register(Visitor(app), "a@example.com")
    wrong = visitor.post("/login", {"email": "a@example.com", "password": "wrong horse"})
    unknown = visitor.post("/login", {"email": "b@example.com", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 422
    assert beside(wrong, "email") == beside(unknown, "email") != ""
    assert value(wrong, "email") == "a@example.com"


@pytest.mark.parametrize(
    ("target", "lands"),
    [
        ("/drafts?job=x", "/drafts?job=x"),
        ("https://evil.example/", "/dashboard"),
        ("//evil.example/", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("/\t/evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
    ],
)
def test_next_leads_nowhere_else(app, clock, target, lands):
    from urllib.parse import urlencode

    register(Visitor(app), "a@example.com")
    answer = Visitor(app).post(
        f"/login?{urlencode({'next': target})}", {"email": "a@example.com", "password": PASSWORD}
    )
    assert answer.location == lands


def test_a_sign_in_link_works_once(app, clock, rows):
    from lib.digests import digest

    user = rows.user(sign_in_digest=digest("secret"))
    first, second = Visitor(app), Visitor(app)
    assert first.get("/login/once/secret").location == "/dashboard"
    assert first.get("/dashboard").status_code == 200
    again = second.get("/login/once/secret")
    assert again.status_code == 410
    assert "used already" in text(again)
    assert second.get("/dashboard").status_code == 303
    assert rows.get(type(user), user.id).sign_in_digest is None


def test_guessing_is_slowed_down(visitor):
    tries = [visitor.post("/login", {"email": "a@example.com", "password": "guess"}) for _ in range(11)]
    assert [answer.status_code for answer in tries] == [422] * 10 + [429]
    assert re.search(r"Too many tries Try again in \d+ s\.|Try again in 1 min\.", text(tries[-1]))


def test_trying_addresses_out_is_slowed_down_and_says_until_when(visitor, clock, rows):
    rows.user(email="one@example.com")
    tries = [register(visitor, "one@example.com") for _ in range(11)]
    assert [answer.status_code for answer in tries] == [422] * 10 + [429]
    assert re.search(r"Try again in (\d\d min|1 h)\.", text(tries[-1]))
    wait = int(tries[-1].headers["Retry-After"])
    assert 60 < wait <= 3601, "in whole seconds, rather late than early"


@pytest.mark.parametrize("path", ["/register", "/login", "/logout"])
def test_forms_need_their_token(visitor, path):
    answer = visitor.post(path, {"email": "a@example.com", "password": PASSWORD}, token="")
    assert answer.status_code == 400
    assert "The form had expired" in text(answer)


@pytest.mark.parametrize(
    "path",
    ["/dashboard", "/projects/new", "/drafts", "/notifications", "/settings", "/executions/x", "/drafts/x"],
)
def test_strangers_are_asked_to_sign_in(visitor, path):
    assert visitor.get(path).location == f"/login?next={path}"
    live = visitor.get(path, htmx=True)
    assert (live.status_code, live.headers["HX-Redirect"]) == (204, f"/login?next={path}")
