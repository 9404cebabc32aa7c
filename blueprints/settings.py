"""The account: who one is, how times and colours are shown, and tokens for programs."""

import secrets
from datetime import timedelta

from flask import Blueprint, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from blueprints import forms, htmx, inputs, pages_settings
from blueprints.access import owned
from blueprints.extensions import db
from lib import clock, words, zones
from lib.digests import digest
from models import ApiToken
from pipeline import roundup

bp = Blueprint("settings", __name__, url_prefix="/settings")
Answer = Response | str | tuple[str, int]
NAME_MAX = 100


@bp.get("")
@login_required
def show() -> Answer:
    return pages_settings.page("main")


@bp.post("/profile")
@login_required
def save_profile() -> Answer:
    name, place = words.one_line(request.form.get("fullName", "")), request.form.get("timezone", "").strip()
    hours, theme = request.form.get("timeFormat", ""), request.form.get("theme", "")
    details = []
    if len(name) > NAME_MAX:
        details.append(inputs.detail("fullName", f"Must have at most {NAME_MAX} characters."))
    try:
        zones.zone(place)
    except zones.UnknownZone as error:
        details.append(inputs.detail("timezone", str(error)))
    if hours not in dict(pages_settings.HOURS):
        details.append(inputs.detail("timeFormat", "Must be 12 or 24 hours: choose one of the two."))
    if theme not in dict(pages_settings.THEMES):
        details.append(inputs.detail("theme", "Must be automatic, light or dark: choose one of the three."))
    if details:
        return pages_settings.page("profile", forms.errors_of(inputs.InputError(details)), 422)
    user = current_user
    user.name, user.timezone, user.time_format, user.theme = name, place, hours, theme
    roundup.plan(db.session(), user)
    db.session.commit()
    return htmx.go(url_for("settings.show"), "Your settings are saved.")


@bp.post("/tokens")
@login_required
def create_token() -> Answer:
    name, days = words.one_line(request.form.get("name", "")), request.form.get("expires", "")
    details = []
    if not name or len(name) > NAME_MAX:
        said = f"Must have 1 to {NAME_MAX} characters: what the token is for."
        details.append(inputs.detail("name", said))
    if days not in dict(pages_settings.EXPIRIES):
        details.append(inputs.detail("expires", "Must be one of the choices."))
    if details:
        return pages_settings.page("tokens", forms.errors_of(inputs.InputError(details)), 422)
    secret = "repocast_" + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=current_user.id,
        name=name,
        digest=digest(secret),
        can_write="canWrite" in request.form,
        expires_at=clock.now() + timedelta(days=int(days)) if days else None,
    )
    db.session.add(token)
    db.session.commit()
    return pages_settings.page("main", status=201, secret=secret)


@bp.post("/tokens/<token_id>/revoke")
@login_required
def revoke_token(token_id: str) -> Answer:
    token = owned(ApiToken, token_id)
    db.session.delete(token)
    db.session.commit()
    return htmx.go(url_for("settings.show"), f"The token “{token.name}” works no more.")
