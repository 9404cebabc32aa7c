"""The chapter in which every platform is written, in parallel; one platform's failure is its own."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass

from lib.errors import OutsideError, sentence, stack_trace
from models.values import Brief, Post
from platforms import PLATFORMS
from writers.base import Writer

log = logging.getLogger(__name__)
PAUSES = (2.0, 6.0, 18.0)
"""Seconds before a platform is tried again inside the attempt, where its error names no time."""


class TimeLimitError(OutsideError):
    """The attempt took longer than the job allows."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one platform."""

    message: str
    stack_trace: str
    permanent: bool
    retry_after: float | None


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


Briefs = dict[str, Brief]
"""By platform id."""


def write_all(
    writer: Writer, briefs: Briefs, pool: Executor, deadline: float, *, patience: float, succeeded: bool
) -> Iterator[Written]:
    """Yield each platform's result as it ends.

    A failure that may pass is tried again, at most three times and `patience` seconds in all, provided
    another platform succeeded (`succeeded`: one did in an earlier attempt); only its last result is yielded.
    `deadline` is on `time.monotonic()`. Raises TimeLimitError.
    """
    waiting = briefs
    for pause in (*PAUSES, None):
        failed: list[Written] = []
        for written in _round(writer, waiting, pool, deadline):
            if written.failure is None:
                succeeded = True
                yield written
            else:
                failed.append(written)
        pause_for = _pause(failed, pause, patience) if succeeded else None
        again = [] if pause_for is None else [w for w in failed if _fits(w, pause_for)]
        yield from (w for w in failed if w not in again)
        if not again or pause_for is None:
            return
        patience -= pause_for
        _sleep(pause_for, deadline)
        waiting = {w.platform_id: briefs[w.platform_id] for w in again}


def _round(writer: Writer, briefs: Briefs, pool: Executor, deadline: float) -> Iterator[Written]:
    pending: set[Future[Written]] = {
        pool.submit(write_one, writer, platform_id, brief) for platform_id, brief in briefs.items()
    }
    while pending:
        done, pending = wait(
            pending, timeout=max(0.0, deadline - time.monotonic()), return_when=FIRST_COMPLETED
        )
        if not done:
            for future in pending:
                future.cancel()
            raise TimeLimitError(
                "The run took longer than the job's time limit while its posts were written."
            )
        yield from (future.result() for future in done)


def write_one(writer: Writer, platform_id: str, brief: Brief) -> Written:
    """Write one post. Whatever goes wrong stays with this platform."""
    started = time.monotonic()
    kind = brief.rules.type
    try:
        post = writer.write(brief)
        checks = tuple(PLATFORMS[kind].check(post))
    except Exception as error:
        if not isinstance(error, OutsideError):
            log.exception("Writing for %s failed unexpectedly", kind)
        return Written(platform_id, kind, failure=_failure(error), seconds=time.monotonic() - started)
    return Written(platform_id, kind, post, checks, seconds=time.monotonic() - started)


def _failure(error: Exception) -> Failure:
    permanent = error.permanent if isinstance(error, OutsideError) else True
    retry_after = error.retry_after if isinstance(error, OutsideError) else None
    return Failure(sentence(error), stack_trace(error), permanent, retry_after)


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


def _sleep(seconds: float, deadline: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait inside the attempt, never past its deadline."""
    sleep(max(0.0, min(seconds, deadline - time.monotonic())))
