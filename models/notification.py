"""What the owner is told: a row in the app, its outgoing mail, and the pulse of the scheduler."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lib import ids
from models.base import Base, now


class Notification(Base):
    """One entry of a user's list. `type` is JOB_SUCCESS, JOB_PARTIAL, JOB_FAILED, JOB_TIMEOUT, JOB_RECOVERED,
    JOB_PAUSED, DRAFTS_WAIT or TOKEN_EXPIRES."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_user_history", "user_id", "created_at", "id"),
        Index("ix_notification_unread", "user_id", "is_read"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("ntf"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    execution_id: Mapped[str | None] = mapped_column(
        ForeignKey("execution.id", ondelete="SET NULL"), index=True
    )
    type: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(500))
    message: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(500))
    is_read: Mapped[bool] = mapped_column(default=False, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=now)


class EmailDelivery(Base):
    """One mail to one recipient: PENDING until a server took it (SENT) or it was given up (FAILED).

    `next_try_at` is when it may be tried again; a delivery in progress has it moved ahead as a lease.
    `event` is what it tells of, by which it can be stopped (pipeline.wishes); None where that cannot be.
    """

    __tablename__ = "email_delivery"
    __table_args__ = (Index("ix_email_delivery_due", "status", "next_try_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("mail"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    execution_id: Mapped[str | None] = mapped_column(
        ForeignKey("execution.id", ondelete="SET NULL"), index=True
    )
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    event: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10), default="PENDING")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)


class DigestEntry(Base):
    """What would have been a mail and waits for its owner's next digest. `event` is as a mail's; `job` is the
    job's name, empty for what is no job's; `link` is a whole address. `posts` are the platforms' results:
    {platform, title, link} of each draft, {platform, error} of each that got none."""

    __tablename__ = "digest_entry"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("dig"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(String(20))
    job: Mapped[str] = mapped_column(String(500))
    icon: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(500))
    message: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(500))
    posts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Pulse(Base):
    """When a named part of the system last moved; `tick` is the scheduler's."""

    __tablename__ = "pulse"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]
