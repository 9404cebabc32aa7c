"""What a person may do to an execution: trigger, cancel, retry."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, Step
from models.values import Outcome, Status
from pipeline import record, spending
from pipeline.bells import Bell
from pipeline.jobs import live_execution
from pipeline.tariff import FREE, Tariff


class ConflictError(Exception):
    """The present state does not allow it. `execution` is the one in the way, where there is one."""

    def __init__(self, message: str, execution: Execution | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.execution = execution


def trigger(
    session: Session,
    job: Job,
    *,
    dry_run: bool = False,
    since: datetime | None = None,
    triggered_by: str = "manual",
    tariff: Tariff = FREE,
) -> tuple[Execution, list[Bell]]:
    """A new execution of `job`, now; commits. Its next slot stays as it is.

    `dry_run` shows what would be said and moves nothing; `since` tells again from there. `tariff`: what
    models cost. Raises ConflictError with the live execution if there is one, also when two ask at the same
    instant, and where the project's monthly budget is spent.
    """
    execution = Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        triggered_by=triggered_by,
        dry_run=dry_run,
        tell_since=since,
        moves_cursor=not dry_run,
    )
    return _insert(session, execution, job, tariff)


def _affordable(session: Session, job: Job, tariff: Tariff, execution: Execution | None = None) -> None:
    """A dry run costs as much as any other."""
    if (why := spending.why_not(session, job, tariff)) is not None:
        raise ConflictError(why[0].upper() + why[1:], execution)


def _insert(
    session: Session,
    execution: Execution,
    job: Job,
    tariff: Tariff,
    add_more: Callable[[], None] | None = None,
) -> tuple[Execution, list[Bell]]:
    """The partial unique index on live executions decides between two that come at once."""
    live = live_execution(session, job.id)
    if live is None:
        _affordable(session, job, tariff)
        session.add(execution)
        try:
            session.flush()
            if add_more is not None:
                add_more()
            session.commit()
            return execution, [Bell("run", execution.id)]
        except IntegrityError:
            session.rollback()
            live = live_execution(session, execution.job_id)
    raise ConflictError("This job is running already: wait for its execution to end, or cancel it.", live)


def cancel(session: Session, execution: Execution) -> Execution:
    """End a queued, waiting or running execution; commits. A worker on it notices at its next write and
    stores nothing.

    Raises ConflictError when it has ended already.
    """
    if not record.cancel(session, Execution.id == execution.id, "Cancelled by its owner."):
        session.rollback()
        raise ConflictError("This execution has ended already: there is nothing to cancel.", execution)
    session.commit()
    session.refresh(execution)
    return execution


def retry(session: Session, execution: Execution, tariff: Tariff = FREE) -> tuple[Execution, list[Bell]]:
    """Try again; commits. A waiting execution retries at once; a finished one gets a successor (`retry_of`).

    PARTIAL: the failed platforms alone, from the stored activity, cursor unmoved. FAILED and TIMEOUT: the
    same window again. Raises ConflictError where nothing can be retried, or the monthly budget is spent.
    """
    if execution.status == Status.RETRYING:
        _affordable(session, execution.job, tariff, execution)
        return _retry_now(session, execution)
    if execution.outcome != Outcome.PARTIAL and execution.status not in (Status.FAILED, Status.TIMEOUT):
        raise ConflictError("Only a failed or partly failed execution can be retried.", execution)
    if execution.dry_run:
        raise ConflictError("A dry run left nothing to make up for: trigger another one.", execution)
    origin = _origin(session, execution)
    if execution.outcome == Outcome.PARTIAL or origin is not execution:
        return _retry_platforms(session, origin, tariff)
    job = session.get_one(Job, execution.job_id, populate_existing=True)
    if job.cursor_until != execution.cursor_at:
        raise ConflictError(
            "A later execution has covered this window already: there is nothing left to retry.", execution
        )
    return _insert(session, _successor(execution), job, tariff)


def _retry_now(session: Session, execution: Execution) -> tuple[Execution, list[Bell]]:
    done = session.execute(
        update(Execution)
        .where(Execution.id == execution.id, Execution.status == Status.RETRYING)
        .values(next_retry_at=clock.now())
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        session.rollback()
        raise ConflictError("This execution is not waiting any more.", execution)
    session.commit()
    session.refresh(execution)
    return execution, [Bell("run", execution.id)]


def _retry_platforms(session: Session, execution: Execution, tariff: Tariff) -> tuple[Execution, list[Bell]]:
    scan = session.scalar(
        select(Step).where(
            Step.execution_id == execution.id, Step.name == "scan", Step.status == Status.COMPLETED
        )
    )
    if scan is None:
        raise ConflictError(
            "The stored activity of this execution is gone: trigger the job again.", execution
        )
    if not lacking(session, execution):
        raise ConflictError("Every platform has its post by now: there is nothing left to retry.", execution)
    successor = _successor(execution)
    successor.moves_cursor = False
    successor.window_since, successor.window_until = execution.window_since, execution.window_until
    result, at = scan.result, clock.now()

    def copy_scan() -> None:
        session.add(
            Step(
                execution_id=successor.id,
                attempt=0,
                name="scan",
                status=Status.COMPLETED,
                started_at=at,
                completed_at=at,
                duration=0,
                result=result,
            )
        )

    return _insert(session, successor, execution.job, tariff, copy_scan)


def _origin(session: Session, execution: Execution) -> Execution:
    """What wrote for single platforms belongs to the execution that lacked them, through all its retries."""
    while execution.retry_of is not None and not execution.moves_cursor:
        execution = session.get_one(Execution, execution.retry_of)
    return execution


def lacking(session: Session, execution: Execution) -> set[str]:
    """The ids of the platforms that a partly failed execution, and what retried it, left without a post."""
    retries = select(Execution).where(
        Execution.retry_of == execution.id, Execution.status == Status.COMPLETED
    )
    failed = _platforms_where(execution, success=False)
    for row in session.scalars(retries):
        failed -= _platforms_where(row, success=True)
    return failed


def _platforms_where(execution: Execution, *, success: bool) -> set[str]:
    results = (execution.output or {}).get("results", [])
    return {result["platformId"] for result in results if result["success"] is success}


def by_itself(session: Session, execution: Execution) -> bool:
    """Whether the schedule or a push started it; a retry is what its original was. False where that original
    is gone, for then somebody pressed its button last."""
    origin: Execution | None = execution
    while origin is not None and origin.retry_of is not None:
        origin = session.get(Execution, origin.retry_of)
    return origin is not None and origin.triggered_by in ("scheduled", "webhook")


def _successor(execution: Execution) -> Execution:
    return Execution(
        job_id=execution.job_id,
        user_id=execution.user_id,
        project_id=execution.project_id,
        triggered_by="retry",
        retry_of=execution.id,
        tell_since=execution.tell_since,
    )
