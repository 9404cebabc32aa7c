"""Whether a page may show something else than it did, from a few cheap reads.

A poll that tells what it saw last (blueprints/htmx.py) is answered from them while nothing changed; only
then is the page made and compared. Each glance reads every row that its page shows something of, and the
clock as finely as the page's words follow it: it may change where the page does not, never the reverse.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from blueprints.extensions import db
from blueprints.htmx import version
from blueprints.pages_newest import EDGE, LISTED
from lib import clock
from models import (
    Attempt,
    Base,
    Draft,
    DraftState,
    EmailDelivery,
    Execution,
    GivenBack,
    Job,
    Platform,
    Project,
    Spend,
    Step,
    User,
    unended,
)
from models.base import table
from models.values import Status
from pipeline.spending import Month

MINUTE, RUNS, NEAR = 60, 5, 2
"""Seconds for which words may stay as they are: mostly; while durations grow; where seconds are told."""
WAITING = timedelta(days=14)
_SOON = timedelta(seconds=75)
_LARGE = {"heartbeat_at", "output", "stack_trace"}
_LIVE = and_(Execution.job_id == Job.id, unended(Execution))
_NEXT = (Job.next_run_at, Job.paused_until, Job.push_at, Execution.next_retry_at)
"""The instants on a page that are told by the second when they are near."""
_READ = {column.key for column in _NEXT}


def _raw(columns: Sequence[Any]) -> list[Any]:
    """As the driver hands them over: they are compared, not read."""
    return [type_coerce(column, NullType()) for column in columns]


def _all(model: type[Base], *but: str) -> list[Any]:
    """But those of `_NEXT`."""
    return _raw([column for column in table(model).c if column.key not in _READ.union(but)])


_JOBS: Select[Any] = (
    select(*_NEXT, *_all(Job), *_raw([column for column in LISTED if column.key not in _READ]), EDGE)
    .outerjoin(Execution, _LIVE)
    .order_by(Job.name, Job.id)
)


def dashboard(user: User) -> str:
    """In two queries, whatever their number of jobs."""
    jobs = _rows(_JOBS.where(Job.user_id == user.id))
    drafts = select(Draft.id).where(
        Draft.user_id == user.id, Draft.created_at >= clock.now() - WAITING, Draft.state == DraftState.DRAFT
    )
    mails = select(func.count()).where(
        EmailDelivery.status == "FAILED",
        EmailDelivery.user_id == user.id,
        EmailDelivery.created_at >= clock.now() - WAITING,
    )
    spent = case((Project.budget.is_not(None), _spent(Spend.project_id == Project.id)))
    projects = select(*_all(Project), drafts.exists(), mails.scalar_subquery(), spent)
    found = _rows(projects.where(Project.user_id == user.id).order_by(Project.name, Project.id))
    return _glance(user, jobs, found)


def job(user: User, job_id: str) -> str | None:
    """In one query; None where the user has no such job."""
    platforms = _told(
        Platform.project_id == Job.project_id, Platform.id, cast(Platform.is_connected, Integer)
    )
    drafts = select(func.count()).where(Draft.job_id == Job.id).correlate(Job).scalar_subquery()
    given = select(func.count()).where(GivenBack.job_id == Job.id).correlate(Job).scalar_subquery()
    first = select(func.min(Execution.created_at)).where(Execution.job_id == Job.id)
    oldest = first.correlate(Job).scalar_subquery()
    query = _JOBS.join(Project, Job.project_id == Project.id).add_columns(
        *_all(Project), platforms, drafts, given, oldest, _spent(Spend.project_id == Job.project_id)
    )
    rows = _rows(query.where(Job.id == job_id, Job.user_id == user.id))
    return _glance(user, rows) if rows else None


def execution(user: User, execution_id: str) -> str | None:
    """In one query; None where the user has no such execution."""
    steps = _told(Step.execution_id == Execution.id, Step.id, Step.completed_at)
    attempts = _told(Attempt.execution_id == Execution.id, Attempt.id, Attempt.completed_at)
    drafts = _told(Draft.execution_id == Execution.id, Draft.id, Draft.version)
    mails = _told(EmailDelivery.execution_id == Execution.id, EmailDelivery.id, EmailDelivery.status)
    query = (
        select(*_NEXT, Execution.status.label("state"), Job.name, Job.timezone, Project.name)
        .add_columns(*_all(Execution, *_LARGE, "status"), steps, attempts, drafts, mails)
        .add_columns(_spent(Spend.execution_id == Execution.id))
        .join(Job, Execution.job_id == Job.id)
        .join(Project, Job.project_id == Project.id)
    )
    rows = _rows(query.where(Execution.id == execution_id, Execution.user_id == user.id))
    if not rows:
        return None
    return _glance(user, rows, finest=RUNS if rows[0][len(_NEXT)] == Status.RUNNING else MINUTE)


def _rows(query: Select[Any]) -> Sequence[Row[Any]]:
    """Without making objects of them."""
    return db.session.connection().execute(query).all()


def _told(which: ColumnElement[bool], key: Any, value: Any) -> ColumnElement[str]:
    """How many there are, and how far they have come."""
    parts = [func.count(), func.count(value), func.max(key), func.max(value)]
    if isinstance(value.type, Integer):
        parts.append(func.sum(value))
    return _in_one(parts, which)


def _spent(which: ColumnElement[bool]) -> ColumnElement[str]:
    """In this month."""
    sums = [func.sum(one) for one in (Spend.cost, Spend.prompt_tokens, Spend.completion_tokens)]
    this_month = and_(which, Spend.at >= Month.of(clock.now()).first)
    return _in_one([func.count(), func.count(Spend.cost), *sums], this_month)


def _in_one(parts: Sequence[Any], which: ColumnElement[bool]) -> Any:
    """All of them as one text, so that one look-up finds them."""
    texts = [func.coalesce(cast(part, String), "") for part in parts]
    whole: Any = texts[0]
    for text in texts[1:]:
        whole = whole + " " + text
    return select(whole).where(which).correlate(Job, Project, Execution).scalar_subquery()


def _glance(user: User, *found: Sequence[Row[Any]], finest: int = MINUTE) -> str:
    now = clock.now()
    near = any(_is_near(at, now) for row in found[0] for at in row[: len(_NEXT)])
    told = [tuple(row) for rows in found for row in rows]
    instant = now.timestamp() // (NEAR if near else finest)
    return version((user.id, user.timezone, user.time_format, near, instant, told))


def _is_near(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and abs(instant - now) < _SOON
