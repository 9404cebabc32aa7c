"""Accounts: register, sign in and out, and the link that signs in once."""

from functools import cache
from urllib.parse import urlsplit

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_login import current_user, logout_user
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from blueprints import forms, inputs, sessions
from blueprints.access import settings
from blueprints.extensions import db, limiter
from blueprints.view import MARKS
from lib import zones
from lib.digests import digest
from models import User
from pipeline import account
from tasks import queue

bp = Blueprint("auth", __name__)
Answer = Response | str | tuple[str, int]
UNKNOWN = "No account has this email and password. Check both, or create an account."
# Who registers is signed in at once, also where mails become files, so that the answer must tell that an
# address is taken. How many can be tried out is limited instead.
TAKEN = "There is an account with this email already: sign in instead."
CLOSED = "Registration is closed here. Whoever runs this instance can create an account for you."
USED = (
    "This sign-in link was used already, or a newer one replaced it. "
    "Sign in with your password, or ask for a new link."
)


@bp.get("/")
def index() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.show"), 303)
    return render_template(
        "auth/landing.html", is_open=settings().registration == "open", sample=MARKS["SUCCESS"]
    )


@bp.get("/register")
def register() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.show"), 303)
    return _register(forms.Filled(), forms.no_errors())


@bp.post("/register")
@limiter.limit("20 per minute")
@limiter.limit("10 per hour", deduct_when=lambda answer: answer.status_code == 422)  # see TAKEN
def create() -> Answer:
    if settings().registration == "closed":
        return _register(forms.typed(), forms.no_errors(), 403)
    try:
        chosen = inputs.read_user(request.form.get("email", ""), request.form.get("password", ""))
        user = User(email=chosen["email"], password_hash=generate_password_hash(chosen["password"]))
        user.timezone = _offered_zone()
        db.session.add(user)
        db.session.flush()
        bell = account.ask_address(db.session(), user, settings().base_url)
        db.session.commit()
    except inputs.InputError as error:
        return _register(forms.typed(), forms.errors_of(error), 422)
    except IntegrityError:
        db.session.rollback()
        return _register(forms.typed(), forms.error_at("email", TAKEN), 422)
    queue.ring([bell] if bell else [])
    sessions.start(user)
    return redirect(url_for("start.show"), 303)


def _offered_zone() -> str:
    """The browser's, where a script filled it in and it is one."""
    offered = request.form.get("timezone", "")
    return offered if offered in zones.names() else "UTC"


def _register(form: forms.Form, errors: forms.Errors, status: int = 200) -> tuple[str, int]:
    is_open = settings().registration == "open"
    context = {"form": form, "errors": errors, "is_open": is_open, "closed": CLOSED}
    return render_template("auth/register.html", **context), status


@bp.get("/login")
def login() -> Answer:
    if current_user.is_authenticated:
        return redirect(_local(request.args.get("next")), 303)
    return _login(forms.Filled(), forms.no_errors())


@bp.post("/login")
@limiter.limit("10 per minute")
def sign_in() -> Answer:
    email, password = request.form.get("email", "").strip().lower(), request.form.get("password", "")
    user = db.session.scalar(select(User).where(User.email == email))
    known = user.password_hash if user else _nobody()
    if not check_password_hash(known, password[: inputs.MAX_PASSWORD]) or user is None:
        return _login(forms.typed(), forms.error_at("email", UNKNOWN), 422)
    sessions.start(user, remember="remember" in request.form)
    return redirect(_local(request.args.get("next")), 303)


def _login(form: forms.Form, errors: forms.Errors, status: int = 200) -> tuple[str, int]:
    is_open = settings().registration == "open"
    return render_template("auth/login.html", form=form, errors=errors, is_open=is_open), status


@cache
def _nobody() -> str:
    """What an unknown email's password is checked against, so that both answers take the same time."""
    return generate_password_hash("nobody")


def _local(target: str | None) -> str:
    """Where to go after signing in: a path of this site, never another one."""
    home = url_for("dashboard.show")
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return home
    parts = urlsplit(target)
    unsafe = parts.scheme or parts.netloc or any(ord(letter) < 32 for letter in target)
    return home if unsafe else target


@bp.post("/logout")
def logout() -> Answer:
    if current_user.is_authenticated and (session_id := sessions.this()):
        sessions.end(current_user.id, session_id)
        db.session.commit()
        g.pop("user_session")
    logout_user()
    flash("You are signed out.")
    return redirect(url_for("auth.login"), 303)


@bp.get("/login/once/<token>")
@limiter.limit("20 per minute")
def once(token: str) -> Answer:
    """Spend the link: of two that come at once, one signs in."""
    db.session.rollback()  # a request that reads was begun without the write lock
    spent = db.session.scalar(
        update(User)
        .where(User.sign_in_digest == digest(token))
        .values(sign_in_digest=None)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    user = db.session.get(User, spent) if spent else None
    if user is None:
        return render_template("auth/used_link.html", said=USED), 410
    sessions.start(user)
    return redirect(url_for("dashboard.show"), 303)
