"""The stream of work: jobs whose slots come due, and people who trigger and cancel, while workers die."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import LIVE, Execution, Job, Platform, Project, User
from pipeline import control, jobs
from pipeline.schedule import Schedule
from tasks import queue

PLATFORMS = ("HASHNODE", "DEVTO", "LINKEDIN")
MINUTELY = Schedule.parse("CUSTOM", {"expression": "* * * * *"})
SELDOM = Schedule.parse("CUSTOM", {"expression": "0 0 29 2 *"})
"""The next slot of such a job is years away: the stream gives it one when it wants."""


@dataclass
class Stream:
    """Use as a context manager: it feeds until it is left. `given` are the slots that it gave to jobs of a
    seldom schedule; a minutely job's slots follow from its first."""

    engine: Engine
    dice: random.Random
    pause: float
    given: dict[str, list[datetime]] = field(default_factory=dict)
    first: dict[str, datetime] = field(default_factory=dict)
    triggered: int = 0
    cancelled: int = 0
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def make_jobs(self, seldom: int, minutely: int, late: int) -> None:
        """`late` jobs are minutely, and nobody worked when their first slots were due."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        with Session(self.engine) as session:
            user = User(email="owner@example.com", password_hash="x", verified_at=now)
            session.add(user)
            session.flush()
            for number in range(seldom + minutely + late):
                job = self._make_job(session, user, number, SELDOM if number < seldom else MINUTELY)
                if number >= seldom + minutely:
                    job.next_run_at = now - timedelta(minutes=self.dice.randint(3, 9))
                if number < seldom:
                    self.given[job.id] = []
                else:
                    self.first[job.id] = job.next_run_at
            session.commit()

    def _make_job(self, session: Session, user: User, number: int, schedule: Schedule) -> Job:
        project = Project(
            user_id=user.id,
            name=f"Project {number}",
            github_repo_owner="chaos",
            github_repo_name=f"repository-{number}",
        )
        session.add(project)
        session.flush()
        session.add_all(Platform(project_id=project.id, type=kind) for kind in PLATFORMS)
        chosen = jobs.JobFields(
            name=f"Job {number}", schedule=schedule, max_retries=3, retry_delay=1, pause_after=0
        )
        return jobs.create(session, project, chosen)[0]

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._stop.wait(self.pause * self.dice.uniform(0.5, 1.5)):
            act = self.dice.choices((self._give, self._trigger, self._cancel), (60, 36, 4))[0]
            try:
                with Session(self.engine) as session:
                    act(session)
            except OperationalError as error:  # as a page would say: try again
                time.sleep(0.1)
                self.refused.append(str(error.orig))
            except control.ConflictError:
                continue

    def _give(self, session: Session) -> None:
        """A slot in a moment, or a moment ago, for a job that has none near."""
        job_id = self.dice.choice(list(self.given))
        slot = datetime.now(UTC) + timedelta(seconds=self.dice.uniform(-0.5, 2.5))
        if self.given[job_id] and slot - self.given[job_id][-1] < timedelta(seconds=3):
            return
        far = datetime.now(UTC) + timedelta(days=1)
        done = session.execute(
            update(Job).where(Job.id == job_id, Job.next_run_at > far).values(next_run_at=slot)
        )
        session.commit()
        if done.rowcount == 1:
            self.given[job_id].append(slot)
            queue.ring([jobs.start_bell(job_id, slot)])

    def _trigger(self, session: Session) -> None:
        job = session.get_one(Job, self.dice.choice([*self.given, *self.first]))
        _, bells = control.trigger(session, job)
        self.triggered += 1
        queue.ring(bells)

    def _cancel(self, session: Session) -> None:
        live = session.scalars(select(Execution).where(Execution.status.in_(LIVE)).limit(20)).all()
        if live:
            control.cancel(session, self.dice.choice(live))
            self.cancelled += 1
