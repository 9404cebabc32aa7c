"""The first chapter of a run: read the repository's activity in the job's window, or reuse what an earlier
attempt read."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lib import clock
from models import Execution, Job, Project, Told
from models.base import reading
from models.values import Activity, Held, ItemKind
from pipeline.heldback import Aside, sifted
from pipeline.privacy import NO_WISHES, Wishes
from sources.base import Known, Source

MARGIN = timedelta(hours=24)
"""How far a scan reads back behind its window: a commit can be pushed, and an answer can be composed,
after its date."""
READ_ANYHOW = timedelta(hours=20)
"""After so long everything is read again, though the repository's description says that nothing changed: an
issue that is closed while another is opened does not change it."""

AT_ONCE = 400
"""Keys in one statement: SQLite once took 999 values at most."""

Keys = set[tuple[ItemKind, str]]
Asked = Collection[tuple[ItemKind, str]]


class WindowPlan:
    """Where one execution reads from. `tell_again` runs tell what was told before, by date, and leave out
    nothing that the job's next window would have told.

    What an earlier run carried over is read again from the cursor, which stayed. While that is all that the
    job has read (`carried_since` without `cursor_read`), it is its first run still: from that instant, by
    date. Nor may a repository that did not change since then be taken for one without activity.
    """

    def __init__(self, job: Job, execution: Execution, project: Project) -> None:
        self.tell_again = execution.tell_since is not None
        self.base = None if self.tell_again else job.cursor_head
        self.since = job.cursor_until or first_since(job)
        if execution.tell_since is not None:
            self.since = min(execution.tell_since, job.cursor_until or execution.tell_since)
        self.margin_from = None
        self.known = Known(project.github_id)
        is_first = job.carried_since is not None and job.cursor_read is None
        if not self.tell_again and job.cursor_until is not None and not is_first:
            floor = job.cursor_floor or job.cursor_until
            read = job.cursor_read or job.cursor_until
            self.margin_from = max(read - MARGIN, floor)
            # Whoever pressed a button, or GitHub itself, knows better than a description that stays the same.
            quick = execution.triggered_by == "scheduled" and clock.now() - read < READ_ANYHOW
            if quick and job.carried_since is None:
                self.known = Known(project.github_id, job.cursor_etag)


def first_since(job: Job) -> datetime:
    """Where a job's first run begins: so many days back, or at the instant that was chosen."""
    if since := job.first_run.get("since"):
        return clock.parse_iso(since)
    return clock.now() - timedelta(days=int(job.first_run.get("days", 7)))


def read(
    source: Source,
    plan: WindowPlan,
    told: Callable[[Asked], Keys],
    wishes: Wishes = NO_WISHES,
    aside: Aside = Held,
) -> Activity:
    """Scan the window, and withhold what must not be told before anything is stored.

    `told`: which of these keys the job has told already. `wishes`: what the user wants left out. `aside`:
    what the job keeps until a release carries it. Raises SourceError, and what `told` and `aside` raise.
    """

    def asked(keys: Asked) -> Keys:
        return set() if plan.tell_again or not keys else told(keys)

    found = source.scan(
        plan.since, margin_from=plan.margin_from, base=plan.base, told=asked, known=plan.known
    )
    return sifted(found, wishes, aside, source.contains)


def told_before_elsewhere(
    engine: Engine,
    job_id: str,
    patiently: Callable[[Callable[[], Keys]], Keys],
    keys: Asked,
    until: datetime | None = None,
) -> Keys:
    """As `told_before`, in a session of its own, because a scan runs in a thread of its own; `patiently` asks
    again while the database is away."""

    def once() -> Keys:
        with Session(engine) as session, reading(session):
            return told_before(session, job_id, keys, until)

    return patiently(once)


def told_before(session: Session, job_id: str, keys: Asked, until: datetime | None = None) -> Keys:
    """Those of `keys` that the job has told already, or had told by then."""
    found: Keys = set()
    by_kind: dict[ItemKind, list[str]] = {}
    for kind, key in sorted(keys):
        by_kind.setdefault(kind, []).append(key)
    for kind, names in by_kind.items():
        for start in range(0, len(names), AT_ONCE):
            # Kind by kind: PostgreSQL plans pairs as so many conditions, each with a look-up of its own.
            these = (Told.kind == kind) & Told.key.in_(names[start : start + AT_ONCE])
            then = [Told.at < until] if until is not None else []
            rows = session.scalars(select(Told.key).where(Told.job_id == job_id, these, *then))
            found.update((kind, key) for key in rows)
    return found
