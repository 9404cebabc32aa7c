"""Everything of one user's as JSON lines in a ZIP file; secrets are left out."""

import json
import zipfile
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Connection, Select, select

from lib import clock
from models import (
    ApiToken,
    Base,
    Draft,
    DraftVersion,
    EmailDelivery,
    Execution,
    Job,
    Notification,
    Platform,
    Project,
    Spend,
    User,
)
from models.base import table

SECRET = frozenset(
    {"password_hash", "sign_in_digest", "github_token", "webhook_secret", "credentials", "digest"}
)
BATCH = 100
"""Rows in memory at a time: some are as large as what a run read."""
ABOUT = """What Repocast holds of yours, one JSON object a line, times in UTC.
Passwords, tokens and other secrets are left out.
"""


def write(connection: Connection, user_id: str, file: IO[bytes]) -> None:
    """Write it to `file`. It holds few rows at a time, however many there are."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", ABOUT)
        for name, chosen in _parts(user_id):
            with archive.open(f"{name}.jsonl", "w") as part:
                for row in connection.execution_options(yield_per=BATCH).execute(chosen).mappings():
                    part.write(_line(dict(row)))


def _parts(user_id: str) -> list[tuple[str, Select[Any]]]:
    mine = select(Project.id).where(Project.user_id == user_id)
    drafts = select(Draft.id).where(Draft.user_id == user_id)
    return [
        ("account", _all(User).where(User.id == user_id)),
        ("api-tokens", _all(ApiToken).where(ApiToken.user_id == user_id)),
        ("projects", _all(Project).where(Project.user_id == user_id)),
        ("platforms", _all(Platform).where(Platform.project_id.in_(mine))),
        ("jobs", _all(Job).where(Job.user_id == user_id)),
        ("executions", _all(Execution).where(Execution.user_id == user_id)),
        ("drafts", _all(Draft).where(Draft.user_id == user_id)),
        ("draft-versions", _all(DraftVersion).where(DraftVersion.draft_id.in_(drafts))),
        ("notifications", _all(Notification).where(Notification.user_id == user_id)),
        ("mails", _mails().where(EmailDelivery.user_id == user_id)),
        ("spending", _all(Spend).where(Spend.project_id.in_(mine))),
    ]


def _all(model: type[Base]) -> Select[Any]:
    return select(*(column for column in table(model).columns if column.name not in SECRET))


def _mails() -> Select[Any]:
    """Without their texts, which hold links that act."""
    return select(*(column for column in table(EmailDelivery).columns if column.name not in ("text", "html")))


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, default=_said) + "\n").encode()


def _said(value: object) -> object:
    return clock.iso(value) if isinstance(value, datetime) else str(value)
