"""Drafts that wait for review: their owner is reminded after three days, then weekly while any wait."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from lib import clock, words
from models import Draft, Job, User
from models.base import reading
from models.draft import DraftState
from pipeline import notify
from pipeline.bells import Bell
from pipeline.housekeeping import first_this_hour
from pipeline.letters import line
from platforms import NAMES

AFTER, EVERY = timedelta(days=3), timedelta(days=7)
NAMED_MAX = 10
"""Drafts named in one mail, those that wait longest."""


def _turn(now: datetime) -> ColumnElement[bool]:
    """Not told in the last EVERY; what was told in the future was told before a clock was set back."""
    told = User.drafts_told_at
    return or_(told.is_(None), told <= now - EVERY, told > now)


def _waiting(*columns: Any) -> Select[Any]:
    """Of the drafts that wait, where their job tells everything: what tells less is not to be asked for."""
    return (
        select(*columns)
        .join_from(Draft, Job, Job.id == Draft.job_id)
        .where(Draft.state == DraftState.DRAFT, Job.notify == "ALL")
    )


_COUNT = _waiting(func.count(), func.min(Draft.created_at)).where(Draft.user_id == bindparam("whose"))
_OLDEST = (
    _waiting(Draft.id, Draft.platform_type, Draft.title, Draft.content, Draft.created_at, Job.name)
    .where(Draft.user_id == bindparam("whose"))
    .order_by(Draft.created_at, Draft.id)
    .limit(NAMED_MAX)
)


def remind(session: Session, base_url: str) -> list[Bell]:
    """Tell whose drafts have waited AFTER, and who was not told in the last EVERY; commits.

    Once an hour, by whoever ticks first. Drafts of a job that tells problems only, or nothing, are not
    counted. `base_url`: where people reach the app, without a slash at its end. Returns the mails' bells.
    """
    now = clock.now()
    with session.begin():
        if not first_this_hour(session, "drafts", now):
            return []
    late = _waiting(Draft.user_id).join(User, User.id == Draft.user_id).distinct()
    with reading(session):
        due = list(session.scalars(late.where(_turn(now), Draft.created_at <= now - AFTER)))
    bells = []
    for user_id in due:
        with session.begin():
            bells += _remind(session, user_id, now, base_url)
    return bells


def _remind(session: Session, user_id: str, now: datetime, base_url: str) -> list[Bell]:
    """One winner: the row remembers when it was told, and only who moves it tells."""
    moved = session.execute(
        update(User)
        .where(User.id == user_id, _turn(now))
        .values(drafts_told_at=now)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if moved.one_or_none() is None:
        return []
    count, oldest = session.execute(_COUNT, {"whose": user_id}).one()
    if not count:
        return []
    days = words.plural(max((now - oldest).days, 0), "day")
    drafts = [
        {
            "platform": NAMES.get(row.platform_type, row.platform_type),
            "title": words.cut(line(row.title or row.content), 120),
            "job": line(row.name),
            "link": f"{base_url}/drafts/{row.id}",
        }
        for row in session.execute(_OLDEST, {"whose": user_id})
    ]
    said = f"{words.plural(count, 'draft waits', 'drafts wait')} for your review"
    since = f"for {days}" if count == 1 else f"the first for {days}"
    path = "/drafts?state=DRAFT"
    mails = notify.tell_apart(
        session,
        user_id,
        kind="DRAFTS_WAIT",
        template="drafts_wait",
        message=f"{'It waits' if count == 1 else 'They wait'} until you approve or reject"
        f" {'it' if count == 1 else 'them'}, {since}.",
        link=path,
        story={
            "title": said,
            "since": f"{said}, {since}.",
            "drafts": drafts,
            "left_out": count - len(drafts),
            "link": base_url + path,
            "preferences": f"{base_url}/notifications/preferences",
        },
    )
    return [Bell("deliver", mail.id) for mail in mails]
