"""Commands of `flask --app app`."""

import json
import os
import secrets
import sys

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from blueprints import inputs
from blueprints.access import settings
from blueprints.extensions import db
from blueprints.webhooks import LARGEST
from lib import clock
from lib.digests import digest
from models import ApiToken, User
from tasks.queue import worker_command

user_cli = AppGroup("user", help="Accounts.")
token_cli = AppGroup("token", help="API tokens.")


def init_app(app: Flask) -> None:
    if os.environ.get("FLASK_RUN_FROM_CLI"):  # set by Flask's own command
        from blueprints import migration

        migration.init_app(app)
    app.cli.add_command(user_cli)
    app.cli.add_command(token_cli)
    for command in (serve, worker):
        app.cli.add_command(command)


@user_cli.command("create")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def create_user(email: str, password_stdin: bool) -> None:
    """Create an account for EMAIL."""
    password = sys.stdin.readline().rstrip("\n")
    _need_tables()
    email = email.strip().lower()
    if said := inputs.password_said(password, email):
        raise click.ClickException(f"The password: {said}")
    if "@" not in email or len(email) > 254:
        raise click.ClickException("EMAIL wants an address such as you@example.com.")
    if db.session.scalar(select(User).where(User.email == email)):
        raise click.ClickException(f"There is an account for {email} already.")
    user = User(email=email, password_hash=generate_password_hash(password), verified_at=clock.now())
    db.session.add(user)
    db.session.commit()
    click.echo(user.id)


@token_cli.command("create")
@click.argument("email")
@click.option("--name", default="", help="What the token is for.")
@click.option("--read-only", is_flag=True, help="A token that may not change anything.")
def create_token(email: str, name: str, read_only: bool) -> None:
    """Print a new API token of EMAIL, and nothing else. It is shown this once."""
    user = _user(email)
    token = "repocast_" + secrets.token_urlsafe(32)
    db.session.add(ApiToken(user_id=user.id, name=name, digest=digest(token), can_write=not read_only))
    db.session.commit()
    click.echo(token)


def _need_tables() -> None:
    """A command on a fresh database says what is missing."""
    if not sa.inspect(db.engine).has_table(User.__tablename__):
        raise click.ClickException(
            f"The database {db.engine.url.render_as_string()} has no tables yet: "
            "run `flask --app app db upgrade` first."
        )


def _user(email: str) -> User:
    _need_tables()
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise click.ClickException(f"There is no account for {email}.")
    return user


@user_cli.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a link that signs EMAIL in, once. A newer link replaces an older one."""
    user = _user(email)
    token = secrets.token_urlsafe(32)
    user.sign_in_digest = digest(token)
    db.session.commit()
    click.echo(f"{settings().base_url}/login/once/{token}")


def web_command(host: str, port: int) -> list[str]:
    """One process with threads: pages are short, and what is long belongs to the worker.

    Waitress and not gunicorn, whose managing process alone takes 15 MB; gunicorn is for production.
    """
    flags = f"--listen {host}:{port} --threads 8 --max-request-body-size {LARGEST} --call"
    return [sys.executable, "-m", "waitress", *flags.split(), "app:create_served"]


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Bring the database up to date, then run web and worker until Ctrl-C."""
    from flask_migrate import upgrade

    upgrade()
    db.session.remove()
    chosen = settings()
    commands = [web_command(chosen.host, chosen.port), worker_command()]
    click.echo(f"Repocast serves at {chosen.base_url} (Ctrl-C ends it).", err=True)
    sys.stderr.flush()
    # The supervisor needs nothing of the application: a fresh, small process takes this one's place.
    os.execv(sys.executable, [sys.executable, "-m", "lib.supervise", json.dumps(commands)])  # noqa: S606


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run a worker alone; any number of them may share one database."""
    command = worker_command()
    os.execv(command[0], command)  # noqa: S606
