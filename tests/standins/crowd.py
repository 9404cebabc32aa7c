"""Many jobs, and worker processes whose source and writer answer at once (tests/standins/instant.py)."""

import subprocess
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, Platform, Project, Pulse, User
from pipeline import jobs
from pipeline.bells import Bell
from pipeline.schedule import Schedule
from tasks.queue import huey, worker_command
from tests.standins.stack import Stack, until

PLATFORMS = ("HASHNODE", "DEVTO", "LINKEDIN")
MINUTELY = Schedule.parse("CUSTOM", {"expression": "* * * * *", "timezone": "UTC"})


def hours_away() -> Schedule:
    """A schedule whose own slots stay out of a test that sets slots itself."""
    return Schedule.parse("DAILY", {"hour": (clock.now().hour + 12) % 24, "minute": 0})


class Count:
    """What tasks that do nothing add up to in one process."""

    def __init__(self) -> None:
        self.lock, self.done, self.began = threading.Lock(), 0, 0.0


_count = Count()


@huey.task(name="bare")
def bare(total: int, file: str) -> None:
    """Does nothing, for whoever measures the bare queue; the last of `total` writes down the seconds since
    the first."""
    with _count.lock:
        _count.began = _count.began or time.monotonic()
        _count.done += 1
        if _count.done == total:
            Path(file).write_text(str(time.monotonic() - _count.began))


class Crew(Stack):
    """Worker processes alone. Use as a context manager; it returns when each could have ticked."""

    def __init__(self, environ: Mapping[str, str], engine: Engine, workers: int = 1) -> None:
        super().__init__(environ, workers)
        self.engine = engine

    def __enter__(self) -> "Crew":
        began = clock.now()
        self.workers = [self.start_worker() for _ in range(self.count)]
        try:
            until(lambda: (self.pulse() or began) > began, 30, "tick of a worker")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            [word.replace("tasks.consumer", "tests.standins.instant") for word in worker_command()]
        )

    def pulse(self) -> datetime | None:
        return self.one(select(Pulse.at).where(Pulse.name == "tick"))

    def one(self, query: Any) -> Any:
        """A single value, read without taking SQLite's write lock."""
        with self.engine.connect().execution_options(readonly=True) as connection:
            return connection.scalar(query)


def populate(engine: Engine, names: list[str], **chosen: Any) -> list[str]:
    """One user's projects of these names with three platforms and one job each; the jobs' ids."""
    with Session(engine) as session, session.begin():
        user = User(email=f"{names[0]}@example.com", password_hash="x", verified_at=clock.now())
        session.add(user)
        session.flush()
        return [_job(session, user, name, chosen) for name in names]


def _job(session: Session, user: User, name: str, chosen: Mapping[str, Any]) -> str:
    project = Project(
        user_id=user.id, name=name, github_repo_owner="username", github_repo_name="awesome-lib"
    )
    session.add(project)
    session.flush()
    session.add_all(Platform(project_id=project.id, type=kind) for kind in PLATFORMS)
    fields = jobs.JobFields(**{"name": name, "schedule": hours_away(), "notify": "NONE", **chosen})
    return jobs.create(session, project, fields)[0].id


def due_at(engine: Engine, job_ids: list[str], slot: datetime | None) -> list[Bell]:
    """Make `slot` the next one of these jobs (None: none comes); the bells that the product rings for a slot
    so near."""
    with Session(engine) as session, session.begin():
        session.execute(update(Job).where(Job.id.in_(job_ids)).values(next_run_at=slot))
    return [jobs.start_bell(job_id, slot) for job_id in job_ids] if slot else []


def ended(crew: Crew, slot: datetime) -> int:
    """How many executions of this slot have ended."""
    this = select(func.count()).where(Execution.scheduled_for == slot, Execution.completed_at.is_not(None))
    return int(crew.one(this.select_from(Execution)))


def soon(seconds: float = 4.0) -> datetime:
    """An instant so far ahead that its bells can be rung before."""
    return clock.now() + timedelta(seconds=seconds)
