"""The account: who is signed in, and the tokens by which programs speak for them."""

import secrets

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import forms, htmx, view
from blueprints.access import digest, owned
from blueprints.extensions import db
from lib import words
from models import ApiToken

bp = Blueprint("settings", __name__, url_prefix="/settings")
Answer = Response | str | tuple[str, int]
NAME_MAX = 100


@bp.get("")
@login_required
def show() -> Answer:
    return _page(forms.Filled({"canWrite": "on"}), forms.no_errors())


@bp.post("/tokens")
@login_required
def create_token() -> Answer:
    name = words.one_line(request.form.get("name", ""))
    if not name or len(name) > NAME_MAX:
        said = f"Must have 1 to {NAME_MAX} characters: what the token is for."
        return _page(forms.typed(), forms.error_at("name", said)), 422
    secret = "repocast_" + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=current_user.id, name=name, digest=digest(secret), can_write="canWrite" in request.form
    )
    db.session.add(token)
    db.session.commit()
    return _page(forms.Filled({"canWrite": "on"}), forms.no_errors(), secret), 201


@bp.post("/tokens/<token_id>/revoke")
@login_required
def revoke_token(token_id: str) -> Answer:
    token = owned(ApiToken, token_id)
    db.session.delete(token)
    db.session.commit()
    return htmx.go(url_for("settings.show"), f"The token “{token.name}” works no more.")


def _page(form: forms.Form, errors: forms.Errors, secret: str | None = None) -> str:
    rows = db.session.scalars(
        select(ApiToken).where(ApiToken.user_id == current_user.id).order_by(ApiToken.created_at.desc())
    )
    tokens = [
        (
            row,
            view.past(row.created_at, "UTC", named=True),
            view.past(row.last_used_at, "UTC", named=True) if row.last_used_at else None,
        )
        for row in rows
    ]
    return render_template("settings/page.html", form=form, errors=errors, tokens=tokens, secret=secret)
