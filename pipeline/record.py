"""The last chapter: outcome, drafts, statistics, cursor, notifications and mails in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, literal_column, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from lib import clock, ids
from lib.codes import Code
from models import Attempt, Draft, Execution, Job, Step, origins
from models.base import table
from models.draft import DraftState
from models.values import Activity, Key, Outcome, Status
from pipeline import givenback, versions
from pipeline.adapters import Adapters
from pipeline.bells import Bell
from pipeline.finish import finish
from pipeline.hold import Hold
from pipeline.notify import Waiting
from pipeline.remember import Ending, remember
from pipeline.tariff import Tariff
from pipeline.write import Written
from platforms import NAMES

_attempt_table, _step_table, _job_table = table(Attempt), table(Step), table(Job)
_draft_table = table(Draft)
# What is the same for all stands in the statement: psycopg remembers none of more than 50 parameters, and so
# would read this one anew each time where three posts are stored (psycopg 3.3, _queries.py).
_INSERT_DRAFTS = insert(_draft_table).values(
    state=literal_column(f"'{DraftState.DRAFT}'"), version=literal_column("1")
)
_INSERT_STEP = insert(_step_table).inline()
# Without values(): the columns to set are those of the parameters.
_END_ATTEMPT = update(_attempt_table).where(
    _attempt_table.c.execution_id == bindparam("of"), _attempt_table.c.number == bindparam("tried")
)
LONGEST_WAIT = 3600.0
LONGEST_NAMED_WAIT = 6 * 3600.0
"""Seconds; DESIGN promise 5."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an attempt failed."""

    message: str
    stack_trace: str
    permanent: bool = False
    retry_after: float | None = None
    status: Status = Status.FAILED
    code: Code | None = None


def complete(
    session: Session, hold: Hold, execution: Execution, ending: Ending, adapters: Adapters
) -> list[Bell]:
    """Store a run that succeeded, wholly or in part, or that found nothing to tell; commits. Raises
    LostError.

    `execution` is the row as the run loaded it.
    """
    activity, results = ending.activity, ending.results
    failed = sum(1 for result in results if result.failure)
    began = clock.now()
    drafts = [] if execution.dry_run else _drafts(execution, results, adapters.tariff)
    values = {
        "status": Status.COMPLETED,
        "outcome": ending.outcome,
        "reason": ending.too_little,
        "completed_at": began,
        "duration": (execution.duration or 0) + milliseconds(began - hold.began),
        "error": None,
        "error_code": None,
        "stack_trace": None,
        "output": _output(activity, results, drafts, execution.dry_run, ending.told) if results else None,
        "items_processed": len(results),
        "items_success": len(results) - failed,
        "items_failed": failed,
        "summary": activity.summary,
    }

    def store(connection: Connection) -> list[Bell]:
        _take(connection, hold, execution, values)
        if drafts:
            connection.execute(_INSERT_DRAFTS, drafts)
        _end_attempt(connection, hold, began, Status.COMPLETED)
        remember(connection, execution, ending)
        posts = partial(_waiting, drafts, adapters.approval)
        bells = finish(session, connection, execution, activity, adapters.base_url, posts)
        if drafts:  # the job is locked by now, as it is for whoever gives back
            givenback.settle(connection, execution.job_id, ending.told)
        _step(connection, hold, began)
        return bells

    return hold.store(session, store)


def fail(
    session: Session,
    hold: Hold,
    fault: Fault,
    base_url: str,
    activity: Activity | None = None,
    results: Sequence[Written] = (),
) -> list[Bell]:
    """Store a failed attempt: RETRYING while waiting may help and retries are left, else the end; commits.
    Raises LostError."""
    now = clock.now()

    def store(connection: Connection) -> list[Bell]:
        hold.take(connection)
        execution = session.get_one(Execution, hold.execution_id, populate_existing=True)
        failures = execution.failures + 1
        common = {
            "error": fault.message,
            "error_code": fault.code,
            "stack_trace": fault.stack_trace,
            "duration": (execution.duration or 0) + milliseconds(now - hold.began),
            "failures": failures,
        }
        close_attempt(connection, hold.execution_id, hold.attempt, now, fault.status, fault)
        if not fault.permanent and failures <= execution.job.max_retries:
            wait = retry_wait(execution.job.retry_delay, failures, fault.retry_after)
            at = now + timedelta(seconds=wait)
            hold.take(connection, status=Status.RETRYING, next_retry_at=at, **common)
            return [Bell("run", execution.id, eta=at)]
        shown = _output(activity, results, [], execution.dry_run, {}) if activity and results else None
        ended = {
            "status": fault.status,
            "outcome": Outcome(fault.status.value),
            "completed_at": now,
            "output": shown,
            "items_processed": len(results),
            "items_success": sum(1 for result in results if not result.failure),
            "items_failed": sum(1 for result in results if result.failure),
        }
        _take(connection, hold, execution, common | ended)
        return finish(session, connection, execution, None, base_url)

    return hold.store(session, store)


HANDED_BACK = (
    "The worker was asked to stop while this attempt ran. What it had finished is kept, and the run goes on"
    " from there."
)


def hand_back(session: Session, hold: Hold) -> list[Bell]:
    """Give up an attempt because its worker stops: another worker goes on at once. It counts neither as a
    failure nor as a death. Commits; raises LostError."""
    now = clock.now()

    def store(connection: Connection) -> list[Bell]:
        hold.take(connection)
        execution = session.get_one(Execution, hold.execution_id, populate_existing=True)
        spent = (execution.duration or 0) + milliseconds(now - hold.began)
        said = {"error": HANDED_BACK, "error_code": Code.WORKER_STOPPED}
        hold.take(connection, status=Status.RETRYING, next_retry_at=now, duration=spent, **said)
        fault = Fault(HANDED_BACK, "", code=Code.WORKER_STOPPED)
        close_attempt(connection, hold.execution_id, hold.attempt, now, Status.CANCELLED, fault)
        return [Bell("run", hold.execution_id)]

    return hold.store(session, store)


def retry_wait(delay: int, failures: int, retry_after: float | None) -> float:
    """Seconds until the next attempt after so many failed ones (from 1): delay x 2^(failures-1), at most an
    hour.

    A time that a rate limit named is honoured instead, up to six hours.
    """
    if retry_after is not None:
        return min(max(retry_after, 0.0), LONGEST_NAMED_WAIT)
    return float(min(delay * 2 ** (failures - 1), LONGEST_WAIT))


def cancel(session: Session, which: ColumnElement[bool], reason: str) -> int:
    """End the live executions among these, with what they have under way, in the caller's transaction; how
    many. A worker on one notices at its next write, or heartbeat, and stores nothing."""
    now = clock.now()
    statement = (
        update(Execution)
        .where(which, Execution.status.in_(origins(Status.CANCELLED)))
        .values(
            status=Status.CANCELLED,
            outcome=Outcome.CANCELLED,
            completed_at=now,
            next_retry_at=None,
            reason=reason,
        )
        .returning(Execution.id)
        .execution_options(synchronize_session=False)
    )
    cancelled = list(session.scalars(statement))
    open_attempts = select(Attempt.execution_id, Attempt.number).where(
        Attempt.execution_id.in_(cancelled), Attempt.completed_at.is_(None)
    )
    for execution_id, number in session.execute(open_attempts).all():
        spent = close_attempt(session.connection(), execution_id, number, now, Status.CANCELLED, None)
        execution = session.get_one(Execution, execution_id, populate_existing=True)
        execution.duration = (execution.duration or 0) + spent
    return len(cancelled)


def end(
    session: Session, execution: Execution, status: Status, message: str, base_url: str, code: Code
) -> list[Bell]:
    """End an execution that nobody runs (its next slot came, or it was recovered too often), in the
    caller's transaction. `code` names that, where no attempt's error is the reason."""
    execution.status, execution.outcome = status, Outcome(status.value)
    execution.completed_at, execution.next_retry_at = clock.now(), None
    if not execution.error:
        execution.error, execution.error_code = message, code
    execution.reason = message
    session.flush()
    return finish(session, session.connection(), execution, None, base_url)


def _take(connection: Connection, hold: Hold, execution: Execution, values: Mapping[str, Any]) -> None:
    """Write the outcome, to the row and to the object that stands for it."""
    hold.take(connection, **values)
    for name, value in values.items():
        set_committed_value(execution, name, value)


def close_attempt(
    connection: Connection, execution_id: str, number: int, now: datetime, status: Status, fault: Fault | None
) -> int:
    """End an attempt and whatever step it left open, in the caller's transaction; the attempt's
    milliseconds."""
    steps = select(_step_table.c.id, _step_table.c.started_at).where(
        _step_table.c.execution_id == execution_id,
        _step_table.c.attempt == number,
        _step_table.c.status == Status.RUNNING,
    )
    said = (fault.message, fault.code) if fault else (None, None)
    common = {"status": status, "completed_at": now, "error": said[0], "error_code": said[1]}
    for step in connection.execute(steps).all():
        values = common | {"duration": milliseconds(now - step.started_at)}
        connection.execute(update(_step_table).where(_step_table.c.id == step.id).values(**values))
    this = (_attempt_table.c.execution_id == execution_id) & (_attempt_table.c.number == number)
    spent = milliseconds(
        now - connection.execute(select(_attempt_table.c.started_at).where(this)).scalar_one()
    )
    trace = fault.stack_trace or None if fault else None
    connection.execute(update(_attempt_table).where(this).values(**common, duration=spent, stack_trace=trace))
    return spent


def _end_attempt(connection: Connection, hold: Hold, now: datetime, status: Status) -> None:
    """Of a run that left no step open."""
    values = {"status": status, "completed_at": now, "duration": milliseconds(now - hold.began)}
    connection.execute(_END_ATTEMPT, {"of": hold.execution_id, "tried": hold.attempt} | values)


def _step(connection: Connection, hold: Hold, began: datetime) -> None:
    done = clock.now()
    connection.execute(
        _INSERT_STEP,
        {
            "execution_id": hold.execution_id,
            "attempt": hold.attempt,
            "name": "record",
            "status": Status.COMPLETED,
            "started_at": began,
            "completed_at": done,
            "duration": milliseconds(done - began),
        },
    )


def milliseconds(span: timedelta) -> int:
    """A time span as whole milliseconds, never below zero (a clock may step back)."""
    return max(0, round(span.total_seconds() * 1000))


def _drafts(execution: Execution, results: Iterable[Written], tariff: Tariff) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.new("draft"),
            "user_id": execution.user_id,
            "execution_id": execution.id,
            "job_id": execution.job_id,
            "platform_id": result.platform_id,
            "platform_type": result.platform_type,
            "checks": list(result.checks),
            **versions.columns_of(result.post),
            "usage": tariff.stored(result.post.usage),
        }
        for result in results
        if result.post is not None
    ]


def _waiting(drafts: Iterable[Mapping[str, Any]], approval: Callable[[str, int], str]) -> list[Waiting]:
    """Drafts as the mail names them: by their titles, or first lines."""

    def named(draft: Mapping[str, Any]) -> Waiting:
        said = draft["title"] or draft["content"].strip().partition("\n")[0]
        return Waiting(NAMES[draft["platform_type"]], said, approval(draft["id"], 1))

    return [named(draft) for draft in drafts]


def _output(
    activity: Activity,
    results: Iterable[Written],
    drafts: Iterable[dict[str, Any]],
    with_content: bool,
    told: Mapping[str, Sequence[Key]],
) -> dict[str, Any]:
    made = {draft["platform_id"]: draft["id"] for draft in drafts}

    def shown(result: Written) -> dict[str, Any]:
        given = len(told.get(result.platform_id, ()))
        one = _result(result, made.get(result.platform_id), with_content)
        return one | ({"givenBack": given} if given else {})

    return {
        "activity": {"summary": activity.summary, "hasActivity": activity.has_activity},
        "results": [shown(result) for result in results],
    }


def _result(result: Written, draft_id: str | None, with_content: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "platformId": result.platform_id,
        "platformType": result.platform_type,
        "success": result.failure is None,
        "error": result.failure.message if result.failure else None,
        "draftId": draft_id,
    }
    if result.failure is not None and result.failure.code is not None:
        shown["errorCode"] = result.failure.code
    if result.post is not None and result.post.fell_back:
        shown["fellBack"] = True
    if with_content and result.post is not None:
        shown["content"] = {
            "title": result.post.title,
            "content": result.post.content,
            "tags": list(result.post.tags),
        }
    return shown
