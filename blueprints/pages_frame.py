"""What every page has at hand: small macros, asset addresses, where one is, how much is unread, and whether
the scheduler ticks."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, g, request, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import func, select

from blueprints import scheduler, view
from blueprints.errors import to_a_program
from blueprints.extensions import db
from blueprints.htmx import version
from blueprints.view import MARKS, Mark, Moment
from models import Notification

bp = Blueprint("frame", __name__)


@bp.before_app_request
def refuse_nul() -> None:
    """PostgreSQL stores no NUL, and no address or form of ours has one. Programs' bodies are read, and
    refused, where they are taken."""
    if not to_a_program():
        texts = [request.path, *request.values.values()]
        if any("\0" in text for text in texts):
            abort(400)


@bp.app_context_processor
def frame() -> dict[str, Any]:
    return {
        "ui": current_app.jinja_env.get_template("_ui.html").module,
        "asset": asset,
        "here": here,
        "theme": theme,
        "unread": unread,
        "light": light,
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


def theme() -> Markup:
    """Light or dark where the user chose one; otherwise the browser decides."""
    chosen = getattr(current_user, "theme", "auto")
    return Markup(' data-theme="{}"').format(chosen) if chosen in ("light", "dark") else Markup("")


@dataclass(frozen=True, slots=True)
class Light:
    """Whether the scheduler ticks: `ok`, `late` or `never`. `said`: since when, as long as it is `ok`; so
    roughly that nothing changes from tick to tick. `ticked`: when exactly the last one was that is `late`."""

    state: str
    mark: Mark
    said: str
    ticked: Moment | None


LIGHTS = {
    "ok": Mark("ok", "On time", "ok"),
    "late": Mark("warn", "Late", "warn"),
    "never": Mark("warn", "Not started", "warn"),
}


def unread() -> int:
    """How many notifications the user has not read."""
    return _asked()[0]


def light() -> Light:
    """It tells an instant in the future as now: there the clock stepped back."""
    tick = _asked()[1]
    state = scheduler.state(tick)
    if tick is None or state == "late":
        return Light(state, LIGHTS[state], "", view.exactly(tick, "UTC") if tick else None)
    minutes = int(scheduler.age(tick)) // 60
    return Light(state, LIGHTS[state], f"{minutes} min ago" if minutes else "less than a minute ago", None)


def _asked() -> tuple[int, datetime | None]:
    """Both of what the frame shows, in one query a request."""
    if "frame" not in g:
        mine = (Notification.user_id == current_user.id) & ~Notification.is_read
        count = select(func.count()).select_from(Notification).where(mine).scalar_subquery()
        g.frame = tuple(db.session.execute(select(count, scheduler.last_tick())).one())
    found: tuple[int, datetime | None] = g.frame
    return found
