"""What every table shares: naming, the UTC column type, and engines that behave alike on SQLite and
PostgreSQL."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from select import POLLIN, poll
from typing import Any, ClassVar, cast

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from lib import clock

SILENT = 5.0
"""Seconds after which an idle connection to PostgreSQL is asked whether it is still there."""
BUSY_TIMEOUT = 5.0
"""Seconds to wait for others who write to SQLite."""
NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


POSTGRES_CONNECT = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Seconds, and milliseconds: without them a connection whose other end is gone blocks for two hours."""
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""What a database raises when it is away, locked, full or overtaxed; some of it no waiting mends, see
`may_pass`."""
_SQLITE_PASSING = {5, 6, 7, 8, 10, 13, 14, 15}
"""BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL (sqlite.org/rescode.html)."""
_POSTGRES_PASSING = re.compile("08|53|57P|40|25006|55P03")
"""Connection, resources, shutdown and start, deadlock, read-only after a failover, a lock (PostgreSQL's
appendix of error codes)."""


def may_pass(error: BaseException) -> bool:
    """Whether the database may take the same statement later: by its code, never by its words."""
    if not isinstance(error, AWAY):
        return False
    cause = getattr(error, "orig", None)
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_PASSING
    state = getattr(cause, "sqlstate", None)
    return state is None or _POSTGRES_PASSING.match(state) is not None


def said(error: BaseException) -> str:
    """What the database said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


_READING: dict[str, Any] = {"sqlite": {"readonly": True}, "postgresql": {"isolation_level": "AUTOCOMMIT"}}


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Reads that take no write lock, and leave no transaction open.

    On SQLite one transaction. On PostgreSQL none: its statements see each their own moment anyway (READ
    COMMITTED), and BEGIN and COMMIT cost a round trip each. It ends by COMMIT, because after a ROLLBACK
    psycopg forgets all statements that the connection has prepared.
    """
    session.rollback()
    session.connection(execution_options=_READING[session.get_bind().dialect.name])
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    session.commit()


class UtcDateTime(TypeDecorator[datetime]):
    """Stores UTC and returns aware UTC on both databases; refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive datetime has no place in the database.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {datetime: UtcDateTime}


def now() -> datetime:
    """Column default: the clock looked up at call time, so that a test's frozen clock counts."""
    return clock.now()


def make_engine(url: str, **options: Any) -> Engine:
    """An engine for `url`; SQLite gets WAL, enforced foreign keys and transactions that take the write
    lock at once.

    Statements in errors and logs come without their values, which may be secrets.
    A transaction on a connection with the execution option `readonly` takes no write lock. BEGIN IMMEDIATE
    is needed because SQLite refuses, without waiting, to turn a read transaction into a write one when
    another connection has written meanwhile: of 600 such transactions in four processes 424 failed under
    DEFERRED, none under IMMEDIATE (measured 2026-11-23).
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if not url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, **{"connect_args": POSTGRES_CONNECT} | options)
        event.listen(engine, "checkout", partial(_postgres_checkout, engine.dialect))
        event.listen(engine, "checkin", _postgres_checkin)
        # One statement for many rows: psycopg's executemany costs as much as two statements before it begins.
        engine.dialect.use_insertmanyvalues_wo_returning = True
        return engine
    engine = create_engine(url, hide_parameters=True, **options)
    turn = _Turn()
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", turn.begin)
    event.listen(engine, "checkin", turn.end)
    return engine


def table(model: type[Base]) -> Table:
    """The model's table, for statements that are built once and run on a connection."""
    return cast(Table, model.__table__)


def upsert(session: Session | Connection, table: type[Base]) -> Any:
    """An INSERT that takes `on_conflict_do_nothing` and `…_do_update`, which both databases spell alike."""
    dialect = (session if isinstance(session, Connection) else session.get_bind()).dialect.name
    return (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT * 1000:.0f}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgres_checkout(dialect: Dialect, connection: Any, record: Any, _fairy: Any) -> None:
    """Have the pool replace a connection whose other end is gone; raises DisconnectionError.

    A server that ends closes the connection, and then there is something to read on one that nobody uses.
    That costs a fortieth of SQLAlchemy's pre-ping, which asks the server each time and was a seventh of what
    a run sent. Only one that was silent for long is asked, in case its network ended without a word.
    """
    used = record.info.get("used")
    if used is None:
        return
    heard = poll()
    heard.register(connection.fileno(), POLLIN)
    if heard.poll(0):
        raise DisconnectionError
    if time.monotonic() - used > SILENT:
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _postgres_checkin(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


class _Turn:
    """Lets the threads of one process write one after the other.

    SQLite lets one connection write and has the others sleep and look again, up to 100 ms a time: of six
    threads that write, most would sleep while nobody writes. Who gets no turn in BUSY_TIMEOUT asks SQLite
    itself, which waits as long again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, connection: Any) -> None:
        if connection.get_execution_options().get("readonly", False):
            connection.exec_driver_sql("BEGIN DEFERRED")
            return
        if "turn" not in connection.info and self._lock.acquire(timeout=BUSY_TIMEOUT):
            connection.info["turn"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, _connection: Any, record: Any) -> None:
        """When the connection goes back to its pool, which is after the commit."""
        if record.info.pop("turn", False):
            self._lock.release()
