"""What the user schedules, and what each job has told already."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import ids
from models.base import Base, now
from models.project import Project


class Job(Base):
    """Project + schedule + platforms. `next_run_at` is the next slot, None while disabled or paused; it
    moves only by a claim or an edit.

    `cursor_*` say what has been told: everything in the repository from `cursor_floor` (where the first
    told window began) up to `cursor_until`, with `cursor_head` the branch's head then; `cursor_read` is
    until when everything was really read, and `cursor_etag` the repository's then: while it stays the same,
    one question is enough. `push_at` is when a run is due because somebody pushed, since `push_since`.
    `retry_delay` and
    `time_limit` are seconds. Counters and times are kept here so that statistics cost one row.
    `platform_ids` None means all connected platforms. After `pause_after` failed executions in a row (0:
    never) the job is paused: `paused_at` says since when, and there is no next slot until it goes on.
    `paused_until` is until when its owner paused it, `skipped_until` the last slot that the owner left out;
    the next slot is behind both.
    `significance` is OFF, NORMAL or STRICT: what a window has to hold for a post; `carried_since` is when the
    first of the windows ended that had too little and are carried over; while `cursor_read` is None then,
    nothing was told yet, and `cursor_until` is where the first window begins. `writer` is AUTO (the model
    where there is a key), TEMPLATE or MODEL; `falls_back` to the template writer where the model fails for
    good. `told_outcome` is how the run ended that its owner was told of last.
    `form_key` is of the form that made it, which makes no second one.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_due", "is_enabled", "next_run_at"),
        Index("ix_job_push", "push_at"),
        Index("uq_job_form", "project_id", "form_key", unique=True),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("cron"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(40), default="GENERATE_CONTENT")
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(String(2000), default="")
    frequency: Mapped[str] = mapped_column(String(10))
    time_config: Mapped[dict[str, Any]] = mapped_column(JSON)
    schedule: Mapped[str] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64))
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default="1")
    next_run_at: Mapped[datetime | None]
    platform_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    max_retries: Mapped[int] = mapped_column(default=3, server_default="3")
    retry_delay: Mapped[int] = mapped_column(default=300, server_default="300")
    time_limit: Mapped[int] = mapped_column(default=600, server_default="600")
    on_missed: Mapped[str] = mapped_column(String(10), default="RUN_ONCE", server_default="RUN_ONCE")
    notify: Mapped[str] = mapped_column(String(10), default="ALL", server_default="ALL")
    pause_after: Mapped[int] = mapped_column(default=5, server_default="5")
    failures_in_row: Mapped[int] = mapped_column(default=0, server_default="0")
    paused_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    skipped_until: Mapped[datetime | None]
    first_run: Mapped[dict[str, Any]] = mapped_column(JSON, default=lambda: {"days": 7})
    significance: Mapped[str] = mapped_column(String(10), default="NORMAL", server_default="NORMAL")
    carried_since: Mapped[datetime | None]
    writer: Mapped[str] = mapped_column(String(10), default="AUTO", server_default="AUTO")
    falls_back: Mapped[bool] = mapped_column(default=False, server_default="0")
    cursor_floor: Mapped[datetime | None]
    cursor_until: Mapped[datetime | None]
    cursor_head: Mapped[str | None] = mapped_column(String(64))
    cursor_etag: Mapped[str | None] = mapped_column(String(255))
    cursor_read: Mapped[datetime | None]
    run_on_push: Mapped[bool] = mapped_column(default=False, server_default="0")
    push_since: Mapped[datetime | None]
    push_at: Mapped[datetime | None]
    run_count: Mapped[int] = mapped_column(default=0, server_default="0")
    success_count: Mapped[int] = mapped_column(default=0, server_default="0")
    failure_count: Mapped[int] = mapped_column(default=0, server_default="0")
    total_duration: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_run_at: Mapped[datetime | None]
    last_success: Mapped[datetime | None]
    last_failure: Mapped[datetime | None]
    told_outcome: Mapped[str | None] = mapped_column(String(20))
    form_key: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)

    project: Mapped[Project] = relationship()


class Told(Base):
    """One item that a job has told: a commit's id, a pull request's or issue's number, a release's tag."""

    __tablename__ = "told"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class HeldBack(Base):
    """A security fix that a job keeps until a release carries it; `item` is the value as JSON."""

    __tablename__ = "held_back"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    item: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)


class GivenBack(Base):
    """One item of a rejected post that its owner gave back: the job tells it again, for that platform
    alone. `item` is the value as JSON, `since` where the window of that post began."""

    __tablename__ = "given_back"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    platform_id: Mapped[str] = mapped_column(ForeignKey("platform.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    item: Mapped[dict[str, Any]] = mapped_column(JSON)
    since: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=now)
