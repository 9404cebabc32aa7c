"""One execution, the whole story on one page: take, scan, write, record."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from lib import clock, zones
from lib.errors import OutsideError, sentence, stack_trace
from models import Attempt, Execution, Job, Platform, Project, Step, origins
from models.base import AWAY, may_pass, table
from models.values import ACTIVITY, POST, Activity, Brief, Post, Status, Voice
from pipeline import record, scan
from pipeline.adapters import Adapters, SetupError
from pipeline.bells import Bell
from pipeline.claim import due
from pipeline.control import lacking
from pipeline.digest import digest
from pipeline.hold import Heart, Hold, LostError, StoppedError
from pipeline.record import Fault, milliseconds
from pipeline.write import Briefs, TimeLimitError, Written, soonest, write_all
from platforms import PLATFORMS

log = logging.getLogger(__name__)
CALLS = 8
"""Calls to the outside that one run may have under way, with those that nobody waits for any more."""

# Built once: building a statement costs more than running it.
_execution, _step, _attempts = table(Execution), table(Step), table(Attempt)
_NOW = bindparam("now", type_=_execution.c.started_at.type)
_CURSOR = select(Job.cursor_until).where(Job.id == _execution.c.job_id).scalar_subquery()
_TAKE = (
    update(_execution)
    .where(_execution.c.status.in_(origins(Status.RUNNING)), due(_execution.c, _NOW))
    .values(
        status=Status.RUNNING,
        attempt=_execution.c.attempt + 1,
        heartbeat_at=_NOW,
        started_at=func.coalesce(_execution.c.started_at, _NOW),
        next_retry_at=None,
        cursor_at=case((_execution.c.window_until.is_(None), _CURSOR), else_=_execution.c.cursor_at),
    )
    .returning(_execution.c.id, _execution.c.attempt)
)
_other = _execution.alias("waiting")
_LONGEST = (
    select(_other.c.id)
    .where(due(_other.c, _NOW))
    .order_by(_other.c.created_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKE_ONE = _TAKE.where(_execution.c.id == bindparam("wanted"))
_TAKE_NEXT = _TAKE.where(_execution.c.id == _LONGEST)
_LOAD = (
    select(Execution, Job, Project)
    .join(Job, Job.id == Execution.job_id)
    .join(Project, Project.id == Job.project_id)
    .where(Execution.id == bindparam("wanted"))
    .execution_options(populate_existing=True)
)
_CONNECTED = (
    select(Platform)
    .where(Platform.project_id == bindparam("project"), Platform.is_connected)
    .order_by(Platform.created_at, Platform.id)
)
# Without values(): the columns to set are those of the parameters.
_END_SCAN = update(_step).where(
    _step.c.execution_id == bindparam("of"), _step.c.attempt == bindparam("tried"), _step.c.name == "scan"
)
_END_WRITE = update(_step).where(
    _step.c.execution_id == bindparam("of"),
    _step.c.attempt == bindparam("tried"),
    _step.c.name == "write",
    _step.c.platform_id == bindparam("on"),
)


_FORGET_STEPS = delete(_step).where(
    _step.c.execution_id == bindparam("of"),
    _step.c.attempt == bindparam("tried"),
    _step.c.name == bindparam("called"),
)


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
    pool: ThreadPoolExecutor
    writing_since: datetime
    began: float = field(default_factory=time.monotonic)
    activity: Activity | None = None
    posts: dict[str, Written] = field(default_factory=dict)
    results: list[Written] = field(default_factory=list)

    def left(self) -> float:
        """Seconds until the time limit; what the database took does not count."""
        return self.began + self.job.time_limit + self.hold.waited - time.monotonic()

    @property
    def missing(self) -> list[Platform]:
        """The platforms whose posts are still to be written."""
        if self.activity is None or not self.activity.has_activity:
            return []
        return [platform for platform in self.platforms if platform.id not in self.posts]


def run(session: Session, execution_id: str, adapters: Adapters, heart: Heart | None = None) -> list[Bell]:
    """Run one attempt of this execution if it is due; whoever comes second finds nothing to do."""
    with session.begin():
        hold = _begin(session.connection(), _TAKE_ONE, wanted=execution_id)
    if hold is None:
        return []
    pool = ThreadPoolExecutor(CALLS, thread_name_prefix=execution_id)
    try:
        return carry(session, hold, adapters, heart or Heart(_engine(session)), pool)
    finally:
        pool.shutdown(wait=False)


def take_next(session: Session) -> Hold | None:
    """Take the execution that waits longest, if one is due: one winner each, with any number of takers."""
    with session.begin():
        return _begin(session.connection(), _TAKE_NEXT)


def carry(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Run the attempt that was taken, to its end on the row. Calls to the outside are made in `pool`.

    No transaction is open while the outside is waited for: on SQLite it would keep everybody else from
    writing. So the run has a session of its own, whose rows nobody else can expire or hold.
    """
    try:
        with heart.beating(hold), Session(_engine(session), expire_on_commit=False) as own:
            return _attempt(own, hold, adapters, heart, pool)
    except LostError:
        log.info("Attempt %d of %s was taken away; it writes nothing more.", hold.attempt, hold.execution_id)
        return []
    except AWAY:
        log.exception("The database did not take %s; it is recovered from what is stored.", hold.execution_id)
        return []
    finally:
        hold.end(LostError())  # whoever still works for it stops


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    return bind if isinstance(bind, Engine) else bind.engine


def _begin(connection: Connection, take: Any, **more: str) -> Hold | None:
    """Take the row: one winner. The attempt exists from here on."""
    now = clock.now()
    taken = connection.execute(take, {"now": now, **more}).one_or_none()
    if taken is None:
        return None
    connection.execute(
        insert(_attempts), {"execution_id": taken.id, "number": taken.attempt, "started_at": now}
    )
    return Hold(taken.id, taken.attempt, now)


def _attempt(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Scan, write, record; every failure but a lost hold and a lost database ends on the row."""
    story: Story | None = None
    try:
        story = _load(session, hold, adapters, pool)
        _go_on(heart)
        activity = story.activity or _scan(story)
        if story.missing:
            _go_on(heart)
        _write(story, activity)
        return record.complete(session, hold, story.execution, activity, story.results, adapters.base_url)
    except LostError:
        raise
    except StoppedError:
        return record.hand_back(session, hold)
    except Exception as error:  # whatever it is, the row has to say it: a run never just vanishes
        if may_pass(error):
            raise
        if not isinstance(error, OutsideError):
            log.exception("Execution %s failed unexpectedly", hold.execution_id)
        session.rollback()
        known = (story.activity, story.results) if story else (None, [])
        return record.fail(session, hold, _fault(error), adapters.base_url, *known)


def _go_on(heart: Heart) -> None:
    """Begin nothing long in a worker that was asked to stop."""
    if heart.stopping.is_set():
        raise StoppedError


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

    def read(connection: Connection) -> Story:
        hold.take(connection)
        execution, job, project = session.execute(_LOAD, {"wanted": hold.execution_id}).one()
        story = Story(
            session, adapters, hold, execution, job, project,
            platforms=_platforms(session, execution, job),
            pool=pool, writing_since=clock.now(),
        )  # fmt: skip
        if hold.attempt > 1 or execution.retry_of:
            _reuse(story, connection)
        if story.activity is None:
            _open_steps(story, connection, "scan", {"platform_id": None, "platform_type": None})
        else:
            _open_writes(story, connection)
        return story

    story = hold.store(session, read)
    # A transaction that the database refuses would expire them, and to read one then would open another.
    session.expunge_all()
    if not story.platforms:
        raise SetupError(
            "No platform is connected for this job: connect one in the project, or choose others."
        )
    return story


def _platforms(session: Session, execution: Execution, job: Job) -> list[Platform]:
    """The connected platforms that the job chose; a retry of single platforms writes for those that failed
    alone."""
    chosen = None if job.platform_ids is None else set(job.platform_ids)
    if execution.retry_of and not execution.moves_cursor:
        failed = lacking(session, session.get_one(Execution, execution.retry_of))
        chosen = failed if chosen is None else chosen & failed
    rows = session.scalars(_CONNECTED, {"project": job.project_id})
    return [platform for platform in rows if chosen is None or platform.id in chosen]


def _reuse(story: Story, connection: Connection) -> None:
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
        this = (_attempts.c.execution_id == story.hold.execution_id) & (
            _attempts.c.number == story.hold.attempt
        )
        connection.execute(update(_attempts).where(this).values(reused=reused))


def _open_steps(story: Story, connection: Connection, name: str, *steps: dict[str, Any]) -> None:
    """Begin them once, also where the database took a transaction and its yes was lost on the way."""
    hold = story.hold
    if name in hold.opened:
        connection.execute(_FORGET_STEPS, _which(story) | {"called": name})
    hold.opened.add(name)
    common = {"execution_id": hold.execution_id, "attempt": hold.attempt, "name": name}
    connection.execute(insert(_step), [common | {"started_at": clock.now()} | step for step in steps])


def _open_writes(story: Story, connection: Connection) -> None:
    """The platforms' steps begin where the scan's ends, in one transaction."""
    story.writing_since = clock.now()
    if missing := story.missing:
        named = [{"platform_id": p.id, "platform_type": p.type} for p in missing]
        _open_steps(story, connection, "write", *named)


def _scan(story: Story) -> Activity:
    """Read the window in a thread, so that the time limit holds, and store what was read."""
    began = clock.now()
    plan = scan.WindowPlan(story.job, story.execution)
    source = story.adapters.source(story.project)
    story.pool.submit(story.adapters.writer.prepare)
    look_up = partial(scan.told_before_elsewhere, _engine(story.session), story.job.id, story.hold.patiently)
    future = story.pool.submit(scan.read, source, plan, look_up)
    if not soonest({future}, story.left(), story.hold.ended):
        future.cancel()
        raise TimeLimitError("The run took longer than the job's time limit while the repository was read.")
    story.activity = activity = future.result()
    story.hold.store(story.session, lambda connection: _store_scan(story, connection, activity, began))
    return activity


def _store_scan(story: Story, connection: Connection, activity: Activity, began: datetime) -> None:
    window, now = activity.window, clock.now()
    found = {
        "window_since": window.since,
        "window_until": window.until,
        "window_base": window.base,
        "window_head": window.head,
        "summary": activity.summary,
    }
    story.hold.take(connection, **found)
    result = ACTIVITY.dump_python(activity, mode="json")
    connection.execute(_END_SCAN, _which(story) | _ended(Status.COMPLETED, began, now) | {"result": result})
    _open_writes(story, connection)


def _which(story: Story) -> dict[str, Any]:
    return {"of": story.hold.execution_id, "tried": story.hold.attempt}


def _ended(status: Status, began: datetime, now: datetime) -> dict[str, Any]:
    return {"status": status, "completed_at": now, "duration": milliseconds(now - began)}


def _write(story: Story, activity: Activity) -> None:
    """Write what is missing; each result is stored when it ends."""
    if not activity.has_activity:
        return
    wanted = {platform.id: platform for platform in story.platforms}
    story.results = [done for platform_id, done in story.posts.items() if platform_id in wanted]
    for batch in write_all(
        story.adapters.writer, _briefs(story, activity), story.pool, story.left, story.hold.ended,
        before_each=partial(story.hold.prove, _engine(story.session)),
        patience=story.adapters.patience, succeeded=bool(story.results),
    ):  # fmt: skip
        _store_posts(story, batch)
        story.results += batch
    order = list(wanted)
    story.results.sort(key=lambda written: order.index(written.platform_id))
    if all(written.failure for written in story.results):
        raise _nothing_written(story.results)


def _briefs(story: Story, activity: Activity) -> Briefs:
    told = digest(activity, cadence=story.job.frequency.lower(), zone=zones.zone(story.job.timezone))
    voice = Voice(**{key: str(value) for key, value in story.project.voice.items() if key in Voice.__slots__})
    return {
        platform.id: Brief(told, PLATFORMS[platform.type].rules, story.project.name, voice)
        for platform in story.missing
    }


def _store_posts(story: Story, batch: Sequence[Written]) -> None:
    now = clock.now()
    rows = [_which(story) | {"on": w.platform_id} | _outcome(w, story.writing_since, now) for w in batch]

    def store(connection: Connection) -> None:
        story.hold.take(connection)
        connection.execute(_END_WRITE, rows)

    story.hold.store(story.session, store)


def _outcome(written: Written, began: datetime, now: datetime) -> dict[str, Any]:
    result, failure = None, written.failure
    if written.post is not None:
        result = {"post": POST.dump_python(written.post, mode="json"), "checks": list(written.checks)}
    return _ended(Status.FAILED if failure else Status.COMPLETED, began, now) | {
        "result": result,
        "error": failure.message if failure else None,
        "stack_trace": failure.stack_trace if failure else None,
        "permanent": failure.permanent if failure else None,
        "retry_after": failure.retry_after if failure else None,
    }


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
