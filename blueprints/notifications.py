"""What happened, as the owner is told it: the list, its badge, and marking as read."""

from flask import Blueprint, abort, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select, update
from werkzeug.wrappers import Response

from blueprints import htmx, view
from blueprints.access import owned
from blueprints.extensions import db
from blueprints.pages_frame import light, unread
from blueprints.pages_paging import older_than, older_url, split
from lib.words import plural
from models import Notification

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
PAGE, PAGE_SIZE = "notifications/page.html", 30
BADGE = "notifications/_badge.html"


@bp.get("")
@login_required
def index() -> Response:
    return _page()


def _page() -> Response:
    query = (
        select(Notification)
        .where(Notification.user_id == current_user.id, older_than(Notification, request.args.get("cursor")))
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    rows, further = split(list(db.session.scalars(query)), PAGE_SIZE)
    lines = [(row, view.MARKS[row.type], view.past(row.created_at, "UTC", named=True)) for row in rows]
    count = unread()
    truth = f"{plural(count, 'notification is', 'notifications are')} unread." if count else "All is read."
    return htmx.page(
        PAGE, "list", lines=lines, truth=truth if rows else "Nothing to tell yet.", older=older_url(further)
    )


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


def _after(then: str | None) -> Response:
    """On to what it tells about, or back to the list."""
    if then:
        if not then.startswith("/") or then.startswith(("//", "/\\")):
            abort(400)
        return htmx.go(then)
    return htmx.go(url_for("notifications.index"))
