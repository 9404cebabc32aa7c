"""Where one goes from an execution: its neighbours in the job's history, what it retries and what retried
it, and the one thing that helps where it failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import ScalarSelect, select, tuple_
from sqlalchemy.orm import aliased

from blueprints.extensions import db
from models import Execution, Step
from models.values import Outcome, Status
from pipeline.remedies import FAILED, Remedy, code_of, remedy_of


@dataclass(frozen=True, slots=True)
class Ways:
    """Ids of other executions; None where there is none."""

    earlier: str | None
    later: str | None
    retry_of: str | None
    retried_by: str | None


def ways(execution: Execution) -> Ways:
    """Of a row that is there already, in one query, whatever the length of the history."""
    query = select(*neighbours()).select_from(Execution).where(Execution.id == execution.id)
    return of(execution, db.session.execute(query).one())


def neighbours() -> tuple[ScalarSelect[str], ScalarSelect[str], ScalarSelect[str]]:
    """The ids of the one before, the one after and the latest retry, for a query on Execution."""
    before, after, retry = aliased(Execution), aliased(Execution), aliased(Execution)
    own = tuple_(Execution.created_at, Execution.id)
    earlier = select(before.id).where(
        before.job_id == Execution.job_id, tuple_(before.created_at, before.id) < own
    )
    later = select(after.id).where(after.job_id == Execution.job_id, tuple_(after.created_at, after.id) > own)
    again = select(retry.id).where(retry.retry_of == Execution.id)
    return (
        earlier.order_by(before.created_at.desc(), before.id.desc()).limit(1).scalar_subquery(),
        later.order_by(after.created_at, after.id).limit(1).scalar_subquery(),
        again.order_by(retry.created_at.desc(), retry.id.desc()).limit(1).scalar_subquery(),
    )


def of(execution: Execution, found: Sequence[Any]) -> Ways:
    """`found`: what `neighbours` gave."""
    earlier, later, retried_by = found
    return Ways(earlier, later, execution.retry_of, retried_by)


def remedy(execution: Execution, steps: Sequence[Step]) -> Remedy | None:
    """By its code; by what failed in the last attempt and how it ended where the failure has none, as those
    of older rows. Never by what an error says."""
    if execution.status not in FAILED and execution.outcome != Outcome.PARTIAL:
        return None
    return _general(execution, steps) if code_of(execution) is None else remedy_of(execution)


def _general(execution: Execution, steps: Sequence[Step]) -> Remedy | None:
    job = execution.job
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
