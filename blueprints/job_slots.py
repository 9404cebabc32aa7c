"""What is done to a job's next runs: trigger one with a choice, pause until a date, leave one out."""

from datetime import UTC, datetime

from flask import Blueprint, abort, request
from flask_login import login_required

from blueprints import forms, htmx, inputs, pages_asking, view
from blueprints.access import tariff
from blueprints.extensions import db
from blueprints.jobs import Answer, commit, job_of, job_url, shown
from lib import clock
from lib.zones import zone
from models import Job
from pipeline import byhand, control
from tasks import queue

bp = Blueprint("job_slots", __name__, url_prefix="/projects/<project_id>/cron/<job_id>")


@bp.get("/trigger")
@login_required
def ask_trigger(project_id: str, job_id: str) -> Answer:
    return _trigger_page(job_of(project_id, job_id), forms.Filled(), forms.no_errors())


@bp.post("/trigger")
@login_required
def trigger(project_id: str, job_id: str) -> Answer:
    """At once, as the buttons ask it; with the dialog's choices where there are any."""
    job = job_of(project_id, job_id)
    dry_run = "dryRun" in request.form
    try:
        since = _instant(job, "since") if request.form.get("since") else None
        if since is not None and since > clock.now():
            raise inputs.InputError([inputs.detail("since", "Must be in the past.")])
    except inputs.InputError as error:
        return _trigger_page(job, forms.typed(), forms.errors_of(error, "started"), 422)
    try:
        _, bells = control.trigger(db.session(), job, dry_run=dry_run, since=since, tariff=tariff())
    except control.ConflictError as error:
        return shown(job, error.message, 409)
    queue.ring(bells)
    return shown(job, f"“{job.name}” is triggered{' as a dry run' if dry_run else ''}.")


def _trigger_page(job: Job, form: forms.Form, errors: forms.Errors, status: int = 200) -> Answer:
    page = pages_asking.triggering(job)
    return htmx.page(
        "jobs/trigger.html", "dialog", status, ask=page, form=form, errors=errors, back=job_url(job)
    )


@bp.get("/pause")
@login_required
def ask_pause(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    return _pause_page(job, pages_asking.pause_values(job), forms.no_errors())


@bp.post("/pause")
@login_required
def pause(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    try:
        until = _instant(job, "until")
        if until <= clock.now():
            raise inputs.InputError([inputs.detail("until", "Must be in the future.")])
    except inputs.InputError as error:
        return _pause_page(job, forms.typed(), forms.errors_of(error), 422)
    try:
        bells = byhand.pause_until(db.session(), job, until)
    except control.ConflictError as error:
        db.session.rollback()
        return shown(job, error.message, 409)
    commit(bells)
    return shown(job, f"“{job.name}” is paused until {view.dated(until, job.timezone).words}.")


def _pause_page(job: Job, form: forms.Form, errors: forms.Errors, status: int = 200) -> Answer:
    return htmx.page(
        "jobs/pause.html", "dialog", status, job=job, form=form, errors=errors, back=job_url(job)
    )


@bp.post("/skip-next")
@login_required
def skip_next(project_id: str, job_id: str) -> Answer:
    """Only the slot that its owner saw: a second click leaves no second one out."""
    job = job_of(project_id, job_id)
    try:
        seen = clock.parse_iso(request.values["slot"]) if request.values.get("slot") else None
    except (ValueError, OverflowError):
        abort(400)
    try:
        slot, bells = byhand.skip_next(db.session(), job, seen)
    except control.ConflictError as error:
        db.session.rollback()
        return shown(job, error.message, 409)
    commit(bells)
    return shown(job, f"The slot of {view.dated(slot, job.timezone).words} is left out.", aloud=True)


@bp.post("/skip-next/undo")
@login_required
def undo_skip(project_id: str, job_id: str) -> Answer:
    job = job_of(project_id, job_id)
    commit(byhand.undo_skips(db.session(), job))
    return shown(job, f"Nothing of “{job.name}” is left out any more.", aloud=True)


def _instant(job: Job, name: str) -> datetime:
    """A date and time as typed, in the job's zone. Raises InputError."""
    text = request.form.get(name, "").strip()
    try:
        local = datetime.fromisoformat(text)
        if not 1970 <= local.year <= 9000:
            raise ValueError(text)
        place = local.tzinfo or zone(job.timezone)
        return local.replace(tzinfo=place).astimezone(UTC)
    except (ValueError, OverflowError):
        said = "Must be a date and time such as 2026-01-31T09:00."
        raise inputs.InputError([inputs.detail(name, said)]) from None
