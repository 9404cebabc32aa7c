"""A post as a row: editable, versioned, with a state; and the tables of its legal moves."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, Text, bindparam, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import ids
from models.base import Base, now
from models.execution import Execution


class DraftState(StrEnum):
    """Of a draft. DRAFT waits for its owner, who alone moves it."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PUBLISHED = "PUBLISHED"


DRAFT_MOVES: dict[DraftState, tuple[DraftState, ...]] = {
    DraftState.DRAFT: (DraftState.APPROVED, DraftState.REJECTED),
    DraftState.APPROVED: (DraftState.DRAFT, DraftState.PUBLISHED),
    DraftState.REJECTED: (DraftState.DRAFT,),
}


class Ordered(StrEnum):
    """The status of an order to write a draft anew."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ORDER_MOVES: dict[Ordered, tuple[Ordered, ...]] = {
    Ordered.QUEUED: (Ordered.RUNNING, Ordered.CANCELLED),
    Ordered.RUNNING: (Ordered.QUEUED, Ordered.COMPLETED, Ordered.FAILED, Ordered.CANCELLED),
}
_LIVE_SQL = text("status IN ('QUEUED', 'RUNNING')")


def unfinished(columns: Any) -> ColumnElement[bool]:
    """The condition of the index on live orders, word for word, for a WHERE that is to use it (see
    `models.execution.unended`)."""
    values = [str(status) for status in ORDER_MOVES]
    listed: Any = bindparam("unfinished", values, expanding=True, literal_execute=True)
    return cast(ColumnElement[bool], columns.status.in_(listed))


class Draft(Base):
    """`state` is DRAFT, APPROVED, REJECTED or PUBLISHED. The newest version's text stands here, too.

    `checks` are sentences about what the platform will not take, `remarks` about what the ledger of claims
    left out or added. `claims` are the sentences as they were written, each with its refs, and `sources`
    what the refs stand for. `job_id` is its execution's, repeated here so that the latest posts of a job are
    found by one index. `given_back_at`: its items were given back to the job, to be told again.
    """

    __tablename__ = "draft"
    __table_args__ = (
        Index("ix_draft_user_history", "user_id", "created_at", "id"),
        Index("ix_draft_job_history", "job_id", "platform_id", "created_at", "id"),
        Index("ix_draft_counts", "user_id", "state", "platform_type", "job_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("draft"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    execution_id: Mapped[str] = mapped_column(ForeignKey("execution.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str | None] = mapped_column(String(40))
    platform_id: Mapped[str | None] = mapped_column(ForeignKey("platform.id", ondelete="SET NULL"))
    platform_type: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default=DraftState.DRAFT)
    title: Mapped[str] = mapped_column(String(500), default="")
    subtitle: Mapped[str | None] = mapped_column(String(500))
    content: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    checks: Mapped[list[str]] = mapped_column(JSON, default=list)
    remarks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    claims: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    sources: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    given_back_at: Mapped[datetime | None]

    execution: Mapped[Execution] = relationship()


class DraftVersion(Base):
    """One version of a draft's text. `made_by` is MODEL, TEMPLATE or USER; `instruction` is what its owner
    asked of a text that was written anew.

    A draft that was never changed needs no row. `claims`, `sources`, `remarks` and `usage` are those of the
    text that the version stems from. `approved_at` is when this very version was approved, if ever.
    """

    __tablename__ = "draft_version"

    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_by: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(500), default="")
    subtitle: Mapped[str | None] = mapped_column(String(500))
    content: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    instruction: Mapped[str] = mapped_column(String(2000), default="")
    remarks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    claims: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    sources: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    approved_at: Mapped[datetime | None]


class Regeneration(Base):
    """An order to write a draft anew: QUEUED, RUNNING, COMPLETED, FAILED or CANCELLED.

    `from_version` is the version that it replaces, and no other; `version` the one that it made. A RUNNING
    one carries a heartbeat, and every write of it names its `attempt`. `failures` are the attempts that
    failed or whose worker died.
    """

    __tablename__ = "regeneration"
    __table_args__ = (
        Index(
            "uq_regeneration_live",
            "draft_id",
            unique=True,
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
        Index("ix_regeneration_draft", "draft_id", "created_at"),
        Index(
            "ix_regeneration_turn",
            "created_at",
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("regen"))
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(10), default=Ordered.QUEUED)
    instruction: Mapped[str] = mapped_column(String(2000), default="")
    from_version: Mapped[int]
    version: Mapped[int | None]
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    completed_at: Mapped[datetime | None]
