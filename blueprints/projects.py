"""Projects and their platforms: create, edit, connect, delete."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from blueprints import (
    connection,
    forms,
    htmx,
    inputs,
    pages_cards,
    pages_connection,
    pages_cost,
    project_webhook,
    view,
)
from blueprints.access import owned, secret_box, settings
from blueprints.extensions import db
from lib.words import plural
from models import Execution, Job, Platform, Project
from pipeline import projects
from pipeline.control import ConflictError
from platforms import NAMES

bp = Blueprint("projects", __name__)
FORM, PAGE, TESTED = "projects/form.html", "projects/page.html", "projects/_tested.html"
Answer = Response | str | tuple[str, int]


@bp.get("/projects/new")
@login_required
def new() -> Answer:
    return _form(None, forms.project_values(None), forms.no_errors())


@bp.post("/projects/new")
@login_required
def create() -> Answer:
    try:
        body = inputs.project_form(request.form)
        values = inputs.read_project(body, partial=False, git_root=settings().git_root)
    except inputs.InputError as error:
        return _form(None, forms.typed(), forms.errors_of(error), 422)
    project = projects.create(db.session(), current_user.id, values, secret_box())
    for kind in [kind for kind in NAMES if kind in request.form.getlist("platforms")]:
        projects.add_platform(db.session(), project, {"type": kind}, secret_box())
    db.session.commit()
    return htmx.go(_url(project), f"“{project.name}” is connected. Now schedule its first job.")


@bp.get("/projects/<project_id>/edit")
@login_required
def edit(project_id: str) -> Answer:
    project = owned(Project, project_id)
    return _form(project, forms.project_values(project), forms.no_errors())


@bp.post("/projects/<project_id>/edit")
@login_required
def save(project_id: str) -> Answer:
    project = owned(Project, project_id)
    try:
        body = inputs.project_form(request.form)
        values = inputs.read_project(body, partial=True, git_root=settings().git_root, current=project)
    except inputs.InputError as error:
        return _form(project, forms.typed(), forms.errors_of(error), 422)
    projects.edit(db.session(), project, values, secret_box())
    db.session.commit()
    sent = f"{values.get('github_repo_owner')}/{values.get('github_repo_name')}"
    kept = "github_repo_name" in values and sent.lower() != project.repository.lower()
    moved = f" GitHub calls the repository {project.repository} now; that name is kept." if kept else ""
    return htmx.go(_url(project), f"“{project.name}” is saved.{moved}")


@bp.post("/projects/new/test")
@login_required
@connection.limited
def test_new() -> Answer:
    return _test_typed(None)


@bp.post("/projects/<project_id>/edit/test")
@login_required
@connection.limited
def test_edited(project_id: str) -> Answer:
    return _test_typed(owned(Project, project_id))


def _test_typed(project: Project | None) -> Answer:
    """Without JavaScript the answer is a page of its own, beside the form; nothing is stored."""
    status = 200
    try:
        checked = connection.look_at_typed(project, inputs.project_form(request.form))
        tested = pages_connection.tested(checked)
    except inputs.InputError as error:
        tested, status = pages_connection.refused(error.message), 422
    if htmx.asked():
        return render_template(TESTED, tested=tested), status
    return _form(project, forms.typed(), forms.no_errors(), status, tested)


@bp.post("/projects/<project_id>/test")
@login_required
@connection.limited
def test(project_id: str) -> Answer:
    project = owned(Project, project_id)
    tested = pages_connection.tested(connection.look(project))
    db.session.refresh(project)
    if htmx.asked():
        return htmx.block(PAGE, "repository", **_repository(project, tested)), 200
    return _page(project, {}, tested), 200


def _form(
    project: Project | None,
    form: forms.Form,
    errors: forms.Errors,
    status: int = 200,
    tested: pages_connection.Tested | None = None,
) -> tuple[str, int]:
    context: dict[str, Any] = {"project": project, "form": form, "errors": errors, "names": NAMES}
    context["tested"] = tested
    context["currency"] = settings().model_currency
    context["has_git"] = settings().git_root is not None
    context["has_token"] = project is not None and project.github_token is not None
    return render_template(FORM, **context), status


@bp.get("/projects/<project_id>")
@login_required
def show(project_id: str) -> Answer:
    return _page(owned(Project, project_id), {}), 200


def _page(
    project: Project, errors: dict[str, forms.Errors], tested: pages_connection.Tested | None = None
) -> str:
    cards = pages_cards.cards_of(project)
    return render_template(
        PAGE,
        cards=cards,
        truth=_truth(project, len(cards)),
        platforms={platform.type: platform for platform in project.platforms},
        names=NAMES,
        credentials=CREDENTIALS,
        webhook=project_webhook.section(project),
        spending=pages_cost.spending_of(project),
        errors=errors,
        **_repository(project, tested),
    )


def _repository(project: Project, tested: pages_connection.Tested | None) -> dict[str, Any]:
    """What the page's part about the repository shows."""
    common = settings().github_token is not None
    return {
        "project": project,
        "synced": view.exactly(project.last_synced_at, "UTC") if project.last_synced_at else None,
        "connection": pages_connection.connection(project, has_common_token=common),
        "tested": tested,
    }


CREDENTIALS = {
    "HASHNODE": (("token", "Personal access token"), ("publicationId", "Publication ID")),
    "DEVTO": (("apiKey", "API key"),),
    "LINKEDIN": (("accessToken", "Access token"),),
}


def _truth(project: Project, job_count: int) -> str:
    names = [NAMES[p.type] for p in project.platforms if p.is_connected]
    if not names:
        return "No platform is connected, so nothing can be written: connect one below."
    if not job_count:
        return f"Ready to write for {plural(len(names), 'platform')}: schedule its first job."
    return f"{plural(job_count, 'job')} {'writes' if job_count == 1 else 'write'} for {', '.join(names)}."


@bp.get("/projects/<project_id>/delete")
@login_required
def ask_delete(project_id: str) -> Answer:
    project = owned(Project, project_id)
    counts = [
        plural(db.session.scalar(select(func.count()).where(model.project_id == project.id)) or 0, noun)
        for model, noun in ((Job, "job"), (Execution, "execution"))
    ]
    return render_template(
        "confirm.html",
        question=f"Delete “{project.name}”?",
        truth="This cannot be undone.",
        consequences=[
            f"With it go {counts[0]}, {counts[1]} and all drafts that they made.",
            "Stored tokens and credentials are deleted.",
            "The repository itself and whatever is published stay as they are.",
        ],
        button="Delete the project",
        keep="Keep it",
        danger=True,
        back=_url(project),
    )


@bp.post("/projects/<project_id>/delete")
@login_required
def delete(project_id: str) -> Answer:
    project = owned(Project, project_id)
    projects.delete(db.session(), project)
    db.session.commit()
    return htmx.go(url_for("dashboard.show"), f"“{project.name}” is deleted.")


@bp.post("/projects/<project_id>/platforms")
@login_required
def add_platform(project_id: str) -> Answer:
    project = owned(Project, project_id)
    try:
        values = inputs.read_platform(
            inputs.platform_form(request.form) | {"isConnected": True}, partial=False
        )
        platform = projects.add_platform(db.session(), project, values, secret_box())
    except inputs.InputError as error:
        return _page(project, {request.form.get("type", ""): forms.errors_of(error)}), 422
    except ConflictError as error:
        return htmx.go(_url(project), error.message)
    return htmx.go(_url(project), f"Posts are written for {NAMES[platform.type]} from now on.")


@bp.post("/platforms/<platform_id>/connect")
@login_required
def connect(platform_id: str) -> Answer:
    return _change(_platform(platform_id), {"is_connected": True}, "is connected: posts are written for it.")


@bp.post("/platforms/<platform_id>/disconnect")
@login_required
def disconnect(platform_id: str) -> Answer:
    said = "is disconnected: no posts are written for it. Its credentials stay stored."
    return _change(_platform(platform_id), {"is_connected": False}, said)


@bp.post("/platforms/<platform_id>/credentials")
@login_required
def credentials(platform_id: str) -> Answer:
    platform = _platform(platform_id)
    body: dict[str, Any] = inputs.platform_form(request.form)
    body.pop("isConnected")
    try:
        values = inputs.read_platform(body, partial=True, current=platform)
    except inputs.InputError as error:
        return _page(platform.project, {platform.type: forms.errors_of(error)}), 422
    said = (
        "has its credentials; they are not shown again." if values.get("credentials") else "has none stored."
    )
    return _change(platform, values, said)


def _change(platform: Platform, values: dict[str, Any], said: str) -> Response:
    projects.edit_platform(db.session(), platform, values, secret_box())
    db.session.commit()
    return htmx.go(f"{_url(platform.project)}#platforms", f"{NAMES[platform.type]} {said}")


@bp.get("/platforms/<platform_id>/delete")
@login_required
def ask_delete_platform(platform_id: str) -> Answer:
    platform = _platform(platform_id)
    name = NAMES[platform.type]
    return render_template(
        "confirm.html",
        question=f"Delete {name} from “{platform.project.name}”?",
        truth="To pause it, disconnect it instead.",
        consequences=[
            "Its stored credentials are deleted.",
            f"No job of this project writes for {name} any more; a job that wrote for it alone fails until "
            "you choose another platform.",
            "Drafts that were written for it stay.",
        ],
        button=f"Delete {name}",
        keep="Keep it",
        danger=True,
        back=_url(platform.project),
    )


@bp.post("/platforms/<platform_id>/delete")
@login_required
def delete_platform(platform_id: str) -> Answer:
    platform = _platform(platform_id)
    name, target = NAMES[platform.type], _url(platform.project)
    projects.delete_platform(db.session(), platform)
    db.session.commit()
    return htmx.go(target, f"{name} is deleted.")


def _platform(platform_id: str) -> Platform:
    platform = db.session.get(Platform, platform_id)
    if platform is None or platform.project.user_id != current_user.id:
        abort(404)
    return platform


def _url(project: Project) -> str:
    return url_for("projects.show", project_id=project.id)
