"""Who asks: the session cookie, or an API token; whose object it is; and the CSRF check of everything a
cookie may change."""

from typing import TypeVar

from flask import Flask, abort, current_app, g, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm.interfaces import ORMOption
from werkzeug.wrappers import Response

from blueprints import sessions
from blueprints.extensions import csrf, db, login_manager
from lib import clock
from lib.digests import digest
from lib.links import Links
from lib.secrets import SecretBox
from lib.settings import Settings
from models import ApiToken, Base, User
from pipeline.tariff import Tariff

SAFE = ("GET", "HEAD", "OPTIONS")
Row = TypeVar("Row", bound=Base)


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["repocast"]
    return found


def links() -> Links:
    """What makes and reads the addresses in mails that do something."""
    chosen = settings()
    return Links(chosen.base_url, chosen.secret_key.get_secret_value())


def tariff() -> Tariff:
    """What models cost here."""
    return Tariff.of(settings())


def secret_box() -> SecretBox:
    """What seals secrets before they are stored."""
    found: SecretBox = current_app.extensions["secret_box"]
    return found


def owned(model: type[Row], row_id: str, *options: ORMOption) -> Row:
    """The signed-in user's row; 404 alike for one that is absent and one that is somebody else's. `options`:
    what is loaded with it."""
    if "\0" in row_id:  # PostgreSQL takes no such text
        abort(404)
    row = db.session.get(model, row_id, options=options)
    if row is None or row.user_id != current_user.id:  # type: ignore[attr-defined]
        abort(404)
    return row


def init_app(app: Flask) -> None:
    """Register the loaders and the checks that precede every request."""
    login_manager.user_loader(_session_user)
    login_manager.request_loader(lambda _request: _bearer())
    login_manager.unauthorized_handler(_unauthorized)
    app.before_request(_read_only)
    app.before_request(_check_csrf)
    sessions.init_app(app)


def _session_user(secret: str) -> User | None:
    """The cookie's user, unless the session was ended. A request to the API that brings a token is judged
    by the token alone."""
    if request.path.startswith("/api/") and "Authorization" in request.headers:
        return None
    return sessions.find(secret)


def _bearer() -> User | None:
    """The owner of the `Authorization: Bearer` token; only the API listens to tokens."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not request.path.startswith("/api/") or scheme.lower() != "bearer" or not token:
        return None
    found = db.session.scalar(select(ApiToken).where(ApiToken.digest == digest(token.strip())))
    if found is None or (found.expires_at is not None and found.expires_at <= clock.now()):
        return None
    g.api_token = found
    return db.session.get(User, found.user_id)


def _check_csrf() -> None:
    """A request that carries a token cannot be forged by a page; every other change needs the form's or
    the header's token."""
    if request.method in SAFE:
        return
    if request.path.startswith("/api/") and "Authorization" in request.headers:
        return
    if request.path.startswith("/webhooks/"):  # a signature proves who sends it, and no cookie counts
        return
    if request.path == "/unsubscribe" and request.form.get("List-Unsubscribe") == "One-Click":
        return  # a mail program (RFC 8058): the signed token says whose mails, and no cookie counts
    csrf.protect()


def _read_only() -> None:
    """Reading takes no write lock on SQLite."""
    if request.method in SAFE and request.endpoint not in (None, "static"):
        db.session.connection(execution_options={"readonly": True})


def _unauthorized() -> Response:
    from blueprints.errors import sign_in_first

    return sign_in_first()


def touch_token(token: ApiToken) -> None:
    """Note that a token was used."""
    token.last_used_at = clock.now()
