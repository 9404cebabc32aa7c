"""What all calls of the API share: who is let in, what comes back, and how mistakes are answered."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, g, jsonify, make_response, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.wrappers import Response

from blueprints import present
from blueprints.access import SAFE, touch_token
from blueprints.api.operation import operation_of
from blueprints.errors import api_error, sign_in_first
from blueprints.extensions import db
from blueprints.inputs import InputError
from blueprints.pages_cost import cost_json, costs_of
from lib import clock
from models import ApiToken
from pipeline.control import ConflictError

TOUCH_EVERY = timedelta(minutes=1)

api = Blueprint("api", __name__, url_prefix="/api")


def answer(data: Any, status: int = 200, **more: Any) -> Response:
    """A success: `data`, and what a list adds to it."""
    return make_response(jsonify({"success": True, "data": data, **more}), status)


@api.before_request
def admit() -> Response | None:
    """Users only, except where the operation is public; a read-only token only reads."""
    operation = operation_of(current_app.view_functions[str(request.endpoint)])
    if operation is not None and operation.public:
        return None
    if not current_user.is_authenticated:
        return sign_in_first()
    token: ApiToken | None = g.get("api_token")
    if token is None:
        return None
    if not token.can_write and request.method not in SAFE:
        return api_error(403, "This token may only read: use one that may write.")
    _note_use(token)
    return None


def _note_use(token: ApiToken) -> None:
    """At most once a minute, in a transaction of its own: a read-only one could not be turned into it. A
    database that takes no writes can still be read: then the use is noted the next time."""
    now = clock.now()
    if token.last_used_at is not None and now - token.last_used_at < TOUCH_EVERY:
        return
    db.session.commit()
    try:
        touch_token(token)
        db.session.commit()
    except OperationalError:
        db.session.rollback()
    if request.method in SAFE:
        db.session.connection(execution_options={"readonly": True})


@api.errorhandler(InputError)
def refuse_input(error: InputError) -> Response:
    db.session.rollback()
    return api_error(400, error.message, error.details)


@api.errorhandler(ConflictError)
def refuse_conflict(error: ConflictError) -> Response:
    """The execution in the way, where there is one, is shown as `data`."""
    row, shown = error.execution, None
    if row is not None:
        shown = present.execution(row, cost=cost_json(costs_of([row.id]).get(row.id)))
    db.session.rollback()
    return api_error(409, error.message, data=shown)


@api.errorhandler(StaleDataError)
def refuse_stale(_error: StaleDataError) -> Response:
    db.session.rollback()
    return api_error(409, "Somebody else changed or deleted this at the same moment: read it again.")


@api.errorhandler(CSRFError)
def refuse_forgery(error: CSRFError) -> Response:
    """Who is not signed in at all is told so; the missing header would be the wrong hint."""
    if not current_user.is_authenticated:
        return sign_in_first()
    db.session.rollback()
    return api_error(400, f"{error.description} Send it in the header X-CSRFToken, or use a token.")
