"""The list of notifications as the address asks for it: filters, and the lines of each day."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import false, select

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_paging import older_than, split
from models import Job, Notification
from pipeline.wishes import EVENT_OF

PAGE_SIZE = 30
KINDS = {
    "success": "Success",
    "partial": "Partial",
    "failure": "Failure",
    "recovery": "Recovery",
    "paused": "Paused",
    "drafts": "Drafts wait",
    "expiry": "Token expires",
}
FILTERS = ("kind", "show", "job")
"""Their names in the address."""
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
    """`days` are their names with their lines, in the reader's zone; `filters` by their labels. `jobs` are
    ids and names to choose `job` from; `kept` is what the address asks for."""

    days: list[tuple[str, list[Line]]]
    filters: list[tuple[str, list[Choice]]]
    jobs: list[tuple[str, str]]
    job: str
    kept: dict[str, str]
    is_filtered: bool
    older: str | None


def notices() -> NoticeList:
    """The signed-in user's, newest first. A value that no filter has finds nothing."""
    chosen = {name: request.args.get(name, "") for name in FILTERS}
    show, kind, job = chosen["show"], chosen["kind"], chosen["job"]
    links = _job_links()
    query = select(Notification).where(
        Notification.user_id == current_user.id, older_than(Notification, request.args.get("cursor"))
    )
    if show:
        query = query.where(~Notification.is_read)
    if kind:
        query = query.where(Notification.type.in_([key for key, event in EVENT_OF.items() if event == kind]))
    if job:
        query = query.where(Notification.link == links[job][1] if job in links else false())
    newest = query.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(PAGE_SIZE + 1)
    rows, further = split(list(db.session.scalars(newest)), PAGE_SIZE)
    zone = current_user.timezone
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return NoticeList(
        days=[
            (day, [(row, view.MARKS[row.type], view.past(row.created_at, zone, named=True)) for row in some])
            for day, some in groupby(rows, key=lambda row: view.day(row.created_at, zone))
        ],
        filters=[
            ("Show", _choices("show", SHOWN, chosen)),
            ("Kind", _choices("kind", {"": "All"} | KINDS, chosen)),
        ],
        jobs=[(job_id, name) for job_id, (name, _) in links.items()] if job or len(links) > 1 else [],
        job=job,
        kept=kept | ({"cursor": request.args["cursor"]} if "cursor" in request.args else {}),
        is_filtered=bool(kept or "cursor" in request.args),
        older=url_for("notifications.index", **kept, cursor=further) if further else None,
    )


def _job_links() -> dict[str, tuple[str, str]]:
    """By the ids of the user's jobs, in the order of their names: the name, and where what is told of the job
    leads. By it a notification is known also when its execution is forgotten."""
    rows = select(Job.id, Job.project_id, Job.name).where(Job.user_id == current_user.id)
    return {
        job_id: (name, f"/projects/{project_id}/cron/{job_id}")
        for job_id, project_id, name in db.session.execute(rows.order_by(Job.name, Job.id))
    }


def _choices(name: str, words: dict[str, str], chosen: dict[str, str]) -> list[Choice]:
    """Each value's address keeps the other filters, and begins at the newest."""
    return [
        Choice(said, _url(chosen | {name: value}), value == chosen[name]) for value, said in words.items()
    ]


def _url(chosen: dict[str, str]) -> str:
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return url_for("notifications.index", **kept)
