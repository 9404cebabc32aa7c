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
    stamp, _, row_id = cursor.partition("_")
    try:
        at = clock.parse_iso(stamp)
    except (ValueError, OverflowError):
        abort(404)
    return or_(model.created_at < at, and_(model.created_at == at, model.id < row_id))


def split(rows: list[Any], size: int) -> tuple[list[Any], str | None]:
    """At most `size` of the rows, and the cursor of the next page if there are more."""
    if len(rows) <= size:
        return rows, None
    last = rows[size - 1]
    return rows[:size], f"{_stamp(last.created_at)}_{last.id}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def older_url(cursor: str | None) -> str | None:
    """This page with its filters, further back."""
    if cursor is None or request.endpoint is None:
        return None
    arguments = {**request.args.to_dict(), **(request.view_args or {}), "cursor": cursor}
    arguments.pop("v", None)
    return url_for(request.endpoint, **arguments)
