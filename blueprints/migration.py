"""`flask db …`: how Alembic compares models and database. Only commands import this: Alembic costs 9 MB."""

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_migrate import Migrate

from blueprints.extensions import db
from models.base import UtcDateTime


def _render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Migrations name SQLAlchemy's types, never ours: ours may move."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return "sa.JSON()"
    return False


def _include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """The queue keeps tables of its own in the same PostgreSQL database."""
    return not (kind == "table" and name is not None and name.startswith("huey_"))


def init_app(app: Flask) -> None:
    """Add the `db` commands."""
    Migrate(
        app,
        db,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        render_item=_render_item,
        include_name=_include_name,
    )
