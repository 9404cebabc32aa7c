"""The chapter in which every platform is written, in parallel; one platform's failure is its own."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

from lib.codes import Code
from lib.errors import OutsideError, code_of, sentence, stack_trace
from models.base import AWAY
from models.values import Brief, Post, Usage
from pipeline.hold import LostError
from platforms import PLATFORMS
from writers.base import Writer, WriterError

log = logging.getLogger(__name__)
PAUSES = (2.0, 6.0, 18.0)
"""Seconds before a platform is tried again inside the attempt, where its error names no time."""

TOO_LONG = "The run took longer than the job's time limit while its posts were written."


class TimeLimitError(OutsideError):
    """The attempt took longer than the job allows."""

    code = Code.TIMEOUT


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one platform."""

    message: str
    stack_trace: str
    permanent: bool
    retry_after: float | None
    usage: Usage | None = None
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One platform's result: a post with what its platform would not take about it, or a failure.
    `seconds` it took."""

    platform_id: str
    platform_type: str
    post: Post | None = None
    checks: tuple[str, ...] = ()
    failure: Failure | None = None
    seconds: float = 0.0
    reused: bool = False

    @property
    def usage(self) -> Usage | None:
        """What it cost to ask for it, None where nobody knows, or nobody was asked."""
        if self.failure is not None:
            return self.failure.usage
        return (self.post.usage or self.post.spent) if self.post is not None else None


Briefs = dict[str, Brief]
"""By platform id."""
Reserve = Callable[[Briefs, Sequence[Written]], Mapping[str, OutsideError]]
"""Sets aside what these posts may cost, having settled what came of the failed ones; those that may not be
asked for, and why."""


def write_all(
    writer: Writer,
    briefs: Briefs,
    pool: Executor,
    left: Callable[[], float],
    ended: Future[None],
    *,
    reserve: Reserve,
    before_each: Callable[[str], None],
    patience: float,
    succeeded: bool,
) -> Iterator[list[Written]]:
    """Yield the platforms' results as they end, those together that ended together.

    A failure that may pass is tried again, at most three times and `patience` seconds in all, provided
    another platform succeeded (`succeeded`: one did in an earlier attempt); only its last result is yielded.
    `reserve` is asked before each round for what its posts may cost, with the failures that it makes up for;
    `before_each` is called with the platform's id right before its post is asked for. `left` says how many
    seconds the run may still take. Raises TimeLimitError, what `reserve` and `before_each` raise, or what
    `ended` fails with meanwhile.
    """
    waiting, again = briefs, list[Written]()
    for pause in (*PAUSES, None):
        failed: list[Written] = []
        if refused := reserve(waiting, again):
            yield [_refused(briefs[platform], platform, error) for platform, error in refused.items()]
            waiting = {platform: brief for platform, brief in waiting.items() if platform not in refused}
        for batch in _round(writer, waiting, pool, left, ended, before_each):
            failed += [written for written in batch if written.failure]
            if written_now := [written for written in batch if not written.failure]:
                succeeded = True
                yield written_now
        pause_for = _pause(failed, pause, patience) if succeeded else None
        again = [] if pause_for is None else [w for w in failed if _fits(w, pause_for)]
        if given_up := [w for w in failed if w not in again]:
            yield given_up
        if not again or pause_for is None:
            return
        patience -= pause_for
        soonest(set(), min(pause_for, left()), ended)
        waiting = {w.platform_id: briefs[w.platform_id] for w in again}


def _round(
    writer: Writer,
    briefs: Briefs,
    pool: Executor,
    left: Callable[[], float],
    ended: Future[None],
    before_each: Callable[[str], None],
) -> Iterator[list[Written]]:
    if left() <= 0:
        raise TimeLimitError(TOO_LONG)
    pending: set[Future[Any]] = {
        pool.submit(write_one, writer, platform_id, brief, partial(before_each, platform_id))
        for platform_id, brief in briefs.items()
    }
    try:
        while pending:
            done = soonest(pending, left(), ended)
            if not done:
                raise TimeLimitError(TOO_LONG)
            pending -= done
            yield [future.result() for future in done]
    finally:
        for future in pending:  # those that have not begun never will
            future.cancel()


def soonest(futures: Iterable[Future[Any]], seconds: float, ended: Future[None]) -> set[Future[Any]]:
    """Those of the futures that are done as soon as one is, none after so many seconds.

    Raises what `ended` fails with, but not before every result that is there has been handed on: it has been
    paid for.
    """
    done, _ = wait({*futures, ended}, timeout=max(0.0, seconds), return_when=FIRST_COMPLETED)
    if done == {ended}:
        ended.result()
    return done - {ended}


def write_one(writer: Writer, platform_id: str, brief: Brief, before: Callable[[], None]) -> Written:
    """Write one post, after `before`. Whatever goes wrong stays with this platform, but for a run that is
    lost or a database that is away."""
    started = time.monotonic()
    kind = brief.rules.type
    try:
        writer.prepare()  # first, for it takes a while in a fresh worker
        before()
        post = writer.write(brief)
        checks = tuple(PLATFORMS[kind].check(post))
    except (LostError, *AWAY):
        raise
    except Exception as error:
        if not isinstance(error, OutsideError):
            log.exception("Writing for %s failed unexpectedly", kind)
        return Written(platform_id, kind, failure=failure_of(error), seconds=time.monotonic() - started)
    return Written(platform_id, kind, post, checks, seconds=time.monotonic() - started)


def _refused(brief: Brief, platform_id: str, error: OutsideError) -> Written:
    """A platform whose post was not asked for at all."""
    return Written(platform_id, brief.rules.type, failure=failure_of(error))


def failure_of(error: Exception) -> Failure:
    """An error of whatever kind as what is kept of it."""
    permanent = error.permanent if isinstance(error, OutsideError) else True
    retry_after = error.retry_after if isinstance(error, OutsideError) else None
    usage = error.usage if isinstance(error, WriterError) else None
    return Failure(sentence(error), stack_trace(error), permanent, retry_after, usage, code_of(error))


def _pause(failed: list[Written], default: float | None, patience: float) -> float | None:
    """How long to wait before another round: the longest wait asked for that the patience still allows."""
    if default is None:
        return None
    waits = [_wait(w, default) for w in failed if w.failure and not w.failure.permanent]
    return max((seconds for seconds in waits if seconds <= patience), default=None)


def _wait(written: Written, default: float) -> float:
    named = written.failure.retry_after if written.failure else None
    return default if named is None else named


def _fits(written: Written, pause: float) -> bool:
    failure = written.failure
    return failure is not None and not failure.permanent and (failure.retry_after or 0.0) <= pause
