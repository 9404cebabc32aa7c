"""The Flask extensions, made once and bound to an application in `app.create_app`."""

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from models import Base
from models.base import make_engine


class Database(SQLAlchemy):
    """Flask-SQLAlchemy over the engines that the worker uses as well."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> sa.Engine:
        return make_engine(sa.make_url(options["url"]).render_as_string(hide_password=False))


db = Database(metadata=Base.metadata, disable_autonaming=True, session_options={"expire_on_commit": False})
login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)
