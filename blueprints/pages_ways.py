"""Where one goes from an execution: its neighbours in the job's history, what it retries and what retried
it, and the one thing that helps where it failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from blueprints.extensions import db
from models import Execution, Step
from models.values import Outcome, Status

FAILED = (Status.FAILED, Status.TIMEOUT, Status.RETRYING)


@dataclass(frozen=True, slots=True)
class Ways:
    """Ids of other executions; None where there is none."""

    earlier: str | None
    later: str | None
    retry_of: str | None
    retried_by: str | None


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link that leads to what can be mended."""

    label: str
    url: str


def ways(execution: Execution) -> Ways:
    """In one query, whatever the length of the history."""
    other = aliased(Execution)
    same_job = other.job_id == execution.job_id
    at, own = execution.created_at, execution.id
    before = or_(other.created_at < at, and_(other.created_at == at, other.id < own))
    after = or_(other.created_at > at, and_(other.created_at == at, other.id > own))
    newest, oldest = (other.created_at.desc(), other.id.desc()), (other.created_at, other.id)
    row = db.session.execute(
        select(
            select(other.id).where(same_job, before).order_by(*newest).limit(1).scalar_subquery(),
            select(other.id).where(same_job, after).order_by(*oldest).limit(1).scalar_subquery(),
            select(other.id).where(other.retry_of == own).order_by(*newest).limit(1).scalar_subquery(),
        )
    ).one()
    return Ways(row[0], row[1], execution.retry_of, row[2])


def remedy(execution: Execution, steps: Sequence[Step]) -> Remedy | None:
    """By what failed in the last attempt and how it ended, never by what an error says."""
    job = execution.job
    if execution.status not in FAILED and execution.outcome != Outcome.PARTIAL:
        return None
    if execution.status == Status.TIMEOUT:
        url = url_for("jobs.edit", project_id=job.project_id, job_id=job.id)
        return Remedy("Change the job's time limit", url)
    failed = [step for step in steps if step.attempt == execution.attempt and step.status == Status.FAILED]
    if any(step.name == "scan" for step in failed):
        url = url_for("projects.edit", project_id=job.project_id)
        return Remedy("Check the repository and its token", url)
    if not failed or any(step.permanent for step in failed):
        url = url_for("projects.show", project_id=job.project_id)
        return Remedy("Check the project's platforms and budget", url)
    return None
