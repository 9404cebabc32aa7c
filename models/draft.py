"""A post as a row: editable, versioned, with a state."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import ids
from models.base import Base, now
from models.execution import Execution


class Draft(Base):
    """`state` is DRAFT, APPROVED, REJECTED or PUBLISHED. `checks` are sentences about what the platform
    will not take."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_user_history", "user_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("draft"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    execution_id: Mapped[str] = mapped_column(ForeignKey("execution.id", ondelete="CASCADE"), index=True)
    platform_id: Mapped[str | None] = mapped_column(ForeignKey("platform.id", ondelete="SET NULL"))
    platform_type: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="DRAFT")
    title: Mapped[str] = mapped_column(String(500), default="")
    content: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    checks: Mapped[list[str]] = mapped_column(JSON, default=list)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)

    execution: Mapped[Execution] = relationship()
