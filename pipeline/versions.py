"""The versions of a draft: which stay, what each is made of, and what differs between two."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lib import clock
from models import Draft, DraftVersion
from models.values import Post

BURST = timedelta(minutes=5)
"""An hour of typing, saved every few seconds, leaves twelve versions."""
USER, MODEL, TEMPLATE = "USER", "MODEL", "TEMPLATE"
"""Who made a version."""
_ORIGIN = ("claims", "sources", "remarks", "usage")
_COPIED = ("title", "subtitle", "content", "tags", *_ORIGIN)


def columns_of(post: Post) -> dict[str, Any]:
    """What a writer returned, as a draft and its versions keep it."""
    return text_columns(post) | {
        "claims": [asdict(claim) | {"refs": list(claim.refs)} for claim in post.claims] or None,
        "sources": [asdict(source) for source in post.sources] or None,
        "remarks": list(post.remarks) or None,
        "usage": asdict(post.usage) if post.usage else None,
    }


def text_columns(post: Post) -> dict[str, Any]:
    """What a reader gets to see of a post, as columns."""
    return {
        "title": post.title,
        "subtitle": post.subtitle or None,
        "content": post.content,
        "tags": list(post.tags),
    }


def post_of(row: Draft | DraftVersion) -> Post:
    """The text of a draft or of one of its versions, without what it stems from."""
    return Post(row.title, row.content, tuple(row.tags), subtitle=row.subtitle or "")


def bare(post: Post) -> Post:
    """What a reader gets to see of a post, to compare it."""
    return Post(post.title, post.content, tuple(post.tags), subtitle=post.subtitle)


def copy_of(row: DraftVersion) -> dict[str, Any]:
    """The text of a version and what it stems from, as columns."""
    return {name: getattr(row, name) for name in _COPIED}


def written_by(usage: dict[str, Any] | None) -> str:
    """Who wrote a text that no person did: a model leaves its usage."""
    return MODEL if usage else TEMPLATE


def all_of(session: Session, draft: Draft) -> Sequence[DraftVersion]:
    """The draft's versions, newest first. One that was never changed has its present text alone."""
    rows = select(DraftVersion).where(DraftVersion.draft_id == draft.id)
    found = session.scalars(rows.order_by(DraftVersion.number.desc())).all()
    return found or [_present(draft)]


def one_of(session: Session, draft: Draft, number: int) -> DraftVersion | None:
    """That version; None where there is none, or none any more."""
    found = session.get(DraftVersion, (draft.id, number)) if 0 < number < 2**31 else None
    return _present(draft) if found is None and number == draft.version else found


def keep(session: Session, draft: Draft) -> DraftVersion:
    """The row of the draft's present version, made now where there is none yet; in the caller's transaction,
    which holds the draft.

    So drafts that nobody ever changes cost nothing, and those from before there were versions are like all
    others.
    """
    row = session.get(DraftVersion, (draft.id, draft.version))
    if row is None:
        row = _present(draft)
        session.add(row)
    return row


def add(
    session: Session,
    draft: Draft,
    values: dict[str, Any],
    made_by: str,
    instruction: str = "",
    *,
    is_typed: bool = False,
    is_current: bool = True,
) -> DraftVersion:
    """A new version of the draft, which becomes its text where `is_current`; in the caller's transaction,
    which holds the draft.

    `values` are columns of both. `is_typed`: saved while its owner types. Such versions within BURST of the
    first of them are one: the older row is dropped, its instant kept. Never dropped are what a writer wrote
    and what was approved. Numbers only grow, and none is given twice.
    """
    before, now = keep(session, draft), clock.now()
    session.flush()
    kept = {name: getattr(draft, name) for name in _ORIGIN}
    row = DraftVersion(
        draft_id=draft.id,
        number=_next(session, draft),
        made_by=made_by,
        instruction=instruction,
        created_at=now,
        **kept | values,
    )
    if is_typed and _is_burst(before, now):
        row.created_at = before.created_at
        session.delete(before)
    session.add(row)
    if is_current:
        for name in _COPIED:
            setattr(draft, name, getattr(row, name))
        draft.version, draft.updated_at = row.number, now
    return row


def _present(draft: Draft) -> DraftVersion:
    """The draft's text as a version that nobody has changed."""
    return DraftVersion(
        draft_id=draft.id,
        number=draft.version,
        made_by=written_by(draft.usage),
        instruction="",
        created_at=draft.created_at,
        **{name: getattr(draft, name) for name in _COPIED},
    )


def _is_burst(before: DraftVersion, now: datetime) -> bool:
    is_loose = before.made_by == USER and before.approved_at is None
    return is_loose and timedelta() <= now - before.created_at < BURST


def _next(session: Session, draft: Draft) -> int:
    last = session.scalar(select(func.max(DraftVersion.number)).where(DraftVersion.draft_id == draft.id))
    return max(last or 0, draft.version) + 1
