"""PostgreSQL databases that are used again: each test finds one as fresh as the template.

CREATE and DROP DATABASE write and remove hundreds of files, which costs more than most tests. So what a test
leaves is taken out of its database, which then goes to another test, under another name: who knows the old
one, a thread or a process that outlived its test, reaches nothing. A database is dropped instead when
anything but its rows differs from the template, or when it has grown.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from tests.plugins.postgres import Cluster

MOST_PAGES = 100
"""Of 8 kB, beyond the template's: dead rows stay in the files, and the planner goes by their size."""
GOODBYE = 5.0
"""Seconds in which those who are thrown out must be gone."""
_FIRST = 16384
"""Objects below it are the server's own."""
_CATALOGS = {
    "pg_attrdef": "oid",
    "pg_attribute": "attrelid",
    "pg_class": "oid",
    "pg_constraint": "oid",
    "pg_extension": "oid",
    "pg_index": "indexrelid",
    "pg_largeobject_metadata": "oid",
    "pg_namespace": "oid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_rewrite": "oid",
    "pg_statistic": "starelid",
    "pg_statistic_ext": "oid",
    "pg_trigger": "oid",
    "pg_type": "oid",
}
"""What a schema consists of, and the column that says whose a row is; its xmin says who wrote it."""
_STATE = " UNION ALL ".join(
    [
        *(
            f"SELECT '{name}', count(*), sum(hashtext({column} || '/' || xmin))"
            f" FROM {name} WHERE {column} >= {_FIRST}"
            for name, column in _CATALOGS.items()
        ),
        # What VACUUM and ANALYZE find out is written in place.
        f"SELECT 'estimates', count(*), sum(relpages + reltuples) FROM pg_class WHERE oid >= {_FIRST}",
        "SELECT 'settings', count(*), 0 FROM pg_db_role_setting",
    ]
)
_PAGES = (
    f"SELECT sum(pg_relation_size(oid)) / 8192 FROM pg_class WHERE oid >= {_FIRST} AND relkind IN ('r', 't')"
)
_NAMES = f"SELECT oid::regclass::text FROM pg_class WHERE oid >= {_FIRST} AND relkind = %s ORDER BY 1"


class Pool:
    """Hands out databases of one template. `made` counts those that had to be created."""

    def __init__(self, cluster: Cluster, template: str, prefix: str = "test") -> None:
        self.cluster, self.template, self._prefix = cluster, template, prefix
        self._numbers = itertools.count(1)
        self._fresh: list[str] = []
        self.made = 0
        with self._connected(template) as connection:
            self._state = connection.execute(_STATE).fetchall()
            self._most_pages = connection.execute(_PAGES).fetchone()[0] + MOST_PAGES
            self._tables, self._sequences = (
                [name for (name,) in connection.execute(_NAMES, [kind])] for kind in "rS"
            )
        self._filled = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in self._tables
        )
        restarts = ", ".join(f"setval('{name}', 1, false)" for name in self._sequences)
        self._restart = f"SELECT {restarts}"

    def take(self) -> str:
        """The name of a database that has the template's schema, and no rows."""
        if self._fresh:
            return self._fresh.pop()
        self.made += 1
        name = self._next()
        self.cluster.create(name, self.template)
        return name

    def give(self, name: str) -> None:
        """Its test is over: empty it for another one, or drop it."""
        renamed = self._next()
        try:
            self.cluster.disconnect(name, GOODBYE)
            self.cluster.rename(name, renamed)
            with self._connected(renamed) as connection:
                is_fresh = self._empty(connection)
        except psycopg.Error:  # somebody came back, a transaction is prepared, the test dropped it itself
            is_fresh = False
        if is_fresh:
            self._fresh.append(renamed)
        else:
            self.cluster.drop(name)
            self.cluster.drop(renamed)

    def _next(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"

    @contextmanager
    def _connected(self, name: str) -> Iterator[Connection[Any]]:
        """No trigger and no foreign key acts on what is done here."""
        with psycopg.connect(
            self.cluster.url(name), autocommit=True, options="-c session_replication_role=replica"
        ) as connection:
            yield connection

    def _empty(self, connection: Connection[Any]) -> bool:
        """False where it would still differ from the template."""
        if connection.execute(_STATE).fetchall() != self._state:
            return False
        filled = [name for (name,) in connection.execute(self._filled)]
        if filled:
            if connection.execute(_PAGES).fetchone()[0] > self._most_pages:
                return False
            connection.execute("; ".join(f"DELETE FROM {name}" for name in filled))
        connection.execute(self._restart)
        return True
