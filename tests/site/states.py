"""The pages in each of their states: `fill` makes the rows, and says where each state is seen.

A new page is a `State` more in one of the lists; what shows itself only after a click has `step`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.links import Links
from tests.blueprints.conftest import Rows
from tests.blueprints.pages import attempt, step
from tests.site import states_execution

AT = datetime(2025, 10, 3, 9, tzinfo=UTC)
"""The instant at which every page is looked at."""
LONG = "Verylongname" * 21
RTL = "مشروعي المفتوح المصدر 🚀 ‎v2"
MARKUP = "<script>alert('x')</script> & <b>bold</b>"
COMMIT = {"sha": "a" * 40, "message": "Add TypeScript support", "author": "Jane Smith"}


@dataclass(frozen=True)
class State:
    """One page as `who` sees it: "" is a stranger, else a key of `Site.users`.

    `form`: what is sent to `path` instead of asking for it. `step` acts on a browser's page once it is there.
    """

    name: str
    path: str
    who: str = "owner"
    status: int = 200
    form: dict[str, str] | None = None
    step: Callable[[Any], None] | None = None


@dataclass
class Site:
    users: dict[str, Any] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)

    def see(self, name: str, path: str, **more: Any) -> None:
        self.states.append(State(name, path, **more))


def fill(rows: Rows) -> Site:
    site = Site()
    digest = {"notices": {"pace": "WEEKLY"}, "digest_at": AT + timedelta(days=3)}
    for name in ("empty", "owner", "many"):
        values = digest if name == "many" else {}
        site.users[name] = rows.user(email=f"{name}@example.com", verified_at=AT, **values)
    _tick(rows)
    _strangers(site)
    for page in ("dashboard", "drafts", "notifications", "settings", "projects/new"):
        site.see(f"empty-{page.replace('/', '-')}", f"/{page}", who="empty")
    _start(rows, site)
    _owner(rows, site)
    _many(rows, site)
    return site


def _tick(rows: Rows) -> None:
    from models import Pulse

    rows.add(Pulse(name="tick", at=AT - timedelta(seconds=20)))


def _strangers(site: Site) -> None:
    for name, path in (("landing", "/"), ("login", "/login"), ("register", "/register")):
        site.see(name, path, who="")
    site.see("login-wrong", "/login", who="", status=422, form={"email": "a@example.com", "password": "no"})
    site.see("register-wrong", "/register", who="", status=422, form={"email": "a", "password": "b"})
    site.see("login-once-spent", "/login/once/x", who="", status=410)
    site.see("approve-spent", "/approve", who="", status=404)
    site.see("not-found", "/nowhere", status=404)


def _start(rows: Rows, site: Site) -> None:
    """The first steps, an account for each state."""

    def see(name: str, project: Any = None, **more: Any) -> None:
        who = f"start-{name}"
        user = site.users[who] = rows.user(email=f"{who}@example.com", verified_at=AT)
        if project:
            project(user)
        site.see(who, "/start", who=who, **more)

    def job(user: Any, **values: Any) -> Any:
        project = rows.project(user)
        for kind in ("DEVTO", "HASHNODE", "LINKEDIN"):
            rows.platform(project, kind)
        return rows.job(project, **values)

    def ran(user: Any, **values: Any) -> None:
        rows.execution(job(user, last_run_at=AT, last_success=AT, run_count=1), **values)

    def wrong(name: str, step: str, form: dict[str, str]) -> None:
        site.see(f"start-{name}-wrong", f"/start/{step}", who=f"start-{name}", status=422, form=form)

    wrote = {"items_processed": 3, "items_success": 3, "summary": "2 commits"}
    failed = {"status": "FAILED", "outcome": "FAILED", "error": f"GitHub answered 401: {LONG}"}
    queued = {"status": "QUEUED", "outcome": None}
    see("repository")
    wrong("repository", "repository", {"repository": "https://gitlab.com/a/b"})
    see("platforms", rows.project)
    wrong("platforms", "platforms", {})
    see("schedule", lambda user: rows.platform(rows.project(user, github_repo_name=LONG[:100]), "DEVTO"))
    wrong("schedule", "schedule", {"preset": "", "timezone": "Mars"})
    see("run", job)
    wrong("run", "run", {"after": "", "firstRun": ""})
    see("dry", lambda user: rows.execution(job(user), dry_run=True, **wrote))
    see("queued", lambda user: rows.execution(job(user), **queued))
    see("failed", lambda user: rows.execution(job(user), **failed))
    see("done", lambda user: ran(user, **wrote))
    see("nothing", lambda user: ran(user, outcome="NO_ACTIVITY"))
    site.see("start-dashboard", "/dashboard", who="start-platforms")
    site.see("start-dashboard-run", "/dashboard", who="start-run")


def _owner(rows: Rows, site: Site) -> None:
    project = rows.project(site.users["owner"])
    for kind in ("DEVTO", "HASHNODE", "LINKEDIN"):
        rows.platform(project, kind)
    strange = rows.project(site.users["owner"], name=LONG[:255], description=MARKUP)
    home = f"/projects/{project.id}"
    site.see("project", home)
    site.see("project-bare", f"/projects/{strange.id}")
    for page in ("edit", "delete", "cron/new"):
        site.see(f"project-{page.replace('/', '-')}", f"{home}/{page}")
    site.see("project-new", "/projects/new")
    site.see("project-new-wrong", "/projects/new", status=422, form={"name": ""})
    site.see("job-new-wrong", f"{home}/cron/new", status=422, form={"name": "", "hour": "24"})
    _jobs(rows, site, project)
    _drafts(rows, site, project)
    _job(rows, site, strange, "job-long-name", name=LONG[:255])
    _job(rows, site, strange, "job-right-to-left", name=RTL)
    _job(rows, site, strange, "job-markup", name=MARKUP)
    _notifications(rows, site)
    for page in ("dashboard", "drafts", "notifications", "settings"):
        site.see(page, f"/{page}")


def _job(rows: Rows, site: Site, project: Any, seen: str, **values: Any) -> Any:
    job = rows.job(project, **values)
    site.see(seen, f"/projects/{project.id}/cron/{job.id}")
    return job


def _jobs(rows: Rows, site: Site, project: Any) -> None:
    new = _job(rows, site, project, "job-new")
    for page in ("edit", "disable", "delete"):
        site.see(f"job-{page}", f"/projects/{project.id}/cron/{new.id}/{page}")
    disabled = {"is_enabled": False, "next_run_at": None}
    _job(rows, site, project, "job-disabled", name="Disabled", **disabled)
    paused = {"name": "Paused", "paused_at": AT, "next_run_at": None, "failures_in_row": 5}
    _job(rows, site, project, "job-paused", **paused)
    ran = timedelta(minutes=-3)
    error = "GitHub answered 401: Bad credentials."
    trace = 'Traceback (most recent call last):\n  File "/srv/app.py", line 1, in run\nValueError: no'
    lasting = {"started_at": AT + ran, "duration": 61_500, "completed_at": AT + ran + timedelta(seconds=61)}
    window = {"window_since": AT - timedelta(days=1), "window_until": AT}
    ends: dict[str, dict[str, Any]] = {
        "queued": {"status": "QUEUED", "outcome": None},
        "running": {
            "status": "RUNNING",
            "outcome": None,
            "started_at": AT + ran,
            "heartbeat_at": AT,
            "attempt": 1,
        },
        "retrying": {
            "status": "RETRYING",
            "outcome": None,
            "error": error,
            "attempt": 1,
            "failures": 1,
            "next_retry_at": AT - ran,
        },
        "failed": {
            "status": "FAILED",
            "outcome": "FAILED",
            "error": error,
            "stack_trace": trace,
            "attempt": 1,
            **lasting,
        },
        "timeout": {"status": "TIMEOUT", "outcome": "TIMEOUT", "error": "It took over 600 s.", **lasting},
        "cancelled": {"status": "CANCELLED", "outcome": "CANCELLED", **lasting},
        "skipped": {
            "status": "SKIPPED",
            "outcome": "SKIPPED",
            "reason": "The slot was missed.",
            "scheduled_for": AT,
        },
        "no-activity": {"outcome": "NO_ACTIVITY", **lasting},
        "not-significant": {"outcome": "NOT_SIGNIFICANT", **lasting},
        "dry-run": {"outcome": "SUCCESS", "dry_run": True, "moves_cursor": False, **lasting},
        "success": {"outcome": "SUCCESS", "items_processed": 3, "items_success": 3, **lasting},
        "partial": {
            "outcome": "PARTIAL",
            "items_processed": 3,
            "items_success": 2,
            "items_failed": 1,
            **lasting,
        },
    }
    for name, values in ends.items():
        job = _job(rows, site, project, f"job-{name}", name=f"A job: {name}")
        execution = rows.execution(job, **window, **values)
        if values.get("attempt"):
            failed = values["status"] != "RUNNING"
            status = {"status": "FAILED", "error": error} if failed else {}
            attempt(rows, execution, 1, started_at=AT + ran, **status)
            step(rows, execution, "scan", started_at=AT + ran, **status)
        site.see(f"execution-{name}", f"/executions/{execution.id}")
    states_execution.add(rows, site.see, project, AT, f"{MARKUP} {RTL}")


def _drafts(rows: Rows, site: Site, project: Any) -> None:
    execution = rows.execution(rows.job(project, name="With drafts"))
    for state in ("DRAFT", "APPROVED", "REJECTED", "PUBLISHED"):
        draft = rows.draft(execution, "DEVTO", state=state, decided_at=None if state == "DRAFT" else AT)
        site.see(f"draft-{state.lower()}", f"/drafts/{draft.id}")
        site.see(f"drafts-{state.lower()}", f"/drafts?state={state}")
    strange = rows.draft(execution, "LINKEDIN", title=LONG, content=f"{RTL}\n\n{MARKUP}\n\n{LONG}")
    site.see("draft-strange", f"/drafts/{strange.id}")
    site.see("draft-compare", f"/drafts/{strange.id}/compare")


def _notifications(rows: Rows, site: Site) -> None:
    from models import Notification

    owner = site.users["owner"]
    for kind in (
        "JOB_SUCCESS",
        "JOB_PARTIAL",
        "JOB_FAILED",
        "JOB_TIMEOUT",
        "JOB_PAUSED",
        "DRAFTS_WAIT",
        "TOKEN_EXPIRES",
    ):
        said = {"title": f"{kind} {MARKUP}", "message": RTL, "link": "/dashboard"}
        rows.add(Notification(user_id=owner.id, type=kind, created_at=AT - timedelta(hours=1), **said))
    rows.token(owner, name="A program of mine")
    site.see("notifications-unread", "/notifications?show=unread")
    site.see("notifications-no-match", "/notifications?kind=recovery")
    site.see("preferences", "/notifications/preferences")
    wrong = {"pace": "HOURLY", "hour": "24", "weekday": "9"}
    site.see("preferences-wrong", "/notifications/preferences", status=422, form=wrong)
    for name, event in (("unsubscribe", "failure"), ("unsubscribe-digest", "weekly")):
        path = Links("", "tests-only").unsubscribe(site.users["many"].id, event)
        site.see(name, path, who="")
    stopped = Links("", "tests-only").unsubscribe(site.users["many"].id, "success")
    site.see("unsubscribed", stopped, who="", form={"stop": "on"})
    site.see("unsubscribe-broken", "/unsubscribe?token=x", who="", status=404)


def _many(rows: Rows, site: Site, jobs: int = 50, executions: int = 1000) -> None:
    from models import Execution

    project = rows.project(site.users["many"])
    made = [rows.job(project, name=f"Job {number}") for number in range(jobs)]
    each = executions // jobs
    rows.add_all(
        Execution(
            job_id=job.id,
            user_id=job.user_id,
            project_id=job.project_id,
            triggered_by="schedule",
            status="FAILED" if number % 7 == 0 else "COMPLETED",
            outcome="FAILED" if number % 7 == 0 else "SUCCESS",
            created_at=(at := AT - timedelta(hours=number + 1)),
            started_at=at,
            completed_at=at + timedelta(seconds=5),
            duration=5000,
        )
        for job in made
        for number in range(each)
    )
    _told(rows, site, project, made)
    for page in ("dashboard", "drafts", "notifications"):
        site.see(f"many-{page}", f"/{page}", who="many")
    site.see("many-job", f"/projects/{project.id}/cron/{made[0].id}", who="many")


def _told(rows: Rows, site: Site, project: Any, jobs: list[Any], count: int = 100) -> None:
    """Many notifications, a digest that has something to tell, and test messages in each of their ends."""
    from models import DigestEntry, EmailDelivery, Notification

    kinds = ("JOB_SUCCESS", "JOB_PARTIAL", "JOB_FAILED", "JOB_RECOVERED", "DRAFTS_WAIT")
    of = {"user_id": site.users["many"].id}
    rows.add_all(
        Notification(
            **of,
            type=kinds[number % len(kinds)],
            title=f"{(job := jobs[number % len(jobs)]).name} completed successfully",
            message="Execution completed successfully in 14s",
            link=f"/projects/{project.id}/cron/{job.id}",
            is_read=number % 3 == 0,
            created_at=AT - timedelta(hours=number),
        )
        for number in range(count)
    )
    entry = {"job": "Job 1", "icon": "✅", "title": "Job 1 succeeded", "message": "In 14s", "link": "/"}
    rows.add(DigestEntry(**of, event="success", posts=[], **entry))
    site.see("preferences-digest", "/notifications/preferences", who="many")
    site.see("many-notifications-of-a-job", f"/notifications?job={jobs[0].id}&kind=success", who="many")
    mail = {"recipient": "many@example.com", "subject": "s", "text": "t", "html": "h", "event": "test"}
    rows.add(EmailDelivery(**of, **mail, status="SENT", sent_at=AT - timedelta(minutes=3)))
    refused = {"status": "FAILED", "error": "The mail server refused the recipient: 550 No such person here"}
    rows.add(EmailDelivery(user_id=site.users["empty"].id, **mail, **refused))
    site.see("preferences-test-refused", "/notifications/preferences", who="empty")
