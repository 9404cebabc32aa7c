"""What the dashboard and the job page show of a job, finished for the templates."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, select, union_all
from sqlalchemy.orm import joinedload

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_newest import EDGE, LIST_COLUMNS, NONE, RECENT, Newest, newest
from blueprints.pages_skipped import (
    Left,
    Skipped,
    by_reason,
    in_short,
    line,
    skipped_among,
    skipped_ids,
    skipped_rows,
)
from blueprints.view import MARKS, Mark, Moment
from lib import clock
from lib.words import plural
from models import LIVE, Execution, Job, Project, unended
from models.values import Status
from pipeline import jobs
from pipeline.remedies import Remedy, remedy_for
from pipeline.schedule import Schedule
from pipeline.significance import CARRIED_MAX


@dataclass(frozen=True, slots=True)
class Run:
    """One execution as a line of a list. `note` says why, where there is a reason; `missed`, which slots it
    stands for where it stands for several."""

    id: str
    mark: Mark
    when: Moment
    duration: str
    platforms: str
    note: str
    missed: Skipped | None
    trigger: str
    summary: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    rate: str
    average: str
    runs: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a job waits or failed, and the execution at which it can be mended. `until` is None where it waits
    for a worker alone, `remedy` where nothing is to be mended first."""

    tone: str
    sentence: str
    execution_id: str
    until: Moment | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """`why` goes on a sentence: `its last 5 runs failed`. `until` is when a pause by hand ends by itself."""

    since: Moment | None
    why: str
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What came in since then was too little for a post; `until` is when it is told in any case."""

    since: Moment
    until: Moment


@dataclass(frozen=True, slots=True)
class Card:
    """`no_next` says why there is no next run, where there is none; `not_run` sums up what `skipped` lists by
    reason, with the newest one's."""

    id: str
    project_id: str
    project: str
    name: str
    words: str
    state: str
    mark: Mark
    is_enabled: bool
    live_id: str | None
    next: Moment | None
    no_next: str
    paused: Pause | None
    recent: tuple[Run, ...]
    skipped: tuple[Skipped, ...]
    not_run: Skipped | None
    statistics: Statistics
    trouble: Trouble | None
    carried: Carried | None
    bars: Markup

    @property
    def is_live(self) -> bool:
        return self.live_id is not None


def cards_of(project: Project) -> list[Card]:
    """All jobs of one project, in five queries."""
    rows = jobs_with_edges(Job.project_id == project.id)
    return chosen(rows, live(Job.project_id == project.id))


def jobs_with_edges(which: ColumnElement[bool]) -> list[tuple[Job, str | None]]:
    """By name, with their projects."""
    query = select(Job, EDGE).options(joinedload(Job.project)).where(which).order_by(Job.name, Job.id)
    return [(job, edge) for job, edge in db.session.execute(query)]


def chosen(rows: Sequence[tuple[Job, str | None]], live: Mapping[str, Execution]) -> list[Card]:
    """Some jobs' cards in the order given, in one query, and two more where there is news; `live` by job."""
    if not rows:
        return []
    skipped = skipped_rows(Job.id.in_([job.id for job, _ in rows]))
    latest = newest(rows, live)
    return [
        _card(job, live.get(job.id), latest.get(job.id, NONE), skipped.get(job.id, [])) for job, _ in rows
    ]


def card(job: Job, *, is_drawn: bool = True) -> Card:
    """One job's card, afresh, in one query; `is_drawn`: with its bars, which are looked up in up to three."""
    first = select(Execution.id).where(Execution.job_id == job.id)
    first = first.order_by(Execution.created_at.desc(), Execution.id.desc()).limit(RECENT)
    living = select(Execution.id).where(Execution.job_id == job.id, unended(Execution))
    told = union_all(select(first.subquery().c.id), living, skipped_ids(job))
    query = (
        select(Execution)
        .options(LIST_COLUMNS)
        .where(Execution.id.in_(told))
        .order_by(Execution.created_at.desc(), Execution.id.desc())
        .execution_options(populate_existing=True)
    )
    rows = db.session.scalars(query).all()
    alive = next((row for row in rows if row.status in LIVE), None)
    latest = Newest(tuple(rows[:RECENT]), NONE.bars)
    if is_drawn:
        edge = db.session.scalar(select(EDGE).where(Job.id == job.id))
        latest = newest([(job, edge)], {job.id: alive} if alive else {}).get(job.id, NONE)
    return _card(job, alive, latest, skipped_among(rows))


def live(which: ColumnElement[bool]) -> dict[str, Execution]:
    """The live execution of each job that has one."""
    query = select(Execution).options(LIST_COLUMNS).join(Job, Execution.job_id == Job.id)
    rows = db.session.scalars(
        query.where(which, unended(Execution)).execution_options(populate_existing=True)
    )
    return {execution.job_id: execution for execution in rows}


def _card(job: Job, live: Execution | None, latest: Newest, skipped: Sequence[Left]) -> Card:
    state = jobs.status_of(job, live)
    return Card(
        id=job.id,
        project_id=job.project_id,
        project=job.project.name,
        name=job.name,
        words=view.schedule(_words(job.frequency, json.dumps(job.time_config))),
        state=state,
        mark=mark_of_job(job, state),
        is_enabled=job.is_enabled,
        live_id=live.id if live else None,
        next=view.upcoming(job.next_run_at, job.timezone) if job.next_run_at else None,
        no_next="" if job.next_run_at else "Not while paused" if is_paused(job) else "Not while disabled",
        paused=_pause(job),
        recent=tuple(run(execution, job.timezone) for execution in latest.rows),
        skipped=by_reason(skipped, job.timezone),
        not_run=in_short(skipped, job.timezone),
        statistics=statistics(job),
        trouble=trouble(job, live, latest.rows),
        carried=_carried(job),
        bars=latest.bars,
    )


@lru_cache(maxsize=1024)
def _words(frequency: str, time_config: str) -> str:
    """The schedule's, which nearly always are those of the last time."""
    return Schedule.parse(frequency, json.loads(time_config)).words()


def is_paused(job: Job) -> bool:
    """Whether no slot comes; it may be running by hand nevertheless."""
    return jobs.is_paused(job)


def _pause(job: Job) -> Pause | None:
    if not is_paused(job):
        return None
    if job.paused_at is None:
        return Pause(None, "", view.dated(job.paused_until, job.timezone)) if job.paused_until else None
    failed = max(job.failures_in_row, 1)
    why = "its last run failed" if failed == 1 else f"its last {failed} runs failed"
    return Pause(view.dated(job.paused_at, job.timezone), why)


def _carried(job: Job) -> Carried | None:
    if job.carried_since is None or job.cursor_until is None:
        return None
    ends = job.carried_since + CARRIED_MAX
    return Carried(view.dated(job.cursor_until, job.timezone), view.dated(ends, job.timezone))


def mark_of_job(job: Job, state: str) -> Mark:
    return view.IDLE_AFTER_FAILURE if state == "IDLE" and failed_last(job) else MARKS[state]


def failed_last(job: Job) -> bool:
    """Whether the newest run that counts was a failure."""
    if job.last_failure is None:
        return False
    return job.last_success is None or job.last_failure > job.last_success


def _percent(part: int, whole: int) -> int:
    """Rounded, yet 100 only when nothing failed."""
    return 100 if part == whole else min(99, round(100 * part / whole))


def statistics(job: Job) -> Statistics:
    counted = job.success_count + job.failure_count
    rate = (
        f"{_percent(job.success_count, counted)}% ({job.success_count}/{counted})"
        if counted
        else "No run yet"
    )
    average = view.duration(job.total_duration // job.success_count) if job.success_count else "–"
    return Statistics(rate, average, job.run_count)


def trouble(job: Job, live: Execution | None, recent: Iterable[Any]) -> Trouble | None:
    """What waits says until when; what failed says why."""
    if live is not None and live.status == Status.RETRYING:
        return _waiting(live, job)
    if live is None and failed_last(job):
        failed = next((e for e in recent if e.status in (Status.FAILED, Status.TIMEOUT)), None)
        if failed is not None and failed.error:
            return Trouble("bad", failed.error, failed.id, remedy=remedy_for(failed.error_code, job))
    return None


def _waiting(live: Execution, job: Job) -> Trouble:
    """It waits for its time after a failure; for a worker alone when that has come, or when the worker that
    ran it stopped and handed it on."""
    if live.next_retry_at is not None and live.next_retry_at > clock.now():
        until = view.upcoming(live.next_retry_at, job.timezone)
        error = (live.error or "").rstrip(".")
        return Trouble(
            "warn",
            f"Attempt {live.attempt} failed: {error}.",
            live.id,
            until,
            remedy_for(live.error_code, job),
        )
    if live.error:
        return Trouble("warn", f"{WORKER_FREE} {view.DID_NOT} {live.error}", live.id)
    return Trouble("live", f"The worker that ran it stopped. {WORKER_FREE}", live.id)


WORKER_FREE = "It goes on as soon as a worker is free."


def run(execution: Any, zone_name: str) -> Run:
    """Of an execution, or of its `LISTED` columns."""
    at = execution.started_at or execution.scheduled_for or execution.created_at
    is_live = execution.status in LIVE
    processed = execution.items_processed
    return Run(
        id=execution.id,
        mark=view.mark_of(execution),
        when=view.listed(at, zone_name),
        duration="" if execution.duration is None or is_live else view.duration(execution.duration),
        platforms=f"{execution.items_success}/{processed} platforms" if processed and not is_live else "",
        note=_note(execution),
        missed=_missed(execution, at, zone_name),
        trigger=view.TRIGGERS.get(execution.triggered_by, execution.triggered_by)
        + (", dry run" if execution.dry_run else ""),
        summary=execution.summary or "",
        is_live=is_live,
    )


def _note(execution: Any) -> str:
    """Why it ended as it did, or what it waits for; empty for a success. What was cancelled may have failed
    before, which is not why it ended."""
    if execution.status == Status.CANCELLED:
        return execution.reason or ""
    return execution.error or view.sentence(execution.reason or "")


def _missed(execution: Any, at: datetime, zone_name: str) -> Skipped | None:
    """Its own line tells when it was due; several slots need both their ends."""
    several = execution.missed is not None and execution.missed["count"] > 1
    return line(at, execution.missed, "", zone_name) if several else None


def truth_of(rows: Sequence[Job], live: Iterable[Execution]) -> str:
    """One sentence about all jobs: how many, when the next one runs, what needs attention."""
    next_at = min((job.next_run_at for job in rows if job.next_run_at), default=None)
    bad = sum(failed_last(job) and not is_paused(job) for job in rows)
    running = Counter(execution.status for execution in live)
    return _truth(len(rows), next_at, running, sum(map(is_paused, rows)), bad)


def _truth(total: int, next_at: datetime | None, live: Mapping[str, int], paused: int, bad: int) -> str:
    if not total:
        return "No job yet: connect a repository, then schedule its first post."
    parts = [plural(total, "job")]
    if next_at is None:
        parts.append("none is scheduled")
    else:
        parts.append("next due now" if next_at <= clock.now() else f"next {view.relative(next_at)}")
    parts += [f"{live[status]} {words}" for status, words in _LIVE_WORDS.items() if status in live]
    if paused:
        parts.append(f"{paused} {'is' if paused == 1 else 'are'} paused")
    if bad:
        parts.append(f"{bad} {'needs' if bad == 1 else 'need'} you")
    return ", ".join(parts) + "."


_LIVE_WORDS = {Status.RUNNING: "running", Status.QUEUED: "queued", Status.RETRYING: "waiting to retry"}
