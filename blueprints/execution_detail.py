"""One execution whole, as programs are given it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import load_only

from blueprints import present, shapes
from blueprints.extensions import db
from blueprints.pages_cost import cost_json, costs_of
from blueprints.shapes import Json
from models import Attempt, Draft, Execution, Step
from models.values import ACTIVITY, Activity, Status


def detail(row: Execution) -> Json:
    """With its attempts, steps, activity and posts."""
    return with_drafts(row, drafts_of([row]))


def with_drafts(row: Execution, drafts: Mapping[str, Draft]) -> Json:
    """The same where its drafts are known already."""
    attempts = select(Attempt).where(Attempt.execution_id == row.id).order_by(Attempt.number)
    steps = select(Step).where(Step.execution_id == row.id).order_by(Step.started_at, Step.id)
    # A step's result holds the activity or a post, which are shown in their own places.
    columns = [getattr(Step, name) for name in shapes.StepView.model_fields]
    return present.execution_detail(
        row,
        db.session.scalars(attempts),
        db.session.scalars(steps.options(load_only(*columns))),
        drafts,
        _activity(row),
        cost_json(costs_of([row.id]).get(row.id)),
    )


def drafts_of(rows: Sequence[Execution]) -> dict[str, Draft]:
    """The drafts of these executions, by id."""
    found = select(Draft).where(Draft.execution_id.in_([row.id for row in rows]))
    return {draft.id: draft for draft in db.session.scalars(found)}


def _activity(row: Execution) -> Activity | None:
    scanned = select(Step.result).where(
        Step.execution_id == row.id, Step.name == "scan", Step.status == Status.COMPLETED
    )
    stored = db.session.scalar(scanned.limit(1))
    return None if stored is None else ACTIVITY.validate_python(stored)
