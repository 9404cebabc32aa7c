"""What went wrong with an execution: what happened and why, what helps, what comes next and when."""

from collections.abc import Sequence
from dataclasses import dataclass

from blueprints import view
from blueprints.pages_attempts import AttemptPart
from blueprints.pages_result import Result
from blueprints.pages_trace import Trace, trace
from blueprints.pages_ways import Ways, remedy
from blueprints.view import Moment
from lib import clock
from lib.errors import parted
from models import Execution, Step
from models.values import Outcome, Status
from pipeline import jobs
from pipeline.remedies import Remedy

ENDED = (Status.FAILED, Status.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Fault:
    """The notice that tops the page. `lead` says whose the error is where that is not the execution's own;
    `error` is what happened, `helps` what helps where the error says so. `next_try` is None also once that
    time has come; `next_run` is the job's, with what it means for this one in `follows`."""

    tone: str
    icon: str
    lead: str
    error: str
    helps: str
    next_try: Moment | None
    next_run: Moment | None
    follows: str
    remedy: Remedy | None
    trace: Trace | None


_TONES = {
    Status.QUEUED: ("warn", "warn", view.DID_NOT),
    Status.RUNNING: ("warn", "warn", view.DID_NOT),
    Status.RETRYING: ("warn", "wait", ""),
    Status.CANCELLED: ("quiet", "warn", view.DID_NOT),
    Status.COMPLETED: ("warn", "warn", ""),
}


def fault(
    execution: Execution,
    steps: Sequence[Step],
    attempts: Sequence[AttemptPart],
    results: Sequence[Result],
    ways: Ways,
) -> Fault | None:
    """None where nothing went wrong."""
    error = execution.error or _partly(execution, results)
    if not error:
        return None
    tone, icon, lead = _TONES.get(Status(execution.status), ("bad", "bad", ""))
    if execution.status == Status.RETRYING and attempts and attempts[-1].is_calm:
        lead = view.DID_NOT
    # What several platforms say would be parted in the first of them.
    happened, helps = parted(error) if execution.error else (error, None)
    next_run, follows = _next(execution, ways)
    return Fault(
        tone=tone,
        icon=icon,
        lead=lead,
        error=happened,
        helps=view.sentence(helps or ""),
        next_try=_next_try(execution),
        next_run=next_run,
        follows=follows,
        remedy=remedy(execution, steps),
        trace=trace(execution.stack_trace),
    )


def _partly(execution: Execution, results: Sequence[Result]) -> str:
    if execution.outcome != Outcome.PARTIAL:
        return ""
    return "; ".join(f"{result.platform}: {result.error}" for result in results if result.error)


def _next_try(execution: Execution) -> Moment | None:
    at = execution.next_retry_at
    if execution.status != Status.RETRYING or at is None or at <= clock.now():
        return None
    return view.upcoming(at, execution.job.timezone)


def _next(execution: Execution, ways: Ways) -> tuple[Moment | None, str]:
    """Only while nothing has followed: then that is linked, and no promise."""
    if execution.dry_run or ways.later:
        return None, ""
    if execution.outcome == Outcome.PARTIAL:
        return None, "“Retry failed platforms” writes what is missing, from the same activity."
    if execution.status not in ENDED or not execution.moves_cursor:
        return None, ""
    job = execution.job
    if job.next_run_at is not None and job.next_run_at > clock.now():
        return view.upcoming(job.next_run_at, job.timezone), "It covers this time, too: nothing is left out."
    if jobs.is_paused(job):
        return None, "The job is paused: it goes on when a run succeeds, or when you press Resume there."
    if not job.is_enabled:
        return None, "No further run is planned: the job is disabled. “Retry” tries this one again."
    return None, ""
