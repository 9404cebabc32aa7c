"""What happened, as the owner is told it: the list, its badge, marking as read, and what one is
told."""

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import update
from werkzeug.wrappers import Response

from blueprints import forms, htmx, inputs, pages_preferences, view
from blueprints.access import owned, settings
from blueprints.bodies_notices import PreferencesEdit
from blueprints.extensions import db, limiter
from blueprints.pages_frame import light, unread
from blueprints.pages_notices import notices
from lib.words import plural
from models import Notification
from pipeline import roundup, trial
from pipeline.wishes import Wishes
from tasks import queue

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
PAGE = "notifications/page.html"
BADGE = "notifications/_badge.html"


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
    return _read(notification_id, is_read=True)


@bp.post("/<notification_id>/unread")
@login_required
def unread_again(notification_id: str) -> Response:
    return _read(notification_id, is_read=False)


def _read(notification_id: str, *, is_read: bool) -> Response:
    notification = owned(Notification, notification_id)
    notification.is_read = is_read
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
    """On to what it tells about; else the list as the address asks for it, for htmx in place, with the
    badge."""
    if then:
        if not then.startswith("/") or then.startswith(("//", "/\\")):
            abort(400)
        return htmx.go(then)
    if htmx.asked():
        answer = _page()
        answer.data = answer.get_data(as_text=True) + htmx.block(BADGE, "badge", apart=True)
        return answer
    kept: dict[str, Any] = request.args.to_dict()
    return htmx.go(url_for("notifications.index", **kept))


@bp.get("/preferences")
@login_required
def preferences() -> Response:
    return pages_preferences.page()


@bp.post("/preferences")
@login_required
def save_preferences() -> Response:
    try:
        given = inputs.parse(PreferencesEdit, pages_preferences.form_values())
    except inputs.InputError as error:
        return pages_preferences.page(errors=forms.errors_of(error), status=422)
    values = given.model_dump(exclude_unset=True)
    wishes = Wishes.of(current_user).changed(values.pop("events"), **values)
    roundup.choose(db.session(), current_user, wishes)
    db.session.commit()
    return htmx.go(url_for("notifications.preferences"), "Saved what you are told.")


@bp.get("/test")
@login_required
def tested() -> Response:
    """What became of the test message, asked for by the page while it is on its way."""
    if not htmx.asked():
        return htmx.go(url_for("notifications.preferences"))
    if request.args.get("v") == pages_preferences.test_version():
        return htmx.unchanged()
    return pages_preferences.page("test")


@bp.post("/test")
@login_required
@limiter.limit("10 per minute")
def test() -> Response:
    try:
        bell = trial.send(db.session(), current_user, settings().base_url)
    except trial.UnverifiedError:
        said = "Nothing was sent: confirm your address first, by the link that we mailed there."
        return pages_preferences.page("test", status=409, refused=said)
    except trial.TooManyError as error:
        at = view.dated(error.again, current_user.timezone).words
        said = (
            f"Nothing was sent: {trial.MOST_AN_HOUR} test messages an hour are enough. Ask again after {at}."
        )
        return pages_preferences.page("test", status=429, refused=said)
    db.session.commit()
    queue.ring([bell])
    if htmx.asked():
        return pages_preferences.page("test")
    return htmx.go(
        url_for("notifications.preferences") + "#test", f"A test message goes to {current_user.email}."
    )
