"""What the dashboard and the job page show of a job, finished for the templates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import aliased, joinedload, load_only

from blueprints import view
from blueprints.extensions import db
from blueprints.view import MARKS, Mark, Moment
from lib import clock
from lib.words import plural
from models import LIVE, Execution, Job, Project
from models.base import UtcDateTime
from models.values import Status
from pipeline import jobs

RECENT = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIST_COLUMNS = load_only(
    *(Execution.id, Execution.job_id, Execution.status, Execution.outcome, Execution.triggered_by),
    *(Execution.scheduled_for, Execution.dry_run, Execution.attempt, Execution.next_retry_at),
    *(Execution.created_at, Execution.started_at, Execution.completed_at, Execution.duration),
    *(Execution.items_processed, Execution.items_success, Execution.summary, Execution.reason),
    *(Execution.missed, Execution.error),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution as a line of a list. `note` says why, where there is a reason."""

    id: str
    mark: Mark
    when: Moment
    duration: str
    platforms: str
    note: str
    trigger: str
    summary: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    rate: str
    average: str
    runs: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a job waits or failed, and the execution at which it can be mended."""

    tone: str
    sentence: str
    execution_id: str
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Card:
    id: str
    project_id: str
    project: str
    name: str
    words: str
    state: str
    mark: Mark
    is_enabled: bool
    live_id: str | None
    next: Moment | None
    recent: tuple[Run, ...]
    statistics: Statistics
    trouble: Trouble | None

    @property
    def is_live(self) -> bool:
        return self.live_id is not None


def cards(user_id: str) -> list[Card]:
    """All of a user's jobs, in three queries."""
    return _cards(Job.user_id == user_id, Execution.user_id == user_id)


def cards_of(project: Project) -> list[Card]:
    """All jobs of one project, in three queries."""
    return _cards(Job.project_id == project.id, Execution.project_id == project.id)


def _cards(which: ColumnElement[bool], live_which: ColumnElement[bool]) -> list[Card]:
    query = select(Job).options(joinedload(Job.project)).where(which).order_by(Job.name, Job.id)
    rows = db.session.scalars(query).all()
    live = {execution.job_id: execution for execution in _live(live_which)}
    recent = _recent(which)
    return [_card(job, live.get(job.id), recent.get(job.id, [])) for job in rows]


def card(job: Job) -> Card:
    """One job's card, afresh."""
    live = next(iter(_live(Execution.job_id == job.id)), None)
    return _card(job, live, _recent(Job.id == job.id).get(job.id, []))


def _live(whose: ColumnElement[bool]) -> Sequence[Execution]:
    query = select(Execution).options(LIST_COLUMNS).where(whose, Execution.status.in_(LIVE))
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _recent(which: ColumnElement[bool]) -> dict[str, list[Execution]]:
    """The newest executions of each job: from the fifth newest on, found by one index look-up a job."""
    newer = aliased(Execution)
    fifth = (
        select(newer.created_at)
        .where(newer.job_id == Job.id)
        .order_by(newer.created_at.desc(), newer.id.desc())
        .offset(RECENT - 1)
        .limit(1)
        .correlate(Job)
        .scalar_subquery()
    )
    query = (
        select(Execution)
        .options(LIST_COLUMNS)
        .join(Job, Execution.job_id == Job.id)
        .where(which, Execution.created_at >= func.coalesce(fifth, literal(_EPOCH, UtcDateTime())))
        .order_by(Execution.created_at.desc(), Execution.id.desc())
    )
    found: dict[str, list[Execution]] = {}
    for execution in db.session.scalars(query.execution_options(populate_existing=True)):
        found.setdefault(execution.job_id, []).append(execution)
    return {job_id: executions[:RECENT] for job_id, executions in found.items()}


def _card(job: Job, live: Execution | None, recent: Iterable[Execution]) -> Card:
    state = jobs.status_of(job, live)
    return Card(
        id=job.id,
        project_id=job.project_id,
        project=job.project.name,
        name=job.name,
        words=jobs.schedule_of(job).words(),
        state=state,
        mark=mark_of_job(job, state),
        is_enabled=job.is_enabled,
        live_id=live.id if live else None,
        next=view.upcoming(job.next_run_at, job.timezone) if job.next_run_at else None,
        recent=tuple(run(execution, job.timezone) for execution in recent),
        statistics=statistics(job),
        trouble=trouble(job, live, list(recent)),
    )


def mark_of_job(job: Job, state: str) -> Mark:
    return view.IDLE_AFTER_FAILURE if state == "IDLE" and failed_last(job) else MARKS[state]


def failed_last(job: Job) -> bool:
    """Whether the newest run that counts was a failure."""
    if job.last_failure is None:
        return False
    return job.last_success is None or job.last_failure > job.last_success


def _percent(part: int, whole: int) -> int:
    """Rounded, yet 100 only when nothing failed."""
    return 100 if part == whole else min(99, round(100 * part / whole))


def statistics(job: Job) -> Statistics:
    counted = job.success_count + job.failure_count
    rate = (
        f"{_percent(job.success_count, counted)}% ({job.success_count}/{counted})"
        if counted
        else "No run yet"
    )
    average = view.duration(job.total_duration // job.success_count) if job.success_count else "–"
    return Statistics(rate, average, job.run_count)


def trouble(job: Job, live: Execution | None, recent: list[Execution]) -> Trouble | None:
    """What waits says until when; what failed says why."""
    if live is not None and live.status == Status.RETRYING and live.next_retry_at is not None:
        until = view.upcoming(live.next_retry_at, job.timezone)
        return Trouble("warn", f"Attempt {live.attempt} failed: {live.error}", live.id, until)
    if live is None and recent and failed_last(job):
        failed = next((e for e in recent if e.status in (Status.FAILED, Status.TIMEOUT)), None)
        if failed is not None and failed.error:
            return Trouble("bad", failed.error, failed.id)
    return None


def run(execution: Execution, zone_name: str) -> Run:
    at = execution.started_at or execution.scheduled_for or execution.created_at
    is_live = execution.status in LIVE
    processed = execution.items_processed
    return Run(
        id=execution.id,
        mark=view.mark_of(execution),
        when=view.past(at, zone_name),
        duration="" if execution.duration is None or is_live else view.duration(execution.duration),
        platforms=f"{execution.items_success}/{processed} platforms" if processed and not is_live else "",
        note=note(execution),
        trigger=view.TRIGGERS.get(execution.triggered_by, execution.triggered_by)
        + (", dry run" if execution.dry_run else ""),
        summary=execution.summary or "",
        is_live=is_live,
    )


def note(execution: Execution) -> str:
    """Why it ended as it did, or what it waits for, in a sentence; empty for a success."""
    missed = execution.missed or {}
    if missed.get("count", 0) > 1:
        return f"{execution.reason} {missed['count']} slots were missed."
    return execution.error or execution.reason or ""


def truth(user_id: str) -> str:
    """One sentence about all jobs: how many, when the next one runs, what needs attention."""
    failing = Job.last_failure.is_not(None) & func.coalesce(Job.last_failure > Job.last_success, True)
    total, next_at, bad = db.session.execute(
        select(func.count(), func.min(Job.next_run_at), func.count().filter(failing)).where(
            Job.user_id == user_id
        )
    ).one()
    live = select(Execution.status, func.count()).group_by(Execution.status)
    running = db.session.execute(live.where(Execution.user_id == user_id, Execution.status.in_(LIVE)))
    return _truth(total, next_at, bad, {row[0]: row[1] for row in running})


def _truth(total: int, next_at: datetime | None, bad: int, live: dict[str, int]) -> str:
    if not total:
        return "No job yet: connect a repository, then schedule its first post."
    parts = [plural(total, "job")]
    if next_at is None:
        parts.append("none is scheduled")
    else:
        parts.append("next due now" if next_at <= clock.now() else f"next {view.relative(next_at)}")
    parts += [f"{live[status]} {words}" for status, words in _LIVE_WORDS.items() if status in live]
    if bad:
        parts.append(f"{bad} {'needs' if bad == 1 else 'need'} you")
    return ", ".join(parts) + "."


_LIVE_WORDS = {Status.RUNNING: "running", Status.QUEUED: "queued", Status.RETRYING: "waiting to retry"}
