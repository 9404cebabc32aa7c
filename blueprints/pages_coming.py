"""What runs within a day, of all jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from blueprints import view
from blueprints.view import Moment
from lib import clock
from models import Job
from pipeline import jobs
from pipeline.schedule import Schedule

AHEAD = timedelta(hours=24)
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Coming:
    """A job's next slot; `more` is how many follow it within the day."""

    job_id: str
    project_id: str
    name: str
    project: str
    at: Moment
    more: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first of them, and how many other jobs run as well."""

    runs: tuple[Coming, ...]
    others: int


def ahead(rows: Iterable[Job], zone_name: str) -> Ahead:
    """One line a job, whatever its schedule; slots are counted for the shown ones alone."""
    end = clock.now() + AHEAD
    due = sorted(
        ((job.next_run_at, job.name, job) for job in rows if job.next_run_at and job.next_run_at <= end),
        key=lambda one: one[:2],
    )
    minute = end.replace(second=0, microsecond=0)
    shown = tuple(_coming(job, at, max(at, minute), zone_name) for at, _, job in due[:SHOWN])
    return Ahead(shown, len(due) - len(shown))


def _coming(job: Job, at: datetime, end: datetime, zone_name: str) -> Coming:
    more = _slots(jobs.schedule_of(job), at, end) - 1
    return Coming(job.id, job.project_id, job.name, job.project.name, view.upcoming(at, zone_name), more)


@lru_cache(maxsize=1024)
def _slots(schedule: Schedule, first: datetime, end: datetime) -> int:
    """Counted once a minute, however often the page is asked for: slots are whole minutes."""
    return schedule.passed(first, end).count
