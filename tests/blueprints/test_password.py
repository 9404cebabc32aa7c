"""A new password: by the old one, and by a link in a mail."""

import pytest
from werkzeug.security import generate_password_hash

from tests.blueprints.pages import Visitor, beside, text
from tests.blueprints.test_account import mails, secret_of

OLD, NEW = "correct horse", "battery staple"


@pytest.fixture
def user(rows, app, clock):
    return rows.user(email="a@example.com", password_hash=generate_password_hash(OLD))


def signs_in(app, password: str) -> bool:
    answer = Visitor(app).post("/login", {"email": "a@example.com", "password": password})
    return answer.status_code == 303


def ask(app, email: str = "a@example.com"):
    return Visitor(app).post("/password/forgot", {"email": email})


def test_changing_it_signs_all_other_browsers_out(app, user):
    owner, other = Visitor(app, user), Visitor(app, user)
    answer = owner.post("/settings/password", {"oldPassword": OLD, "newPassword": NEW})
    assert "password is changed" in owner.follow(answer)
    assert other.get("/dashboard").status_code == 303
    assert not signs_in(app, OLD)
    assert signs_in(app, NEW)


def test_changing_it_wants_the_old_one_and_a_long_one(app, user):
    owner = Visitor(app, user)
    answer = owner.post("/settings/password", {"oldPassword": "guess", "newPassword": "short"}, htmx=True)
    assert answer.status_code == 422
    assert "not your password" in beside(answer, "oldPassword")
    assert "8" in beside(answer, "newPassword")
    assert "guess" not in answer.get_data(as_text=True)
    assert signs_in(app, OLD)


def test_guessing_the_old_one_is_slowed_down(app, user):
    owner = Visitor(app, user)
    wrong = {"oldPassword": "guess", "newPassword": NEW}
    assert [owner.post("/settings/password", wrong).status_code for _ in range(11)][-1] == 429


def test_a_link_gives_a_new_one_once_and_ends_every_session(app, user, rows):
    browser = Visitor(app, user)
    ask(app)
    ask(app)
    first, second = mails(rows)
    path = f"/password/reset/{secret_of(first)}"
    assert Visitor(app).get(path).status_code == 200
    assert Visitor(app).post(path, {"newPassword": "short"}).status_code == 422
    answer = Visitor(app).post(path, {"newPassword": NEW})
    assert answer.location == "/login"
    assert browser.get("/dashboard").status_code == 303
    assert signs_in(app, NEW)
    assert Visitor(app).post(path, {"newPassword": OLD}).status_code == 410
    earlier = Visitor(app).post(f"/password/reset/{secret_of(second)}", {"newPassword": OLD})
    assert earlier.status_code == 410
    assert not signs_in(app, OLD)


@pytest.mark.parametrize("late", [0, 1, 86400])
def test_a_link_ends_after_an_hour(app, user, rows, clock, late):
    ask(app)
    clock.advance(3600 + late)
    path = f"/password/reset/{secret_of(mails(rows)[0])}"
    assert Visitor(app).get(path).status_code == 410
    assert Visitor(app).post(path, {"newPassword": NEW}).status_code == 410


def test_nobody_learns_whether_an_address_has_an_account(app, user, rows, bells):
    known, unknown = ask(app), ask(app, "b@example.com")
    assert known.status_code == unknown.status_code == 200
    assert text(known).replace("a@", "b@") == text(unknown)
    assert len(mails(rows)) == 1
    assert len(bells()) == 2, "the same work, too"


def test_one_account_gets_few_such_mails(app, user, rows):
    for _ in range(4):
        ask(app)
    assert len(mails(rows)) == 3


def test_links_that_were_used_count_too(app, user, rows):
    for _ in range(3):
        ask(app)
    Visitor(app).post(f"/password/reset/{secret_of(mails(rows)[0])}", {"newPassword": NEW})
    ask(app)
    assert len(mails(rows)) == 3


def test_a_link_of_one_kind_does_nothing_of_another(app, user, rows):
    ask(app)
    assert Visitor(app).post(f"/verify/{secret_of(mails(rows)[0])}").status_code == 410


@pytest.mark.parametrize("common", ["password1", "a@example.com", "Letmein2026!"])
def test_what_is_guessed_first_is_refused_wherever_one_is_chosen(app, user, rows, common):
    said = "Is one of the first that are guessed"
    registering = Visitor(app).post("/register", {"email": "b@example.com", "password": common})
    assert registering.status_code == (303 if common == "a@example.com" else 422)
    owner = Visitor(app, user)
    changing = owner.post("/settings/password", {"oldPassword": OLD, "newPassword": common})
    assert (changing.status_code, said in beside(changing, "newPassword")) == (422, True)
    ask(app)
    sent = next(mail for mail in mails(rows) if "password/reset" in mail.text)
    resetting = Visitor(app).post(f"/password/reset/{secret_of(sent)}", {"newPassword": common})
    assert (resetting.status_code, said in beside(resetting, "newPassword")) == (422, True)
    made = app.test_cli_runner().invoke(
        args=["user", "create", "A@example.com", "--password-stdin"], input=f"{common}\n"
    )
    assert said in made.output
    assert signs_in(app, OLD)
