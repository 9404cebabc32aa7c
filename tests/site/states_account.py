"""Of the account: what its mails lead to, the settings in each of their states, questions, and failures."""

from datetime import timedelta
from typing import Any

from tests.blueprints.conftest import Rows

LONG_EMAIL = f"{'verylongname' * 5}@{'a-long-domain-' * 4}x.example.com"
RTL_NAME = "آدا لوفليس"
FAILURES = (400, 403, 405, 413, 429, 500, 503)


def see_account(rows: Rows, site: Any, at: Any) -> None:
    """`site`: where the states are added; `at`: when they are looked at."""
    _mailed(rows, site, at)
    _settings(rows, site, at)
    site.see("keyboard", "/keyboard")
    site.see("unsubscribe-spent", "/unsubscribe?token=x", who="", status=404)
    for status in FAILURES:
        site.see(f"failed-{status}", f"/broken/{status}", status=status)
    site.see("failed-stranger", "/broken/500", who="", status=500)


def see_questions(site: Any, project: str, job: str) -> None:
    """What shows itself only after a click; `project`, `job`: their paths."""
    site.see("dialog-keyboard", "/drafts", step=_shortcuts)
    site.see("dialog-disable", job, step=lambda page: _ask(page, "Disable"))
    site.see("dialog-project-delete", project, step=lambda page: _ask(page, "Delete"))
    site.see("lost-server", job, step=_lose)


def _mailed(rows: Rows, site: Any, at: Any) -> None:
    from lib.digests import digest
    from models import AccountLink

    user = rows.user(email="forgetful@example.com")
    link = {"kind": "RESET", "email": user.email, "expires_at": at + timedelta(hours=1)}
    rows.add(AccountLink(digest=digest("reset"), user_id=user.id, **link))
    stranger: dict[str, Any] = {"who": ""}
    site.see("verify", "/verify/x", **stranger)
    site.see("verify-ended", "/verify/x", status=410, form={}, **stranger)
    site.see("forgot", "/password/forgot", **stranger)
    site.see("forgot-wrong", "/password/forgot", status=422, form={"email": "nobody"}, **stranger)
    site.see("forgot-sent", "/password/forgot", form={"email": LONG_EMAIL}, **stranger)
    site.see("reset", "/password/reset/reset", **stranger)
    common = {"newPassword": "password1"}
    site.see("reset-common", "/password/reset/reset", status=422, form=common, **stranger)
    site.see("reset-ended", "/password/reset/x", status=410, **stranger)
    taken = {"email": user.email, "password": "correct horse"}
    site.see("register-taken", "/register", status=422, form=taken, **stranger)
    common = {"email": "you@example.com", "password": "password1"}
    site.see("register-common", "/register", status=422, form=common, **stranger)


def _settings(rows: Rows, site: Any, at: Any) -> None:
    from models import UserSession

    names = {"name": RTL_NAME, "theme": "auto", "timezone": "America/Argentina/ComodRivadavia"}
    waiting = {"verified_at": None, "pending_email": f"new-{LONG_EMAIL}", "time_format": "24"}
    user = site.users["waiting"] = rows.user(email=LONG_EMAIL, **names, **waiting)
    rows.token(user, name="A program of mine, which has a long name " * 2)
    rows.token(user, name="Verylongname" * 8, can_write=False, expires_at=at - timedelta(days=1))
    rows.token(user, name=RTL_NAME, expires_at=at + timedelta(days=30), last_used_at=at)
    for number in range(3):
        seen = at - timedelta(hours=number)
        agent = {"agent": "Samsung Internet on Android", "ip": "2001:0db8:0001:0002::"}
        rows.add(UserSession(id=f"s{number}", user_id=user.id, created_at=seen, last_seen_at=seen, **agent))
    mine: dict[str, Any] = {"who": "waiting"}
    for page in ("settings", "dashboard", "settings/delete", "projects/new"):
        site.see(f"waiting-{page.replace('/', '-')}", f"/{page}", **mine)
    wrong = {
        "profile": {"fullName": "n" * 101, "timezone": "Mars", "timeFormat": "13", "theme": "pink"},
        "email": {"newEmail": "nobody", "emailPassword": "guess"},
        "password": {"oldPassword": "guess", "newPassword": "short"},
        "tokens": {"name": "", "expires": "soon"},
        "delete": {"password": "guess"},
    }
    for name, form in wrong.items():
        site.see(f"settings-{name}-wrong", f"/settings/{name}", status=422, form=form, **mine)
    token = {"name": "Another program", "canWrite": "on", "expires": ""}
    site.see("settings-token-made", "/settings/tokens", status=201, form=token, **mine)


def _ask(page: Any, link: str) -> None:
    page.get_by_role("link", name=link, exact=True).first.click()
    page.get_by_role("dialog").wait_for()


def _shortcuts(page: Any) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def _lose(page: Any) -> None:
    """As when the server has gone, without the failed request, which a browser complains of."""
    page.wait_for_function("'miss' in window")
    page.evaluate("miss(); clearTimeout(retry); retry = 1")
