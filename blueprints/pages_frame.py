"""What every page has at hand: small macros, asset addresses, where one is, and how much is unread."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, request, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import func, select

from blueprints.extensions import db
from blueprints.htmx import version
from blueprints.view import MARKS
from models import Notification

bp = Blueprint("frame", __name__)


@bp.before_app_request
def refuse_nul() -> None:
    """PostgreSQL stores no NUL, and no address or form of ours has one."""
    if not request.path.startswith("/api/"):
        texts = [request.path, *request.values.values()]
        if any("\0" in text for text in texts):
            abort(400)


@bp.app_context_processor
def frame() -> dict[str, Any]:
    return {
        "ui": current_app.jinja_env.get_template("_ui.html").module,
        "asset": asset,
        "here": here,
        "unread": unread,
        "done": MARKS["COMPLETED"],
    }


bp.add_app_template_filter(version)


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that no browser keeps an old one."""
    return url_for("static", filename=name, v=_digest(Path(current_app.static_folder or "") / name))


@cache
def _digest(file: Path) -> str:
    return version(file.read_bytes())


def here(endpoint: str) -> Markup:
    """Marks the link to the part of the site that one is in: a blueprint, or one page of it."""
    current = request.endpoint if "." in endpoint else request.blueprint
    return Markup(' aria-current="page"') if current == endpoint else Markup("")


def unread() -> int:
    """How many notifications the user has not read."""
    query = select(func.count()).select_from(Notification)
    return db.session.scalar(query.where(Notification.user_id == current_user.id, ~Notification.is_read)) or 0
