"""No more mails of one kind, by the link of a mail: whoever holds it needs no password."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from blueprints.access import links
from blueprints.extensions import db, limiter
from lib.links import BrokenLinkError
from models import User
from pipeline import roundup
from pipeline.wishes import DIGESTS, STOPPABLE, Wishes

bp = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe")
PAGE = "notifications/unsubscribe.html"


@bp.get("")
@limiter.limit("60 per minute")
def show() -> Response:
    """Changes nothing: mail programs open links to look for harm."""
    return _answer(wanted=None)


@bp.post("")
@limiter.limit("60 per minute")
def change() -> Response:
    """Both the page's buttons and the mail program's own (RFC 8058), which sends no `again`."""
    return _answer(wanted="again" in request.form)


def _answer(wanted: bool | None) -> Response:
    token = request.args.get("token", "")
    try:
        user_id, event = links().unsubscribable(token)
    except BrokenLinkError:
        return make_response(render_template(PAGE, event=None), 404)
    user = db.session.get(User, user_id)
    if user is None or event not in STOPPABLE:
        return make_response(render_template(PAGE, event=None), 404)
    if wanted is not None:
        roundup.choose(db.session(), user, Wishes.of(user).mailed(event, wanted))
        db.session.commit()
    page = render_template(
        PAGE,
        event=STOPPABLE[event],
        email=user.email,
        is_off=not Wishes.of(user).is_mailed(event),
        is_digest=event in DIGESTS,
        urgent=Wishes.of(user).urgent_at_once,
        token=token,
    )
    answer = make_response(page)
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
