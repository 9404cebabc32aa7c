"""Commands of `flask --app app`."""

import secrets

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from blueprints.access import digest
from blueprints.extensions import db
from models import ApiToken, User

user_cli = AppGroup("user", help="Accounts.")
token_cli = AppGroup("token", help="API tokens.")
MIN_PASSWORD = 8


def init_app(app: Flask) -> None:
    app.cli.add_command(user_cli)
    app.cli.add_command(token_cli)


@user_cli.command("create")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def create_user(email: str, password_stdin: bool) -> None:
    """Create an account for EMAIL."""
    password = click.get_text_stream("stdin").readline().rstrip("\n")
    if len(password) < MIN_PASSWORD:
        raise click.ClickException(f"The password wants at least {MIN_PASSWORD} characters.")
    email = email.strip().lower()
    if "@" not in email or len(email) > 254:
        raise click.ClickException("EMAIL wants an address such as you@example.com.")
    if db.session.scalar(select(User).where(User.email == email)):
        raise click.ClickException(f"There is an account for {email} already.")
    user = User(email=email, password_hash=generate_password_hash(password))
    db.session.add(user)
    db.session.commit()
    click.echo(user.id)


@token_cli.command("create")
@click.argument("email")
@click.option("--name", default="", help="What the token is for.")
@click.option("--read-only", is_flag=True, help="A token that may not change anything.")
def create_token(email: str, name: str, read_only: bool) -> None:
    """Print a new API token of EMAIL, and nothing else. It is shown this once."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise click.ClickException(f"There is no account for {email}.")
    token = "repocast_" + secrets.token_urlsafe(32)
    db.session.add(ApiToken(user_id=user.id, name=name, digest=digest(token), can_write=not read_only))
    db.session.commit()
    click.echo(token)
