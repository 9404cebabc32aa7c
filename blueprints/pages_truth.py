"""The one sentence that tops the page of an execution."""

from collections.abc import Sequence

from blueprints import view
from blueprints.pages_attempts import AttemptPart
from blueprints.pages_cards import WORKER_FREE
from blueprints.pages_result import Result
from blueprints.pages_scan import Scanned
from lib import clock
from lib.words import plural
from models import LIVE, Execution, Step
from models.values import Outcome, Status
from pipeline import givenback
from pipeline.significance import CARRIED_MAX
from platforms import NAMES


def truth(
    execution: Execution,
    scan: Scanned | None,
    steps: Sequence[Step],
    results: Sequence[Result],
    attempts: Sequence[AttemptPart],
) -> str:
    """What is, or how it ended."""
    return _all_withheld(execution, scan) or _truth(execution, steps, results, attempts)


def _all_withheld(execution: Execution, scan: Scanned | None) -> str:
    """Nothing is left of what was read, and something was left out of it."""
    left = (execution.summary or "No activity") != "No activity"
    quiet = execution.outcome == Outcome.NO_ACTIVITY and not left
    if not quiet or scan is None or not scan.withheld:
        return ""
    return "All that happened in this window is withheld, so nothing was written."


def _truth(
    execution: Execution, steps: Sequence[Step], results: Sequence[Result], attempts: Sequence[AttemptPart]
) -> str:
    if execution.status in LIVE:
        return _live_truth(execution, steps, attempts)
    retries = max(execution.failures - 1, 0)
    after = f" after {plural(retries, 'retry', 'retries')}" if retries else ""
    took = f" in {view.duration(execution.duration)}" if execution.duration is not None else ""
    written = execution.items_success
    return {
        Outcome.SUCCESS: f"{plural(written, 'post')} written from {_found(execution, results)}{took}.",
        Outcome.PARTIAL: f"{written} of {execution.items_processed} posts written; {_failed(results)}.",
        Outcome.NO_ACTIVITY: _nothing(execution),
        Outcome.NOT_SIGNIFICANT: _too_little(execution),
        Outcome.FAILED: f"Failed{after}; nothing was written. {execution.reason or ''}".strip(),
        Outcome.TIMEOUT: f"It took longer than the job's time limit{after}; nothing was written.",
        Outcome.CANCELLED: execution.reason or "It was cancelled.",
        Outcome.SKIPPED: view.sentence(execution.reason or "It did not run."),
    }[Outcome(execution.outcome or execution.status)]


def _found(execution: Execution, results: Sequence[Result]) -> str:
    """What was read, and what rejected posts had given back."""
    read, again = execution.summary or "activity", sum(result.given_back for result in results)
    if not again:
        return read
    return givenback.counted(again) if read == "No activity" else f"{read} plus {givenback.counted(again)}"


def _too_little(execution: Execution) -> str:
    """Why, and what comes of it; until when, while it is still carried."""
    said = execution.reason or "Too little happened to tell; it is kept for the next run."
    since, until = execution.job.carried_since, execution.window_until
    if since is None or until is None or until < since:
        return said
    latest = view.exactly(since + CARRIED_MAX, execution.job.timezone).words
    return f"{said} From {latest} on a run tells whatever there is."


def _nothing(execution: Execution) -> str:
    if execution.summary in (None, "", "No activity"):
        return "Nothing happened in the repository in this window, so nothing was written."
    return (
        f"{execution.summary} came in, and nothing to tell: merges, what was undone again, issues closed as"
        " not planned. So nothing was written."
    )


def _live_truth(execution: Execution, steps: Sequence[Step], attempts: Sequence[AttemptPart]) -> str:
    if execution.status == Status.QUEUED:
        return "It waits for a free worker, then runs at once."
    if execution.status == Status.RUNNING:
        return _running(execution, steps)
    if attempts and attempts[-1].is_calm:
        return f"The worker that ran it stopped. {WORKER_FREE}"
    if execution.next_retry_at is not None and execution.next_retry_at > clock.now():
        return "The last attempt failed; it tries again by itself."
    return WORKER_FREE


def _running(execution: Execution, steps: Sequence[Step]) -> str:
    now = [step for step in steps if step.status == Status.RUNNING and step.attempt == execution.attempt]
    if any(step.name == "scan" for step in now):
        return "It reads what happened in the repository."
    names = [NAMES.get(step.platform_type or "", "") for step in now if step.name == "write"]
    return f"It writes for {', '.join(names)}." if names else "It records the results."


def _failed(results: Sequence[Result]) -> str:
    names = [result.platform for result in results if result.error]
    return f"{', '.join(names)} failed" if names else "the rest failed"
