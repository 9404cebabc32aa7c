"""What every end of an execution has in common: the job's cursor and statistics, and telling its owner."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningUpdate

from models import Execution, Job
from models.base import table
from models.values import Activity, Outcome, Status
from pipeline import jobs, notify, pushes
from pipeline.bells import Bell
from pipeline.notify import Waiting

_job_table = table(Job)
_job = _job_table.c
_STARTED = bindparam("started", type_=_job.last_run_at.type)
_SUCCESS = {
    "run_count": _job.run_count + 1,
    "last_run_at": _STARTED,
    "success_count": _job.success_count + 1,
    "last_success": _STARTED,
    "total_duration": _job.total_duration + bindparam("spent", type_=_job.total_duration.type),
    "failures_in_row": 0,
}
_FAILURE = {
    "run_count": _job.run_count + 1,
    "last_run_at": _STARTED,
    "failure_count": _job.failure_count + 1,
    "last_failure": bindparam("ended", type_=_job.last_failure.type),
    "failures_in_row": _job.failures_in_row + 1,
}
_SINCE = bindparam("since", type_=_job.cursor_floor.type)
_HEAD = bindparam("head", type_=_job.cursor_head.type)
_ADVANCE = {
    "cursor_floor": case((_job.cursor_floor < _SINCE, _job.cursor_floor), else_=_SINCE),
    "cursor_until": bindparam("until", type_=_job.cursor_until.type),
    "cursor_head": func.coalesce(_job.cursor_head, _HEAD),
    "carried_since": None,
}
"""The job has told everything up to the window's end."""
_READ = {
    "cursor_head": func.coalesce(_HEAD, _job.cursor_head),
    "cursor_read": bindparam("until", type_=_job.cursor_until.type),
    "cursor_etag": bindparam("etag", type_=_job.cursor_etag.type),
}
"""... and has read everything since its last head: neither just asked whether anything changed, nor told
again by date."""
_CARRY = {
    "cursor_floor": func.coalesce(_job.cursor_floor, _SINCE),
    "cursor_read": case(
        (_job.carried_since.is_(None), func.coalesce(_job.cursor_read, _job.cursor_until)),
        else_=_job.cursor_read,
    ),
    "cursor_until": func.coalesce(_job.cursor_until, _SINCE),
    "carried_since": func.coalesce(_job.carried_since, bindparam("until", type_=_job.carried_since.type)),
}
"""... has told nothing of the window, which the next run reads again with what has come by then. A first
window stays a first one (no `cursor_read`: `pipeline.scan.WindowPlan`), but no longer slides."""


def finish(
    session: Session,
    connection: Connection,
    execution: Execution,
    activity: Activity | None,
    base_url: str,
    posts: Callable[[], Sequence[Waiting]] = list,
) -> list[Bell]:
    """What every end has in common: the job's cursor and statistics, whether it goes on, and telling the
    owner. `posts` names the drafts for the mail, and is asked only where there is one."""
    counted, succeeded = not execution.dry_run, execution.status == Status.COMPLETED
    window = activity.window if activity is not None and execution.moves_cursor else None
    if not counted and window is None:
        return []
    values: dict[str, Any] = {
        "wanted": execution.job_id,
        "started": execution.started_at,
        "ended": execution.completed_at,
        "spent": execution.duration or 0,
    }
    if window is not None:
        values |= {"since": window.since, "until": window.until, "head": window.head}
    moves = _moves(execution, activity) if activity is not None and window is not None else ""
    if moves == "read":
        values["etag"] = activity.seen.etag if activity and activity.seen else None
    job = connection.execute(_ends(counted, succeeded, moves), values).one()
    if succeeded and execution.moves_cursor:
        pushes.settle(connection, execution.job_id, job.push_since, job.push_at, execution.started_at)
    pauses = counted and not succeeded and jobs.should_pause(job)
    goes_on = counted and succeeded and job.paused_at is not None
    told = notify.is_told(execution, job.notify) or notify.is_recovery(
        execution, job.notify, job.told_outcome
    )
    if not (told or pauses or goes_on):
        return []
    return _tell(
        session, execution, jobs.pause if pauses else jobs.go_on if goes_on else None, base_url, posts()
    )


def _tell(
    session: Session,
    execution: Execution,
    change: Callable[[Job], None] | None,
    base_url: str,
    posts: Sequence[Waiting],
) -> list[Bell]:
    job = session.get_one(Job, execution.job_id, populate_existing=True)
    set_committed_value(execution, "job", job)
    if change is not None:
        change(job)
    mails = notify.tell(session, execution, base_url=base_url, paused=change is jobs.pause, posts=posts)
    session.flush()
    return [Bell("deliver", mail.id) for mail in mails]


def _moves(execution: Execution, activity: Activity) -> str:
    """Which of `_MOVES` the cursor makes."""
    if execution.outcome == Outcome.NOT_SIGNIFICANT:
        return "carry"
    return "advance" if execution.tell_since is not None or activity.unchanged else "read"


_MOVES: dict[str, dict[str, Any]] = {"": {}, "carry": _CARRY, "advance": _ADVANCE, "read": _ADVANCE | _READ}


@cache
def _ends(counted: bool, succeeded: bool, moves: str) -> ReturningUpdate[Any]:
    """The one statement on the job at an execution's end, which is also what reads it."""
    values = (_SUCCESS if succeeded else _FAILURE) if counted else {}
    statement = update(_job_table).where(_job.id == bindparam("wanted"))
    statement = statement.values(**values | _MOVES[moves])
    return statement.returning(
        *(_job.notify, _job.is_enabled, _job.paused_at, _job.pause_after, _job.failures_in_row),
        *(_job.push_since, _job.push_at, _job.told_outcome),
    )
