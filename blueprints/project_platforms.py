"""A project's platforms: connect, disconnect, credentials, disclosure, delete."""

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from blueprints import disclosure, forms, htmx, inputs
from blueprints.access import owned, secret_box
from blueprints.extensions import db
from blueprints.pages_project import page
from models import Platform, Project
from pipeline import projects
from pipeline.control import ConflictError
from platforms import NAMES

bp = Blueprint("platforms", __name__)
Answer = Response | str | tuple[str, int]


@bp.post("/projects/<project_id>/platforms")
@login_required
def add(project_id: str) -> Answer:
    project = owned(Project, project_id)
    try:
        values = inputs.read_platform(
            inputs.platform_form(request.form) | {"isConnected": True}, partial=False
        )
        platform = projects.add_platform(db.session(), project, values, secret_box())
    except inputs.InputError as error:
        return page(project, {request.form.get("type", ""): forms.errors_of(error)}), 422
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
        return page(platform.project, {platform.type: forms.errors_of(error)}), 422
    said = (
        "has its credentials; they are not shown again." if values.get("credentials") else "has none stored."
    )
    return _change(platform, values, said)


@bp.post("/platforms/<platform_id>/disclosure")
@login_required
def disclose(platform_id: str) -> Answer:
    platform = _platform(platform_id)
    body = {"settings": disclosure.from_form(request.form, platform.type)}
    try:
        values = inputs.read_platform(body, partial=True, current=platform)
    except inputs.InputError as error:
        errors = {platform.type: forms.errors_of(error)}
        return page(platform.project, errors, typed=forms.typed()), 422
    text = values["settings"].get("disclosure")
    said = "ends its posts with " + ("the default sentence." if text is None else "your own words.")
    return _change(platform, values, "says nothing of machine help." if text == "" else said)


def _change(platform: Platform, values: dict[str, Any], said: str) -> Response:
    projects.edit_platform(db.session(), platform, values, secret_box())
    db.session.commit()
    return htmx.go(f"{_url(platform.project)}#platforms", f"{NAMES[platform.type]} {said}")


@bp.get("/platforms/<platform_id>/delete")
@login_required
def ask_delete(platform_id: str) -> Answer:
    platform = _platform(platform_id)
    name = NAMES[platform.type]
    return htmx.page(
        "confirm.html",
        "dialog",
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
def delete(platform_id: str) -> Answer:
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
