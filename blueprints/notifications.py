"""What happened, as the owner is told it: the list, its badge, and marking as read."""

from flask import Blueprint, abort, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import update
from werkzeug.wrappers import Response

from blueprints import htmx
from blueprints.access import owned
from blueprints.extensions import db
from blueprints.pages_frame import light, unread
from blueprints.pages_notices import notices
from lib.words import plural
from models import Notification
from pipeline.wishes import EVENTS, Wishes

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
PAGE = "notifications/page.html"
BADGE = "notifications/_badge.html"
PREFERENCES = "notifications/preferences.html"


@bp.get("")
@login_required
def index() -> Response:
    return _page()


def _page() -> Response:
    shown, count = notices(), unread()
    truth = f"{plural(count, 'notification is', 'notifications are')} unread." if count else "All is read."
    told = shown.days or shown.is_filtered
    return htmx.page(PAGE, "list", shown=shown, truth=truth if told else "Nothing to tell yet.")


@bp.get("/badge")
@login_required
def badge() -> Response:
    """What changes in the frame by itself: the number in the header, and the scheduler's light."""
    if request.args.get("v") == htmx.version((unread(), light())):
        return htmx.unchanged()
    html = htmx.block(BADGE, "badge") + htmx.block("_light.html", "light", apart=True)
    return Response(html, content_type="text/html; charset=utf-8")


@bp.post("/<notification_id>/read")
@login_required
def read(notification_id: str) -> Response:
    notification = owned(Notification, notification_id)
    notification.is_read = True
    db.session.commit()
    return _after(request.form.get("then"))


@bp.post("/read-all")
@login_required
def read_all() -> Response:
    db.session.execute(
        update(Notification)
        .where(Notification.user_id == current_user.id, ~Notification.is_read)
        .values(is_read=True)
    )
    db.session.commit()
    return _after(None)


@bp.get("/preferences")
@login_required
def preferences() -> str:
    wishes = Wishes.of(current_user)
    events = [(e, said, e not in wishes.app_off, e not in wishes.email_off) for e, said in EVENTS.items()]
    truth = f"Mails go to {current_user.email}."
    if current_user.verified_at is None:
        truth = f"Nothing is mailed to {current_user.email} until the address is verified; the app tells all."
    return render_template(PREFERENCES, events=events, only_changes=wishes.only_changes, truth=truth)


@bp.post("/preferences")
@login_required
def save_preferences() -> Response:
    """A box that is not ticked is not sent, so what is absent is switched off."""
    app, email = (frozenset(EVENTS) - set(request.form.getlist(name)) for name in ("app", "email"))
    current_user.notices = Wishes(app, email, "onlyChanges" in request.form).stored()
    db.session.commit()
    return htmx.go(url_for("notifications.preferences"), "Saved what you are told.")


def _after(then: str | None) -> Response:
    """On to what it tells about, or back to the list."""
    if then:
        if not then.startswith("/") or then.startswith(("//", "/\\")):
            abort(400)
        return htmx.go(then)
    return htmx.go(url_for("notifications.index"))
