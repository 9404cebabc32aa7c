"""The first steps of an account: which one comes next, told by its rows, and each of them taken once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ScalarSelect, or_, select
from sqlalchemy.orm import Session, joinedload

from lib import clock
from lib.secrets import SecretBox
from models import Execution, Job, Project, User
from models.values import Status
from pipeline import control, jobs, projects
from pipeline.bells import Bell
from pipeline.control import ConflictError
from pipeline.tariff import FREE, Tariff


class FirstStep(StrEnum):
    """In their order. DONE: a run that counts has ended well."""

    REPOSITORY = "REPOSITORY"
    PLATFORMS = "PLATFORMS"
    SCHEDULE = "SCHEDULE"
    RUN = "RUN"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Way:
    """How far an account has come. `job` is the one that ran, else the oldest; `run` its newest execution
    that counts, `dry_run` its newest dry run. What was SKIPPED is neither."""

    step: FirstStep
    project: Project | None = None
    job: Job | None = None
    run: Execution | None = None
    dry_run: Execution | None = None


def way(session: Session, user_id: str) -> Way:
    """The account's way, in two queries."""
    whole = joinedload(Job.project).joinedload(Project.platforms)
    ran_first = (Job.last_run_at.is_(None), Job.created_at, Job.id)
    found = select(Job).options(whole).where(Job.user_id == user_id).order_by(*ran_first).limit(1)
    job = session.scalars(found).unique().first()
    if job is None:
        project = _project(session, user_id)
        return Way(_without_a_job(project), project)
    run, dry_run = _runs(session, job)
    if job.last_success is not None:
        return Way(FirstStep.DONE, job.project, job, run, dry_run)
    step = FirstStep.RUN if _has_platform(job.project) else FirstStep.PLATFORMS
    return Way(step, job.project, job, run, dry_run)


def _project(session: Session, user_id: str) -> Project | None:
    mine = select(Project).options(joinedload(Project.platforms)).where(Project.user_id == user_id)
    return session.scalars(mine.order_by(Project.created_at, Project.id).limit(1)).unique().first()


def _without_a_job(project: Project | None) -> FirstStep:
    if project is None:
        return FirstStep.REPOSITORY
    return FirstStep.SCHEDULE if _has_platform(project) else FirstStep.PLATFORMS


def _has_platform(project: Project) -> bool:
    return any(platform.is_connected for platform in project.platforms)


def _runs(session: Session, job: Job) -> tuple[Execution | None, Execution | None]:
    """The newest that counts, and the newest dry run; where one has ended well, the newest of those."""
    ended_well = job.last_success is not None

    def newest(*, dry: bool) -> ScalarSelect[str]:
        query = select(Execution.id).where(Execution.job_id == job.id, Execution.dry_run.is_(dry))
        if ended_well and not dry:
            query = query.where(Execution.status == Status.COMPLETED)
        else:
            query = query.where(Execution.status != Status.SKIPPED)
        return query.order_by(Execution.created_at.desc(), Execution.id.desc()).limit(1).scalar_subquery()

    ids = (newest(dry=False), newest(dry=True))
    rows = session.scalars(select(Execution).where(or_(*(Execution.id == one for one in ids)))).all()
    by_kind = {row.dry_run: row for row in rows}
    return by_kind.get(False), by_kind.get(True)


def connect(session: Session, user_id: str, chosen: dict[str, Any], box: SecretBox) -> Project | None:
    """The account's first project, of `projects.PROJECT_FIELDS`; None where it has one already, also when
    two ask at the same instant. Does not commit."""
    _alone(session, user_id)
    if session.scalar(select(Project.id).where(Project.user_id == user_id).limit(1)) is not None:
        return None
    return projects.create(session, user_id, chosen, box)


def connect_platforms(session: Session, project: Project, kinds: Collection[str], box: SecretBox) -> None:
    """Let posts be written for platforms of these types, be they new or disconnected; commits."""
    known = {platform.type: platform for platform in project.platforms}
    for kind in kinds:
        if kind in known:
            projects.edit_platform(session, known[kind], {"is_connected": True}, box)
            continue
        try:
            projects.add_platform(session, project, {"type": kind}, box)
        except ConflictError:  # the same step, taken in another tab
            continue
    session.commit()


def schedule(session: Session, project: Project, chosen: jobs.JobFields) -> list[Bell] | None:
    """The account's first job, and the bells of a near slot; None where it has a job already. Does not
    commit."""
    _alone(session, project.user_id)
    if session.scalar(select(Job.id).where(Job.user_id == project.user_id).limit(1)) is not None:
        return None
    return jobs.create(session, project, chosen)[1]


def run(
    session: Session, job: Job, *, days: int | None, dry_run: bool, tariff: Tariff = FREE
) -> tuple[Execution, list[Bell]]:
    """Trigger the job's first run; commits. `days`: how far it reads back, None to leave that as it is.

    Where the job has told something already, it tells again from there. Raises ConflictError like
    `control.trigger`.
    """
    since = None
    if days is not None and job.cursor_until is None:
        jobs.edit(session, job, {"first_run": {"days": days}})
    elif days is not None:
        since = clock.now() - timedelta(days=days)
    return control.trigger(session, job, dry_run=dry_run, since=since, tariff=tariff)


def _alone(session: Session, user_id: str) -> None:
    """Whoever takes a step of the same account waits until this transaction ends. SQLite's writers are alone
    anyway."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
