"""How writing a draft anew stands."""

from dataclasses import dataclass

from blueprints import view
from blueprints.extensions import db
from blueprints.view import Mark, Moment
from models import Draft, Ordered, Regeneration
from pipeline import regenerate
from pipeline.orders import TRIES

MARKS = {
    "QUEUED": Mark("wait", "Queued", "live"),
    "RUNNING": Mark("run", "Writing", "live"),
    "COMPLETED": Mark("ok", "Done", "ok"),
    "FAILED": Mark("bad", "Failed", "bad"),
    "CANCELLED": Mark("stop", "Cancelled", "quiet"),
}


@dataclass(frozen=True, slots=True)
class OrderPart:
    """`said` is what happened and what comes next. `is_live`: it is still under way. `version` is the one
    that it made, if any, and `beside` whether that stands beside a text that was changed meanwhile."""

    id: str
    mark: Mark
    said: str
    instruction: str
    is_live: bool
    next_try: Moment | None
    version: int | None
    beside: bool


def order_part(draft: Draft, zone: str) -> OrderPart | None:
    """The latest order to write this draft anew; None where there was none."""
    row = regenerate.latest(db.session(), draft.id)
    if row is None:
        return None
    next_try = view.upcoming(row.next_try_at, zone) if row.next_try_at and row.error else None
    return OrderPart(
        id=row.id,
        mark=MARKS[row.status],
        said=_said(row),
        instruction=row.instruction,
        is_live=row.completed_at is None,
        next_try=next_try,
        version=row.version,
        beside=row.status == Ordered.FAILED and row.version is not None,
    )


def _said(row: Regeneration) -> str:
    if row.status == Ordered.QUEUED:
        if row.error is None:
            return "It waits for a free worker, then begins at once."
        return f"Try {row.attempt} of {TRIES} did not succeed: {row.error}"
    if row.status == Ordered.RUNNING:
        return "The new text is being written. You may leave this page."
    if row.status == Ordered.CANCELLED:
        return "You cancelled it; the text stayed as it was."
    if row.status == Ordered.FAILED:
        return row.error or "It ended without a reason."
    if row.version == row.from_version:
        return (
            "The writer came to the same text again, so there is no new version. The template writer follows"
            " no instructions; a model does."
        )
    return f"Version {row.version} is the new text."
