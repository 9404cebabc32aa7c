"""One run of a job, its attempts and its steps; and the one table of legal moves."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import ids
from models.base import Base, now
from models.job import Job
from models.values import Status

MOVES: dict[Status, tuple[Status, ...]] = {
    Status.QUEUED: (Status.RUNNING, Status.CANCELLED),
    Status.RUNNING: (
        Status.COMPLETED,
        Status.FAILED,
        Status.TIMEOUT,
        Status.RETRYING,
        Status.CANCELLED,
    ),
    Status.RETRYING: (Status.RUNNING, Status.FAILED, Status.CANCELLED),
}
LIVE = tuple(MOVES)
"""What has a move left has not ended."""


def origins(target: Status) -> tuple[Status, ...]:
    """The states from which an execution may move to `target`: every UPDATE of a state asks for one of
    them."""
    return tuple(status for status, targets in MOVES.items() if target in targets)


_LIVE_SQL = text("status IN ('QUEUED', 'RUNNING', 'RETRYING')")
_RETRY_SQL = text("retry_of IS NOT NULL")


def unended(columns: Any) -> ColumnElement[bool]:
    """The condition of the indexes on live executions, for a WHERE that is to use them.

    SQLite takes a partial index only where the statement says its condition literally: without this, each of
    these questions reads the whole table (seen in EXPLAIN QUERY PLAN of SQLite 3.40). `columns`: Execution,
    an alias of it, or a table's columns.
    """
    values = [str(status) for status in LIVE]
    listed: Any = bindparam("unended", values, expanding=True, literal_execute=True)
    return cast(ColumnElement[bool], columns.status.in_(listed))


class Execution(Base):
    """`attempt` counts from 1 with the first try; `failures` are the attempts that failed by themselves,
    `recoveries` those whose worker died. `duration` is milliseconds of running without the waits.

    `error_code` is what the error is called (lib.codes), null where nobody named it.

    `tell_since` tells again from there; `cursor_at` is where the job's cursor stood when the first attempt
    began;
    `moves_cursor` is false for dry runs and for retries of single platforms.

    (job, slot) is unique, and so is the live execution of a job: the database refuses what the code should
    not try.
    """

    __tablename__ = "execution"
    __table_args__ = (
        UniqueConstraint("job_id", "scheduled_for"),
        Index(
            "uq_execution_live",
            "job_id",
            unique=True,
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
        Index("ix_execution_history", "job_id", "created_at", "id"),
        Index("ix_execution_outcome", "job_id", "outcome", "created_at", "id"),
        Index("ix_execution_trigger", "job_id", "triggered_by", "created_at", "id"),
        Index("ix_execution_user_history", "user_id", "created_at", "id"),
        # Of retries alone: where hardly any row is one, SQLite takes an index of all for useless.
        Index(
            "ix_execution_retry",
            "retry_of",
            sqlite_where=_RETRY_SQL,
            postgresql_where=_RETRY_SQL,
        ),
        Index(
            "ix_execution_turn",
            "created_at",
            "status",
            "next_retry_at",
            sqlite_where=_LIVE_SQL,
            postgresql_where=_LIVE_SQL,
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("exec"))
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    project_id: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    outcome: Mapped[str | None] = mapped_column(String(16))
    triggered_by: Mapped[str] = mapped_column(String(10))
    scheduled_for: Mapped[datetime | None]
    dry_run: Mapped[bool] = mapped_column(default=False, server_default="0")
    retry_of: Mapped[str | None] = mapped_column(String(40))
    tell_since: Mapped[datetime | None]
    cursor_at: Mapped[datetime | None]
    moves_cursor: Mapped[bool] = mapped_column(default=True, server_default="1")
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    recoveries: Mapped[int] = mapped_column(default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None]
    next_retry_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    duration: Mapped[int | None]
    items_processed: Mapped[int] = mapped_column(default=0, server_default="0")
    items_success: Mapped[int] = mapped_column(default=0, server_default="0")
    items_failed: Mapped[int] = mapped_column(default=0, server_default="0")
    window_since: Mapped[datetime | None]
    window_until: Mapped[datetime | None]
    window_base: Mapped[str | None] = mapped_column(String(64))
    window_head: Mapped[str | None] = mapped_column(String(64))
    summary: Mapped[str | None] = mapped_column(String(255))
    output: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None] = mapped_column(String(500))
    missed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(40))
    stack_trace: Mapped[str | None] = mapped_column(Text)

    job: Mapped[Job] = relationship()
    attempts: Mapped[list["Attempt"]] = relationship(order_by="Attempt.number", passive_deletes=True)
    steps: Mapped[list["Step"]] = relationship(order_by="Step.started_at, Step.id", passive_deletes=True)


class Attempt(Base):
    """One try. `reused` names the steps whose results came from an earlier attempt."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("execution_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("execution.id", ondelete="CASCADE"))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(10), default=Status.RUNNING)
    started_at: Mapped[datetime] = mapped_column(default=now)
    completed_at: Mapped[datetime | None]
    duration: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(40))
    stack_trace: Mapped[str | None] = mapped_column(Text)
    reused: Mapped[list[str]] = mapped_column(JSON, default=list)


class Step(Base):
    """One recorded stage of an attempt. `result` is the scan's activity or the written post, reused by
    later attempts."""

    __tablename__ = "step"
    __table_args__ = (Index("ix_step_execution", "execution_id", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("execution.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    name: Mapped[str] = mapped_column(String(10))
    platform_id: Mapped[str | None] = mapped_column(String(40))
    platform_type: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default=Status.RUNNING)
    started_at: Mapped[datetime] = mapped_column(default=now)
    completed_at: Mapped[datetime | None]
    duration: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(40))
    stack_trace: Mapped[str | None] = mapped_column(Text)
    permanent: Mapped[bool | None]
    retry_after: Mapped[float | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
