"""What a test leaves in its PostgreSQL database is gone before another test has that database."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.plugins.pool import MOST_PAGES, Pool
from tests.plugins.postgres import Cluster

Connect = Callable[[str], psycopg.Connection[Any]]
PULSE = "INSERT INTO pulse (name, at) VALUES ('tick', now())"
TASK = "INSERT INTO huey_task (queue, data) VALUES ('repocast', 'x')"
FILL = f"INSERT INTO pulse (name, at) SELECT n::text, now() FROM generate_series(1, {MOST_PAGES * 200}) AS n"
CHANGES = {
    "a column": "ALTER TABLE pulse ADD COLUMN more text",
    "a column less": "ALTER TABLE pulse DROP COLUMN at",
    "a default": "ALTER TABLE pulse ALTER COLUMN at SET DEFAULT now()",
    "a table": "CREATE TABLE more (id text)",
    "a table less": "DROP TABLE pulse",
    "a view": "CREATE VIEW more AS SELECT 1",
    "an index": "CREATE INDEX more ON pulse (at)",
    "a constraint": "ALTER TABLE pulse ADD CONSTRAINT more CHECK (name <> '')",
    "a guard less": "DROP TRIGGER within_limits ON draft",
    "a guard asleep": "ALTER TABLE draft DISABLE TRIGGER within_limits",
    "a function": "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger AS 'BEGIN END' LANGUAGE plpgsql",
    "a schema": "CREATE SCHEMA more",
    "a sequence": "CREATE SEQUENCE more",
    "a type": "CREATE TYPE more AS ENUM ('one')",
    "a large object": "SELECT lo_create(0)",
    "estimates": "ANALYZE user_account",
    "a table cut short": "TRUNCATE pulse",
}


@pytest.fixture
def pool(postgres: Cluster, postgres_pool: Pool) -> Pool:
    """One of the test's own, so that it is known which database comes next."""
    return Pool(postgres, postgres_pool.template, prefix=f"pool{next(_numbers)}_")


_numbers = itertools.count(1)


@pytest.fixture
def connect(postgres: Cluster) -> Iterator[Connect]:
    made = []

    def connected(name: str) -> psycopg.Connection[Any]:
        made.append(psycopg.connect(postgres.url(name), autocommit=True))
        return made[-1]

    yield connected
    for connection in made:
        connection.close()


def count(connection: psycopg.Connection[Any], table: str = "pulse") -> int:
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_rows_are_gone_and_numbers_begin_anew(pool: Pool, connect: Connect):
    first = pool.take()
    with connect(first) as connection:
        connection.execute(PULSE)
        assert connection.execute(f"{TASK} RETURNING id").fetchone() == (1,)
    pool.give(first)
    second = connect(pool.take())
    assert (pool.made, count(second), count(second, "huey_task")) == (1, 0, 0)
    assert second.execute(f"{TASK} RETURNING id").fetchone() == (1,)


def test_rows_that_others_point_to_are_gone(pool: Pool, connect: Connect):
    name = pool.take()
    connection = connect(name)
    user = "INSERT INTO user_account (id, email, password_hash, created_at) VALUES ('u', 'u', '-', now())"
    session = (
        "INSERT INTO user_session (id, user_id, created_at, last_seen_at) VALUES ('s', 'u', now(), now())"
    )
    connection.execute(user)
    connection.execute(session)
    pool.give(name)
    look = connect(pool.take())
    assert (pool.made, count(look, "user_account"), count(look, "user_session")) == (1, 0, 0)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_database_whose_schema_was_changed_is_dropped(pool: Pool, connect: Connect, change: str):
    name = pool.take()
    connect(name).execute(change)
    pool.give(name)
    pool.take()
    assert pool.made == 2


def test_one_that_has_grown_is_dropped(pool: Pool, connect: Connect):
    name = pool.take()
    connect(name).execute(FILL)
    pool.give(name)
    assert count(connect(pool.take())) == 0
    assert pool.made == 2


def test_an_open_transaction_is_broken_off(pool: Pool, connect: Connect):
    """Its locks, too, which would hold up the next test."""
    name = pool.take()
    connection = connect(name)
    connection.execute("BEGIN")
    connection.execute("LOCK TABLE pulse")
    connection.execute("SELECT pg_advisory_lock(1)")
    connection.execute(PULSE)
    pool.give(name)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("COMMIT")
    look = connect(pool.take())
    assert (pool.made, count(look)) == (1, 0)
    assert look.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)


def test_who_outlives_the_test_reaches_no_database_of_another(pool: Pool, connect: Connect):
    """A thread that connects again and again, as a worker does that was not stopped."""
    name, is_over = pool.take(), threading.Event()

    def write() -> None:
        while not is_over.is_set():
            with suppress(psycopg.Error):
                connect(name).execute(PULSE)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        pool.give(name)
        others = [pool.take() for _ in range(3)]
        assert name not in others
        assert [count(connect(other)) for other in others] == [0, 0, 0]
    finally:
        is_over.set()
        writer.join()


def test_one_that_the_test_dropped_itself_is_not_missed(pool: Pool, postgres: Cluster, connect: Connect):
    name = pool.take()
    postgres.drop(name)
    pool.give(name)
    assert count(connect(pool.take())) == 0
