"""The order to write a draft anew: given, called off, looked up. `rewrite.py` carries it out."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from lib import clock
from models import Draft, DraftState, Execution, Job, Ordered, Regeneration, Step, unfinished
from models.values import Status
from pipeline import spending
from pipeline.bells import Bell
from pipeline.drafts import STAYS, DraftConflictError, lock, stale
from pipeline.tariff import FREE, Tariff

LIVE = "This draft is being written anew already: wait for that to end, or cancel it."
NO_PLATFORM = "Its platform was removed from the project: nothing is written for it any more."
NO_SCAN = "The activity that this draft was written from is not stored any more: trigger its job instead."


def order(
    session: Session,
    draft_id: str,
    instruction: str,
    version: int | None = None,
    tariff: Tariff = FREE,
) -> tuple[Regeneration, list[Bell]]:
    """An order to replace this version of the draft, or the present one where None; commits.

    `instruction`: what its owner asks of the new text, at most 2,000 characters; empty for none. Raises
    DraftConflictError where the draft may not be changed, is at another version, is being written anew
    already, where nothing is left to write from, or where the project's monthly budget is spent. `tariff`:
    what models cost.
    """
    draft = lock(session, draft_id)
    if draft.state != DraftState.DRAFT:
        raise DraftConflictError(STAYS[DraftState(draft.state)], draft)
    if version is not None and version != draft.version:
        raise DraftConflictError(stale(draft, version), draft)
    _can_be_written(session, draft)
    if (why := spending.why_not(session, _job_of(session, draft), tariff)) is not None:
        raise DraftConflictError(why[0].upper() + why[1:], draft)
    made = Regeneration(draft_id=draft.id, instruction=instruction, from_version=draft.version)
    session.add(made)
    session.commit()
    return made, [Bell("regenerate", made.id)]


def _can_be_written(session: Session, draft: Draft) -> None:
    """Whoever orders holds the draft, so that no second order comes between."""
    live = select(Regeneration.id).where(Regeneration.draft_id == draft.id, unfinished(Regeneration))
    if session.scalar(live) is not None:
        raise DraftConflictError(LIVE, draft)
    if draft.platform_id is None:
        raise DraftConflictError(NO_PLATFORM, draft)
    scan = (Step.execution_id == draft.execution_id) & (Step.name == "scan")
    if session.scalar(select(Step.id).where(scan, Step.status == Status.COMPLETED).limit(1)) is None:
        raise DraftConflictError(NO_SCAN, draft)


def _job_of(session: Session, draft: Draft) -> Job:
    return session.get_one(Execution, draft.execution_id, options=[joinedload(Execution.job)]).job


def cancel(session: Session, draft_id: str) -> None:
    """Call off the order that is under way; commits. A worker on it notices at its next write and stores
    nothing. Raises DraftConflictError where there is none."""
    done = session.execute(
        update(Regeneration)
        .where(Regeneration.draft_id == draft_id, unfinished(Regeneration))
        .values(status=Ordered.CANCELLED, completed_at=clock.now(), heartbeat_at=None, next_try_at=None)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise DraftConflictError("This draft is not being written anew.", session.get(Draft, draft_id))
    session.commit()


def latest(session: Session, draft_id: str) -> Regeneration | None:
    """The newest order to write this draft anew."""
    rows = select(Regeneration).where(Regeneration.draft_id == draft_id)
    return session.scalar(rows.order_by(Regeneration.created_at.desc()).limit(1))
