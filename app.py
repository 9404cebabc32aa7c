"""Assembles the web application: extensions, blueprints, error pages, commands. No work happens at import."""

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from blueprints import BLUEPRINTS, access, cli, errors
from blueprints.extensions import csrf, db, limiter, login_manager
from lib import garbage
from lib.secrets import SecretBox
from lib.settings import Settings, load
from tasks import queue

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
MAX_BODY = 1024 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """The application for `settings` (default: those of the environment)."""
    settings = settings or load()
    app = Flask(__name__, instance_path=str(settings.instance_path))
    app.config.from_mapping(_configuration(settings))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["repocast"] = settings
    app.extensions["secret_box"] = SecretBox([key.get_secret_value() for key in settings.encryption_keys])
    if settings.secure:  # then a TLS proxy stands before us, and its headers can be believed
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    queue.connect(settings)
    for extension in (db, login_manager, csrf, limiter):
        extension.init_app(app)
    access.init_app(app)
    errors.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    cli.init_app(app)
    app.after_request(_harden)
    return app


def create_served() -> Flask:
    """For a process that serves it and does nothing else."""
    app = create_app()
    garbage.settle()
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": settings.secure,
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _harden(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint == "static":
        if "v" in request.args:  # the address changes with the file
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "HX-Request")
    return response
