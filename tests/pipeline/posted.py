"""Drafts as a run leaves them, for tests of what becomes of them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Draft, DraftVersion
from pipeline import control, execute
from tests.pipeline.conftest import FakeAdapters, make_job


def posted(session: Session, adapters: FakeAdapters, kind: str = "DEVTO", **more: Any) -> Draft:
    """The draft of a whole run on one platform."""
    execution, _ = control.trigger(session, make_job(session, (kind,), **more))
    execute.run(session, execution.id, adapters)
    draft = session.scalars(select(Draft).where(Draft.execution_id == execution.id)).one()
    session.commit()
    return draft


def again(session: Session, draft: Draft) -> Draft:
    """The draft as it stands in the database."""
    found = session.get_one(Draft, draft.id, populate_existing=True)
    session.commit()
    return found


def kept(session: Session, draft: Draft) -> list[tuple[int, str, str]]:
    """Number, maker and text of the versions that have rows, oldest first."""
    rows = select(DraftVersion).where(DraftVersion.draft_id == draft.id).order_by(DraftVersion.number)
    found = [(row.number, row.made_by, row.content) for row in session.scalars(rows)]
    session.commit()
    return found
