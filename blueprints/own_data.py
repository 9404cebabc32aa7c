"""Taking one's data along, and leaving."""

import tempfile

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask_login import current_user, login_required, logout_user
from sqlalchemy import ColumnElement, ScalarSelect, func, select
from werkzeug.wrappers import Response as Answer

from blueprints import forms
from blueprints.extensions import db, limiter
from blueprints.security import WRONG, guarded, is_own
from lib import clock
from lib.words import plural
from models import ApiToken, Base, Draft, Execution, Job, Project
from models.execution import LIVE
from pipeline import account
from pipeline import export as writing

bp = Blueprint("own_data", __name__, url_prefix="/settings")
IN_MEMORY = 4 * 1024 * 1024


@bp.get("/export")
@login_required
@limiter.limit("5 per hour", key_func=lambda: str(current_user.id))
def export() -> Response:
    """Written whole before it is sent: a slow reader holds no transaction open."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the answer closes it
    writing.write(db.session.connection(), current_user.id, file)
    file.seek(0)
    name = f"repocast-{clock.now():%Y-%m-%d}.zip"
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)


@bp.get("/delete")
@login_required
def ask_delete() -> str:
    return _asked(forms.no_errors())


@bp.post("/delete")
@login_required
@guarded
def delete() -> Answer | tuple[str, int]:
    if not is_own(request.form.get("password", "")):
        return _asked(forms.error_at("password", WRONG)), 422
    account.close(db.session(), current_user)
    db.session.commit()
    logout_user()
    flash("Your account is deleted, with everything in it.")
    return redirect(url_for("auth.login"), 303)


def _asked(errors: forms.Errors) -> str:
    return render_template(
        "settings/delete.html", consequences=_consequences(), form=forms.Filled(), errors=errors
    )


def _consequences() -> list[str]:
    mine = current_user.id
    counts = (
        _count(Project, Project.user_id == mine),
        _count(Job, Job.user_id == mine),
        _count(Execution, Execution.user_id == mine),
        _count(Draft, Draft.user_id == mine),
        _count(ApiToken, ApiToken.user_id == mine),
        _count(Execution, (Execution.user_id == mine) & Execution.status.in_(LIVE)),
    )
    projects, jobs, executions, drafts, tokens, live = db.session.execute(select(*counts)).one()
    said = [
        f"{plural(projects, 'project')} and {plural(jobs, 'job')} are removed; nothing runs any more.",
        f"{plural(executions, 'execution')} and {plural(drafts, 'draft')} are removed.",
        f"{plural(tokens, 'API token')}, all sessions, notifications and mails are removed.",
        "What was published elsewhere stays there.",
    ]
    if live:
        said.insert(0, f"{plural(live, 'run')} under way: cancelled first.")
    return said


def _count(model: type[Base], which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(model).where(which).scalar_subquery()
