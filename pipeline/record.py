"""The last chapter: outcome, drafts, statistics, cursor, notifications and mails in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Attempt, Draft, Execution, Job, Project, Step, Told
from models.base import upsert
from models.values import Activity, Outcome, Status
from pipeline import notify
from pipeline.bells import Bell
from pipeline.hold import Hold
from pipeline.write import Written

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


def complete(
    session: Session, hold: Hold, activity: Activity, results: Sequence[Written], base_url: str
) -> list[Bell]:
    """Store a run that succeeded, wholly or in part, or that found nothing; commits. Raises LostError."""
    failed = sum(1 for result in results if result.failure)
    outcome = Outcome.PARTIAL if failed else Outcome.SUCCESS if results else Outcome.NO_ACTIVITY
    now = clock.now()
    with session.begin():
        execution = _held(session, hold)
        drafts = [] if execution.dry_run else _drafts(session, execution, results)
        output = _output(activity, results, drafts, execution.dry_run) if results else None
        duration = _end_attempt(session, hold, now, Status.COMPLETED)
        hold.take(
            session,
            status=Status.COMPLETED,
            outcome=outcome,
            completed_at=now,
            duration=duration,
            error=None,
            stack_trace=None,
            output=output,
            items_processed=len(results),
            items_success=len(results) - failed,
            items_failed=failed,
            summary=activity.summary,
        )
        session.refresh(execution)
        _step(session, hold, now)
        if execution.moves_cursor:
            _advance(session, execution, activity)
        mails = _finish(session, execution, base_url)
    return mails


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
    with session.begin():
        execution = _held(session, hold)
        duration = _end_attempt(session, hold, now, fault.status, fault)
        common = {"error": fault.message, "stack_trace": fault.stack_trace, "duration": duration}
        if not fault.permanent and hold.attempt <= execution.job.max_retries:
            at = now + timedelta(
                seconds=retry_wait(execution.job.retry_delay, hold.attempt, fault.retry_after)
            )
            hold.take(session, status=Status.RETRYING, next_retry_at=at, **common)
            return [Bell("run", execution.id, eta=at)]
        hold.take(
            session,
            status=fault.status,
            outcome=Outcome(fault.status.value),
            completed_at=now,
            output=_output(activity, results, [], execution.dry_run) if activity and results else None,
            items_processed=len(results),
            items_success=sum(1 for result in results if not result.failure),
            items_failed=sum(1 for result in results if result.failure),
            **common,
        )
        session.refresh(execution)
        return _finish(session, execution, base_url)


def retry_wait(delay: int, attempt: int, retry_after: float | None) -> float:
    """Seconds until the next attempt after attempt number `attempt` (from 1): delay x 2^(attempt-1), at
    most an hour.

    A time that a rate limit named is honoured instead, up to six hours.
    """
    if retry_after is not None:
        return min(max(retry_after, 0.0), LONGEST_NAMED_WAIT)
    return float(min(delay * 2 ** (attempt - 1), LONGEST_WAIT))


def end(session: Session, execution: Execution, status: Status, message: str, base_url: str) -> list[Bell]:
    """End an execution that nobody runs (its next slot came, or it was recovered too often), in the
    caller's transaction."""
    execution.status, execution.outcome = status, Outcome(status.value)
    execution.completed_at, execution.next_retry_at = clock.now(), None
    execution.error = execution.error or message
    execution.reason = message
    session.flush()
    return _finish(session, execution, base_url)


def _held(session: Session, hold: Hold) -> Execution:
    hold.take(session)
    return session.get_one(Execution, hold.execution_id, populate_existing=True)


def _end_attempt(
    session: Session, hold: Hold, now: datetime, status: Status, fault: Fault | None = None
) -> int:
    """Close the attempt and whatever step it left open; the running time of all attempts in milliseconds."""
    close_attempt(session, hold.execution_id, hold.attempt, now, status, fault)
    total = select(func.sum(Attempt.duration)).where(Attempt.execution_id == hold.execution_id)
    return int(session.scalar(total) or 0)


def close_attempt(
    session: Session, execution_id: str, number: int, now: datetime, status: Status, fault: Fault | None
) -> None:
    """End an attempt and whatever step it left open, in the caller's transaction."""
    attempt = session.scalars(
        select(Attempt).where(Attempt.execution_id == execution_id, Attempt.number == number)
    ).one()
    open_steps = session.scalars(
        select(Step).where(
            Step.execution_id == execution_id, Step.attempt == number, Step.status == Status.RUNNING
        )
    )
    for ended in (attempt, *open_steps):
        ended.status, ended.completed_at = status, now
        ended.duration = milliseconds(now - ended.started_at)
        if fault is not None:
            ended.error = fault.message
    attempt.stack_trace = fault.stack_trace if fault else None
    session.flush()


def _step(session: Session, hold: Hold, started: datetime) -> None:
    done = clock.now()
    session.add(
        Step(
            execution_id=hold.execution_id,
            attempt=hold.attempt,
            name="record",
            status=Status.COMPLETED,
            started_at=started,
            completed_at=done,
            duration=milliseconds(done - started),
        )
    )


def milliseconds(span: timedelta) -> int:
    """A time span as whole milliseconds, never below zero (a clock may step back)."""
    return max(0, round(span.total_seconds() * 1000))


def _drafts(session: Session, execution: Execution, results: Iterable[Written]) -> list[Draft]:
    drafts = [
        Draft(
            user_id=execution.user_id,
            execution_id=execution.id,
            platform_id=result.platform_id,
            platform_type=result.platform_type,
            title=result.post.title,
            content=result.post.content,
            tags=list(result.post.tags),
            checks=list(result.checks),
            usage=asdict(result.post.usage) if result.post.usage else None,
        )
        for result in results
        if result.post is not None
    ]
    session.add_all(drafts)
    session.flush()
    return drafts


def _output(
    activity: Activity, results: Iterable[Written], drafts: Iterable[Draft], with_content: bool
) -> dict[str, Any]:
    ids = {draft.platform_id: draft.id for draft in drafts}
    return {
        "activity": {"summary": activity.summary, "hasActivity": activity.has_activity},
        "results": [_result(result, ids.get(result.platform_id), with_content) for result in results],
    }


def _result(result: Written, draft_id: str | None, with_content: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "platformId": result.platform_id,
        "platformType": result.platform_type,
        "success": result.failure is None,
        "error": result.failure.message if result.failure else None,
        "draftId": draft_id,
    }
    if with_content and result.post is not None:
        shown["content"] = {
            "title": result.post.title,
            "content": result.post.content,
            "tags": list(result.post.tags),
        }
    return shown


def _advance(session: Session, execution: Execution, activity: Activity) -> None:
    """The job has told everything up to the window's end."""
    window, job = activity.window, execution.job
    floor = window.since if job.cursor_floor is None else min(job.cursor_floor, window.since)
    session.execute(
        update(Job)
        .where(Job.id == job.id)
        .values(cursor_floor=floor, cursor_until=window.until, cursor_head=window.head or Job.cursor_head)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Project)
        .where(
            Project.id == execution.project_id,
            (Project.last_synced_at.is_(None)) | (Project.last_synced_at < window.until),
        )
        .values(last_synced_at=window.until)
        .execution_options(synchronize_session=False)
    )
    if keys := activity.keys():
        _remember(session, job.id, keys)


def _remember(session: Session, job_id: str, keys: Sequence[tuple[str, str]]) -> None:
    at = clock.now()
    rows = [{"job_id": job_id, "kind": kind, "key": key, "at": at} for kind, key in keys]
    session.execute(upsert(session, Told).on_conflict_do_nothing(), rows)


def _finish(session: Session, execution: Execution, base_url: str) -> list[Bell]:
    """What every counted end has in common: the job's statistics, and telling the owner."""
    if execution.dry_run:
        return []
    succeeded = execution.status == Status.COMPLETED
    values: dict[str, Any] = {"run_count": Job.run_count + 1, "last_run_at": execution.started_at}
    if succeeded:
        values |= {"success_count": Job.success_count + 1, "last_success": execution.started_at}
        values |= {"total_duration": Job.total_duration + (execution.duration or 0)}
    else:
        values |= {"failure_count": Job.failure_count + 1, "last_failure": execution.completed_at}
    session.execute(
        update(Job)
        .where(Job.id == execution.job_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return [Bell("deliver", mail.id) for mail in notify.tell(session, execution, base_url=base_url)]
