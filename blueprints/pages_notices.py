"""The list of notifications as the address asks for it: filters, and the lines of each day."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import select

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_paging import older_than, older_url, split
from models import Notification
from pipeline.wishes import EVENT_OF

PAGE_SIZE = 30
KINDS = {
    "success": "Success",
    "partial": "Partial",
    "failure": "Failure",
    "recovery": "Recovery",
    "paused": "Paused",
    "expiry": "Token expires",
}
SHOWN = {"": "All", "unread": "Unread"}
Line = tuple[Notification, view.Mark, view.Moment]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter."""

    words: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class NoticeList:
    """`days` are their names with their lines, in the reader's zone; `filters` by their labels."""

    days: list[tuple[str, list[Line]]]
    filters: list[tuple[str, list[Choice]]]
    is_filtered: bool
    older: str | None


def notices() -> NoticeList:
    """The signed-in user's, newest first. A value that no filter has finds nothing."""
    show, kind = request.args.get("show", ""), request.args.get("kind", "")
    query = select(Notification).where(
        Notification.user_id == current_user.id, older_than(Notification, request.args.get("cursor"))
    )
    if show:
        query = query.where(~Notification.is_read)
    if kind:
        query = query.where(Notification.type.in_([key for key, event in EVENT_OF.items() if event == kind]))
    newest = query.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(PAGE_SIZE + 1)
    rows, further = split(list(db.session.scalars(newest)), PAGE_SIZE)
    zone = current_user.timezone
    return NoticeList(
        days=[
            (day, [(row, view.MARKS[row.type], view.past(row.created_at, zone, named=True)) for row in some])
            for day, some in groupby(rows, key=lambda row: view.day(row.created_at, zone))
        ],
        filters=[
            ("Show", _choices("show", SHOWN, show, kind=kind)),
            ("Kind", _choices("kind", {"": "All"} | KINDS, kind, show=show)),
        ],
        is_filtered=bool(show or kind or "cursor" in request.args),
        older=older_url(further),
    )


def _choices(name: str, words: dict[str, str], chosen: str, **others: str) -> list[Choice]:
    """Each value's address keeps the other filter, and begins at the newest."""
    kept: dict[str, Any] = {other: value for other, value in others.items() if value}
    return [
        Choice(
            said, url_for("notifications.index", **kept | ({name: value} if value else {})), value == chosen
        )
        for value, said in words.items()
    ]
