"""GitHub tokens that end soon: their owners are told 14, 7 and 1 days ahead, in the app and by mail."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from lib import clock, words
from models import Project
from models.base import reading
from pipeline import notify
from pipeline.bells import Bell
from pipeline.housekeeping import first_this_hour

DAYS_AHEAD = (14, 7, 1)
NAMED_MAX = 5
"""Projects named in one sentence; a mail lists them all."""

_SOON = (
    select(
        *(Project.id, Project.user_id, Project.name, Project.token_expires_at, Project.token_warned),
        Project.github_token.is_not(None).label("is_own"),
    )
    .where(
        Project.source_type == "GITHUB",
        Project.token_expires_at > bindparam("now"),
        Project.token_expires_at <= bindparam("horizon"),
        or_(Project.token_warned.is_(None), Project.token_warned > DAYS_AHEAD[-1]),
    )
    .order_by(Project.created_at, Project.id)
)


@dataclass(frozen=True, slots=True)
class _Ending:
    """One end for one owner. `is_own`: the projects carry the token themselves; else it is the instance's,
    and their owner is told as well, for it is their posts that stop."""

    user_id: str
    end: datetime
    is_own: bool


def announce(session: Session, base_url: str) -> list[Bell]:
    """Tell whom a threshold of DAYS_AHEAD was reached for and not told yet; commits.

    Once an hour, by whoever ticks first. Where several thresholds passed unseen the smallest counts, so that
    an instance that was off sends one mail. Projects with the same end are told of together: most often they
    share one token. `base_url`: where people reach the app, without a slash at its end. Returns the mails'
    bells.
    """
    now = clock.now()
    with session.begin():
        if not first_this_hour(session, "expiry", now):
            return []
    horizon = now + timedelta(days=DAYS_AHEAD[0])
    with reading(session):
        rows = session.execute(_SOON, {"now": now, "horizon": horizon}).all()
    due: dict[_Ending, list[str]] = defaultdict(list)
    for row in rows:
        if row.token_warned is None or row.token_warned > _reached(row.token_expires_at, now):
            due[_Ending(row.user_id, row.token_expires_at, row.is_own)].append(row.id)
    bells = []
    for ending, ids in due.items():
        with session.begin():
            bells += _tell(session, ending, ids, now, base_url)
    return bells


def _reached(end: datetime, now: datetime) -> int:
    """The smallest threshold that `end` is within."""
    return min(days for days in DAYS_AHEAD if end - now <= timedelta(days=days))


def _tell(session: Session, ending: _Ending, ids: Sequence[str], now: datetime, base_url: str) -> list[Bell]:
    """One winner for each project: the row remembers the threshold, and only who moves it tells."""
    reached = _reached(ending.end, now)
    moved = session.execute(
        update(Project)
        .where(
            Project.id.in_(ids),
            Project.token_expires_at == ending.end,
            or_(Project.token_warned.is_(None), Project.token_warned > reached),
        )
        .values(token_warned=reached)
        .returning(Project.id, Project.name)
        .execution_options(synchronize_session=False)
    )
    names = {row.id: words.one_line(row.name) for row in moved}
    won = [(one, names[one]) for one in ids if one in names]
    if not won:
        return []
    path = f"/projects/{won[0][0]}/edit" if len(won) == 1 else "/dashboard"
    story = _story(ending, [name for _, name in won], now)
    story |= {"link": base_url + path, "preferences": f"{base_url}/notifications/preferences"}
    mails = notify.tell_apart(
        session,
        ending.user_id,
        kind="TOKEN_EXPIRES",
        template="token_expires",
        message=f"{story['happens']} {story['helps']}",
        link=path,
        story=story,
    )
    return [Bell("deliver", mail.id) for mail in mails]


def _story(ending: _Ending, names: Sequence[str], now: datetime) -> dict[str, object]:
    """The finished values that the templates format."""
    beyond = len(names) - NAMED_MAX
    named = [*names[:NAMED_MAX], *([f"{beyond} more"] if beyond > 0 else [])]
    is_one = len(names) == 1
    end = ending.end.astimezone(UTC)
    when = words.days_ahead(end, now)
    whose = "the project's" if is_one else "each project's"
    own = f"Make a new token on GitHub and enter it in {whose} settings."
    common = (
        "It is this instance's own: whoever runs it must set a new GITHUB_TOKEN, or you enter a token of"
        " yours in the project's settings."
    )
    return {
        "title": f"The GitHub token of {named[0] if is_one else f'{len(names)} projects'} expires {when}",
        "happens": f"The GitHub token that reads {words.listed(named)} expires on {words.day(end)} at"
        f" {end:%H:%M} UTC. From then on {'its' if is_one else 'their'} runs fail.",
        "helps": own if ending.is_own else common,
        "projects": [] if is_one else list(names),
        "button": "Enter a new token" if is_one else "Open the dashboard",
    }
