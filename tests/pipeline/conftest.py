"""A job ready to run, and adapters that answer at their contracts."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lib import clock as our_clock
from lib import ids
from lib.settings import Price
from models import Job, Platform, Project, User
from models.values import Activity, Brief, Commit, Person, Post, Usage, Window
from pipeline import jobs
from pipeline.schedule import Schedule
from pipeline.tariff import Tariff

DAILY = Schedule.parse("DAILY", {"hour": 9, "minute": 0, "timezone": "UTC"})


def make_job(
    session: Session, platforms: tuple[str, ...] = ("HASHNODE", "DEVTO", "LINKEDIN"), **more: Any
) -> Job:
    """A user's project on those platforms, and its job; committed."""
    user = User(email=f"{ids.new('user')}@example.com", password_hash="x", verified_at=our_clock.now())
    session.add(user)
    session.flush()
    project = Project(
        user_id=user.id,
        name="My Open Source Library",
        github_repo_owner="username",
        github_repo_name="awesome-lib",
    )
    session.add(project)
    session.flush()
    at = our_clock.now()
    for number, kind in enumerate(platforms):
        session.add(Platform(project_id=project.id, type=kind, created_at=at + timedelta(seconds=number)))
    chosen = jobs.JobFields(**({"name": "Daily Content Generation", "schedule": DAILY} | more))
    job, _ = jobs.create(session, project, chosen)
    session.commit()
    return job


class FakeSource:
    """Answers scans with what `found` makes of (since, until); `failures` come first."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.commits: list[Commit] = [commit("c1", "Add TypeScript support")]
        self.scans: list[dict[str, Any]] = []
        self.before_answer: Callable[[], None] = lambda: None

    def scan(self, since: datetime, **more: Any) -> Activity:
        self.scans.append({"since": since, **more})
        self.before_answer()
        if self.failures:
            raise self.failures.pop(0)
        told = more["told"]({("commit", c.sha) for c in self.commits})
        fresh = tuple(c for c in self.commits if ("commit", c.sha) not in told)
        window = Window(since, our_clock.now(), more.get("base"), "head1")
        return Activity("username/awesome-lib", window, commits=fresh)

    def contains(self, tag: str, sha: str) -> bool:
        return False


class FakeWriter:
    """Writes a post per brief; `failures` holds a list of errors per platform type, taken first to last."""

    def __init__(self) -> None:
        self.failures: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.is_paid = True
        self.before_answer: Callable[[Brief], None] = lambda brief: None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Always ready."""

    def estimate(self, brief: Brief) -> Usage | None:
        return Usage("fake", 1000, 500) if self.is_paid else None

    def write(self, brief: Brief) -> Post:
        kind = brief.rules.type
        with self._lock:
            self.calls.append(kind)
            planned = self.failures.get(kind)
            failure = planned.pop(0) if planned else None
        self.before_answer(brief)
        if failure:
            raise failure
        title = "" if kind == "LINKEDIN" else f"Update for {kind}"
        tags = () if kind == "LINKEDIN" else ("python",)
        return Post(title, f"What happened, for {kind}.", tags, Usage("fake", 10, 5))


class FakeAdapters:
    base_url = "https://repocast.example"
    patience = 0.0
    tariff = Tariff("fake", {"fake": Price(input=1, output=2)})

    def __init__(self) -> None:
        self.github = FakeSource()
        self.writer = FakeWriter()

    def approval(self, draft_id: str, version: int) -> str:
        return f"{self.base_url}/approve?token={draft_id}.{version}"

    def source(self, project: Project) -> FakeSource:
        return self.github

    def writer_for(self, job: Job) -> FakeWriter:
        return self.writer


def commit(sha: str, message: str, date: datetime | None = None) -> Commit:
    return Commit(sha, message, Person("John Doe"), date or our_clock.now())


@pytest.fixture
def adapters() -> FakeAdapters:
    return FakeAdapters()
