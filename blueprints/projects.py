"""Projects: create, show, edit, test, delete."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from blueprints import connection, forms, htmx, inputs, pages_connection, voice
from blueprints.access import owned, secret_box, settings
from blueprints.extensions import db
from blueprints.pages_project import PAGE, page, repository
from lib.words import plural
from models import Execution, Job, Project
from pipeline import projects
from platforms import NAMES

bp = Blueprint("projects", __name__)
FORM, TESTED = "projects/form.html", "projects/_tested.html"
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
        return htmx.block(PAGE, "repository", **repository(project, tested)), 200
    return page(project, {}, tested), 200


def _form(
    project: Project | None,
    form: forms.Form,
    errors: forms.Errors,
    status: int = 200,
    tested: pages_connection.Tested | None = None,
) -> tuple[str, int]:
    context: dict[str, Any] = {"project": project, "form": form, "errors": errors, "names": NAMES}
    context["tested"] = tested
    context["form_voice_is_open"] = any(name in errors for name in voice.FIELDS)
    context["currency"] = settings().model_currency
    context["has_git"] = settings().git_root is not None
    context["has_token"] = project is not None and project.github_token is not None
    return render_template(FORM, **context), status


@bp.get("/projects/<project_id>")
@login_required
def show(project_id: str) -> Answer:
    return page(owned(Project, project_id), {}), 200


@bp.get("/projects/<project_id>/delete")
@login_required
def ask_delete(project_id: str) -> Answer:
    project = owned(Project, project_id)
    counts = [
        plural(db.session.scalar(select(func.count()).where(model.project_id == project.id)) or 0, noun)
        for model, noun in ((Job, "job"), (Execution, "execution"))
    ]
    return htmx.page(
        "confirm.html",
        "dialog",
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


def _url(project: Project) -> str:
    return url_for("projects.show", project_id=project.id)
