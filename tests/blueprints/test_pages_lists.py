"""Drafts, notifications and settings in the browser; and that nobody sees another's anything."""

import json
import re
from datetime import timedelta

import pytest

from models import Pulse
from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, beside, change, text

MARKDOWN = (
    "## What changed\n\n**Bold** [link](https://example.com) [bad](javascript:alert(1)) "
    "![pixel](https://evil.example/p.png)\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n"
)


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def execution(rows, user):
    return rows.execution(rows.job(rows.project(user)), summary="3 commits")


def notify(rows, user, **values):
    from models import Notification

    given = {
        "type": "JOB_SUCCESS",
        "title": "Daily completed successfully",
        "message": "Execution completed successfully in 14s",
        "link": "/projects/p/cron/c",
    }
    return rows.add(Notification(user_id=user.id, **given | values))


def test_drafts_are_listed_with_what_they_are_for(visitor, rows, execution):
    assert "No drafts yet" in text(visitor.get("/drafts"))
    rows.draft(execution, "DEVTO", title="<i>Title</i>", checks=["Too long."])
    rows.draft(execution, "LINKEDIN", title="", content="First line\nSecond line")
    page = visitor.get("/drafts")
    assert "<i>Title</i> Dev.to · Daily Content Generation" in text(page)
    assert "First line LinkedIn" in text(page)
    assert "1 to look at" in text(page)
    assert "<i>Title" not in page.get_data(as_text=True)
    filtered = f"/drafts?job={execution.job_id}"
    assert "First line LinkedIn" in text(visitor.get(filtered))
    assert "No draft matches" in text(visitor.get("/drafts?job=cron_other"))


def test_a_draft_is_previewed_and_nothing_in_it_runs_or_loads(visitor, rows, execution):
    draft = rows.draft(execution, "HASHNODE", content=MARKDOWN, checks=["The title is too long."])
    page = visitor.get(f"/drafts/{draft.id}")
    body = page.get_data(as_text=True)
    article = re.search(r"<article.*?</article>", body, flags=re.S)[0]
    assert "<h2>What changed</h2>" in article
    assert "<strong>Bold</strong>" in article
    assert 'href="https://example.com"' in article
    assert 'rel="noopener noreferrer nofollow"' in article
    assert "pixel" in article
    for evil in ("<script", "<img", "evil.example", 'href="javascript'):
        assert evil not in article
    assert "Hashnode will not take it as it is: The title is too long." in text(page)
    assert f'href="/executions/{execution.id}"' in body
    assert "Written for Hashnode from 3 commits." in text(page)


def test_a_linkedin_draft_stays_plain_text(visitor, rows, execution):
    draft = rows.draft(execution, "LINKEDIN", content="# not a heading\n<b>no</b>")
    article = visitor.get(f"/drafts/{draft.id}").get_data(as_text=True)
    assert "# not a heading\n&lt;b&gt;no&lt;/b&gt;" in article


def test_notifications_are_listed_and_read(visitor, rows, user):
    assert "No notifications" in text(visitor.get("/notifications"))
    one = notify(rows, user, title="<b>One</b>")
    notify(rows, user, type="JOB_FAILED", title="Two")
    page = visitor.get("/notifications")
    assert "2 notifications are unread." in text(page)
    assert "<b>One</b> Execution completed" in text(page)
    assert "<b>One" not in page.get_data(as_text=True)
    assert 'href="/projects/p/cron/c"' in page.get_data(as_text=True)
    assert "1 notification is unread." in visitor.follow(visitor.post(f"/notifications/{one.id}/read"))
    assert "All is read." in visitor.follow(visitor.post("/notifications/read-all"))


def poll(page) -> str:
    """What the frame asks for by itself."""
    return re.search(r'hx-get="(/notifications/badge[^"]*)"', page.get_data(as_text=True))[1].replace(
        "&amp;", "&"
    )


def test_the_frame_is_told_nothing_while_it_is_the_same(visitor, rows, user):
    path = poll(visitor.get("/settings"))
    assert visitor.get(path, htmx=True).status_code == 204
    notify(rows, user)
    fresh = visitor.get(path, htmx=True)
    assert text(fresh).startswith("Notifications 1 unread Not started")
    assert visitor.get(poll(fresh), htmx=True).status_code == 204


def test_the_poll_leaves_the_mark_of_where_one_is(visitor, rows, user):
    for page, marked in (("/notifications", True), ("/settings", False)):
        path = poll(visitor.get(page))
        notify(rows, user)
        for _ in range(2):
            fresh = visitor.get(path, htmx=True)
            assert ('aria-current="page"' in fresh.get_data(as_text=True)) == marked
            path = poll(fresh)
            notify(rows, user)


@pytest.mark.parametrize(
    ("age", "state", "said"),
    [
        (12, "ok", "On time Scheduler last ticked less than a minute ago."),
        (-90, "ok", "On time Scheduler last ticked less than a minute ago."),
        (80, "ok", "On time Scheduler last ticked 1 min ago."),
        (
            420,
            "late",
            "Late Scheduler last ticked 7 min ago: no run starts until a worker is back. "
            "Start one with flask --app app worker.",
        ),
        (
            None,
            "never",
            "Not started The scheduler has not ticked yet: no run starts until a worker is there. "
            "Start one with flask --app app worker.",
        ),
    ],
)
def test_the_light_says_whether_the_scheduler_ticks(visitor, app, rows, clock, age, state, said):
    if age is not None:
        rows.add(Pulse(name="tick", at=clock.now() - timedelta(seconds=age)))
    for path in ("/dashboard", "/nowhere"):
        page = visitor.get(path)
        assert said in text(page)
        assert f'id="scheduler" class="light wide" data-state="{state}"' in page.get_data(as_text=True)
    assert "scheduler" not in Visitor(app).get("/login").get_data(as_text=True)
    if age == 420:
        assert 'title="2025-10-03 08:53:00 UTC"' in page.get_data(as_text=True)


def test_the_light_comes_along_with_the_badge(visitor, rows, clock, queries):
    tick = rows.add(Pulse(name="tick", at=clock.now()))
    path = poll(visitor.get("/settings"))
    queries.clear()
    assert visitor.get(path, htmx=True).status_code == 204
    assert statements(queries) == 2
    clock.advance(200)
    fresh = visitor.get(path, htmx=True)
    assert 'data-state="late" aria-label="Scheduler" hx-swap-oob="outerMorph"' in fresh.get_data(as_text=True)
    change(rows, tick, at=clock.now())
    assert "On time" in text(visitor.get(poll(fresh), htmx=True))


def test_lists_go_on_page_by_page(visitor, rows, user, clock):
    for number in range(35):
        notify(rows, user, title=f"N-{number:02d}", created_at=clock.now() - timedelta(seconds=number // 3))
    first = visitor.get("/notifications").get_data(as_text=True)
    older = re.search(r'href="(/notifications\?cursor=[^"]+)"', first)[1]
    second = visitor.get(older).get_data(as_text=True)
    titles = [re.findall(r">(N-\d\d)<", page) for page in (first, second)]
    assert [len(page) for page in titles] == [30, 5]
    assert len(set(titles[0] + titles[1])) == 35


@pytest.mark.parametrize("path", ["/drafts", "/notifications"])
def test_lists_ask_a_fixed_number_of_times(visitor, rows, user, execution, queries, path):
    counts = []
    for more in (1, 2, 15):
        for _ in range(more):
            other = rows.execution(rows.job(rows.project(user)))
            rows.draft(other, "DEVTO")
            notify(rows, user)
        queries.clear()
        visitor.get(path)
        counts.append(statements(queries))
    assert counts[0] == counts[1] == counts[2] <= 5


def test_a_token_is_shown_once_and_revoked(visitor, app, rows):
    from models import ApiToken

    made = visitor.post("/settings/tokens", {"name": "CI", "canWrite": "on"})
    secret = re.search(r"repocast_[\w-]{43}", made.get_data(as_text=True))[0]
    assert made.status_code == 201
    assert secret not in visitor.get("/settings").get_data(as_text=True)
    token = rows.all(ApiToken)[0]
    assert (token.name, token.can_write) == ("CI", True)
    assert secret not in token.digest
    bearer = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/projects", headers=bearer).status_code == 200
    assert "works no more" in visitor.follow(visitor.post(f"/settings/tokens/{token.id}/revoke"))
    assert app.test_client().get("/api/projects", headers=bearer).status_code == 401


def test_a_token_needs_a_name_and_reads_only_without_the_tick(visitor, rows):
    from models import ApiToken

    answer = visitor.post("/settings/tokens", {"name": " "})
    assert answer.status_code == 422
    assert "what the token is for" in beside(answer, "name")
    visitor.post("/settings/tokens", {"name": "Reader"})
    assert [token.can_write for token in rows.all(ApiToken)] == [False]


def theirs(rows) -> dict[str, str]:
    """Somebody else's objects."""
    from models import ApiToken

    user = rows.user()
    project = rows.project(user)
    job = rows.job(project)
    execution = rows.execution(job, status="RUNNING", outcome=None)
    rows.token(user)
    return {
        "project": project.id,
        "platform": rows.platform(project, "DEVTO").id,
        "job": job.id,
        "execution": execution.id,
        "draft": rows.draft(execution, "DEVTO").id,
        "notification": notify(rows, user).id,
        "token": rows.all(ApiToken)[0].id,
    }


def test_foreign_and_absent_things_are_answered_alike(visitor, app, rows):
    """Every page and every form that names an object."""
    found = theirs(rows)
    absent = {name: f"{name}_absent" for name in found}
    tried = 0
    for rule in app.url_map.iter_rules():
        names = {argument: argument.removesuffix("_id") for argument in rule.arguments}
        if rule.rule.startswith("/api/") or not names or not set(names.values()) <= set(found):
            continue
        if rule.endpoint in ("auth.once", "webhooks.github"):  # this one takes no cookies
            continue
        for ids in (found, absent):
            with app.test_request_context():
                path = rule_path(rule, {argument: ids[name] for argument, name in names.items()})
            for method in rule.methods & {"GET", "POST"}:
                answer = visitor.get(path) if method == "GET" else visitor.post(path)
                assert (method, path, answer.status_code) == (method, path, 404)
                tried += 1
    assert tried >= 50


def rule_path(rule, values) -> str:
    from flask import url_for

    return url_for(rule.endpoint, **values)


def test_every_form_needs_its_token(visitor, rows, app, user):
    project = rows.project(user)
    job = rows.job(project)
    for path in (f"/projects/{project.id}/delete", f"/projects/{project.id}/cron/{job.id}/trigger"):
        assert visitor.post(path, token="").status_code == 400
    live = visitor.post(f"/projects/{project.id}/delete", token="", htmx=True)
    assert (live.status_code, live.headers["HX-Reswap"], live.data) == (400, "none", b"")
    assert "The form had expired" in json.loads(live.headers["HX-Trigger"])["say"]
    assert rows.get(type(project), project.id) is not None
