"""Jobs: the schedule form with its preview, the job's page, and what may be done to it."""

import re
import secrets
from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_login import current_user, login_required
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from blueprints import (
    dashboard,
    forms,
    htmx,
    inputs,
    pages_asking,
    pages_cards,
    pages_glance,
    pages_job,
    presets,
)
from blueprints.access import owned
from blueprints.extensions import db
from lib import clock, places
from models import Job, Project
from pipeline import jobs
from pipeline.bells import Bell
from platforms import NAMES
from tasks import queue

bp = Blueprint("jobs", __name__, url_prefix="/projects/<project_id>/cron")
FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,32}")
SPENT = (
    "Nothing was saved: this form has made “{name}” already. Press “Schedule the job” again to make"
    " another job of what you see, or change the first one on its own page."
)
FORM, PAGE = "jobs/form.html", "jobs/page.html"
Answer = Response | str


@bp.get("/new")
@login_required
def new(project_id: str) -> Answer:
    """`preset` in the URL fills the schedule's fields."""
    values = forms.job_values(None, current_user.timezone)
    return _form(
        owned(Project, project_id), None, presets.fill(values, request.args.get("preset")), forms.no_errors()
    )


@bp.post("/new")
@login_required
def create(project_id: str) -> Answer:
    """Sent twice, a form makes one job; sent again with something else in it, it asks."""
    project = owned(Project, project_id)
    try:
        body = inputs.job_form(request.form)
        values = inputs.read_job(body, partial=False, current=None, platforms=project.platforms)
    except inputs.InputError as error:
        return _form(project, None, forms.job_typed(), forms.errors_of(error), 422)
    key = request.form.get("formKey", "")
    chosen = jobs.JobFields(**values)
    try:
        job, bells = (
            jobs.create_once(db.session(), project, chosen, key)
            if FORM_KEY.fullmatch(key)
            else jobs.create(db.session(), project, chosen)
        )
    except jobs.FormSpentError as error:
        form = forms.job_typed()
        form["formKey"] = _key()
        return _form(project, None, form, {"said": SPENT.format(name=error.job.name)}, 409)
    commit(bells)
    return htmx.go(job_url(job), f"“{job.name}” is scheduled.")


@bp.get("/<job_id>/edit")
@login_required
def edit(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    values = presets.fill(forms.job_values(job), request.args.get("preset"))
    return _form(job.project, job, values, forms.no_errors())


@bp.post("/<job_id>/edit")
@login_required
def save(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    try:
        body = inputs.job_form(request.form)
        values = inputs.read_job(body, partial=False, current=None, platforms=job.project.platforms)
    except inputs.InputError as error:
        return _form(job.project, job, forms.job_typed(), forms.errors_of(error), 422)
    if values["is_enabled"] == job.is_enabled:  # the form always carries it; naming it would end a pause
        del values["is_enabled"]
    commit(jobs.edit(db.session(), job, values))
    return htmx.go(job_url(job), f"“{job.name}” is saved.")


@bp.post("/preview")
@bp.post("/<job_id>/preview")
@login_required
def preview(project_id: str, job_id: str | None = None) -> Answer:
    """The next runs of what is typed: alone for htmx, else in the form, with everything typed kept; after a
    click on a preset or on a zone that may have been meant, with that."""
    project = owned(Project, project_id)
    job = job_of(project_id, job_id) if job_id else None
    form = presets.fill(forms.job_typed(), request.form.get("preset"))
    if meant := request.form.get("meant"):
        form["timezone"] = meant
    return _form(project, job, form, forms.no_errors())


def _form(
    project: Project, job: Job | None, form: forms.Form, errors: forms.Errors, status: int = 200
) -> Response:
    form.setdefault("formKey", _key())
    return htmx.page(
        FORM,
        "preview",
        status,
        project=project,
        job=job,
        form=form,
        errors=errors,
        paused=job is not None and pages_cards.is_paused(job),
        presets=presets.PRESETS,
        is_no_time=not forms.CLOCK.fullmatch(form["time"]),
        meant=places.near(form["timezone"], clock.now()) if errors.get("timezone") else [],
        significances=pages_job.SIGNIFICANCE.items(),
        writers=pages_job.WRITERS.items(),
        platforms=[(platform.id, NAMES[platform.type]) for platform in project.platforms],
        coming=pages_job.coming(form),
        base=url_for("jobs.new", project_id=project.id).removesuffix("/new") + (f"/{job.id}" if job else ""),
    )


def _key() -> str:
    """Of one form as it is shown; see `pipeline.jobs.create_once`."""
    return secrets.token_urlsafe(16)


@bp.get("/<job_id>")
@login_required
def show(project_id: str, job_id: str) -> Answer:
    is_poll = htmx.asked() and "v" in request.args
    glance = pages_glance.job(current_user, job_id) if is_poll else None
    if htmx.looked(glance):
        return htmx.unchanged(glance)
    job = job_of(project_id, job_id)
    shown = pages_job.page(job, request.args)
    if is_poll and request.args["v"] == htmx.version(shown):
        return htmx.unchanged(glance)
    return htmx.stamped(htmx.page(PAGE, "live", job=shown), glance, htmx.version(shown))


@bp.post("/<job_id>/enable")
@login_required
def enable(project_id: str, job_id: str) -> Answer:
    """Also lets a paused job go on."""
    job = job_of(project_id, job_id)
    done = "goes on" if pages_cards.is_paused(job) else "is enabled"
    commit(jobs.edit(db.session(), job, {"is_enabled": True}))
    return shown(job, f"“{job.name}” {done}.", aloud=True)


@bp.get("/<job_id>/disable")
@login_required
def ask_disable(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    return htmx.page("confirm.html", "dialog", **pages_asking.disabling(job), **_back(job))


@bp.post("/<job_id>/disable")
@login_required
def disable(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    commit(jobs.edit(db.session(), job, {"is_enabled": False}))
    return shown(job, f"“{job.name}” is disabled.")


@bp.get("/<job_id>/delete")
@login_required
def ask_delete(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    return htmx.page("confirm.html", "dialog", **pages_asking.deleting(job), **_back(job))


@bp.post("/<job_id>/delete")
@login_required
def delete(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    jobs.delete(db.session(), job)
    db.session.commit()
    return htmx.go(url_for("projects.show", project_id=project_id), f"“{job.name}” is deleted.")


def shown(job: Job, said: str, status: int = 200, *, aloud: bool = False) -> Response:
    """Where the button was: its card or the job's page, in place for htmx. There the change itself tells
    that it was made; `aloud` says so as well."""
    on_dashboard = request.values.get("from") == "dashboard"
    if not htmx.asked():
        return htmx.go(f"{url_for('dashboard.show')}#card-{job.id}" if on_dashboard else job_url(job), said)
    if on_dashboard:
        response = dashboard.answer(pages_cards.card(job), status)
    else:
        response = htmx.page(PAGE, "live", status, job=pages_job.page(job, {}))
    return htmx.say(response, said) if aloud or status != 200 else response


def job_of(project_id: str, job_id: str) -> Job:
    job = owned(Job, job_id, joinedload(Job.project).joinedload(Project.platforms))
    if job.project_id != project_id:
        abort(404)
    return job


def commit(bells: list[Bell]) -> None:
    """And ring what is due."""
    db.session.commit()
    queue.ring(bells)


def job_url(job: Job) -> str:
    return url_for("jobs.show", project_id=job.project_id, job_id=job.id)


def _back(job: Job) -> dict[str, Any]:
    origin = request.args.get("from")
    return {"back": url_for("dashboard.show") if origin == "dashboard" else job_url(job), "origin": origin}
