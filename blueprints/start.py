"""The first minutes: four steps from an empty account to its first posts, each answered by the one that comes
next."""

from typing import Any

from flask import Blueprint, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from blueprints import connection, forms, forms_start, htmx, inputs, pages_connection, pages_start
from blueprints.access import secret_box, settings, tariff
from blueprints.extensions import db
from blueprints.jobs import commit
from blueprints.pages_connection import Tested
from pipeline import first_steps, projects
from pipeline.control import ConflictError
from pipeline.first_steps import FirstStep, Way
from pipeline.jobs import JobFields
from platforms import NAMES
from tasks import queue

bp = Blueprint("start", __name__, url_prefix="/start")
PAGE = "start/page.html"
Answer = Response


@bp.get("")
@login_required
def show() -> Answer:
    shown = pages_start.page(_way())
    if htmx.asked() and request.args.get("v") == htmx.version(shown):
        return htmx.unchanged()
    return _page(shown)


@bp.post("/repository/test")
@login_required
@connection.limited
def test() -> Answer:
    """Without JavaScript the answer is a page of its own, beside the form; nothing is stored."""
    if (way := _way()).step != FirstStep.REPOSITORY:
        return _next()
    try:
        checked = connection.look(projects.trial(None, _typed_repository(), secret_box()))
    except inputs.InputError as error:
        return _refused(way, error)
    return _tested(way, pages_connection.tested(checked), 200)


@bp.post("/repository")
@login_required
@connection.limited
def connect() -> Answer:
    """Looks before it stores, for a slip of the pen is cheapest here. Whoever knows better connects it
    anyway."""
    if (way := _way()).step != FirstStep.REPOSITORY:
        return _next()
    try:
        values = _typed_repository()
    except inputs.InputError as error:
        return _refused(way, error)
    seen = None
    if "anyway" not in request.form:
        checked = connection.look(projects.trial(None, values, secret_box()))
        if not checked.works:
            return _tested(way, pages_connection.tested(checked), 422)
        seen = checked.seen
    project = first_steps.connect(db.session(), current_user.id, values, secret_box())
    if project is not None and seen is not None:
        projects.saw(db.session(), project, seen, whole=True)
    db.session.commit()
    return _next(f"“{project.name}” is connected." if project is not None else None)


def _typed_repository() -> dict[str, Any]:
    chosen = settings()
    return forms_start.read_repository(request.form, chosen.git_root, chosen.github_api_url)


def _tested(way: Way, tested: Tested, status: int) -> Answer:
    """`status` 422: it was to be connected. What is typed stays, for htmx the token too."""
    shown, can_anyway = pages_start.page(way), status != 200
    return _page(shown, "tested", form=forms.typed(), status=status, tested=tested, can_anyway=can_anyway)


def _refused(way: Way, error: inputs.InputError) -> Answer:
    """At its field on a page; for htmx beneath the form, in a sentence that names the field."""
    if not htmx.asked():
        return _page(pages_start.page(way), form=forms.typed(), errors=forms.errors_of(error), status=422)
    labels = {"repository": "Repository", "githubToken": "Access token"}
    said = " ".join(f"{labels.get(one['field'], one['field'])}: {one['message']}" for one in error.details)
    return _page(pages_start.page(way), "tested", status=422, tested=pages_connection.refused(said))


@bp.post("/platforms")
@login_required
def connect_platforms() -> Answer:
    way = _way()
    if way.step != FirstStep.PLATFORMS or way.project is None:
        return _next()
    try:
        chosen = forms_start.read_platforms(request.form)
    except inputs.InputError as error:
        return _page(pages_start.page(way), form=forms.typed(), errors=forms.errors_of(error), status=422)
    first_steps.connect_platforms(db.session(), way.project, chosen, secret_box())
    return _next()


@bp.post("/schedule/preview")
@login_required
def preview() -> Answer:
    """The next runs of what is chosen: alone for htmx, else in the form."""
    way = _way()
    if way.step != FirstStep.SCHEDULE:
        return _next()
    return _page(pages_start.page(way), "preview", form=forms.typed())


@bp.post("/schedule")
@login_required
def schedule() -> Answer:
    way = _way()
    if way.step != FirstStep.SCHEDULE or way.project is None:
        return _next()
    try:
        body = inputs.job_form(forms_start.job_form(request.form))
        values = inputs.read_job(body, partial=False, current=None, platforms=way.project.platforms)
    except inputs.InputError as error:
        return _page(pages_start.page(way), form=forms.typed(), errors=forms.errors_of(error), status=422)
    commit(first_steps.schedule(db.session(), way.project, JobFields(**values)) or [])
    return _next()


@bp.post("/run")
@login_required
def run() -> Answer:
    """`after` names the run that the form stood under: what was sent twice starts once."""
    way = _way()
    if way.job is None or way.step not in (FirstStep.RUN, FirstStep.DONE):
        return _next()
    if way.run is not None and way.run.id != request.form.get("after"):
        return _to(way.run.id)
    try:
        days = forms_start.read_days(request.form)
        dry_run = "dryRun" in request.form
        execution, bells = first_steps.run(db.session(), way.job, days=days, dry_run=dry_run, tariff=tariff())
    except inputs.InputError as error:
        return _page(
            pages_start.page(way), form=forms.typed(), errors=forms.errors_of(error, "started"), status=422
        )
    except ConflictError as error:
        live = error.execution
        db.session.rollback()
        if live is not None:
            return _to(live.id)
        return _page(pages_start.page(_way()), form=forms.typed(), errors={"said": error.message}, status=409)
    queue.ring(bells)
    return _to(execution.id)


def _way() -> Way:
    return first_steps.way(db.session(), current_user.id)


def _next(said: str | None = None) -> Answer:
    """The page shows whichever step it is by now."""
    return htmx.go(url_for("start.show"), said)


def _to(execution_id: str) -> Answer:
    return htmx.go(url_for("executions.show", execution_id=execution_id))


def _page(
    shown: pages_start.StartPage,
    block: str = "live",
    *,
    form: forms.Filled | None = None,
    errors: forms.Errors | None = None,
    status: int = 200,
    tested: Tested | None = None,
    can_anyway: bool = False,
) -> Answer:
    form = form if form is not None else _fresh(shown)
    coming = pages_start.coming(form) if shown.step == FirstStep.SCHEDULE else None
    return htmx.page(
        PAGE,
        block,
        status,
        start=shown,
        form=form,
        errors=errors or forms.no_errors(),
        tested=tested,
        can_anyway=can_anyway,
        names=NAMES,
        presets=forms_start.preset_words(),
        coming=coming,
        has_git=settings().git_root is not None,
    )


def _fresh(shown: pages_start.StartPage) -> forms.Filled:
    """How each step's form begins."""
    return forms.Filled(
        {
            "platforms": list(NAMES),
            "preset": "WEEKDAYS",
            "timezone": current_user.timezone,
            "firstRun": shown.ask.window if shown.ask else "",
        }
    )
