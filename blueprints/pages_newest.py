"""Each job's newest executions: its bars, and the rows of its list.

What has ended stays as it is, so they are kept in this process for as long as they are the newest. Whether
they still are is told by an index alone, and what is live by its row: a dashboard that is looked at again
reads neither their rows nor draws their bars anew.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy import ColumnElement, Row, String, cast, func, literal, select
from sqlalchemy.orm import aliased, load_only

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_bars import SHOWN, among_newest, bars
from lib import clock
from lib.zones import zone
from models import Execution, Job

RECENT, KEPT = 5, 500
"""How many rows a list has, and how many jobs' are kept: some 8 KB each."""
LISTED = (
    *(Execution.id, Execution.job_id, Execution.status, Execution.outcome, Execution.triggered_by),
    *(Execution.scheduled_for, Execution.dry_run, Execution.attempt, Execution.next_retry_at),
    *(Execution.created_at, Execution.started_at, Execution.completed_at, Execution.duration),
    *(Execution.items_processed, Execution.items_success, Execution.summary, Execution.reason),
    *(Execution.missed, Execution.error, Execution.error_code),
)
"""What a line of a list needs: as columns of a query that makes no objects, or as a part of one that does."""
LIST_COLUMNS = load_only(*LISTED)
_NAMES = tuple(column.key for column in LISTED)


@dataclass(frozen=True, slots=True)
class Newest:
    """`rows`: the newest ones with their `LISTED` columns, the latest first; `bars`: of the newest thirty, as
    links."""

    rows: tuple[Any, ...]
    bars: Markup


NONE = Newest((), Markup(""))


def _edge() -> ColumnElement[str | None]:
    newest = aliased(Execution)
    some = (
        select(newest.created_at, newest.id)
        .where(newest.job_id == Job.id)
        .order_by(newest.created_at.desc(), newest.id.desc())
        .limit(SHOWN)
        .correlate(Job)
        .subquery()
    )
    ends = [cast(end, String) for end in (func.min(some.c.created_at), func.max(some.c.created_at))]
    parts = [cast(func.count(), String), *ends, func.min(some.c.id), func.max(some.c.id)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + literal(" ") + part
    return select(whole).select_from(some).correlate(Job).scalar_subquery()


EDGE: ColumnElement[str | None] = _edge().label("edge")
"""For a query of jobs: what tells a job's newest executions from any others, read from an index. Any that is
added or goes moves the first of them, the last, or their number. None where it has none."""


def newest(jobs: Sequence[tuple[Job, str | None]], live: Mapping[str, Execution]) -> dict[str, Newest]:
    """Of these jobs and their edges, in two queries for all that changed; in none where nothing did."""
    keys = {job.id: _key(job, edge, live.get(job.id)) for job, edge in jobs if edge is not None}
    found = {job_id: kept for job_id, key in keys.items() if (kept := _kept.get(key))}
    if missing := {job.id: job.timezone for job, _ in jobs if job.id in keys and job.id not in found}:
        which = Job.id.in_(missing)
        rows, drawn = recent(which), bars(which, missing)
        for job_id in missing:
            found[job_id] = Newest(tuple(rows.get(job_id, ())), drawn.get(job_id, NONE.bars))
            _kept.put(keys[job_id], found[job_id])
    return found


def recent(which: ColumnElement[bool]) -> dict[str, list[Row[Any]]]:
    """The newest executions of each job, the latest first."""
    query = (
        select(*LISTED)
        .join(Job, Execution.job_id == Job.id)
        .where(which, among_newest(RECENT))
        .order_by(Execution.created_at.desc(), Execution.id.desc())
    )
    found: dict[str, list[Row[Any]]] = {}
    for execution in db.session.execute(query):
        found.setdefault(execution.job_id, []).append(execution)
    return {job_id: executions[:RECENT] for job_id, executions in found.items()}


def state_of(live: Execution | None) -> tuple[Any, ...]:
    """All that is shown of what has not ended, and may still change."""
    return () if live is None else tuple(str(getattr(live, name)) for name in _NAMES)


def _key(job: Job, edge: str | None, live: Execution | None) -> tuple[Any, ...]:
    """Bars name instants in the job's zone, as the reader likes them, and every year but this one."""
    year = clock.now().astimezone(zone(job.timezone)).year
    return job.id, edge, job.timezone, view.in_24_hours(), year, *state_of(live)


class _Kept:
    """Those that were put last; one for each key."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], Newest] = {}
        self._changing = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> Newest | None:
        return self._found.get(key)

    def put(self, key: tuple[Any, ...], newest: Newest) -> None:
        with self._changing:
            self._found[key] = newest
            while len(self._found) > KEPT:
                del self._found[next(iter(self._found))]


_kept = _Kept()
