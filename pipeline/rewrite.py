"""A draft written anew: write outside any transaction, store the text as the next version. `orders.py` says
who takes which order."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session, joinedload

from lib import clock
from lib.errors import OutsideError
from models import Draft, DraftState, Execution, Job, Ordered, Platform, Project, Regeneration
from models.base import may_pass, reading
from models.values import Activity, Brief, Post, Usage
from pipeline import drafts, givenback, joining, orders, regenerate, scan, versions
from pipeline.adapters import Adapters, SetupError
from pipeline.bells import Bell
from pipeline.brief import brief_for, digest_for, maker
from pipeline.earlier import earlier_titles
from pipeline.hold import Heart, Hold, LostError, StoppedError, carried, engine_of, go_on
from pipeline.purse import Purse
from pipeline.story import still_told
from pipeline.tariff import Tariff
from pipeline.write import Failure, TimeLimitError, Written, failure_of, soonest, write_one
from writers.base import Writer
from writers.disclosure import MadeBy

log = logging.getLogger(__name__)
T = TypeVar("T")
WAITS = (5.0, 20.0)
"""Seconds before the second and the third try, where an error names no time: a person waits for it."""
LONGEST_WAIT = 600.0
"""Seconds that a rate limit may ask for; a longer one ends the order, for its owner can order again."""
LIMIT = 180.0
"""Seconds that one try may take; a writer by itself gives up after 120."""
TOO_LONG = "The new text was not finished within three minutes."
OVERTAKEN = (
    "The draft was changed while the new text was written: your text stays. The new one is kept as version"
    " {number}, to compare and to restore."
)
DECIDED = (
    "The draft was {state} while the new text was written: it stays as it is. The new one is kept as version"
    " {number}, to compare."
)
NOT_BEGUN = "The draft was changed before the new text was begun: your text stays, and nothing was written."
EMPTY = "Nothing that may be told is left of what this draft was written from."


def carry(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Carry out the order that was taken, to its end on the row. The writer is called in `pool`."""
    return carried(session, hold, heart, lambda own: _attempt(own, hold, adapters, heart, pool))


def _attempt(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Load, write, store; every failure but a lost hold and a lost database ends on the row."""
    try:
        order = hold.store(session, partial(_load, session, hold))
        session.expunge_all()
        if order is None:
            return []
        activity = hold.patiently(partial(_read_again, session, order))
        told = partial(scan.told_before_elsewhere, engine_of(session), order.job.id, hold.patiently)
        writer = adapters.writer_for(order.job)
        brief = _brief(order, activity, maker(writer), told)
        go_on(heart)
        purse = Purse(adapters.tariff, order.project.id, order.execution.id)
        try:
            written = _written(session, hold, pool, writer, order, brief, purse)
            purse.answer(order.platform.id, written.usage)
            return _end(session, hold, order, written, purse, adapters.tariff)
        finally:
            purse.close(engine_of(session))
    except LostError:
        raise
    except StoppedError:
        return _hand_back(session, hold)
    except Exception as error:  # whatever it is, the row has to say it
        if may_pass(error):
            raise
        if not isinstance(error, OutsideError):
            log.exception("Order %s failed unexpectedly", hold.execution_id)
        session.rollback()
        return _fail(session, hold, failure_of(error))


@dataclass(frozen=True, slots=True)
class _Order:
    """The rows that a new text is made from, and the titles that it must not repeat."""

    draft: Draft
    row: Regeneration
    execution: Execution
    job: Job
    project: Project
    platform: Platform
    titles: tuple[str, ...]


def _load(session: Session, hold: Hold, connection: Connection) -> _Order | None:
    """What is needed, or None where the draft was changed before anything was paid. Raises SetupError where
    something of it is gone."""
    hold.take(connection)
    row = session.get_one(Regeneration, hold.execution_id, populate_existing=True)
    draft = session.get_one(Draft, row.draft_id, populate_existing=True)
    if not _stands(draft, row):
        hold.take(connection, **_ended(Ordered.FAILED, NOT_BEGUN))
        return None
    to_project = joinedload(Execution.job).joinedload(Job.project)
    execution = session.get_one(Execution, draft.execution_id, options=[to_project], populate_existing=True)
    platform = session.get(Platform, draft.platform_id) if draft.platform_id else None
    if platform is None:
        raise SetupError(regenerate.NO_PLATFORM)
    titles = _other_titles(connection, draft, execution.job_id, platform.id)
    return _Order(draft, row, execution, execution.job, execution.job.project, platform, titles)


def _other_titles(connection: Connection, draft: Draft, job_id: str, platform_id: str) -> tuple[str, ...]:
    """What the new text must not repeat: every title but its own."""
    found = earlier_titles(connection, job_id, [platform_id]).get(platform_id, ())
    own = draft.title or draft.content.strip().partition("\n")[0].strip()
    return tuple(title for title in found if title != own)


def _stands(draft: Draft, row: Regeneration) -> bool:
    return draft.version == row.from_version and draft.state == DraftState.DRAFT


def _read_again(session: Session, order: _Order) -> Activity:
    """What the draft was written from. Raises SetupError where it is not kept any more."""
    with reading(session):
        activity = givenback.written_from(session, order.draft)
    if activity is None:
        raise SetupError(regenerate.NO_SCAN)
    return still_told(activity, order.project)


def _brief(
    order: _Order, activity: Activity, made_by: MadeBy, told_before: Callable[..., scan.Keys]
) -> Brief:
    """The brief of the draft's own run, with what its owner asks now; told is what was told then."""
    asked = joining.asked(activity) if order.execution.tell_since is None else set()
    told = told_before(asked, activity.window.until) if asked else set()
    shown = digest_for(activity, order.job, order.project, told)
    if not shown.items:
        raise SetupError(EMPTY)
    previous = f"{order.draft.title}\n\n{order.draft.content}".strip()
    brief = brief_for(shown, order.project, order.platform, made_by, order.titles)
    return replace(brief, instruction=order.row.instruction, previous=previous)


def _written(
    session: Session,
    hold: Hold,
    pool: ThreadPoolExecutor,
    writer: Writer,
    order: _Order,
    brief: Brief,
    purse: Purse,
) -> Written:
    """The one place where the writer is asked; what it raises is the result's failure, and so is a budget
    that has no room for it."""
    platform_id, engine = order.platform.id, engine_of(session)
    if (why := _reserve(session, hold, purse, platform_id, writer.estimate(brief))) is not None:
        return Written(platform_id, order.platform.type, failure=failure_of(why))

    def before() -> None:
        hold.prove(engine)
        purse.send(platform_id)

    began = time.monotonic()
    future: Future[Written] = pool.submit(write_one, writer, platform_id, brief, before)
    if not soonest({future}, LIMIT - (time.monotonic() - began), hold.ended):
        future.cancel()
        raise TimeLimitError(TOO_LONG)
    return future.result()


def _reserve(
    session: Session, hold: Hold, purse: Purse, platform_id: str, estimate: Usage | None
) -> OutsideError | None:
    """Set aside what the text may cost; why it may not be asked for."""
    if estimate is None:
        return None

    def held(work: Callable[[Connection], T]) -> T:
        def once(connection: Connection) -> T:
            done = work(connection)
            hold.take(connection)  # last: see `Purse`
            return done

        return hold.store(session, once)

    return purse.reserve(held, {platform_id: estimate}).get(platform_id)


def _end(
    session: Session, hold: Hold, order: _Order, written: Written, purse: Purse, tariff: Tariff
) -> list[Bell]:
    """Store the text, or why there is none, with what it cost."""
    if written.post is None:
        return _fail(session, hold, written.failure, purse) if written.failure else []
    post, usage = written.post, tariff.stored(written.post.usage)

    def store(connection: Connection) -> None:
        purse.settle(connection)
        _store(session, hold, order, post, usage, written.checks, connection)

    hold.store(session, store)
    purse.settled()
    return []


def _store(
    session: Session,
    hold: Hold,
    order: _Order,
    post: Post,
    usage: dict[str, Any] | None,
    checks: Sequence[str],
    connection: Connection,
) -> None:
    """Make the text the draft's next version, or keep it beside a draft that was changed meanwhile.

    The draft is held first, and then the order proved: whoever orders does it in the same turn.
    """
    try:
        draft = drafts.lock(session, order.draft.id)
    except drafts.DraftConflictError as error:
        raise LostError from error
    values, stands = versions.columns_of(post) | {"usage": usage}, _stands(draft, order.row)
    if stands and versions.post_of(draft) == versions.bare(post):
        hold.take(connection, **_ended(Ordered.COMPLETED), version=draft.version)
        return
    made_by = versions.written_by(values["usage"])
    row = versions.add(session, draft, values, made_by, order.row.instruction, is_current=stands)
    if stands:
        draft.checks = list(checks)
    session.flush()
    ended = _ended(Ordered.COMPLETED) if stands else _ended(Ordered.FAILED, _overtaken(draft, row.number))
    hold.take(connection, **ended, version=row.number)


def _overtaken(draft: Draft, number: int) -> str:
    if draft.state == DraftState.DRAFT:
        return OVERTAKEN.format(number=number)
    return DECIDED.format(number=number, state=draft.state.lower())


def _ended(status: Ordered, error: str | None = None) -> dict[str, Any]:
    return {"status": status, "error": error, "completed_at": clock.now(), "heartbeat_at": None}


def _fail(session: Session, hold: Hold, failure: Failure, purse: Purse | None = None) -> list[Bell]:
    """Wait for the next try while waiting may help and tries are left, else the end; commits."""

    def store(connection: Connection) -> list[Bell]:
        if purse is not None:
            purse.settle(connection)
        hold.take(connection)
        row = session.get_one(Regeneration, hold.execution_id, populate_existing=True)
        failures = row.failures + 1
        wait = None if failure.permanent or failures >= orders.TRIES else _wait(failures, failure)
        if wait is None:
            hold.take(connection, failures=failures, **_ended(Ordered.FAILED, failure.message))
            return []
        at = clock.now() + timedelta(seconds=wait)
        values = {"status": Ordered.QUEUED, "next_try_at": at, "heartbeat_at": None}
        hold.take(connection, failures=failures, error=failure.message, **values)
        return [Bell("regenerate", row.id, eta=at)]

    bells = hold.store(session, store)
    if purse is not None:
        purse.settled()
    return bells


def _wait(failures: int, failure: Failure) -> float | None:
    """Seconds until the next try; None where the time that was named is too long to wait for."""
    wait = WAITS[failures - 1] if failure.retry_after is None else max(failure.retry_after, 0.0)
    return wait if wait <= LONGEST_WAIT else None


def _hand_back(session: Session, hold: Hold) -> list[Bell]:
    """Its worker stops: another one begins at once, and no try is used up; commits."""

    def store(connection: Connection) -> list[Bell]:
        hold.take(connection, status=Ordered.QUEUED, heartbeat_at=None, next_try_at=None)
        return [Bell("regenerate", hold.execution_id)]

    return hold.store(session, store)
