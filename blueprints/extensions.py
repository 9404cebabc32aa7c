"""The Flask extensions, made once and bound to an application in `app.create_app`."""

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from models import Base
from models.base import UtcDateTime, make_engine


class Database(SQLAlchemy):
    """Flask-SQLAlchemy over the engines that the worker uses as well."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> sa.Engine:
        return make_engine(sa.make_url(options["url"]).render_as_string(hide_password=False))


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


db = Database(metadata=Base.metadata, disable_autonaming=True, session_options={"expire_on_commit": False})
migrate = Migrate(
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,
    render_item=_render_item,
    include_name=_include_name,
)
login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)
