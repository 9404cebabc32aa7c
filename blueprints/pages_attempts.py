"""The attempts of an execution: each step as a line with its place on the attempt's own time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_trace import Trace, trace
from blueprints.view import MARKS, Mark, Moment
from lib import clock
from lib.words import plural
from models import Attempt, Execution, Step
from models.values import Status
from platforms import NAMES

STEP_NAMES = {"scan": "Read the repository", "record": "Record the results"}


@dataclass(frozen=True, slots=True)
class StepLine:
    """`start` and `width` place its bar on the attempt's time, in percent; `after`: how long after the
    attempt's start it began. What runs still has a bar up to now, and `so_far` in milliseconds."""

    id: int
    name: str
    mark: Mark
    duration: str
    after: str
    error: str
    started: Moment
    start: float
    width: float
    so_far: int | None


@dataclass(frozen=True, slots=True)
class AttemptPart:
    """`is_calm`: it was handed on or cancelled, so that its `error` is no complaint. `waited`: how long
    nothing was done before it. `ticks`: what stands at the quarters of its axis."""

    number: int
    mark: Mark
    started: Moment
    ended: Moment | None
    duration: str
    waited: str
    is_calm: bool
    error: str
    trace: Trace | None
    reused: str
    ticks: tuple[str, ...]
    steps: tuple[StepLine, ...]


def attempts_of(execution: Execution, steps: Sequence[Step], zone: str) -> tuple[AttemptPart, ...]:
    """All of them, the first one first."""
    rows = select(Attempt).where(Attempt.execution_id == execution.id).order_by(Attempt.number)
    found, before = [], None
    for row in db.session.scalars(rows):
        found.append(_attempt(row, [step for step in steps if step.attempt == row.number], before, zone))
        before = row.completed_at
    return tuple(found)


def _attempt(attempt: Attempt, own: Sequence[Step], before: datetime | None, zone: str) -> AttemptPart:
    scan, posts = "scan" in attempt.reused, sum(name != "scan" for name in attempt.reused)
    started, ended = view.exactly(attempt.started_at, zone), None
    if attempt.completed_at is not None:
        started, ended = view.ends(attempt.started_at, attempt.completed_at, zone)
    reused = [*(["the scan"] if scan else []), *([plural(posts, "post")] if posts else [])]
    whole = _whole(attempt, own)
    return AttemptPart(
        number=attempt.number,
        mark=_mark(attempt),
        started=started,
        ended=ended,
        duration=view.duration(attempt.duration),
        waited=_waited(attempt, before),
        is_calm=attempt.status == Status.CANCELLED,
        error=attempt.error or "",
        trace=trace(attempt.stack_trace),
        reused=" and ".join(reused),
        ticks=tuple(_tick(whole * part / 4, whole) for part in range(5)),
        steps=tuple(_step(step, attempt, whole, zone) for step in own),
    )


def _whole(attempt: Attempt, own: Sequence[Step]) -> float:
    """The length of its axis in milliseconds."""
    ends = [step.completed_at for step in own if step.completed_at] + [attempt.completed_at or clock.now()]
    return max(_between(attempt.started_at, max(ends)), 1.0)


def _tick(at: float, whole: float) -> str:
    """Short lengths have tenths, so that no two ticks say the same."""
    return f"{at / 1000:.1f}s" if whole < 20_000 else view.duration(round(at))


def _between(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds() * 1000


def _waited(attempt: Attempt, before: datetime | None) -> str:
    """Less than a second is no wait."""
    waited = 0.0 if before is None else _between(before, attempt.started_at)
    return view.duration(round(waited)) if waited >= 1000 else ""


def _mark(tried: Attempt | Step) -> Mark:
    """What its worker had to leave behind says so in its error; what a person cancelled has none."""
    handed_on = tried.status == Status.CANCELLED and tried.error
    return view.HANDED_ON if handed_on else MARKS[tried.status]


def _step(step: Step, attempt: Attempt, whole: float, zone: str) -> StepLine:
    after = max(0.0, _between(attempt.started_at, step.started_at))
    start = min(after / whole * 100, 99)
    runs = step.status == Status.RUNNING
    length = _between(step.started_at, clock.now()) if runs else step.duration or 0
    took = view.duration(max(round(length), 0)) + " so far" if runs else view.duration(step.duration)
    name = STEP_NAMES.get(step.name) or f"Write for {NAMES.get(step.platform_type or '', 'a platform')}"
    return StepLine(
        id=step.id,
        name=name,
        mark=_mark(step),
        duration=took,
        after=view.duration(round(after)),
        error=step.error or "",
        started=view.exactly(step.started_at, zone),
        start=round(start, 1),
        width=round(max(1.0, min(length / whole * 100, 100 - start)), 1),
        so_far=max(round(length), 0) if runs else None,
    )
