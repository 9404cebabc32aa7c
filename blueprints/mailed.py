"""Where the links in mails about an account lead: they act only by a button, for programs that look through
mails follow every link."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.security import generate_password_hash
from werkzeug.wrappers import Response

from blueprints import forms, inputs
from blueprints.access import settings
from blueprints.extensions import db, limiter
from pipeline import account
from tasks import queue

bp = Blueprint("mailed", __name__)
Answer = Response | str | tuple[str, int]
UNVERIFIED = (
    "This link was used already, is older than 3 days, or a newer address replaced it. "
    "Sign in and ask for another one in the settings."
)
NOT_RESET = "This link was used already, or is older than an hour. Ask for another one."


@bp.get("/verify/<secret>")
def ask_verify(secret: str) -> Answer:
    return render_template("auth/verify.html")


@bp.post("/verify/<secret>")
@limiter.limit("20 per minute")
def verify(secret: str) -> Answer:
    try:
        user = account.confirm_address(db.session(), secret)
        db.session.commit()
    except IntegrityError:  # somebody else has the address by now
        db.session.rollback()
        user = None
    if user is None:
        return render_template("auth/ended_link.html", said=UNVERIFIED), 410
    flash(f"{user.email} is confirmed.")
    target = "settings.show" if current_user.is_authenticated else "auth.login"
    return redirect(url_for(target), 303)


@bp.get("/password/forgot")
def forgot() -> Answer:
    return render_template("auth/forgot.html", form=forms.Filled(), errors=forms.no_errors(), sent=False)


@bp.post("/password/forgot")
@limiter.limit("5 per minute; 20 per hour")
def ask_reset() -> Answer:
    """The same answer, in the same time, whether the account exists or not."""
    email = request.form.get("email", "").strip().lower()
    if said := inputs.email_said(email):
        errors = forms.error_at("email", said)
        return render_template("auth/forgot.html", form=forms.typed(), errors=errors, sent=False), 422
    bell = account.ask_reset(db.session(), email, settings().base_url)
    db.session.commit()
    queue.ring([bell])
    files = settings().mail_server is None
    return render_template("auth/forgot.html", form=forms.typed(), errors={}, sent=True, files=files)


@bp.get("/password/reset/<secret>")
@limiter.limit("20 per minute")
def choose(secret: str) -> Answer:
    if account.reset_address(db.session(), secret) is None:
        return render_template("auth/ended_link.html", said=NOT_RESET), 410
    return render_template("auth/reset.html", form=forms.Filled(), errors=forms.no_errors())


@bp.post("/password/reset/<secret>")
@limiter.limit("20 per minute")
def reset(secret: str) -> Answer:
    new, email = request.form.get("newPassword", ""), account.reset_address(db.session(), secret)
    if email and (said := inputs.password_said(new, email)):
        errors = forms.error_at("newPassword", said)
        return render_template("auth/reset.html", form=forms.Filled(), errors=errors), 422
    user = account.reset_password(db.session(), secret, generate_password_hash(new))
    db.session.commit()
    if user is None:
        return render_template("auth/ended_link.html", said=NOT_RESET), 410
    flash("Your password is changed, and every browser is signed out. Sign in with the new one.")
    return redirect(url_for("auth.login"), 303)
