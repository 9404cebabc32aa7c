"""The account's keys: its password, its address, and the browsers that are signed in."""

from flask import Blueprint, request, url_for
from flask_login import current_user, login_required
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from blueprints import forms, htmx, inputs, pages_settings, sessions
from blueprints.access import settings
from blueprints.extensions import db, limiter
from pipeline import account
from tasks import queue

bp = Blueprint("security", __name__, url_prefix="/settings")
WRONG = "This is not your password: type the one that you sign in with."
ENOUGH = "There were enough mails with a link in the last hour: look among your mails, or try again later."


def _who() -> str:
    return str(current_user.id)


# A browser left signed in is no place to guess its owner's password.
guarded = limiter.shared_limit("10 per minute; 50 per hour", scope="own password", key_func=_who)


def is_own(password: str) -> bool:
    """Whether this is the password of who is signed in."""
    return check_password_hash(current_user.password_hash, password[: inputs.MAX_PASSWORD])


@bp.post("/password")
@login_required
@guarded
def change_password() -> Response:
    old, new = request.form.get("oldPassword", ""), request.form.get("newPassword", "")
    details = [] if is_own(old) else [inputs.detail("oldPassword", WRONG)]
    if said := inputs.password_said(new, current_user.email, current_user.name):
        details.append(inputs.detail("newPassword", said))
    if details:
        return pages_settings.page("password", forms.errors_of(inputs.InputError(details)), 422)
    current_user.password_hash, current_user.sign_in_digest = generate_password_hash(new), None
    account.forget_resets(db.session(), current_user)
    sessions.end_others(current_user.id)
    db.session.commit()
    return htmx.go(url_for("settings.show"), "Your password is changed; all other browsers are signed out.")


@bp.post("/email")
@login_required
@guarded
def change_email() -> Response:
    typed, password = request.form.get("newEmail", ""), request.form.get("emailPassword", "")
    details = [] if is_own(password) else [inputs.detail("emailPassword", WRONG)]
    email = typed.strip().lower()
    if said := inputs.email_said(email):
        details.append(inputs.detail("newEmail", said))
    elif email == current_user.email:
        details.append(inputs.detail("newEmail", "This is your address already: type another one."))
    if details:
        return pages_settings.page("address", forms.errors_of(inputs.InputError(details)), 422)
    bells = account.change_address(db.session(), current_user, email, settings().base_url)
    db.session.commit()
    if bells is None:
        return pages_settings.page("address", forms.error_at("newEmail", ENOUGH), 422)
    queue.ring(bells)
    return htmx.go(url_for("settings.show"), f"We sent a link to {email}; it takes over once you follow it.")


@bp.post("/email/keep")
@login_required
def keep_email() -> Response:
    current_user.pending_email = None
    db.session.commit()
    return htmx.go(url_for("settings.show"), f"Your address stays {current_user.email}.")


@bp.post("/email/resend")
@login_required
@limiter.limit("10 per minute")
def resend() -> Response:
    if current_user.verified_at and not current_user.pending_email:
        return htmx.go(url_for("settings.show"), "Your address is confirmed already.")
    bell = account.ask_address(db.session(), current_user, settings().base_url)
    db.session.commit()
    if bell is None:
        return htmx.go(url_for("settings.show"), ENOUGH)
    queue.ring([bell])
    to = current_user.pending_email or current_user.email
    return htmx.go(url_for("settings.show"), f"We sent another link to {to}.")


@bp.post("/sessions/<session_id>/end")
@login_required
def end_session(session_id: str) -> Response:
    sessions.end(current_user.id, session_id)
    db.session.commit()
    return htmx.go(url_for("settings.show"), "That browser is signed out.")


@bp.post("/sessions/end-others")
@login_required
def end_others() -> Response:
    sessions.end_others(current_user.id)
    db.session.commit()
    return htmx.go(url_for("settings.show"), "All other browsers are signed out.")
