"""What is asked before something is done to a job: run it, pause it, disable it, delete it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from blueprints import view
from blueprints.extensions import db
from blueprints.forms import Filled
from blueprints.pages_cost import Ahead, ahead
from blueprints.pages_job import counts
from lib import clock
from lib.words import plural
from lib.zones import zone
from models import Execution, Job
from pipeline.jobs import live_execution


@dataclass(frozen=True, slots=True)
class Triggering:
    """`covers` says what the run would read, `next` that the schedule stays as it is."""

    name: str
    zone: str
    covers: str
    next: str
    cost: Ahead
    live_id: str | None


def triggering(job: Job) -> Triggering:
    live = live_execution(db.session(), job.id)
    if job.cursor_until is not None:
        covers = f"Everything since {view.exactly(job.cursor_until, job.timezone).words}, up to now."
    elif since := job.first_run.get("since"):
        first = view.exactly(clock.parse_iso(since), job.timezone).words
        covers = f"Its first run: everything since {first}, up to now."
    else:
        covers = f"Its first run: the last {plural(int(job.first_run.get('days', 7)), 'day')}."
    slot = view.dated(job.next_run_at, job.timezone).words if job.next_run_at else None
    return Triggering(
        name=job.name,
        zone=job.timezone,
        covers=covers,
        next=f"Its schedule stays as it is; the next slot is {slot}." if slot else "It has no next slot.",
        cost=ahead(job),
        live_id=live.id if live else None,
    )


def pause_values(job: Job) -> Filled:
    """A week from now, in the job's zone, unless it is paused already."""
    until = job.paused_until if job.paused_until and job.paused_until > clock.now() else None
    local = (until or clock.now() + timedelta(days=7)).astimezone(zone(job.timezone))
    return Filled({"until": f"{local:%Y-%m-%dT%H:%M}"})


def disabling(job: Job) -> dict[str, Any]:
    live = live_execution(db.session(), job.id)
    consequences = [
        "It does not run until you enable it again; slots that pass meanwhile are not made up for."
    ]
    if live is not None and live.status == "RETRYING":
        consequences.append("The execution that waits for its retry ends as cancelled.")
    consequences.append("What happens meanwhile in the repository is not lost: the next run covers it.")
    return {
        "question": f"Disable “{job.name}”?",
        "truth": "Nothing is deleted, and “Trigger Now” still works.",
        "consequences": consequences,
        "button": "Disable",
        "keep": "Keep it running",
        "danger": False,
    }


def deleting(job: Job) -> dict[str, Any]:
    executions = db.session.scalar(
        select(func.count()).select_from(Execution).where(Execution.job_id == job.id)
    )
    return {
        "question": f"Delete “{job.name}”?",
        "truth": "This cannot be undone.",
        "consequences": [
            f"Its history goes with it: {plural(executions or 0, 'execution')} and "
            f"{plural(counts(job)[0], 'draft')}.",
            "A run that is under way ends and stores nothing.",
            "A new job for this repository starts with a first run and may tell the same things again.",
        ],
        "button": "Delete the job",
        "keep": "Keep it",
        "danger": True,
    }
