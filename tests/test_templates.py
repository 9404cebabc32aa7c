"""Every template is rendered by some page, and what the pages lean on is what it should be."""

import gzip
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jinja2
import pytest

from tests.blueprints.conftest import Rows
from tests.blueprints.pages import Visitor, attempt, step

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
VENDOR = ROOT / "static" / "vendor"
AT = datetime(2025, 10, 3, 9, tzinfo=UTC)
PAGE_LIMIT = 60 * 1024
CSP_BREAKERS = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|\bjs:|javascript:", re.I)


@pytest.fixture
def rows(sessions) -> Rows:
    return Rows(sessions)


@pytest.fixture
def shown(monkeypatch) -> set[str]:
    """The names of the templates that are looked up."""
    names: set[str] = set()
    whole = jinja2.Environment._load_template

    def note(self, name, globals):
        names.add(str(name))
        return whole(self, name, globals)

    monkeypatch.setattr(jinja2.Environment, "_load_template", note)
    return names


def site(rows: Rows, user) -> list[str]:
    """One of everything, and the addresses of its pages."""
    from models import EmailDelivery, Notification

    project = rows.project(user)
    rows.platform(project, "DEVTO")
    job = rows.job(project)
    execution = rows.execution(
        job,
        status="FAILED",
        outcome="FAILED",
        error="Bad credentials",
        window_since=AT - timedelta(days=1),
        window_until=AT,
    )
    attempt(rows, execution, 1, status="FAILED", started_at=AT)
    step(rows, execution, "scan", status="FAILED", started_at=AT)
    draft = rows.draft(execution, "DEVTO")
    result = {"platformType": "DEVTO", "success": True, "draftId": draft.id}
    told = rows.execution(job, output={"results": [result]})
    rows.add(Notification(user_id=user.id, type="JOB_FAILED", title="t", message="m", link="/"))
    mail = {"recipient": "you@example.com", "subject": "s", "text": "t", "html": "h"}
    rows.add(EmailDelivery(user_id=user.id, execution_id=told.id, **mail))
    at_project, at_job = f"/projects/{project.id}", f"/projects/{project.id}/cron/{job.id}"
    return [
        *("/dashboard", "/start", "/projects/new", at_project, f"{at_project}/edit", f"{at_project}/delete"),
        *(f"{at_project}/cron/new", at_job, f"{at_job}/edit", f"{at_job}/disable", f"{at_job}/delete"),
        *(f"{at_job}/trigger", f"{at_job}/pause"),
        *(f"/executions/{execution.id}", f"/executions/{execution.id}/raw"),
        *(f"/executions/{told.id}", "/drafts", f"/drafts/{draft.id}"),
        f"/drafts/{draft.id}/compare",
        *("/notifications", "/notifications/badge", "/notifications/preferences"),
        *("/settings", "/settings/delete"),
    ]


def reset_form(app, rows, user):
    """Where a link to a new password leads."""
    from lib import clock
    from lib.digests import digest
    from models import AccountLink

    ends = clock.now() + timedelta(hours=1)
    link = {"user_id": user.id, "kind": "RESET", "email": user.email, "expires_at": ends}
    rows.add(AccountLink(digest=digest("reset"), **link))
    return Visitor(app).get("/password/reset/reset")


def test_every_template_is_rendered(app, rows, shown, clock, monkeypatch):
    found = app.extensions["repocast"].model_copy(update={"design_page": True})
    monkeypatch.setitem(app.extensions, "repocast", found)
    user = rows.user()
    stranger, owner = Visitor(app), Visitor(app, user)
    answers = [
        stranger.get(path)
        for path in (
            "/",
            "/login",
            "/register",
            "/login/once/x",
            "/approve",
            "/unsubscribe",
            "/nowhere",
            "/design",
            "/keyboard",
        )
    ]
    answers += [stranger.get(path) for path in ("/verify/x", "/password/forgot", "/password/reset/x")]
    answers.append(reset_form(app, rows, user))
    answers += [owner.get("/dashboard"), *map(owner.get, site(rows, user))]
    answers.append(owner.post(f"/projects/{rows.project(user).id}/webhook"))
    for answer in answers:
        assert answer.status_code in (200, 404, 410)
        assert "</html>" in answer.get_data(as_text=True) or "badge" in answer.request.path
    written = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")}
    assert {name for name in written - shown if not name.startswith("email/")} == set()


def test_every_page_keeps_the_policy_and_its_weight(app, rows, clock):
    user = rows.user()
    owner = Visitor(app, user)
    for path in site(rows, user):
        answer = owner.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        body = re.sub(r"<pre.*?</pre>", "", answer.get_data(as_text=True), flags=re.S)
        assert CSP_BREAKERS.search(body) is None, path
        linked = set(re.findall(r'(?:src|href)="(/static/[^"?]+)', body))
        weight = sum(len(gzip.compress((ROOT / name[1:]).read_bytes())) for name in linked)
        assert len(gzip.compress(answer.data)) + weight <= PAGE_LIMIT, path


def test_what_is_vendored_is_what_was_vendored():
    rows = re.findall(
        r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), flags=re.M
    )
    assert {name for name, _ in rows} == {path.name for path in VENDOR.glob("*.js")}
    for name, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_every_icon_that_is_used_is_drawn():
    from blueprints.view import MARKS

    drawn = set(re.findall(r'id="i-(\w+)"', (TEMPLATES / "_icons.html").read_text()))
    assert {mark.icon for mark in MARKS.values()} <= drawn


def test_every_form_carries_its_token():
    for path in TEMPLATES.rglob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), flags=re.S):
            assert "csrf()" in form or 'method="get"' in form, path
