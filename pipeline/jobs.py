"""What a person may do to a job: create, edit, enable, disable, delete. Every change of a slot or a state
is made here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, Project, origins, unended
from models.values import Outcome, Status
from pipeline.bells import Bell
from pipeline.schedule import Schedule

NEAR = timedelta(seconds=90)
LEFT_OUT = "Skipped by its owner."
# Built once: building a statement costs more than running it.
_LIVE = (
    select(Execution)
    .where(Execution.job_id == bindparam("job"), unended(Execution))
    .execution_options(populate_existing=True)
)
_LIVE_LOCKED = _LIVE.with_for_update()
_ALL_LIVE_LOCKED = (
    select(Execution.id)
    .where(Execution.project_id == bindparam("project"), unended(Execution))
    .order_by(Execution.id)
    .with_for_update()
)
_ALL_JOBS_LOCKED = (
    select(Job.id).where(Job.project_id == bindparam("project")).order_by(Job.id).with_for_update()
)
_THESE_LOCKED = (
    select(Job, Project.budget, Project.budget_short)
    .join(Project, Project.id == Job.project_id)
    .where(Job.id.in_(bindparam("jobs", expanding=True)))
    .order_by(Job.id)
    .with_for_update(of=Job, key_share=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class JobFields:
    """What a user chooses. `retry_delay` and `time_limit` are seconds; `pause_after` is how many failed
    executions in a row pause the job, 0 for never; `platform_ids` None means all connected; `run_on_push`
    lets the project's webhook start a run, too. `significance` is how much must have happened for a post,
    `writer` who writes it and `falls_back` whether the template writer steps in: see `models.Job`."""

    name: str
    schedule: Schedule
    description: str = ""
    type: str = "GENERATE_CONTENT"
    is_enabled: bool = True
    max_retries: int = 3
    retry_delay: int = 300
    time_limit: int = 600
    on_missed: str = "RUN_ONCE"
    notify: str = "ALL"
    pause_after: int = 5
    first_run: Mapping[str, Any] = field(default_factory=lambda: {"days": 7})
    platform_ids: list[str] | None = None
    run_on_push: bool = False
    significance: str = "NORMAL"
    writer: str = "AUTO"
    falls_back: bool = False


class FormSpentError(Exception):
    """A form that made `job` was sent again with something else in it."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"The form made {job.id}.")
        self.job = job


FIELDS = frozenset(f.name for f in fields(JobFields))


def schedule_of(job: Job) -> Schedule:
    """The job's schedule as the next-run function wants it."""
    return Schedule.parse(job.frequency, job.time_config)


def create(
    session: Session, project: Project, chosen: JobFields, form_key: str | None = None
) -> tuple[Job, list[Bell]]:
    """A new job of `project`, and the bell of its first slot if that is near. Does not commit."""
    job = Job(user_id=project.user_id, project_id=project.id, form_key=form_key)
    _assign(job, {name: getattr(chosen, name) for name in FIELDS})
    set_next(job)
    session.add(job)
    session.flush()
    return job, near_bell(job)


def create_once(session: Session, project: Project, chosen: JobFields, key: str) -> tuple[Job, list[Bell]]:
    """As `create`, once for each `key` of a form: sent again, it gives the job that it made, and no bell.
    Raises FormSpentError where that is another than was chosen now. Does not commit."""
    made = _made_by(session, project, key)
    if made is None:
        try:
            with session.begin_nested():
                return create(session, project, chosen, key)
        except IntegrityError:  # by the same form, at the same moment
            made = _made_by(session, project, key)
            if made is None:
                raise
    if not _is_as(made, chosen):
        raise FormSpentError(made)
    return made, []


def _made_by(session: Session, project: Project, key: str) -> Job | None:
    return session.scalar(select(Job).where(Job.project_id == project.id, Job.form_key == key))


def _is_as(job: Job, chosen: JobFields) -> bool:
    """Whether all that was chosen is what the job has."""
    schedule = chosen.schedule
    if (job.frequency, job.time_config) != (schedule.frequency, schedule.time_config()):
        return False
    return all(getattr(job, name) == getattr(chosen, name) for name in FIELDS - {"schedule"})


def edit(session: Session, job: Job, changes: Mapping[str, Any]) -> list[Bell]:
    """Change some of `JobFields`. A new schedule or switch cancels what waits by the old one; a push that
    waits is forgotten if the job listens to pushes no more.

    Naming `is_enabled` makes a paused job go on, or disables it; any other change leaves it paused. Does not
    commit.
    """
    lock(session, job.id)
    before = _state(job)
    _assign(job, changes)
    if "is_enabled" in changes:
        job.paused_at, job.paused_until, job.failures_in_row = None, None, 0
    if not listens(job):
        forget_push(job)
    if _state(job) == before:
        return []
    forget_skips(session, job)
    set_next(job)
    _cancel_waiting(session, job)
    session.flush()
    return near_bell(job)


def _state(job: Job) -> tuple[Any, ...]:
    """What decides when it runs."""
    return job.frequency, job.time_config, job.is_enabled, job.paused_at, job.paused_until


def forget_skips(session: Session, job: Job) -> None:
    """What was left out and has not passed yet comes after all."""
    job.skipped_until = None
    session.execute(
        delete_rows(Execution).where(
            Execution.job_id == job.id,
            Execution.scheduled_for > clock.now(),
            Execution.status == Status.SKIPPED,
            Execution.reason == LEFT_OUT,
        )
    )


def delete(session: Session, job: Job) -> None:
    """Delete the job and all its executions and drafts. A worker still running it finds its run gone and
    writes nothing."""
    lock(session, job.id)
    session.delete(job)
    session.flush()


class Failing(Protocol):
    """What tells whether a job is to be paused: the row, or these columns of it."""

    is_enabled: bool
    paused_at: datetime | None
    pause_after: int
    failures_in_row: int


def should_pause(job: Failing) -> bool:
    """Whether so many executions in a row have failed that going on would only waste time and money."""
    return 0 < job.pause_after <= job.failures_in_row and job.is_enabled and job.paused_at is None


def pause(job: Job) -> None:
    """No slot comes until the job goes on, and no push starts a run; what was triggered by hand still
    runs."""
    job.paused_at = clock.now()
    forget_push(job)
    set_next(job)


def go_on(job: Job) -> None:
    """End the pause: the next slot is the schedule's next from now."""
    job.paused_at, job.failures_in_row = None, 0
    set_next(job)


def listens(job: Job) -> bool:
    """Whether a push may start a run of the job."""
    return job.run_on_push and job.is_enabled and not is_paused(job)


def is_paused(job: Job) -> bool:
    """Whether it stopped by itself or its owner paused it; it may be running by hand nevertheless."""
    return job.is_enabled and (job.paused_at is not None or is_paused_by_hand(job))


def is_paused_by_hand(job: Job) -> bool:
    """Until an instant that is still to come; a pause that is over needs nobody to end it."""
    return job.paused_until is not None and job.paused_until > clock.now()


def forget_push(job: Job) -> None:
    """No run is due because of a push; the next slot covers it."""
    job.push_since = job.push_at = None


def near_bell(job: Job) -> list[Bell]:
    """The bell of a slot so near that the next tick might come late for it."""
    slot = job.next_run_at
    if slot is None or slot > clock.now() + NEAR:
        return []
    return [start_bell(job.id, slot)]


def start_bell(job_id: str, slot: datetime) -> Bell:
    """Rings a second before the slot: the queue looks at its schedule once a second, and the task waits
    for the instant."""
    return Bell("start", job_id, eta=slot - timedelta(seconds=1), slot=slot)


def _assign(job: Job, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name not in FIELDS:
            raise KeyError(name)
        if name == "schedule":
            job.frequency, job.time_config = value.frequency, value.time_config()
            job.schedule, job.timezone = value.cron, value.timezone
        else:
            setattr(job, name, dict(value) if name == "first_run" else value)


def set_next(job: Job) -> None:
    """The next slot is the first from now on that its owner has not left out, at the end of a pause or
    later."""
    if not job.is_enabled or job.paused_at is not None:
        job.next_run_at = None
        return
    after = clock.now()
    if job.paused_until is not None:
        after = max(after, job.paused_until - timedelta(microseconds=1))
    if job.skipped_until is not None:
        after = max(after, job.skipped_until)
    job.next_run_at = schedule_of(job).next_after(after)


def _cancel_waiting(session: Session, job: Job) -> None:
    """Editing or disabling cancels a queued scheduled execution; disabling also one that a push started, and
    ends what waits for its retry."""
    nobodys = ("scheduled",) if job.is_enabled else ("scheduled", "webhook")
    condition = (Execution.status == Status.QUEUED) & Execution.triggered_by.in_(nobodys)
    if not job.is_enabled:
        condition = condition | (Execution.status == Status.RETRYING)
    session.execute(
        update(Execution)
        .where(Execution.job_id == job.id, Execution.status.in_(origins(Status.CANCELLED)), condition)
        .values(
            status=Status.CANCELLED,
            outcome=Outcome.CANCELLED,
            completed_at=clock.now(),
            next_retry_at=None,
            reason="The job was disabled." if not job.is_enabled else "The job's schedule was changed.",
        )
    )


def lock(session: Session, job_id: str) -> tuple[Execution | None, Job | None]:
    """The job and its live execution, locked against claims, edits and runs until the transaction ends.

    The execution first, as a run that ends takes them: the other order would be a deadlock. The job's key
    stays free, so that executions can be inserted meanwhile. SQLite locks whole databases and needs neither.
    """
    live = session.scalar(_LIVE_LOCKED, {"job": job_id})
    return live, next(iter(lock_these(session, [job_id])), None)


def lock_these(session: Session, job_ids: Sequence[str]) -> Sequence[Job]:
    """Those of the jobs that exist, locked as by `lock`, in the order of their ids."""
    return [row[0] for row in lock_with_budgets(session, job_ids)]


def lock_with_budgets(session: Session, job_ids: Sequence[str]) -> Sequence[Row[Job, int | None, int | None]]:
    """The same, each with its project's `budget` and `budget_short`, which are not locked."""
    return session.execute(_THESE_LOCKED, {"jobs": job_ids}).all()


def lock_all(session: Session, project_id: str) -> None:
    """All jobs of a project and their live executions, in the same order."""
    session.execute(_ALL_LIVE_LOCKED, {"project": project_id}).all()
    session.execute(_ALL_JOBS_LOCKED, {"project": project_id}).all()


def live_execution(session: Session, job_id: str) -> Execution | None:
    """The job's one execution that is queued, running or waiting to retry."""
    return session.scalar(_LIVE, {"job": job_id})


def status_of(job: Job, live: Execution | None) -> str:
    """What the job shows: its live execution's status, else IDLE, PAUSED or DISABLED."""
    if live is not None:
        return str(live.status)
    if not job.is_enabled:
        return "DISABLED"
    return "PAUSED" if is_paused(job) else "IDLE"
