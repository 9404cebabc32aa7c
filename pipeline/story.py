"""What one attempt knows, and the rows of its steps: read once at its beginning, written as they end."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from lib import clock
from lib.codes import Code
from models import Attempt, Execution, GivenBack, HeldBack, Job, Platform, Project, Step
from models.base import table
from models.values import ACTIVITY, POST, Activity, Post, Status
from pipeline import givenback, projects
from pipeline.adapters import Adapters, SetupError
from pipeline.control import by_itself, lacking
from pipeline.earlier import earlier_titles
from pipeline.hold import Hold, LostError
from pipeline.privacy import Wishes, leave_out
from pipeline.purse import Purse
from pipeline.record import milliseconds
from pipeline.write import Written
from writers.base import Writer

# Built once: building a statement costs more than running it.
_step, _attempts = table(Step), table(Attempt)
_LOAD = (
    select(
        *(Execution, Job, Project),
        exists().where(HeldBack.job_id == Execution.job_id),
        exists().where(GivenBack.job_id == Execution.job_id),
    )
    .join(Job, Job.id == Execution.job_id)
    .join(Project, Project.id == Job.project_id)
    .where(
        Execution.id == bindparam("wanted"),
        Execution.attempt == bindparam("tried"),
        Execution.status == Status.RUNNING,
    )
    .with_for_update(of=Execution, key_share=True)
    .execution_options(populate_existing=True)
)
_CONNECTED = (
    select(Platform)
    .where(Platform.project_id == bindparam("project"), Platform.is_connected)
    .order_by(Platform.created_at, Platform.id)
)
_OF_THIS = (_step.c.execution_id == bindparam("of")) & (_step.c.attempt == bindparam("tried"))
# Without values(): the columns to set are those of the parameters.
_END_SCAN = update(_step).where(_OF_THIS, _step.c.name == "scan")
_END_WRITE = update(_step).where(_OF_THIS, _step.c.name == "write", _step.c.platform_id == bindparam("on"))
_BEGIN_STEPS = insert(_step)
_BEGIN_STEP = _BEGIN_STEPS.inline()  # nobody asks for its id
_FORGET_STEPS = delete(_step).where(_OF_THIS, _step.c.name == bindparam("called"))
_FORGET_WRITES = delete(_step).where(
    _OF_THIS, _step.c.name == "write", _step.c.platform_id.in_(bindparam("these", expanding=True))
)


@dataclass
class Story:
    """What one attempt knows. `keeps`: the job holds something back. `by_itself`: nobody pressed a button for
    it. `given`: what the platforms' posts tell that was given back to them. `activity` and `posts` hold what
    earlier attempts stored, and what this one adds; `unstored` stores what the scan found, where that has not
    been done yet. `too_little` says why nothing is written, where what was
    read is not worth it. `titles` are those that are used up, by platform."""

    session: Session
    adapters: Adapters
    hold: Hold
    execution: Execution
    job: Job
    project: Project
    keeps: bool
    by_itself: bool
    platforms: list[Platform]
    pool: ThreadPoolExecutor
    purse: Purse
    writing_since: datetime
    began: float = field(default_factory=time.monotonic)
    activity: Activity | None = None
    unstored: Callable[[Connection], None] | None = None
    posts: dict[str, Written] = field(default_factory=dict)
    titles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    given: dict[str, Activity] = field(default_factory=dict)
    results: list[Written] = field(default_factory=list)
    too_little: str | None = None

    @property
    def writer(self) -> Writer:
        """Raises SetupError."""
        return self.adapters.writer_for(self.job)

    def left(self) -> float:
        """Seconds until the time limit; what the database took does not count."""
        return self.began + self.job.time_limit + self.hold.waited - time.monotonic()

    @property
    def missing(self) -> list[Platform]:
        """The platforms whose posts are still to be written."""
        if self.activity is None:
            return []
        some = self.activity.has_activity
        return [p for p in self.platforms if p.id not in self.posts and (some or p.id in self.given)]


def load(session: Session, hold: Hold, adapters: Adapters, pool: ThreadPoolExecutor) -> Story:
    """All rows that the run reads, in one transaction, with what earlier attempts stored."""

    def read(connection: Connection) -> Story:
        # Proves the hold as a write of it would, which the take has just made.
        wanted = {"wanted": hold.execution_id, "tried": hold.attempt}
        found = session.execute(_LOAD, wanted).one_or_none()
        if found is None:
            raise LostError
        execution, job, project, keeps, gives = found
        story = Story(
            session, adapters, hold, execution, job, project, keeps, by_itself(session, execution),
            platforms=_platforms(session, execution, job),
            pool=pool, purse=Purse(adapters.tariff, project.id, execution.id), writing_since=clock.now(),
        )  # fmt: skip
        if gives:
            story.given = givenback.waiting(session, job.id)
        if hold.attempt > 1 or execution.retry_of:
            _reuse(story, connection)
        if story.activity is None:
            _open_steps(story, connection, "scan", {"platform_id": None, "platform_type": None})
            _keep_titles(story, connection, story.platforms)
        else:
            _open_writes(story, connection)
            _keep_titles(story, connection, story.missing)
        return story

    story = hold.store(session, read)
    # A transaction that the database refuses would expire them, and to read one then would open another.
    session.expunge_all()
    if not story.platforms:
        raise SetupError(
            "No platform is connected for this job: connect one in the project, or choose others.",
            Code.NO_PLATFORM,
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
    done = select(Step).where(Step.execution_id == story.execution.id, Step.status == Status.COMPLETED)
    steps = story.session.scalars(done.order_by(Step.id))
    reused = []
    for step in steps:
        if step.name == "scan" and step.result is not None:
            story.activity = still_told(ACTIVITY.validate_python(step.result), story.project)
            reused.append("scan")
        elif step.name == "write" and step.result is not None and step.platform_id and step.platform_type:
            post: Post = POST.validate_python(step.result["post"])
            story.posts[step.platform_id] = Written(
                step.platform_id, step.platform_type, post, tuple(step.result["checks"]), reused=True
            )
            # What came back after it was written is not in it.
            story.given.pop(step.platform_id, None)
            if given := givenback.read(step.result):
                story.given[step.platform_id] = given
            reused.append(f"write:{step.platform_id}")
    if reused:
        this = (_attempts.c.execution_id == story.hold.execution_id) & (
            _attempts.c.number == story.hold.attempt
        )
        connection.execute(update(_attempts).where(this).values(reused=reused))


def still_told(stored: Activity, project: Project) -> Activity:
    """What was stored, without what the user has come to withhold since then: that is not told either."""
    wishes = Wishes.of(project.withhold)
    return leave_out(stored, wishes.words, wishes.paths)


def _open_steps(story: Story, connection: Connection, name: str, *steps: dict[str, Any]) -> None:
    """Begin them once, also where the database took a transaction and its yes was lost on the way."""
    hold = story.hold
    if name in hold.opened:
        connection.execute(_FORGET_STEPS, _which(story) | {"called": name})
    hold.opened.add(name)
    common = {"execution_id": hold.execution_id, "attempt": hold.attempt, "name": name}
    rows = [common | {"started_at": clock.now()} | step for step in steps]
    connection.execute(_BEGIN_STEP if len(rows) == 1 else _BEGIN_STEPS, rows)


def _keep_titles(story: Story, connection: Connection, platforms: Sequence[Platform]) -> None:
    """What their writers have to know of earlier posts."""
    if platforms:
        story.titles = earlier_titles(connection, story.job.id, [platform.id for platform in platforms])


def _open_writes(story: Story, connection: Connection) -> None:
    """The platforms' steps begin where the scan's ends, in one transaction."""
    story.writing_since = clock.now()
    if missing := story.missing:
        named = [{"platform_id": p.id, "platform_type": p.type} for p in missing]
        _open_steps(story, connection, "write", *named)


def end_scan(
    story: Story, connection: Connection, activity: Activity, began: datetime, ended: datetime
) -> None:
    window = activity.window
    found = {
        "window_since": window.since,
        "window_until": window.until,
        "window_base": window.base,
        "window_head": window.head,
        "summary": activity.summary,
    }
    story.hold.take(connection, **found)
    result = ACTIVITY.dump_python(activity, mode="json")
    connection.execute(_END_SCAN, _which(story) | _ended(Status.COMPLETED, began, ended) | {"result": result})
    _open_writes(story, connection)
    if activity.seen is not None:
        projects.saw(connection, story.project, activity.seen)


def forget_writes(story: Story, connection: Connection, platform_ids: Sequence[str]) -> None:
    """Take back that these platforms' steps began: there is nothing to write for them."""
    story.hold.take(connection)
    connection.execute(_FORGET_WRITES, _which(story) | {"these": list(platform_ids)})


def end_posts(story: Story, connection: Connection, batch: Sequence[Written]) -> None:
    """Store what was written, or why it was not, and what it cost."""
    now = clock.now()
    story.hold.take(connection)
    rows = [_which(story) | {"on": w.platform_id} | _outcome(story, w, now) for w in batch]
    connection.execute(_END_WRITE, rows)
    story.purse.settle(connection)


def _which(story: Story) -> dict[str, Any]:
    return {"of": story.hold.execution_id, "tried": story.hold.attempt}


def _ended(status: Status, began: datetime, now: datetime) -> dict[str, Any]:
    return {"status": status, "completed_at": now, "duration": milliseconds(now - began)}


def _outcome(story: Story, written: Written, now: datetime) -> dict[str, Any]:
    result, failure = None, written.failure
    if written.post is not None:
        result = {"post": POST.dump_python(written.post, mode="json"), "checks": list(written.checks)}
        result |= givenback.stored(story.given.get(written.platform_id))
    return _ended(Status.FAILED if failure else Status.COMPLETED, story.writing_since, now) | {
        "result": result,
        "error": failure.message if failure else None,
        "error_code": failure.code if failure else None,
        "stack_trace": failure.stack_trace if failure else None,
        "permanent": failure.permanent if failure else None,
        "retry_after": failure.retry_after if failure else None,
    }
