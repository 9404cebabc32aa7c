"""Every form of every page works without JavaScript: each is found on its page, filled in and sent.

Whoever adds an address that takes a form adds a line to `forms`, or says in ELSEWHERE why none belongs there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Response, request, request_finished
from playwright.sync_api import Browser, Locator, Page
from sqlalchemy.orm import sessionmaker
from werkzeug.security import generate_password_hash

from tests.blueprints.conftest import Rows
from tests.blueprints.pages import Visitor, step
from tests.site.served import Served, serving
from tests.site.states import AT
from tests.standins.github import GitHubStandIn, awesome_lib

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(600)]

ELSEWHERE = {
    "/drafts/<draft_id>/autosave": "htmx alone sends it while one types; without it there is the button Save",
    "/webhooks/github/<project_id>": "GitHub sends it",
}
"""By rule: why no page has a form for it."""
PASSWORD = "correct horse"
LATER = AT + timedelta(hours=1)


@dataclass(frozen=True)
class Form:
    """The page `path` has a form, or a button, that sends to `action` ("" is the form without one).

    One that ends with = begins so. `typed`: by name of field, what goes in there first; True checks a box.
    `who`: a row, or None for a stranger.
    """

    rule: str
    path: str
    action: str = ""
    typed: dict[str, Any] = field(default_factory=dict)
    who: Any = None

    def button(self, page: Page) -> Locator:
        sign = "^=" if self.action.endswith("=") else "="
        at = f'[action{sign}"{self.action}"]' if self.action else ":not([action])"
        own = f'main form[method="post"]{at} button:not([formaction], [type=button], [aria-hidden])'
        return page.locator(f'{own}, button[formaction="{self.action}"]').first


class Things:
    """Rows that forms are about, each form's own where it changes them for good."""

    def __init__(self, rows: Rows, served: Served) -> None:
        self.rows, self.links = rows, _links(served)
        self.user = rows.user(email="forms@example.com", password_hash=generate_password_hash(PASSWORD))
        self.fresh = self.somebody(verified_at=None)

    def somebody(self, **values: Any) -> Any:
        return self.rows.user(password_hash=self.user.password_hash, **values)

    def project(self, **values: Any) -> Any:
        return self.rows.project(self.user, **values)

    def job(self, **values: Any) -> Any:
        return self.rows.job(self.project(), **values)

    def execution(self, **values: Any) -> Any:
        return self.rows.execution(self.job(), **values)

    def draft(self, **values: Any) -> Any:
        return self.rows.draft(self.execution(), "DEVTO", **values)

    def platform(self, **values: Any) -> Any:
        return self.rows.platform(self.project(), "DEVTO", **values)


def _links(served: Served) -> Any:
    from lib.links import Links

    return Links("", served.app.extensions["repocast"].secret_key.get_secret_value())


def forms(things: Things) -> Iterator[Form]:
    yield from _strangers(things)
    yield from _account(things)
    yield from _first_steps(things)
    yield from _projects(things)
    yield from _jobs(things)
    yield from _executions_and_drafts(things)
    yield from _notifications(things)


def _strangers(things: Things) -> Iterator[Form]:
    from lib.digests import digest
    from models import AccountLink

    for kind, user in (("VERIFY", things.fresh), ("RESET", things.somebody())):
        link = {"kind": kind, "email": user.email, "expires_at": LATER}
        things.rows.add(AccountLink(digest=digest(kind), user_id=user.id, **link))
    email = {"email": things.user.email}
    yield Form("/register", "/register", typed={"email": "new@example.com", "password": PASSWORD})
    yield Form("/login", "/login", typed=email | {"password": PASSWORD, "remember": True})
    yield Form("/verify/<secret>", "/verify/VERIFY")
    yield Form("/password/forgot", "/password/forgot", typed=email)
    yield Form("/password/reset/<secret>", "/password/reset/RESET", typed={"newPassword": PASSWORD})
    yield Form("/approve", things.links.approval(things.draft().id, 1), "/approve")
    path = things.links.unsubscribe(things.user.id, "success")
    yield Form("/unsubscribe", path, path)


def _account(things: Things) -> Iterator[Form]:
    from models import ApiToken, UserSession

    def form(rule: str, action: str, typed: dict[str, Any] | None = None, who: Any = things.user) -> Form:
        return Form(rule, "/settings", action, typed or {}, who)

    def by_rule(rule: str, typed: dict[str, Any] | None = None, who: Any = things.user) -> Form:
        return form(rule, rule, typed, who)

    for name in ("one", "another"):
        things.rows.add(UserSession(id=name, user_id=things.user.id, agent="Firefox on Linux"))
    token = things.rows.add(ApiToken(user_id=things.user.id, name="A program", digest="d"))
    yield by_rule("/logout")
    yield by_rule("/settings/profile", {"fullName": "Ada", "timezone": "Asia/Tokyo"})
    yield form("/settings/sessions/<session_id>/end", "/settings/sessions/one/end")
    yield by_rule("/settings/sessions/end-others")
    yield by_rule("/settings/tokens", {"name": "Another program", "canWrite": True})
    yield form("/settings/tokens/<token_id>/revoke", f"/settings/tokens/{token.id}/revoke")
    yield by_rule("/settings/email", {"newEmail": "other@example.com", "emailPassword": PASSWORD})
    yield by_rule("/settings/email/keep")
    yield by_rule("/settings/email/resend", who=things.somebody(verified_at=None))
    yield by_rule("/settings/password", {"oldPassword": PASSWORD, "newPassword": "battery staple"})
    leaving = things.somebody()
    yield Form("/settings/delete", "/settings/delete", typed={"password": PASSWORD}, who=leaving)


def _first_steps(things: Things) -> Iterator[Form]:
    def form(step: str, typed: dict[str, Any] | None = None, ready: str = "") -> Form:
        """`ready`: what the account has already."""
        user = things.somebody()
        if ready:
            project = things.rows.project(user)
            if ready != "PROJECT":
                things.rows.platform(project, "DEVTO")
            if ready == "JOB":
                things.rows.job(project)
        return Form(f"/start/{step}", "/start", f"/start/{step}", typed or {}, user)

    repository = {"repository": "username/awesome-lib"}
    yield form("repository/test", repository)
    yield form("repository", repository)
    yield form("platforms", ready="PROJECT")
    yield form("schedule/preview", ready="PLATFORM")
    yield form("schedule", ready="PLATFORM")
    yield form("run", ready="JOB")


def _projects(things: Things) -> Iterator[Form]:
    def form(rule: str, path: str, action: str = "", typed: dict[str, Any] | None = None) -> Form:
        return Form(rule, path, action, typed or {}, things.user)

    typed = {"name": "My Lib", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"}
    at = f"/projects/{things.project().id}"
    yield form("/projects/new", "/projects/new", "/projects/new", typed)
    yield form("/projects/new/test", "/projects/new", "/projects/new/test", typed)
    yield form("/projects/<project_id>/edit", f"{at}/edit", f"{at}/edit", {"description": "A library"})
    yield form("/projects/<project_id>/edit/test", f"{at}/edit", f"{at}/edit/test")
    yield form("/projects/<project_id>/test", at, f"{at}/test#repository")
    yield form("/projects/<project_id>/delete", f"/projects/{things.project().id}/delete")
    yield form("/projects/<project_id>/platforms", at, f"{at}/platforms")
    yield form("/projects/<project_id>/webhook", at, f"{at}/webhook")
    hooked = f"/projects/{things.project(webhook_secret='sealed').id}/webhook"
    yield form("/projects/<project_id>/webhook", hooked)
    yield form("/projects/<project_id>/webhook/off", f"{hooked}/off")
    platform, other = things.platform(), things.platform(is_connected=False)
    at, page = f"/platforms/{platform.id}", f"/projects/{platform.project_id}"
    yield form("/platforms/<platform_id>/credentials", page, f"{at}/credentials", {"apiKey": "key"})
    yield form(
        "/platforms/<platform_id>/disclosure", page, f"{at}/disclosure", {"disclosure": "By a machine."}
    )
    yield form("/platforms/<platform_id>/disconnect", page, f"{at}/disconnect")
    yield form(
        "/platforms/<platform_id>/connect", f"/projects/{other.project_id}", f"/platforms/{other.id}/connect"
    )
    yield form("/platforms/<platform_id>/delete", f"{at}/delete")


def _jobs(things: Things) -> Iterator[Form]:
    job, off = things.job(), things.job(is_enabled=False, next_run_at=None)
    skipped = things.job(skipped_until=AT + timedelta(days=1), next_run_at=AT + timedelta(days=2))
    at, cron = (
        (f"/projects/{one.project_id}/cron/{one.id}" for one in (job, off)),
        "/projects/<project_id>/cron",
    )
    here, there = at
    one, new = f"{cron}/<job_id>", f"/projects/{job.project_id}/cron"
    undo = f"/projects/{skipped.project_id}/cron/{skipped.id}"

    def form(rule: str, path: str, action: str, typed: dict[str, Any] | None = None) -> Form:
        return Form(rule, path, action, typed or {}, things.user)

    yield form(f"{cron}/new", f"{new}/new", f"{new}/new", {"time": "06:00"})
    yield form(f"{cron}/preview", f"{new}/new", f"{new}/preview", {"time": "06:00"})
    yield form(f"{one}/preview", f"{here}/edit", f"{here}/preview", {"time": "06:00"})
    yield form(f"{one}/edit", f"{here}/edit", f"{here}/edit", {"time": "06:00"})
    yield form(f"{one}/pause", f"{here}/pause", f"{here}/pause")
    yield form(f"{one}/trigger", f"{here}/trigger", f"{here}/trigger")
    yield form(f"{one}/disable", f"{here}/disable", "")
    yield form(f"{one}/enable", there, f"{there}/enable")
    yield form(f"{one}/skip-next/undo", undo, f"{undo}/skip-next/undo")
    slot = things.job()
    path = f"/projects/{slot.project_id}/cron/{slot.id}"
    yield form(f"{one}/skip-next", path, f"{path}/skip-next?slot=")
    yield form(f"{one}/delete", f"{here}/delete", "")


def _executions_and_drafts(things: Things) -> Iterator[Form]:
    from models import DraftVersion, Regeneration

    def form(rule: str, at: str, action: str = "", page: str = "") -> Form:
        return Form(rule, page or at, f"{at}{action}", {}, things.user)

    live = things.execution(status="RUNNING", outcome=None, started_at=AT, heartbeat_at=AT, attempt=1)
    window = {"window_since": AT - timedelta(days=1), "window_until": AT}
    failed = things.execution(status="FAILED", outcome="FAILED", error="No.", **window)
    yield form("/executions/<execution_id>/cancel", f"/executions/{live.id}", "/cancel")
    yield form("/executions/<execution_id>/retry", f"/executions/{failed.id}", "/retry")

    rule = "/drafts/<draft_id>"
    edited = things.draft(version=2)
    for number in (1, 2):
        version = {"number": number, "made_by": "USER", "content": f"Text {number}"}
        things.rows.add(DraftVersion(draft_id=edited.id, **version))
    yield Form(rule, f"/drafts/{edited.id}", f"/drafts/{edited.id}", {"content": "A text"}, things.user)
    yield form(f"{rule}/restore/<int:number>", f"/drafts/{edited.id}", "/restore/1")
    for act in ("approve", "reject"):
        yield form(f"{rule}/{act}", f"/drafts/{things.draft().id}", f"/{act}")
    project = things.project()
    platform = things.rows.platform(project, "DEVTO")
    scanned = things.rows.execution(things.rows.job(project))
    step(things.rows, scanned, "scan", status="COMPLETED", result={})
    anew = things.rows.draft(scanned, "DEVTO", platform_id=platform.id)
    yield form(f"{rule}/regenerate", f"/drafts/{anew.id}", "/regenerate")
    ordered, decided = things.draft(), {"state": "REJECTED", "decided_at": AT}
    things.rows.add(Regeneration(draft_id=ordered.id, from_version=1))
    yield form(f"{rule}/regenerate/cancel", f"/drafts/{ordered.id}", "/regenerate/cancel")
    yield form(f"{rule}/give-back", f"/drafts/{things.draft(**decided).id}", "/give-back")
    yield form(f"{rule}/reopen", f"/drafts/{things.draft(**decided).id}", "/reopen")


def _notifications(things: Things) -> Iterator[Form]:
    from models import Notification

    told = {"type": "JOB_SUCCESS", "title": "t", "message": "m", "link": "/dashboard"}
    one, _ = (things.rows.add(Notification(user_id=things.user.id, **told)) for _ in range(2))
    at = "/notifications"
    yield Form(f"{at}/<notification_id>/read", at, f"{at}/{one.id}/read", who=things.user)
    yield Form(f"{at}/read-all", at, f"{at}/read-all", who=things.user)
    read = things.rows.add(Notification(user_id=things.user.id, **told, is_read=True))
    yield Form(f"{at}/<notification_id>/unread", at, f"{at}/{read.id}/unread", who=things.user)
    yield Form(f"{at}/test", f"{at}/preferences", f"{at}/test", who=things.user)
    yield Form(f"{at}/preferences", f"{at}/preferences", f"{at}/preferences", who=things.user)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served, GitHubStandIn(awesome_lib()) as github:
        chosen = served.app.extensions["repocast"]
        served.app.extensions["repocast"] = chosen.model_copy(update={"github_api_url": github.url})
        yield served


@pytest.fixture
def sent(served: Served) -> Iterator[list[tuple[str, int]]]:
    """What forms have sent: rule and status of the answer."""
    seen: list[tuple[str, int]] = []

    def note(_app: Any, response: Response) -> None:
        if request.method == "POST" and request.url_rule is not None:
            seen.append((request.url_rule.rule, response.status_code))

    with request_finished.connected_to(note, served.app):
        yield seen


def test_every_form_is_sent_without_javascript(browser: Browser, served: Served, sent, tmp_path: Path):
    from models.base import make_engine

    engine = make_engine(f"sqlite:///{tmp_path / 'site.db'}")
    things = Things(Rows(sessionmaker(engine, expire_on_commit=False)), served)
    wrong: list[Any] = []
    tried = set()
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    for form in forms(things):
        tried.add(form.rule)
        sent.clear()
        try:
            _send(page, served, form)
        except Exception as error:  # noqa: BLE001 - the others are tried, too
            wrong.append((form.rule, str(error)[:300]))
        else:
            if not (len(sent) == 1 and sent[0][0] == form.rule and sent[0][1] < 400):
                wrong.append((form.rule, list(sent)))
    context.close()
    engine.dispose()
    assert wrong == [], "\n".join(map(str, wrong))
    taking = {
        rule.rule
        for rule in served.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/")
    }
    assert taking - tried == ELSEWHERE.keys(), "a form is forgotten"


def _send(page: Page, served: Served, form: Form) -> None:
    context = page.context
    context.clear_cookies()
    if form.who is not None:
        client = Visitor(served.app, form.who)._client
        context.add_cookies(
            [{"name": "session", "value": client.get_cookie("session").value, "url": served.url}]
        )
    page.goto(served.url + form.path)
    for name, value in form.typed.items():
        one = page.locator(f'main [name="{name}"]').first
        _unfold(one)
        one.check() if value is True else one.fill(value)
    button = form.button(page)
    _unfold(button)
    with context.expect_event("response", lambda answer: answer.request.method == "POST"):
        button.click()


def _unfold(one: Locator) -> None:
    """Open what it is folded into, from the outside in."""
    for folded in one.locator("xpath=ancestor::details[not(@open)]").all():
        folded.locator("summary").first.click()
