"""Jobs, as the walkthrough calls them: schedules."""

from collections.abc import Iterable
from typing import Any

from flask_login import current_user
from pydantic import create_model
from sqlalchemy import select
from sqlalchemy.orm import load_only
from werkzeug.wrappers import Response

from blueprints import bodies, present, shapes
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import PageQuery, find, page, read_body, read_optional, read_query
from blueprints.extensions import db
from blueprints.inputs import InputError, detail, parse, read_job, read_preview
from blueprints.pages_cost import ahead_json
from lib import clock
from models import Execution, Job, Project, unended
from pipeline import byhand, jobs
from pipeline.bells import Bell
from pipeline.schedule import preview
from tasks.queue import ring

ScheduleBody = create_model("ScheduleBody", __base__=bodies.JobBody, project_id=(bodies.Id, ...))
ScheduleEdit = create_model("ScheduleEdit", __base__=bodies.JobEdit, job_id=(bodies.Id, ...))


@api.get("/cron/schedules")
@operation("List jobs", answer=shapes.JobView, many=True, query=PageQuery)
def list_schedules() -> Response:
    mine = select(Job).where(Job.user_id == current_user.id)
    rows, following = page(mine, Job, read_query(PageQuery))
    live = _live(row.id for row in rows)
    return answer([present.job(row, live.get(row.id)) for row in rows], count=len(rows), nextCursor=following)


def _live(ids: Iterable[str]) -> dict[str, Execution]:
    """The live execution of each job that has one."""
    rows = select(Execution).where(Execution.job_id.in_(list(ids)), unended(Execution))
    rows = rows.options(load_only(Execution.job_id, Execution.status))
    return {row.job_id: row for row in db.session.scalars(rows)}


@api.post("/cron/schedule")
@operation("Create a job", answer=shapes.JobView, body=ScheduleBody, status=201, errors=(404, 409))
def create_schedule() -> Response:
    data = read_body()
    named = data.get("projectId")
    project = find(Project, named, "projectId") if isinstance(named, str) else None
    platforms = None if project is None else project.platforms
    local = project is not None and project.source_type == "GIT"
    values = read_job(data, partial=False, current=None, platforms=platforms, model=ScheduleBody, local=local)
    if project is None:
        raise InputError([detail("projectId", "Is needed.")])
    del values["project_id"]
    row, bells = jobs.create(db.session(), project, jobs.JobFields(**values))
    db.session.commit()
    ring(bells)
    return answer(present.job(row, None), 201)


@api.patch("/cron/schedule")
@operation("Change the job that jobId names", answer=shapes.JobView, body=ScheduleEdit, errors=(404, 409))
def edit_schedule() -> Response:
    data = read_body()
    named = data.get("jobId")
    if not isinstance(named, str):
        raise InputError([detail("jobId", "Is needed: the job's id, as text.")])
    return _edit(find(Job, named, "jobId"), {key: value for key, value in data.items() if key != "jobId"})


@api.get("/cron/schedules/<job_id>")
@operation("Read a job", answer=shapes.JobView)
def read_schedule(job_id: str) -> Response:
    return _show(find(Job, job_id))


@api.patch("/cron/schedules/<job_id>")
@operation("Change a job", answer=shapes.JobView, body=bodies.JobEdit, errors=(409,))
def edit_one_schedule(job_id: str) -> Response:
    return _edit(find(Job, job_id), read_body())


def _edit(row: Job, data: dict[str, Any]) -> Response:
    local = row.project.source_type == "GIT"
    values = read_job(data, partial=True, current=row, platforms=row.project.platforms, local=local)
    pausing, until = "paused_until" in values, values.pop("paused_until", None)
    bells = jobs.edit(db.session(), row, values)
    if pausing:  # what the rest of the body rings may be a slot of before the pause
        bells = _pause(row, until)
    db.session.commit()
    ring(bells)
    return _show(row)


def _pause(row: Job, until: str | None) -> list[Bell]:
    if until is None:
        return byhand.end_pause(db.session(), row)
    return byhand.pause_until(db.session(), row, clock.parse_iso(until))


def _show(row: Job) -> Response:
    return answer(present.job(row, jobs.live_execution(db.session(), row.id), ahead_json(row)))


@api.delete("/cron/schedules/<job_id>")
@operation("Delete a job with its executions and drafts", answer=shapes.DeletedView, errors=(409,))
def delete_schedule(job_id: str) -> Response:
    jobs.delete(db.session(), find(Job, job_id))
    db.session.commit()
    return answer({"id": job_id})


@api.post("/cron/schedules/<job_id>/skip-next")
@operation(
    "Leave the job's next slot out",
    answer=shapes.JobView,
    body=bodies.SkipBody,
    may_be_empty=True,
    errors=(409,),
)
def skip_next(job_id: str) -> Response:
    asked = parse(bodies.SkipBody, read_optional())
    row = find(Job, job_id)
    _, bells = byhand.skip_next(
        db.session(), row, None if asked.slot is None else clock.parse_iso(asked.slot)
    )
    db.session.commit()
    ring(bells)
    return _show(row)


@api.post("/cron/schedules/<job_id>/skip-next/undo")
@operation("Let the slots that were left out run after all", answer=shapes.JobView)
def undo_skip(job_id: str) -> Response:
    row = find(Job, job_id)
    bells = byhand.undo_skips(db.session(), row)
    db.session.commit()
    ring(bells)
    return _show(row)


@api.post("/cron/preview")
@operation("Show a schedule's next six slots", answer=shapes.PreviewView, body=bodies.PreviewBody)
def preview_schedule() -> Response:
    schedule = read_preview(read_body())
    return answer(present.preview(schedule, preview(schedule, clock.now())))
