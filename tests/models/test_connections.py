"""Connections to PostgreSQL whose other end is gone are replaced before anybody uses them."""

import pytest
from sqlalchemy import text

from models import base


@pytest.fixture
def pooled(engine):
    """The server's number of the one connection that lies in the pool."""
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connections that end")
    return number(engine)


def number(engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


def test_a_living_connection_is_kept_without_a_question(engine, pooled, queries):
    assert number(engine) == pooled
    assert queries[-1] == "SELECT pg_backend_pid()"


def test_one_that_the_server_ended_is_replaced(engine, postgres, pooled):
    postgres.connection.execute("SELECT pg_terminate_backend(%s)", [pooled])
    while postgres.connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pooled]).fetchone():
        pass
    assert number(engine) != pooled


def test_one_that_was_silent_for_long_is_asked(engine, pooled, monkeypatch):
    """An end without a word, as behind a router that forgot the connection: nothing is there to read."""
    asked = []
    monkeypatch.setattr(engine.dialect, "do_ping", lambda connection: asked.append(connection) or True)
    assert (number(engine), asked) == (pooled, [])
    monkeypatch.setattr(base, "SILENT", -1.0)
    assert number(engine) == pooled
    assert len(asked) == 1

    def lost(_connection):
        raise engine.dialect.loaded_dbapi.OperationalError("the connection is lost")

    monkeypatch.setattr(engine.dialect, "do_ping", lost)
    assert number(engine) != pooled
