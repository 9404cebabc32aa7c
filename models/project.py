"""Where activity comes from, and the places that posts are written for."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lib import ids
from models.base import Base, now


class Project(Base):
    """A GitHub repository or a local git repository. `last_synced_at` is the latest of its jobs.

    `github_token` and `webhook_secret` are sealed. `github_id` is GitHub's own, which outlives names;
    `github_former` is the repository's name before GitHub renamed it.
    `github_budget` is what the rate limit left at the last scan: {limit, remaining, reset, at}.
    `token_warned` is how many days before the token's expiry its owner was last told. `bots` are
    logins and names that are no people; `withhold` {words, paths} is what no post may tell. `budget` is how
    much its posts may cost in a calendar month (UTC), in millionths of the price table's currency;
    `budget_short` is what the cheapest post may cost for which there was too little left, None once one was
    paid again.
    """

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("proj"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(String(2000), default="")
    source_type: Mapped[str] = mapped_column(String(10), default="GITHUB")
    github_repo_owner: Mapped[str | None] = mapped_column(String(100))
    github_repo_name: Mapped[str | None] = mapped_column(String(100))
    github_branch: Mapped[str | None] = mapped_column(String(255))
    github_token: Mapped[str | None] = mapped_column(Text)
    git_path: Mapped[str | None] = mapped_column(String(1000))
    github_former: Mapped[str | None] = mapped_column(String(201))
    github_id: Mapped[int | None] = mapped_column(BigInteger)
    github_budget: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    token_expires_at: Mapped[datetime | None]
    token_warned: Mapped[int | None]
    webhook_secret: Mapped[str | None] = mapped_column(Text)
    voice: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    bots: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    withhold: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    budget: Mapped[int | None] = mapped_column(BigInteger)
    budget_short: Mapped[int | None] = mapped_column(BigInteger)
    last_synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    platforms: Mapped[list["Platform"]] = relationship(
        back_populates="project",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="Platform.created_at, Platform.id",
    )

    @property
    def repository(self) -> str:
        """How a person names it: `owner/name`, or the folder."""
        if self.source_type == "GITHUB":
            return f"{self.github_repo_owner}/{self.github_repo_name}"
        return self.git_path or ""


class Platform(Base):
    """A place that posts are written for while `is_connected`. `credentials` are sealed JSON."""

    __tablename__ = "platform"
    __table_args__ = (UniqueConstraint("project_id", "type"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("plat"))
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(10))
    is_connected: Mapped[bool] = mapped_column(default=True, server_default="1")
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    credentials: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)

    project: Mapped[Project] = relationship(back_populates="platforms")


class WebhookDelivery(Base):
    """One delivery of a project's webhook, by GitHub's id of it: a redelivery has the same."""

    __tablename__ = "webhook_delivery"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    guid: Mapped[str] = mapped_column(String(64), primary_key=True)
    event: Mapped[str] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(default=now, index=True)
