"""One execution, the whole story on one page: begin, scan, write, record."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, and_, func, or_, select, update
from sqlalchemy.orm import Session

from lib import clock, zones
from lib.errors import OutsideError, sentence, stack_trace
from models import Attempt, Execution, Job, Platform, Project, Step
from models.values import ACTIVITY, POST, Activity, Brief, Post, Status, Voice
from pipeline import record, scan
from pipeline.adapters import Adapters, SetupError
from pipeline.bells import Bell
from pipeline.control import lacking
from pipeline.digest import digest
from pipeline.hold import Hold, LostError, beating
from pipeline.record import Fault, milliseconds
from pipeline.write import Briefs, TimeLimitError, Written, write_all
from platforms import PLATFORMS

log = logging.getLogger(__name__)


class NoPostError(OutsideError):
    """No platform succeeded."""


@dataclass
class Story:
    """What one attempt knows. `activity` and `posts` hold what earlier attempts stored, and what this one
    adds."""

    session: Session
    adapters: Adapters
    hold: Hold
    execution: Execution
    job: Job
    project: Project
    platforms: list[Platform]
    deadline: float
    pool: ThreadPoolExecutor
    activity: Activity | None = None
    posts: dict[str, Written] = field(default_factory=dict)
    results: list[Written] = field(default_factory=list)


def run(session: Session, execution_id: str, adapters: Adapters) -> list[Bell]:
    """Run one attempt of an execution that is due; whoever comes second finds nothing to do.

    No transaction is open while the outside is waited for: on SQLite it would keep everybody else from
    writing.
    """
    hold = _begin(session, execution_id)
    if hold is None:
        return []
    pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix=execution_id)
    try:
        with beating(_engine(session), hold):
            return _attempt(session, hold, adapters, pool)
    except LostError:
        session.rollback()
        log.info(
            "Execution %s was taken from attempt %d; nothing more is written.", execution_id, hold.attempt
        )
        return []
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine


def _begin(session: Session, execution_id: str) -> Hold | None:
    """Take the row: one winner. The attempt and its first step exist from here on."""
    now = clock.now()
    due = or_(
        Execution.status == Status.QUEUED,
        and_(Execution.status == Status.RETRYING, Execution.next_retry_at <= now),
    )
    with session.begin():
        taken = session.execute(
            update(Execution)
            .where(Execution.id == execution_id, due)
            .values(
                status=Status.RUNNING,
                attempt=Execution.attempt + 1,
                heartbeat_at=now,
                started_at=func.coalesce(Execution.started_at, now),
                next_retry_at=None,
            )
            .returning(Execution.attempt)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if taken is None:
            return None
        session.add(Attempt(execution_id=execution_id, number=taken, started_at=now))
    return Hold(execution_id, taken)


def _attempt(session: Session, hold: Hold, adapters: Adapters, pool: ThreadPoolExecutor) -> list[Bell]:
    """Scan, write, record; every failure but a lost hold ends on the row."""
    story: Story | None = None
    try:
        story = _load(session, hold, adapters, pool)
        story.activity = story.activity or _scan(story)
        if story.activity.has_activity:
            _write(story, story.activity)
        return record.complete(session, hold, story.activity, story.results, adapters.base_url)
    except LostError:
        raise
    except Exception as error:  # whatever it is, the row has to say it: a run never just vanishes
        if not isinstance(error, OutsideError):
            log.exception("Execution %s failed unexpectedly", hold.execution_id)
        session.rollback()
        known = (story.activity, story.results) if story else (None, [])
        return record.fail(session, hold, _fault(error), adapters.base_url, *known)


def _fault(error: Exception) -> Fault:
    outside = error if isinstance(error, OutsideError) else OutsideError("", permanent=False)
    return Fault(
        sentence(error),
        stack_trace(error),
        outside.permanent,
        outside.retry_after,
        Status.TIMEOUT if isinstance(error, TimeLimitError) else Status.FAILED,
    )


def _load(session: Session, hold: Hold, adapters: Adapters, pool: ThreadPoolExecutor) -> Story:
    """All rows that the run reads, in one transaction, with what earlier attempts stored."""
    with session.begin():
        hold.take(session)
        execution = session.get_one(Execution, hold.execution_id, populate_existing=True)
        job = session.get_one(Job, execution.job_id, populate_existing=True)
        project = session.get_one(Project, job.project_id, populate_existing=True)
        story = Story(
            session, adapters, hold, execution, job, project,
            platforms=_platforms(session, execution, job),
            deadline=time.monotonic() + job.time_limit,
            pool=pool,
        )  # fmt: skip
        _reuse(story)
        if story.activity is None:
            execution.cursor_at = job.cursor_until
            session.add(Step(execution_id=execution.id, attempt=hold.attempt, name="scan"))
    if not story.platforms:
        raise SetupError(
            "No platform is connected for this job: connect one in the project, or choose others."
        )
    return story


def _platforms(session: Session, execution: Execution, job: Job) -> list[Platform]:
    """The connected platforms that the job chose; a retry of single platforms writes for those that failed
    alone."""
    query = select(Platform).where(Platform.project_id == job.project_id, Platform.is_connected)
    chosen = None if job.platform_ids is None else set(job.platform_ids)
    if execution.retry_of and not execution.moves_cursor:
        failed = lacking(session, session.get_one(Execution, execution.retry_of))
        chosen = failed if chosen is None else chosen & failed
    rows = session.scalars(query.order_by(Platform.created_at, Platform.id))
    return [platform for platform in rows if chosen is None or platform.id in chosen]


def _reuse(story: Story) -> None:
    """Pick up the scan and the posts that earlier attempts of this execution stored: no call is paid
    twice."""
    steps = story.session.scalars(
        select(Step).where(Step.execution_id == story.execution.id, Step.status == Status.COMPLETED)
    )
    reused = []
    for step in steps:
        if step.name == "scan" and step.result is not None:
            story.activity = ACTIVITY.validate_python(step.result)
            reused.append("scan")
        elif step.name == "write" and step.result is not None and step.platform_id and step.platform_type:
            post: Post = POST.validate_python(step.result["post"])
            story.posts[step.platform_id] = Written(
                step.platform_id, step.platform_type, post, tuple(step.result["checks"]), reused=True
            )
            reused.append(f"write:{step.platform_id}")
    if reused:
        story.session.execute(
            update(Attempt)
            .where(Attempt.execution_id == story.hold.execution_id, Attempt.number == story.hold.attempt)
            .values(reused=reused)
        )


def _scan(story: Story) -> Activity:
    """Read the window in a thread, so that the time limit holds, and store what was read."""
    plan = scan.WindowPlan(story.job, story.execution)
    source = story.adapters.source(story.project)
    story.pool.submit(story.adapters.writer.prepare)
    future = story.pool.submit(scan.read, source, plan, _engine(story.session), story.job.id)
    try:
        activity = future.result(timeout=max(0.0, story.deadline - time.monotonic()))
    except TimeoutError:
        raise TimeLimitError(
            "The run took longer than the job's time limit while the repository was read."
        ) from None
    window = activity.window
    with story.session.begin():
        story.hold.take(
            story.session,
            window_since=window.since,
            window_until=window.until,
            window_base=window.base,
            window_head=window.head,
            summary=activity.summary,
        )
        _end_step(story, "scan", None, result=ACTIVITY.dump_python(activity, mode="json"))
    return activity


def _write(story: Story, activity: Activity) -> None:
    """Write what is missing; each result is stored when it ends."""
    wanted = {platform.id: platform for platform in story.platforms}
    story.results = [done for platform_id, done in story.posts.items() if platform_id in wanted]
    missing = [platform for platform in story.platforms if platform.id not in story.posts]
    briefs = _briefs(story, activity, missing)
    with story.session.begin():
        story.hold.take(story.session)
        story.session.add_all(
            Step(
                execution_id=story.hold.execution_id, attempt=story.hold.attempt, name="write",
                platform_id=platform.id, platform_type=platform.type,
            )
            for platform in missing
        )  # fmt: skip
    for written in write_all(
        story.adapters.writer, briefs, story.pool, story.deadline,
        patience=story.adapters.patience, succeeded=bool(story.results),
    ):  # fmt: skip
        _store(story, written)
        story.results.append(written)
    order = list(wanted)
    story.results.sort(key=lambda written: order.index(written.platform_id))
    if all(written.failure for written in story.results):
        raise _nothing_written(story.results)


def _briefs(story: Story, activity: Activity, platforms: list[Platform]) -> Briefs:
    told = digest(activity, cadence=story.job.frequency.lower(), zone=zones.zone(story.job.timezone))
    voice = Voice(**{key: str(value) for key, value in story.project.voice.items() if key in Voice.__slots__})
    return {
        platform.id: Brief(told, PLATFORMS[platform.type].rules, story.project.name, voice)
        for platform in platforms
    }


def _store(story: Story, written: Written) -> None:
    result: dict[str, Any] | None = None
    if written.post is not None:
        result = {"post": POST.dump_python(written.post, mode="json"), "checks": list(written.checks)}
    with story.session.begin():
        story.hold.take(story.session)
        _end_step(story, "write", written, result=result)


def _end_step(story: Story, name: str, written: Written | None, result: dict[str, Any] | None) -> None:
    failure = written.failure if written else None
    step = story.session.scalars(
        select(Step).where(
            Step.execution_id == story.hold.execution_id,
            Step.attempt == story.hold.attempt,
            Step.name == name,
            Step.platform_id == (written.platform_id if written else None),
        )
    ).one()
    now = clock.now()
    step.status = Status.FAILED if failure else Status.COMPLETED
    step.completed_at, step.duration, step.result = now, milliseconds(now - step.started_at), result
    if failure:
        step.error, step.stack_trace = failure.message, failure.stack_trace
        step.permanent, step.retry_after = failure.permanent, failure.retry_after


def _nothing_written(results: Sequence[Written]) -> NoPostError:
    """The attempt's error: it may pass if one of the platforms' errors may, at the earliest time that all
    named."""
    failures = [written.failure for written in results if written.failure]
    names = [PLATFORMS[written.platform_type].rules.name for written in results]
    said = {failure.message for failure in failures}
    if len(said) == 1:
        text = said.pop()
    else:
        text = "; ".join(f"{name}: {failure.message}" for name, failure in zip(names, failures, strict=True))
    passing = [failure for failure in failures if not failure.permanent]
    waits = [failure.retry_after for failure in passing]
    named = min((w for w in waits if w is not None), default=None) if None not in waits else None
    return NoPostError(f"No post could be written: {text}", permanent=not passing, retry_after=named)
