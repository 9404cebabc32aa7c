"""One execution, the whole story on one page: take, scan, write, record."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from lib import clock
from lib.errors import OutsideError, code_of, sentence, stack_trace
from models.base import may_pass
from models.values import Activity, Held, Status
from pipeline import heldback, record, scan
from pipeline.adapters import Adapters
from pipeline.bells import Bell
from pipeline.brief import brief_for, maker
from pipeline.hold import Heart, Hold, LostError, StoppedError, carried, engine_of, go_on
from pipeline.privacy import Wishes
from pipeline.record import Fault
from pipeline.remember import Ending
from pipeline.showing import digests
from pipeline.story import Story, end_posts, end_scan, forget_writes, load
from pipeline.take import take_one
from pipeline.write import Briefs, TimeLimitError, Written, soonest, write_all
from platforms import PLATFORMS
from writers.base import Writer

T = TypeVar("T")
log = logging.getLogger(__name__)
CALLS = 8
"""Calls to the outside that one run may have under way, with those that nobody waits for any more."""


class NoPostError(OutsideError):
    """No platform succeeded."""


def run(session: Session, execution_id: str, adapters: Adapters, heart: Heart | None = None) -> list[Bell]:
    """Run one attempt of this execution if it is due; whoever comes second finds nothing to do."""
    hold = take_one(session, execution_id)
    if hold is None:
        return []
    pool = ThreadPoolExecutor(CALLS, thread_name_prefix=execution_id)
    try:
        return carry(session, hold, adapters, heart or Heart(engine_of(session)), pool)
    finally:
        pool.shutdown(wait=False)


def carry(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Run the attempt that was taken, to its end on the row. Calls to the outside are made in `pool`."""
    return carried(session, hold, heart, lambda own: _attempt(own, hold, adapters, heart, pool))


def _attempt(
    session: Session, hold: Hold, adapters: Adapters, heart: Heart, pool: ThreadPoolExecutor
) -> list[Bell]:
    """Scan, write, record; every failure but a lost hold and a lost database ends on the row."""
    story: Story | None = None
    try:
        story = load(session, hold, adapters, pool)
        go_on(heart)
        activity = story.activity or _scan(story)
        if story.missing:
            go_on(heart)
        _write(story, activity)
        ending = Ending(activity, story.results, story.given, story.keeps, story.too_little)
        return record.complete(session, hold, story.execution, ending, adapters)
    except LostError:
        raise
    except StoppedError:
        if story is not None:
            _store_scan(story)
        return record.hand_back(session, hold)
    except Exception as error:  # whatever it is, the row has to say it: a run never just vanishes
        if may_pass(error):
            raise
        if not isinstance(error, OutsideError):
            log.exception("Execution %s failed unexpectedly", hold.execution_id)
        session.rollback()
        if story is not None:
            _store_scan(story)
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
        code_of(error),
    )


def _scan(story: Story) -> Activity:
    """Read the window in a thread, so that the time limit holds."""
    began = clock.now()
    plan = scan.WindowPlan(story.job, story.execution, story.project)
    source = story.adapters.source(story.project)
    story.pool.submit(story.writer.prepare)
    look_up = partial(
        scan.told_before_elsewhere, engine_of(story.session), story.job.id, story.hold.patiently
    )
    aside: heldback.Aside = Held
    if story.keeps:
        aside = partial(heldback.kept_elsewhere, engine_of(story.session), story.job.id, story.hold.patiently)
    future = story.pool.submit(scan.read, source, plan, look_up, Wishes.of(story.project.withhold), aside)
    if not soonest({future}, story.left(), story.hold.ended):
        future.cancel()
        raise TimeLimitError("The run took longer than the job's time limit while the repository was read.")
    story.activity = activity = future.result()
    ended = clock.now()
    story.unstored = lambda connection: end_scan(story, connection, activity, began, ended)
    return activity


def _store_scan(story: Story) -> None:
    """What was read, unless it is stored: with the first money that is set aside, in one transaction, or else
    before anything is written."""
    if (end := _unstored(story)) is not None:
        story.hold.write(engine_of(story.session), end)


def _unstored(story: Story) -> Callable[[Connection], None] | None:
    """What ends the scan, for one try alone: whoever tells of a failure must not fail of the same again."""
    end, story.unstored = story.unstored, None
    return end


def _write(story: Story, activity: Activity) -> None:
    """Write what is missing; each result is stored when it ends."""
    if not activity.has_activity and not story.given:
        _store_scan(story)
        return
    briefs = _briefs(story, activity)
    # Merges, what was undone, issues closed as not planned; or too little of all the rest.
    if nothing := [platform.id for platform in story.missing if platform.id not in briefs]:
        _store_scan(story)
        story.hold.write(
            engine_of(story.session), lambda connection: forget_writes(story, connection, nothing)
        )
    wanted = {platform.id: platform for platform in story.platforms}
    story.results = [done for platform_id, done in story.posts.items() if platform_id in wanted]
    if not briefs and not story.results:
        _store_scan(story)
        return
    engine, writer = engine_of(story.session), story.writer

    def before_each(platform_id: str) -> None:
        story.hold.prove(engine)
        story.purse.send(platform_id)

    try:
        for batch in write_all(
            writer, briefs, story.pool, story.left, story.hold.ended,
            reserve=partial(_reserve, story, writer), before_each=before_each,
            patience=story.adapters.patience, succeeded=bool(story.results),
        ):  # fmt: skip
            _store_posts(story, batch)
            story.results += batch
    finally:
        story.purse.close(engine)
    order = list(wanted)
    story.results.sort(key=lambda written: order.index(written.platform_id))
    if all(written.failure for written in story.results):
        raise _nothing_written(story.results)


def _briefs(story: Story, activity: Activity) -> Briefs:
    """By the platforms for which there is something to write."""
    shown, made_by = digests(story, activity), maker(story.writer)
    return {
        platform.id: brief_for(
            shown[platform.id], story.project, platform, made_by, story.titles.get(platform.id, ())
        )
        for platform in story.missing
        if platform.id in shown
    }


def _reserve(
    story: Story, writer: Writer, briefs: Briefs, failed: Sequence[Written]
) -> Mapping[str, OutsideError]:
    """Set aside what the posts may cost; nothing where writing them costs nothing."""
    _note_costs(story, failed)
    estimates = {platform: writer.estimate(brief) for platform, brief in briefs.items()}
    wanted = {platform: usage for platform, usage in estimates.items() if usage is not None}
    if not wanted:
        _store_scan(story)
        return {}
    return story.purse.reserve(partial(_held, story), wanted)


def _held(story: Story, work: Callable[[Connection], T]) -> T:
    """In one transaction that proves the hold first, which locks the execution; so does what ends the
    scan."""

    first = _unstored(story) or story.hold.take

    def once(connection: Connection) -> T:
        first(connection)
        return work(connection)

    return story.hold.write(engine_of(story.session), once)


def _note_costs(story: Story, results: Sequence[Written]) -> None:
    for written in results:
        story.purse.answer(written.platform_id, written.usage)


def _store_posts(story: Story, batch: Sequence[Written]) -> None:
    _note_costs(story, batch)
    story.hold.write(engine_of(story.session), lambda connection: end_posts(story, connection, batch))
    story.purse.settled()


def _nothing_written(results: Sequence[Written]) -> NoPostError:
    """The attempt's error: it may pass if one of the platforms' errors may, at the earliest time that all
    named. It is called what the first of them is called that no waiting mends, else the first."""
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
    first = min(failures, key=lambda failure: not failure.permanent)
    message = f"No post could be written: {text}"
    return NoPostError(message, permanent=not passing, retry_after=named, code=first.code)
