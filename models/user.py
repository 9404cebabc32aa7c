"""People, and the tokens by which programs speak for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from lib import ids
from models.base import Base, now


class User(Base):
    """An account. `email` is stored in lower case; `sign_in_digest` is the SHA-256 of a sign-in link that
    works once. `time_format` is "12" or "24" hours, `theme` auto, light or dark; `verified_at` is when the
    address was shown to be its owner's: nothing but the mail that asks for it goes there before.
    `pending_email` takes its place once it is shown to be theirs, too. `notices` is what its owner wants to
    be told, None while nothing was chosen; pipeline.wishes reads it. `digest_at` is when the next digest of
    mails is due; `drafts_told_at` when the user was last reminded of drafts that wait."""

    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("user"))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    time_format: Mapped[str] = mapped_column(String(2), default="12", server_default="12")
    theme: Mapped[str] = mapped_column(String(5), default="auto", server_default="auto")
    verified_at: Mapped[datetime | None]
    pending_email: Mapped[str | None] = mapped_column(String(254))
    notices: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    digest_at: Mapped[datetime | None] = mapped_column(index=True)
    drafts_told_at: Mapped[datetime | None]
    sign_in_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)

    # What Flask-Login asks of an account; every stored account may sign in.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    session_secret = ""
    """The secret of the session that a request speaks for; on no row, and empty for programs."""

    def get_id(self) -> str:
        """What the cookies hold: the session's secret, so that ending the session ends them all."""
        return self.session_secret


class UserSession(Base):
    """A browser that is signed in. `id` is the SHA-256 of the secret in its cookie; `agent` names browser and
    system in words, `ip` is shortened; `last_seen_at` is right to some minutes."""

    __tablename__ = "user_session"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    agent: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    ip: Mapped[str] = mapped_column(String(45), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)


class AccountLink(Base):
    """A link in a mail that does one thing once: `kind` is VERIFY (`email` is the owner's) or RESET (a new
    password). `digest` is the SHA-256 of its secret."""

    __tablename__ = "account_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A program's key. Only its SHA-256 is kept; `can_write` false answers 403 to every change. It works
    until `expires_at`, where one was chosen."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: ids.new("tok"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    can_write: Mapped[bool] = mapped_column(default=True, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
