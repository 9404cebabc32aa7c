"""What the page of one execution shows, finished for the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort
from flask_login import current_user
from sqlalchemy import and_, case, select
from sqlalchemy.orm import defer, joinedload

from blueprints import view
from blueprints.access import tariff
from blueprints.extensions import db
from blueprints.pages_attempts import AttemptPart, attempts_of
from blueprints.pages_cost import Cost, costs_of, summed
from blueprints.pages_fault import Fault, fault
from blueprints.pages_mail import MailLine, mails
from blueprints.pages_result import Result, results
from blueprints.pages_scan import Scanned, scanned
from blueprints.pages_truth import truth
from blueprints.pages_ways import Ways, neighbours, of
from blueprints.pages_ways import ways as around
from blueprints.view import Mark, Moment
from lib import clock
from models import LIVE, Execution, Job, Step
from models.values import Outcome, Status

RETRIABLE = (Status.FAILED, Status.TIMEOUT)
QUIET = (Outcome.NO_ACTIVITY, Outcome.NOT_SIGNIFICANT, Outcome.CANCELLED, Outcome.SKIPPED)


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
    can_retry: bool
    retry_words: str
    can_cancel: bool
    facts: tuple[tuple[str, Moment | str], ...]
    ways: Ways
    next_run: Moment | None
    attempts: tuple[AttemptPart, ...]
    scan: Scanned | None
    window: tuple[Moment, Moment] | None
    results: tuple[Result, ...]
    mails: tuple[MailLine, ...]


def load(execution_id: str) -> ExecutionPage:
    """The signed-in user's execution; 404 for one that is absent and one that is somebody else's."""
    query = select(Execution, *neighbours()).options(joinedload(Execution.job).joinedload(Job.project))
    mine = (Execution.id == execution_id) & (Execution.user_id == current_user.id)
    found = db.session.execute(query.where(mine)).one_or_none()
    if found is None:
        abort(404)
    return page(found[0], of(found[0], found[1:]))


def page(execution: Execution, ways: Ways | None = None) -> ExecutionPage:
    """`ways`: its neighbours, where they are known already."""
    job = db.session.get_one(Job, execution.job_id, options=[joinedload(Job.project)])
    zone, ways = job.timezone, ways or around(execution)
    steps, activity = _steps(execution)
    scan = scanned(activity, zone) if activity else None
    costs = costs_of([execution.id]).get(execution.id, {})
    written = results(execution, costs)
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
        truth=truth(execution, scan, steps, written, attempts),
        fault=fault(execution, steps, attempts, written, ways),
        can_retry=waits or _can_be_made_up_for(execution),
        retry_words=_retry_words(execution),
        can_cancel=is_live,
        facts=(*_facts(execution, zone), *_cost(costs)),
        ways=ways,
        next_run=_next_run(execution, zone),
        attempts=attempts,
        scan=scan,
        window=_window(execution, zone),
        results=written,
        # An execution is mailed about in the transaction that ends it.
        mails=() if is_live else tuple(mails(execution, zone)),
    )


def _steps(execution: Execution) -> tuple[list[Step], dict[str, Any] | None]:
    """All steps without their results, which may be large, and what the last scan found."""
    is_scan = and_(Step.name == "scan", Step.status == Status.COMPLETED)
    query = select(Step, case((is_scan, Step.result))).options(defer(Step.result))
    ordered = query.where(Step.execution_id == execution.id).order_by(Step.started_at, Step.id)
    rows = db.session.execute(ordered).all()
    scans = [result for _, result in rows if result is not None]
    return [step for step, _ in rows], scans[-1] if scans else None


def _can_be_made_up_for(execution: Execution) -> bool:
    failed = execution.outcome == Outcome.PARTIAL or execution.status in RETRIABLE
    return failed and not execution.dry_run


def _retry_words(execution: Execution) -> str:
    if execution.status == Status.RETRYING:
        return "Retry now"
    return "Retry failed platforms" if execution.outcome == Outcome.PARTIAL else "Retry"


def _next_run(execution: Execution, zone: str) -> Moment | None:
    """For what told nothing and did not fail: when the job looks again."""
    at = execution.job.next_run_at
    if execution.outcome not in QUIET or execution.dry_run or not execution.job.is_enabled or at is None:
        return None
    return view.upcoming(at, zone) if at > clock.now() else None


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
