"""Newest first, a page at a time: the cursor is where the page before ended."""

from datetime import datetime
from typing import Any

from flask import abort, request, url_for
from sqlalchemy import ColumnElement, and_, or_, true

from lib import clock


def older_than(model: Any, cursor: str | None) -> ColumnElement[bool]:
    """The condition for the rows behind `cursor`; 404 for a cursor that no page has made."""
    if not cursor:
        return true()
    at, row_id = place(cursor)
    return or_(model.created_at < at, and_(model.created_at == at, model.id < row_id))


def place(cursor: str) -> tuple[datetime, str]:
    """The instant and the id at which a page ended; 404 for a cursor that no page has made."""
    text, _, row_id = cursor.partition("_")
    try:
        return clock.parse_iso(text), row_id
    except (ValueError, OverflowError):
        abort(404)


def stamp(row: Any) -> str:
    """The cursor of the page that begins behind `row`."""
    return f"{row.created_at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}_{row.id}"


def split(rows: list[Any], size: int) -> tuple[list[Any], str | None]:
    """At most `size` of the rows, and the cursor of the next page if there are more."""
    if len(rows) <= size:
        return rows, None
    return rows[:size], stamp(rows[size - 1])


def older_url(cursor: str | None) -> str | None:
    """This page with its filters, further back."""
    if cursor is None or request.endpoint is None:
        return None
    arguments = {**request.args.to_dict(), **(request.view_args or {}), "cursor": cursor}
    arguments.pop("v", None)
    return url_for(request.endpoint, **arguments)
