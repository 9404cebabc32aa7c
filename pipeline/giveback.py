"""Tell again: a rejected post's items go back to its job, whose next run tells them once more, for that
platform alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, delete, select, tuple_, update
from sqlalchemy.orm import Session

from lib import clock
from lib.words import plural
from models import Draft, GivenBack, Job, Platform, Step
from models.base import table, upsert
from models.values import ACTIVITY, Activity, Held, Key, Status, Window
from pipeline.belonging import items
from pipeline.control import ConflictError
from pipeline.jobs import lock_these
from pipeline.keeping import as_rows, from_rows
from pipeline.privacy import with_items
from pipeline.scan import told_before
from platforms import NAMES

_given = table(GivenBack)
AT_ONCE = 400
"""Keys in one statement: SQLite once took 999 values at most."""
Given = Mapping[str, Activity]
"""What was given back, by platform id, in the lists of an activity whose window begins where theirs did."""


def give_back(session: Session, draft_id: str) -> int:
    """Give all that this rejected draft was written from back to its job, once; how many items.

    They are what its execution's scan stored, and what an earlier draft had given back to it. The job's next
    run writes of them for the draft's platform, also where nothing else happened. In the caller's
    transaction, which has not touched the draft before: the job is locked first, as whoever deletes it does.

    Raises ConflictError, with nothing changed: the draft is gone or not rejected, was given back before, its
    platform is not connected or not the job's any more, what was read is not kept any more, or the job
    started over on another repository.
    """
    draft = session.scalar(
        select(Draft).where(Draft.id == draft_id).execution_options(populate_existing=True)
    )
    job = None if draft is None else _locked(session, draft)
    if draft is None or job is None:
        raise ConflictError("This draft was deleted meanwhile: there is nothing to give back.")
    if draft.state != "REJECTED":
        raise ConflictError("Only a rejected draft gives its items back: reject it first.")
    if draft.given_back_at is not None:
        raise ConflictError(_BEFORE)
    platform_id = _platform_id(session, job, draft)
    activity = written_from(session, draft)
    if activity is None:
        raise ConflictError(
            "What this draft was written from is not kept any more: to tell it again, trigger the job with an"
            " earlier `since`."
        )
    given = list(items(activity))
    keys = {item.key for item in given}
    if told_before(session, job.id, keys) != keys:
        raise ConflictError(
            "The job has started over on another repository or branch since this draft was written: what it"
            " was written from does not belong there."
        )
    now = clock.now()
    if not _claimed(session, draft_id):
        raise ConflictError(_BEFORE)
    rows = as_rows(given, job_id=job.id, platform_id=platform_id, since=activity.window.since, at=now)
    if rows:
        session.connection().execute(upsert(session, GivenBack).on_conflict_do_nothing(), rows)
    return len(rows)


_BEFORE = "The items of this draft were given back already: the job's next run tells them again."


def _locked(session: Session, draft: Draft) -> Job | None:
    return next(iter(lock_these(session, [draft.execution.job_id])), None)


def _platform_id(session: Session, job: Job, draft: Draft) -> str:
    """Raises ConflictError where the job would never write for it."""
    name = NAMES[draft.platform_type]
    connected = select(Platform.id).where(Platform.id == draft.platform_id, Platform.is_connected)
    # Nobody deletes it before the items that are given back to it are there.
    found = session.scalar(connected.with_for_update(read=True, key_share=True))
    if found is None:
        raise ConflictError(f"{name} is not connected any more: connect it, then tell this again.")
    if job.platform_ids is not None and found not in job.platform_ids:
        raise ConflictError(f"The job does not write for {name} any more: choose it there, then tell again.")
    return found


def _claimed(session: Session, draft_id: str) -> bool:
    """One winner among those who ask at the same instant."""
    this = update(Draft).where(Draft.id == draft_id, Draft.state == "REJECTED", Draft.given_back_at.is_(None))
    done = session.execute(
        this.values(given_back_at=clock.now()).execution_options(synchronize_session=False)
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def written_from(session: Session, draft: Draft) -> Activity | None:
    """All that a draft's digest was made of, as it was stored: what its execution read, and what was given
    back to its platform then. None where that is not kept any more."""
    done = select(Step).where(Step.execution_id == draft.execution_id, Step.status == Status.COMPLETED)
    steps = [step for step in session.scalars(done.order_by(Step.id)) if step.result is not None]
    scans = [step.result for step in steps if step.name == "scan"]
    if not scans:
        return None
    activity: Activity = ACTIVITY.validate_python(scans[-1])
    for step in steps:
        if step.name == "write" and step.platform_id == draft.platform_id and step.result:
            return merged(activity, read(step.result))
    return activity


def merged(activity: Activity, given: Activity | None) -> Activity:
    """With what was given back in its lists, newest first, and a window that begins where theirs began."""
    if given is None:
        return activity
    whole = with_items(activity, Held(given.commits, given.pulls, given.issues))
    there = {release.key for release in activity.releases}
    releases = [*activity.releases, *(one for one in given.releases if one.key not in there)]
    return replace(
        whole,
        releases=tuple(sorted(releases, key=lambda release: release.published_at, reverse=True)),
        window=replace(activity.window, since=min(activity.window.since, given.window.since)),
    )


def waiting(session: Session, job_id: str) -> dict[str, Activity]:
    """What is given back to the job and not told yet."""
    columns = (_given.c.platform_id, _given.c.kind, _given.c.item, _given.c.since)
    rows = session.execute(select(*columns).where(_given.c.job_id == job_id)).all()
    found = {}
    for platform_id in {row.platform_id for row in rows}:
        own = [row for row in rows if row.platform_id == platform_id]
        since = min(row.since for row in own)
        held = from_rows(own)
        found[platform_id] = Activity(
            "", Window(since, since), None, held.commits, held.pulls, held.issues, held.releases
        )
    return found


def stored(given: Activity | None) -> dict[str, object]:
    """What the step of a post keeps of what was given back to it, for `read`."""
    return {} if given is None else {"given": ACTIVITY.dump_python(given, mode="json")}


def read(result: Mapping[str, object]) -> Activity | None:
    """What was given back to the post of a step with this result."""
    found: Activity | None = ACTIVITY.validate_python(result["given"]) if "given" in result else None
    return found


def settle(connection: Connection, job_id: str, told: Mapping[str, Iterable[Key]]) -> None:
    """Forget what posts have told by now, by platform id: exactly that, for more may have been given back
    meanwhile. In the caller's transaction, which has the job locked."""
    for platform_id, keys in told.items():
        names = sorted(keys)
        this = (_given.c.job_id == job_id) & (_given.c.platform_id == platform_id)
        for start in range(0, len(names), AT_ONCE):
            which = tuple_(_given.c.kind, _given.c.key).in_(names[start : start + AT_ONCE])
            connection.execute(delete(_given).where(this, which))


def counted(count: int) -> str:
    """`2 items given back`."""
    return f"{plural(count, 'item')} given back"
