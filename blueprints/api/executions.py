"""Executions: start one, look at them, cancel, retry."""

from collections.abc import Sequence
from typing import Any, Literal

from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import load_only
from werkzeug.wrappers import Response

from blueprints import access, bodies, present, shapes
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import PageQuery, find, page, read_body, read_query
from blueprints.execution_detail import detail, drafts_of
from blueprints.extensions import db
from blueprints.inputs import InputError, read_trigger
from blueprints.inputs import detail as complaint
from blueprints.pages_cost import cost_json, costs_of
from models import Execution, Job
from models.values import Status
from pipeline import control
from tasks.queue import ring

RECENT = 5


class ExecutionQuery(PageQuery):
    """`stats` needs `jobId`."""

    job_id: str | None = None
    status: Status | None = None
    stats: Literal["true", "false"] = "false"
    include: Literal["content"] | None = None


@api.post("/cron/trigger")
@operation(
    "Run a job now",
    answer=shapes.ExecutionDetailView,
    body=bodies.TriggerBody,
    status=202,
    errors=(404, 409),
)
def trigger() -> Response:
    asked = read_trigger(read_body())
    job = find(Job, asked.pop("job_id"), "jobId")
    row, bells = control.trigger(db.session(), job, **asked, tariff=access.tariff())
    ring(bells)
    return _show(row, 202)


@api.get("/cron/executions")
@operation(
    "List executions, of one job or of all",
    answer=shapes.ExecutionView,
    many=True,
    query=ExecutionQuery,
    also={"statistics": shapes.StatisticsView},
    errors=(404,),
)
def list_executions() -> Response:
    asked = read_query(ExecutionQuery)
    if asked.stats == "true" and asked.job_id is None:
        raise InputError([complaint("jobId", "Is needed for stats: they are one job's.")])
    job = None if asked.job_id is None else find(Job, asked.job_id, "jobId")
    rows, following = page(_chosen(job, asked.status), Execution, asked)
    drafts = drafts_of(rows) if asked.include == "content" else None
    costs = costs_of([row.id for row in rows])
    shown = [present.execution(row, drafts, cost_json(costs.get(row.id))) for row in rows]
    about: dict[str, Any] = {"count": len(rows), "nextCursor": following}
    if job is not None and asked.stats == "true":
        about["statistics"] = present.statistics(job, _recent(job))
    return answer(shown, **about)


def _chosen(job: Job | None, status: Status | None) -> Any:
    rows = select(Execution).where(
        Execution.user_id == current_user.id if job is None else Execution.job_id == job.id
    )
    return rows if status is None else rows.where(Execution.status == status)


def _recent(job: Job) -> Sequence[Execution]:
    rows = select(Execution).where(Execution.job_id == job.id)
    rows = rows.order_by(Execution.created_at.desc(), Execution.id.desc()).limit(RECENT)
    columns = (Execution.status, Execution.started_at, Execution.duration)
    return db.session.scalars(rows.options(load_only(*columns))).all()


@api.get("/executions/<execution_id>")
@operation("Read an execution with its attempts, steps and posts", answer=shapes.ExecutionDetailView)
def read_execution(execution_id: str) -> Response:
    return _show(find(Execution, execution_id))


@api.post("/executions/<execution_id>/cancel")
@operation("Cancel what is queued, waiting or running", answer=shapes.ExecutionDetailView, errors=(409,))
def cancel(execution_id: str) -> Response:
    return _show(control.cancel(db.session(), find(Execution, execution_id)))


@api.post("/executions/<execution_id>/retry")
@operation(
    "Retry now, or run a finished one again", answer=shapes.ExecutionDetailView, status=202, errors=(409,)
)
def retry(execution_id: str) -> Response:
    row, bells = control.retry(db.session(), find(Execution, execution_id), access.tariff())
    ring(bells)
    return _show(row, 202)


def _show(row: Execution, status: int = 200) -> Response:
    return answer(detail(row), status)
