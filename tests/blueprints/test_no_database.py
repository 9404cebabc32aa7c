"""A database that is away, locked or full: a sentence and 503; reading goes on where only writing fails."""

import sqlite3

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from blueprints.extensions import db
from tests.blueprints.pages import Visitor


@pytest.fixture
def broken(app, monkeypatch):
    """Every new transaction fails as it does while a database restarts."""

    def refuse(*_args, **_more):
        raise OperationalError("SELECT", {}, Exception("the database system is starting up"))

    monkeypatch.setattr("sqlalchemy.engine.Engine.connect", refuse)


@pytest.fixture
def locked(database_url, app):
    """Another program holds SQLite's write lock; waiting for it is cut short."""
    with app.app_context():
        monkey = db.engine.raw_connection()
        monkey.execute("PRAGMA busy_timeout=10")
        monkey.close()
    with sqlite3.connect(make_url(database_url).database, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    holder.close()


@pytest.fixture
def visitor(app, user) -> Visitor:
    return Visitor(app, user)


def test_a_page_says_what_happened_and_what_comes_next(visitor, broken):
    answer = visitor.get("/dashboard")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "The database cannot be reached just now" in answer.text
    assert "Try again in a minute" in answer.text


def test_the_api_says_it_in_its_own_shape(api, broken):
    answer = api.get("/api/projects")
    assert answer.status_code == 503
    assert answer.json["success"] is False
    assert answer.json["error"].startswith("The database cannot be reached just now.")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_reading_by_token_goes_on_while_nothing_can_be_written(api, locked):
    answer = api.get("/api/projects")
    assert (answer.status_code, answer.json["data"]) == (200, [])
