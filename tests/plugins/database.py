"""Databases, each test's own: whoever asks for one runs twice, on SQLite and on PostgreSQL."""

import importlib
import itertools
import pkgutil
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from tests.plugins.pool import Pool
from tests.plugins.postgres import Cluster

_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, for what makes the schema itself."""
    from tests.plugins import limits

    databases = _blank_postgres(request) if request.param != "sqlite" else _blank(tmp_path)
    for url in databases:
        yield url
        limits.look(url, request.node)


def _blank(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'blank.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that has the schema and no rows."""
    from tests.plugins import limits

    if request.param == "sqlite":
        databases = _copy(request.getfixturevalue("sqlite_template"), tmp_path)
    else:
        databases = _pooled(request.getfixturevalue("postgres_pool"))
    for url in databases:
        limits.release(url, request.node)
        yield url


def _copy(template: Path, folder: Path) -> Iterator[str]:
    yield f"sqlite:///{shutil.copy(template, folder / 'repocast.db')}"


def _blank_postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    cluster = request.getfixturevalue("postgres")
    name = f"blank{next(_numbers)}"
    yield cluster.create(name)
    cluster.drop(name)


def _pooled(pool: Pool) -> Iterator[str]:
    name = pool.take()
    yield pool.cluster.url(name)
    pool.give(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "template.db"
    _make_schema(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_pool(postgres: Cluster) -> Pool:
    """Its databases have the queue's tables, too, which the application would make in each."""
    from tasks import queue

    url = postgres.create("template")
    _make_schema(url)
    queue._storage(url).close()
    return Pool(postgres, "template")


def _make_schema(url: str) -> None:
    import models
    from models.base import Base, make_engine
    from tests.plugins import limits, moves

    for module in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"models.{module.name}")
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        moves.guard(connection)
        limits.guard(connection)
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    from models.base import make_engine

    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    with sessions() as session:
        yield session


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The statements that any engine runs during the test; `clear()` it, act, and look at its length."""
    statements: list[str] = []

    def note(connection, cursor, statement, *details) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)
