"""What the page of one execution shows, finished for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, select
from sqlalchemy.orm import defer, joinedload

from blueprints import view
from blueprints.access import tariff
from blueprints.extensions import db
from blueprints.pages_attempts import AttemptPart, attempts_of
from blueprints.pages_cards import WORKER_FREE
from blueprints.pages_cost import Cost, costs_of, summed
from blueprints.pages_mail import MailLine, mails
from blueprints.pages_scan import Scanned, scanned
from blueprints.pages_trace import Trace, trace
from blueprints.pages_ways import Remedy, Ways, remedy, ways
from blueprints.view import MARKS, Mark, Moment
from lib import clock
from lib.words import plural
from models import LIVE, Draft, Execution, Job, Step
from models.values import Outcome, Status
from pipeline import givenback
from pipeline.significance import CARRIED_MAX
from platforms import NAMES

RETRIABLE = (Status.FAILED, Status.TIMEOUT)
QUIET = (Outcome.NO_ACTIVITY, Outcome.NOT_SIGNIFICANT, Outcome.CANCELLED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class Fault:
    """The error that tops the page; `lead` says whose it is where that is not the execution's own."""

    tone: str
    icon: str
    lead: str
    error: str
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Result:
    platform: str
    mark: Mark
    error: str
    draft_id: str | None
    title: str
    content: str
    tags: tuple[str, ...]
    checks: tuple[str, ...]
    given_back: int
    cost: str


@dataclass(frozen=True, slots=True)
class ExecutionPage:
    id: str
    project_id: str
    project: str
    job_id: str
    job: str
    mark: Mark
    state: str
    is_live: bool
    is_dry: bool
    is_first: bool
    truth: str
    fault: Fault | None
    next_try: Moment | None
    can_retry: bool
    retry_words: str
    can_cancel: bool
    facts: tuple[tuple[str, Moment | str], ...]
    ways: Ways
    remedy: Remedy | None
    next_run: Moment | None
    attempts: tuple[AttemptPart, ...]
    scan: Scanned | None
    window: tuple[Moment, Moment] | None
    results: tuple[Result, ...]
    mails: tuple[MailLine, ...]


def page(execution: Execution) -> ExecutionPage:
    job = _job(execution)
    zone = job.timezone
    steps, activity = _steps(execution)
    scan = scanned(activity, zone) if activity else None
    costs = costs_of([execution.id]).get(execution.id, {})
    results = tuple(_results(execution, _drafts(execution), costs))
    attempts = attempts_of(execution, steps, zone)
    is_live = execution.status in LIVE
    waits = execution.status == Status.RETRYING
    return ExecutionPage(
        id=execution.id,
        project_id=job.project_id,
        project=job.project.name,
        job_id=job.id,
        job=job.name,
        mark=view.mark_of(execution),
        state=execution.status,
        is_live=is_live,
        is_dry=execution.dry_run,
        is_first=job.run_count == 0 or (job.run_count == 1 and not execution.dry_run),
        truth=_all_withheld(execution, scan) or _truth(execution, steps, results, attempts),
        fault=_fault(execution, attempts),
        next_try=_next_try(execution, zone),
        can_retry=waits or _can_be_made_up_for(execution),
        retry_words=_retry_words(execution),
        can_cancel=is_live,
        facts=(*_facts(execution, zone), *_cost(costs)),
        ways=ways(execution),
        remedy=remedy(execution, steps),
        next_run=_next_run(execution, zone),
        attempts=attempts,
        scan=scan,
        window=_window(execution, zone),
        results=results,
        mails=tuple(mails(execution, zone)),
    )


def _job(execution: Execution) -> Job:
    """With its project, in one query."""
    return db.session.get_one(Job, execution.job_id, options=[joinedload(Job.project)])


def _steps(execution: Execution) -> tuple[list[Step], dict[str, Any] | None]:
    """All steps without their results, which may be large, and what the last scan found."""
    is_scan = and_(Step.name == "scan", Step.status == Status.COMPLETED)
    query = select(Step, case((is_scan, Step.result))).options(defer(Step.result))
    ordered = query.where(Step.execution_id == execution.id).order_by(Step.started_at, Step.id)
    rows = db.session.execute(ordered).all()
    scans = [result for _, result in rows if result is not None]
    return [step for step, _ in rows], scans[-1] if scans else None


def _drafts(execution: Execution) -> Sequence[Draft]:
    return db.session.scalars(select(Draft).where(Draft.execution_id == execution.id)).all()


def _can_be_made_up_for(execution: Execution) -> bool:
    failed = execution.outcome == Outcome.PARTIAL or execution.status in RETRIABLE
    return failed and not execution.dry_run


def _retry_words(execution: Execution) -> str:
    if execution.status == Status.RETRYING:
        return "Retry now"
    return "Retry failed platforms" if execution.outcome == Outcome.PARTIAL else "Retry"


def _next_try(execution: Execution, zone: str) -> Moment | None:
    """None also once that time has come: then it waits for a worker alone."""
    at = execution.next_retry_at
    if execution.status != Status.RETRYING or at is None or at <= clock.now():
        return None
    return view.upcoming(at, zone)


def _next_run(execution: Execution, zone: str) -> Moment | None:
    """For what told nothing and did not fail: when the job looks again."""
    at = execution.job.next_run_at
    if execution.outcome not in QUIET or execution.dry_run or not execution.job.is_enabled or at is None:
        return None
    return view.upcoming(at, zone) if at > clock.now() else None


def _fault(execution: Execution, attempts: Sequence[AttemptPart]) -> Fault | None:
    if not execution.error:
        return None
    tone, icon, lead = _FAULTS.get(Status(execution.status), ("bad", "bad", ""))
    if execution.status == Status.RETRYING and attempts and attempts[-1].is_calm:
        lead = view.DID_NOT
    return Fault(tone, icon, lead, execution.error, trace(execution.stack_trace))


_FAULTS = {
    Status.QUEUED: ("warn", "warn", view.DID_NOT),
    Status.RUNNING: ("warn", "warn", view.DID_NOT),
    Status.RETRYING: ("warn", "wait", ""),
    Status.CANCELLED: ("quiet", "warn", view.DID_NOT),
}


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


def _facts(execution: Execution, zone: str) -> list[tuple[str, Moment | str]]:
    instants: list[tuple[str, datetime | None]] = [
        ("Due", execution.scheduled_for),
        ("Started", execution.started_at),
        ("Ended", execution.completed_at),
    ]
    facts: list[tuple[str, Moment | str]] = [("Ran", view.TRIGGERS.get(execution.triggered_by, ""))]
    facts += [(name, view.exactly(at, zone)) for name, at in instants if at is not None]
    if execution.duration is not None:
        facts.append(("Duration", view.duration(execution.duration)))
    if execution.items_processed:
        facts.append(("Posts", f"{execution.items_success}/{execution.items_processed} platforms"))
    if execution.missed:
        facts.append(("Missed", _missed(execution.missed, zone)))
    return facts


def _cost(costs: Mapping[str | None, Cost]) -> list[tuple[str, str]]:
    """Of all calls of models, those that failed and earlier attempts' too."""
    whole = summed(costs.values())
    return [("Cost", whole.words(tariff())), ("Tokens", whole.tokens)] if costs else []


def _missed(missed: dict[str, Any], zone: str) -> str:
    first, last = (view.exactly(clock.parse_iso(missed[key]), zone).words for key in ("from", "to"))
    return f"1 slot, {first}" if missed["count"] == 1 else f"{missed['count']} slots, {first} to {last}"


def _window(execution: Execution, zone: str) -> tuple[Moment, Moment] | None:
    if execution.window_since is None or execution.window_until is None:
        return None
    return view.exactly(execution.window_since, zone), view.exactly(execution.window_until, zone)


def _results(execution: Execution, drafts: Sequence[Draft], costs: Mapping[str | None, Cost]) -> list[Result]:
    by_id = {draft.id: draft for draft in drafts}
    shown = (execution.output or {}).get("results", [])
    return [
        _result(one, by_id.get(one.get("draftId") or ""), costs.get(one.get("platformId"))) for one in shown
    ]


def _result(one: dict[str, Any], draft: Draft | None, cost: Cost | None) -> Result:
    """The draft's text; a dry run, which stores no draft, keeps its text in the output."""
    content = one.get("content") or {}
    text = draft.content if draft else str(content.get("content") or "")
    return Result(
        platform=NAMES.get(one["platformType"], one["platformType"]),
        mark=MARKS["SUCCESS" if one["success"] else "FAILED"],
        error=one.get("error") or "",
        draft_id=draft.id if draft else None,
        title=draft.title if draft else str(content.get("title") or ""),
        content=text,
        tags=tuple(draft.tags if draft else content.get("tags") or ()),
        checks=tuple(draft.checks if draft else ()),
        given_back=int(one.get("givenBack") or 0),
        cost=f"{cost.words(tariff())}; tokens: {cost.tokens}" if cost else "",
    )
