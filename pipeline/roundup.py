"""The digest of mails: what was told since the last one, in one mail a day or a week.

An entry is written where a mail would have been, in the same transaction. Sending takes the entries away and
adds the mail in one transaction, too, so that each is mailed once, whoever dies when.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from lib import clock, words, zones
from models import DigestEntry, User
from models.base import reading
from pipeline.bells import Bell
from pipeline.housekeeping import first_this_hour
from pipeline.letters import post_mail, when
from pipeline.wishes import Pace, Wishes

AT_ONCE = 100
"""Digests sent by one tick; the next one goes on."""
MOST = 200
"""Entries named in one mail; the others are counted, and stand in the app."""
FAR = timedelta(hours=26)
"""No daily digest is further off, also on the day that a zone sets its clocks back."""

_NAMES = {Pace.DAILY: "Your daily digest", Pace.WEEKLY: "Your weekly digest"}
_DUE = (
    select(User.id)
    .where(User.digest_at <= bindparam("now"))
    .order_by(User.digest_at, User.id)
    .limit(bindparam("most"))
)
_ASTRAY = select(User.id).where(
    or_(
        User.digest_at > bindparam("far"),
        User.digest_at.is_(None) & select(DigestEntry.id).where(DigestEntry.user_id == User.id).exists(),
    )
)


def choose(session: Session, user: User, wishes: Wishes) -> None:
    """Keep what the user wants to be told, and plan the digest by it; the caller commits."""
    user.notices = wishes.stored()
    plan(session, user)


def plan(session: Session, user: User) -> None:
    """Set when the user's next digest is due; the caller commits. To be called after each change of what its
    time comes from: the wishes, and the account's zone.

    What waits when mails are to come one by one again is mailed by the next tick, in a last digest.
    """
    now, wishes = clock.now(), Wishes.of(user)
    due = wishes.next_digest(now, user.timezone)
    if due is None:
        waits = session.scalar(select(DigestEntry.id).where(DigestEntry.user_id == user.id).limit(1))
        due = now if waits else None
    user.digest_at = due


def send_due(session: Session, base_url: str) -> list[Bell]:
    """Mail the digests that are due; commits once for each. `base_url`: where people reach the app, without
    a slash at its end. Returns the mails' bells.

    Once an hour it also looks for instants that are too far off because the machine's clock stood wrong when
    they were set, and for entries of a run that ended at the moment at which the digest was given up.
    """
    now = clock.now()
    with reading(session):
        due = list(session.scalars(_DUE, {"now": now, "most": AT_ONCE}))
    bells = []
    for user_id in due:
        with session.begin():
            bells += _send(session, user_id, now, base_url)
    _set_right(session, now)
    return bells


def _send(session: Session, user_id: str, now: datetime, base_url: str) -> list[Bell]:
    """One winner for each digest: the row remembers the next instant, and only who moves it mails."""
    user = session.get(User, user_id, populate_existing=True)
    if user is None or user.digest_at is None or user.digest_at > now:
        return []
    wishes = Wishes.of(user)
    moved = session.execute(
        update(User)
        .where(User.id == user_id, User.digest_at == user.digest_at)
        .values(digest_at=wishes.next_digest(now, user.timezone))
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if moved.one_or_none() is None or user.verified_at is None:
        return []
    taken = session.execute(
        delete(DigestEntry)
        .where(DigestEntry.user_id == user_id)
        .returning(
            *(DigestEntry.id, DigestEntry.created_at, DigestEntry.job, DigestEntry.icon, DigestEntry.title),
            *(DigestEntry.message, DigestEntry.link, DigestEntry.posts, DigestEntry.event),
        )
        .execution_options(synchronize_session=False)
    ).all()
    # What was stopped meanwhile is not mailed after all.
    told = [row for row in taken if wishes.pace is not Pace.NONE and wishes.is_mailed(row.event)]
    if not told:
        return []
    mail = post_mail(
        session,
        user,
        "digest",
        event="weekly" if wishes.pace is Pace.WEEKLY else "daily",
        preferences=f"{base_url}/notifications/preferences",
        link=f"{base_url}/notifications",
        **_story(sorted(told, key=lambda row: (row.created_at, row.id)), wishes.pace, user.timezone),
    )
    return [Bell("deliver", mail.id)]


def _set_right(session: Session, now: datetime) -> None:
    with session.begin():
        if not first_this_hour(session, "digests", now):
            return
    with reading(session):
        astray = list(session.scalars(_ASTRAY, {"far": now + FAR}))
    for user_id in astray:
        with session.begin():
            user = session.get(User, user_id, populate_existing=True)
            if user is not None:
                plan(session, user)


def _story(rows: list[Any], pace: Pace, timezone: str) -> dict[str, Any]:
    """The finished values that the templates format: the newest entries, by job, each job's in their order.
    What is no job's comes last."""
    shown = rows[-MOST:]
    first, last = (row.created_at.astimezone(zones.zone(timezone)) for row in (rows[0], rows[-1]))
    days = words.day(last) if first.date() == last.date() else f"{words.day(first)} to {words.day(last)}"
    by_job = sorted(shown, key=lambda row: (row.job == "", row.job.casefold(), row.job))
    jobs = len({row.job for row in rows if row.job})
    said = words.plural(len(rows), "notification")
    of = f" of {words.plural(jobs, 'job')}" if jobs else ""
    return {
        "title": f"{_NAMES.get(pace, 'Your last digest')}: {said}",
        "truth": f"{said}{of}, {days}: {_counts(rows)}.",
        "groups": [
            (job, [_entry(row, timezone) for row in some])
            for job, some in groupby(by_job, key=lambda row: row.job)
        ],
        "left_out": len(rows) - len(shown),
    }


def _entry(row: Any, timezone: str) -> dict[str, Any]:
    return {
        "icon": row.icon,
        "title": row.title,
        "message": row.message,
        "link": row.link,
        "at": when(row.created_at, timezone),
        "posts": row.posts,
    }


def _counts(rows: Iterable[Any]) -> str:
    """Such as `✅ 3, ❌ 1`, in the order in which they first came."""
    icons = [row.icon for row in rows]
    return ", ".join(f"{icon} {icons.count(icon)}" for icon in dict.fromkeys(icons))
