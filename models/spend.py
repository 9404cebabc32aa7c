"""What models cost: one row for each call that was paid, or may have been."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lib import ids
from models.base import Base, now


class Spend(Base):
    """One post asked of a model. `cost` is in millionths of the price table's currency, None where no price
    is known. `is_estimate` until the model's answer told its tokens, and for good where nobody knows what a
    call cost."""

    __tablename__ = "spend"
    __table_args__ = (Index("ix_spend_project", "project_id", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("spend"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    execution_id: Mapped[str | None] = mapped_column(
        ForeignKey("execution.id", ondelete="SET NULL"), index=True
    )
    platform_id: Mapped[str | None] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(200))
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cost: Mapped[int | None] = mapped_column(BigInteger)
    is_estimate: Mapped[bool] = mapped_column(default=False, server_default="0")
    at: Mapped[datetime] = mapped_column(default=now)
