"""The profile, the address, the data and the end of an account."""

import io
import json
import re
import zipfile

import pytest
from werkzeug.security import generate_password_hash

from tests.blueprints.pages import Visitor, beside, text, value

PASSWORD = "correct horse"
PROFILE = {"fullName": "Ada", "timezone": "Europe/Berlin", "timeFormat": "24", "theme": "dark"}


@pytest.fixture
def user(rows, app, clock):
    return rows.user(password_hash=generate_password_hash(PASSWORD))


@pytest.fixture
def owner(app, user) -> Visitor:
    return Visitor(app, user)


def stored(rows, user):
    return rows.get(type(user), user.id)


def mails(rows):
    from models import EmailDelivery

    return sorted(rows.all(EmailDelivery), key=lambda mail: mail.recipient)


def secret_of(mail) -> str:
    """The link's last part, as its reader has it."""
    found = re.search(r"/(?:verify|password/reset)/(\S+)", mail.text)[1]
    assert found in mail.html
    return found


def test_the_profile_is_saved(owner, rows, user):
    assert "settings are saved" in owner.follow(owner.post("/settings/profile", PROFILE))
    now = stored(rows, user)
    assert (now.name, now.timezone, now.time_format, now.theme) == ("Ada", "Europe/Berlin", "24", "dark")


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("fullName", "x" * 101, "at most 100"),
        ("timezone", "Europe/Berlim", "did you mean 'Europe/Berlin'"),
        ("timeFormat", "13", "12 or 24"),
        ("theme", "pink", "light or dark"),
    ],
)
def test_a_wrong_profile_says_where_and_keeps_what_was_typed(owner, rows, user, name, typed, said):
    answer = owner.post("/settings/profile", PROFILE | {"fullName": "Ada", name: typed}, htmx=True)
    assert answer.status_code == 422
    assert said in beside(answer, name)
    assert "<html" not in answer.get_data(as_text=True)
    assert value(answer, "fullName") == (typed if name == "fullName" else "Ada")
    assert stored(rows, user).timezone == "UTC"


def test_times_are_told_as_chosen(app, rows, clock):
    user = rows.user(time_format="24")
    rows.job(rows.project(user))
    page = Visitor(app, user).get("/dashboard")
    assert "Tomorrow at 09:00 UTC" in text(page)
    assert "AM" not in text(page)
    other = rows.user()
    rows.job(rows.project(other))
    assert "Tomorrow at 9:00 AM UTC" in text(Visitor(app, other).get("/dashboard"))


@pytest.mark.parametrize(("hour", "words"), [(0, "00:05"), (9, "09:05"), (12, "12:05"), (21, "21:05")])
def test_schedules_tell_their_time_as_chosen(app, rows, clock, hour, words):
    user = rows.user(time_format="24")
    config = {"hour": hour, "minute": 5, "timezone": "UTC"}
    job = rows.job(rows.project(user), time_config=config, schedule=f"5 {hour} * * *")
    page = text(Visitor(app, user).get(f"/projects/{job.project_id}/cron/{job.id}"))
    assert f"at {words} UTC" in page


def test_a_token_ends_when_it_was_said_to(app, owner, rows, clock):
    page = owner.post("/settings/tokens", {"name": "ci", "expires": "30"})
    secret = re.search(r"repocast_[\w-]+", page.get_data(as_text=True))[0]
    headers = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/projects", headers=headers).status_code == 200
    clock.advance(30 * 86400)
    assert app.test_client().get("/api/projects", headers=headers).status_code == 401
    assert "Expired" in text(owner.get("/settings"))


def test_registering_mails_a_link_that_confirms_once(app, clock, rows):
    visitor = Visitor(app)
    zone = {"timezone": "Europe/Berlin"}
    page = visitor.follow(visitor.post("/register", {"email": "a@example.com", "password": PASSWORD} | zone))
    assert "We sent a link to a@example.com." in page
    (mail,) = mails(rows)
    assert mail.recipient == "a@example.com"
    path = f"/verify/{secret_of(mail)}"
    assert Visitor(app).get(path).status_code == 200
    (user,) = rows.all(_user())
    assert user.verified_at is None, "looking confirms nothing"
    assert user.timezone == "Europe/Berlin"
    assert visitor.post(path).status_code == 303
    assert rows.all(_user())[0].verified_at == clock.now()
    assert "We sent a link" not in text(visitor.get("/dashboard"))
    assert visitor.post(path).status_code == 410


def _user():
    from models import User

    return User


@pytest.mark.parametrize("late", [0, 1, 86400])
def test_a_link_ends_after_three_days(app, clock, rows, late):
    visitor = Visitor(app)
    visitor.post("/register", {"email": "a@example.com", "password": PASSWORD})
    clock.advance(3 * 86400 + late)
    assert visitor.post(f"/verify/{secret_of(mails(rows)[0])}").status_code == 410
    assert rows.all(_user())[0].verified_at is None


def test_sending_again_is_bounded(app, clock, rows):
    visitor = Visitor(app)
    visitor.post("/register", {"email": "a@example.com", "password": PASSWORD})
    said = [visitor.follow(visitor.post("/settings/email/resend")) for _ in range(3)]
    assert ["another link" in page for page in said] == [True, True, False]
    assert "enough mails" in said[-1]
    assert len(mails(rows)) == 3


def test_a_new_address_takes_over_once_it_is_confirmed(owner, rows, user):
    answer = owner.post("/settings/email", {"newEmail": "New@Example.com", "emailPassword": PASSWORD})
    assert "link to new@example.com" in owner.follow(answer)
    assert stored(rows, user).email == user.email
    to_new, to_old = mails(rows)
    assert (to_new.recipient, to_old.recipient) == ("new@example.com", user.email)
    assert "/verify/" not in to_old.text
    owner.post(f"/verify/{secret_of(to_new)}")
    now = stored(rows, user)
    assert (now.email, now.pending_email) == ("new@example.com", None)


def test_an_address_that_was_given_up_is_not_confirmed(owner, rows, user):
    owner.post("/settings/email", {"newEmail": "new@example.com", "emailPassword": PASSWORD})
    owner.post("/settings/email/keep")
    assert owner.post(f"/verify/{secret_of(mails(rows)[0])}").status_code == 410
    assert stored(rows, user).email == user.email


def test_an_address_that_somebody_has_by_then_is_refused(owner, rows, user):
    rows.user(email="new@example.com")
    owner.post("/settings/email", {"newEmail": "new@example.com", "emailPassword": PASSWORD})
    assert owner.post(f"/verify/{secret_of(mails(rows)[0])}").status_code == 410
    assert stored(rows, user).email == user.email


def test_changing_the_address_wants_the_password(owner, rows):
    answer = owner.post("/settings/email", {"newEmail": "new@example.com", "emailPassword": "guess"})
    assert answer.status_code == 422
    assert "not your password" in beside(answer, "emailPassword")
    assert value(answer, "newEmail") == "new@example.com"
    assert mails(rows) == []


def test_the_data_comes_whole_and_without_secrets(owner, rows, user):
    project = rows.project(user, github_token="sealed-token", webhook_secret="sealed-hook")
    rows.platform(project, "DEVTO", credentials="sealed-key")
    execution = rows.execution(rows.job(project))
    rows.draft(execution, "DEVTO")
    theirs = rows.execution(rows.job(rows.project(rows.user())))
    answer = owner.get("/settings/export")
    assert "repocast-2025-10-03.zip" in answer.headers["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    parts = {name: archive.read(name).decode() for name in archive.namelist()}
    lines = [json.loads(line) for line in parts["executions.jsonl"].splitlines()]
    assert [line["id"] for line in lines] == [execution.id]
    whole = "".join(parts.values())
    assert "A post for DEVTO" in whole
    assert theirs.id not in whole
    assert "sealed" not in whole
    assert user.password_hash not in whole
    assert user.email in parts["account.jsonl"]


def test_deleting_names_what_goes_and_leaves_nothing(app, owner, rows, user):
    from models import Base

    project = rows.project(user)
    execution = rows.execution(rows.job(project), status="RUNNING", outcome=None)
    rows.draft(execution, "DEVTO")
    other = rows.project(rows.user())
    page = text(owner.get("/settings/delete"))
    assert "1 project and 1 job are removed" in page
    assert "1 run under way" in page
    refused = owner.post("/settings/delete", {"password": "guess"})
    assert (refused.status_code, "not your password" in beside(refused, "password")) == (422, True)
    answer = owner.post("/settings/delete", {"password": PASSWORD})
    assert "account is deleted" in owner.follow(answer)
    assert owner.get("/dashboard").status_code == 303
    for mapper in Base.registry.mappers:
        if "user_id" in mapper.columns:
            assert [row for row in rows.all(mapper.class_) if row.user_id == user.id] == [], mapper
    assert stored(rows, user) is None
    assert rows.get(type(other), other.id) is not None


def test_a_new_job_starts_in_the_own_zone(app, rows, clock):
    user = rows.user(timezone="Asia/Tokyo")
    page = Visitor(app, user).get(f"/projects/{rows.project(user).id}/cron/new")
    assert value(page, "timezone") == "Asia/Tokyo"
