"""Every error as an answer: a page for people, one JSON shape for programs."""

import math
import time
from typing import Any

from flask import Flask, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from blueprints import htmx, view
from blueprints.extensions import db, limiter
from models.base import AWAY, may_pass, said

Details = list[dict[str, str]]

WORDS = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    403: ("Not allowed", "This needs other rights than you have here."),
    404: (
        "Nothing here",
        "It does not exist, or it is not yours. Check the address, or start from the dashboard.",
    ),
    405: ("Not that way", "This address does not take that kind of request."),
    413: ("Too large", "A request may have 1 MiB at most. Shorten the text and send it again."),
    429: ("Too many tries", "Try again in {}."),
    500: (
        "Something broke on our side",
        "It was written to the server's log. Nothing you had stored is lost; try again in a moment.",
    ),
    503: (
        "The database cannot be reached just now",
        "The jobs go on as soon as it is back. Try again in a minute, and see whether a change was saved.",
    ),
}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)
    for away in AWAY:
        app.register_error_handler(away, _no_database)


def api_error(status: int, error: str, details: Details | None = None, data: Any = None) -> Response:
    """The API's error shape: one sentence, and a list of `{field, message}`."""
    body: dict[str, Any] = {"success": False, "error": error, "details": details or []}
    if data is not None:
        body["data"] = data
    return make_response(jsonify(body), status)


def sign_in_first() -> Response:
    """For whoever is not signed in: 401 for programs, the sign-in page for people, by header when htmx
    asks."""
    if request.path.startswith("/api/"):
        said = (
            "The token is unknown or was revoked."
            if "Authorization" in request.headers
            else "Sign in, or send a token."
        )
        answer = api_error(401, said)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    target = url_for("auth.login", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if request.headers.get("X-Live"):  # what keeps itself fresh leaves the page, and what is typed there
        return make_response("", 204, {"HX-Trigger": "signed-out"})
    if request.headers.get("HX-Request"):
        return make_response("", 204, {"HX-Redirect": target})
    return redirect(target, 303)


def _http_error(error: HTTPException) -> Response:
    db.session.rollback()
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    title, advice = WORDS.get(status, (error.name, error.description or ""))
    if isinstance(error, CSRFError):
        title, advice = (
            "The form had expired",
            "Nothing was changed. Go back, reload the page and send it again.",
        )
    if wait := _wait() if status == 429 else 0:
        advice = advice.format(view.amount(wait))
    if to_a_program():
        said = f"{error.description}" if isinstance(error, CSRFError) or status in (400, 415) else f"{title}."
        answer = api_error(status, said)
    else:
        answer = _page(title, advice, status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            answer.headers[name] = value
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _crash(error: Exception) -> Response:
    """What nobody foresaw: logged with its traceback, answered without any of it."""
    from flask import current_app

    db.session.rollback()
    if current_app.testing:
        raise error
    current_app.logger.exception("Unhandled error at %s", request.path)
    title, advice = WORDS[500]
    if to_a_program():
        return api_error(500, f"{title}. {advice}")
    return _page(title, advice, 500)


def _no_database(error: SQLAlchemyError) -> Response:
    """Locked, full, restarting or gone: in the log in one line, for it comes with every request. What no
    waiting mends, such as a column that is missing, is a crash like any other."""
    from flask import current_app

    if not may_pass(error):
        return _crash(error)
    db.session.rollback()
    current_app.logger.error("The database did not answer %s (%s)", request.path, said(error))
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # a page asks who
    title, advice = WORDS[503]
    answer = api_error(503, f"{title}. {advice}") if to_a_program() else _page(title, advice, 503)
    answer.headers["Retry-After"] = "60"
    return answer


def _wait() -> int:
    """Seconds until the limit that was passed counts anew."""
    limit = limiter.current_limit
    # The limiter goes by the system's clock.
    return max(1, math.ceil(limit.reset_at - time.time())) if limit else 60


def to_a_program() -> bool:
    """Whether whoever asks reads JSON."""
    return request.path.startswith(("/api/", "/webhooks/"))


def _page(title: str, advice: str, status: int) -> Response:
    """A page of its own; htmx leaves the page it is on as it is and says the sentence there."""
    if htmx.asked():
        return htmx.say(make_response("", status, {"HX-Reswap": "none"}), f"{title}. {advice}")
    return make_response(render_template("error.html", title=title, advice=advice, status=status), status)
