"""What a call was given: its body, its query, the rows it names, and one page of a list."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

from flask import abort, request
from flask_login import current_user
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Select, and_, or_

from blueprints.errors import api_error
from blueprints.extensions import db
from blueprints.inputs import InputError, detail, parse
from lib import clock
from models import Draft, Execution, Job, Notification, Project

Owned = TypeVar("Owned", Project, Job, Execution, Draft, Notification)
Listed = TypeVar("Listed", Project, Job, Execution, Draft, Notification)
Asked = TypeVar("Asked", bound="Query")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _digits(text: object) -> object:
    return int(text) if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text) else text


class Query(BaseModel):
    """The base of all query strings; keys that a call does not know are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class PageQuery(Query):
    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(_digits)] = 20
    cursor: str | None = None


def read_body() -> dict[str, Any]:
    """The body, a JSON object. 413 when too long, 415 when of another type, 400 when no JSON."""
    raw = request.get_data()
    if not raw:
        raise _no_json("The body is empty: send a JSON object.")
    if request.mimetype != "application/json":
        abort(415, "The body must be JSON, sent with the header Content-Type: application/json.")
    try:
        data = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _no_json("The body is not JSON: check its commas, quotes and brackets.") from None
    if not isinstance(data, dict):
        raise _no_json("The body must be a JSON object, in curly brackets.")
    return data


def read_optional() -> dict[str, Any]:
    """As `read_body`; a body that was left out reads as an empty object."""
    return read_body() if request.get_data() else {}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _no_json(message: str) -> InputError:
    return InputError([detail("", message)])


def read_query(model: type[Asked]) -> Asked:
    """The query string by its model. Raises InputError."""
    return parse(model, request.args.to_dict())


def find(model: type[Owned], row_id: str, field: str = "") -> Owned:
    """The user's row; 404 alike when absent and when somebody else's. `field` named it, if not the path."""
    row = db.session.get(model, row_id) if ID.fullmatch(row_id) else None
    if row is None or row.user_id != current_user.id:
        raise_absent(model.__name__.lower(), field)
    return row


def raise_absent(noun: str, field: str = "") -> NoReturn:
    message = f"There is no {noun} with this id, or it is not yours."
    details = [detail(field, message)] if field else None
    abort(api_error(404, f"{field}: {message}" if field else message, details))


def page(rows: Select[Listed], model: type[Listed], asked: PageQuery) -> tuple[Sequence[Listed], str | None]:
    """One page, newest first, and the cursor of the next; None at the end."""
    if asked.cursor is not None:
        at, last = _read_cursor(asked.cursor)
        # The first condition repeats the second, so that the index finds its place in one step.
        rows = rows.where(
            model.created_at <= at,
            or_(model.created_at < at, and_(model.created_at == at, model.id < last)),
        )
    rows = rows.order_by(model.created_at.desc(), model.id.desc()).limit(asked.limit + 1)
    found = db.session.scalars(rows).all()
    shown = found[: asked.limit]
    return shown, _cursor(shown[-1]) if len(found) > len(shown) else None


def _cursor(row: Listed) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, last = base64.b64decode(cursor, b"-_", validate=True).decode().partition("|")
        if ID.fullmatch(last):
            return clock.parse_iso(at), last
    except (ValueError, OverflowError):
        pass
    raise InputError([detail("cursor", "Must be a nextCursor that this list gave.")])
