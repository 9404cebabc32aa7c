"""Tell again: a rejected post's items go back to its job, whose next run tells them once more, for that
platform alone (`pipeline/givenback.py`)."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lib import clock
from models import Draft, GivenBack, Job, Platform
from models.base import upsert
from pipeline.belonging import items
from pipeline.control import ConflictError
from pipeline.givenback import written_from
from pipeline.jobs import lock_these
from pipeline.keeping import as_rows
from pipeline.scan import told_before
from platforms import NAMES


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
