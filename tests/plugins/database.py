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

_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, for what makes the schema itself."""
    from tests.plugins import limits

    databases = _postgres_database(request, "template0") if request.param != "sqlite" else _blank(tmp_path)
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
        databases = _postgres_database(request, request.getfixturevalue("postgres_template"))
    for url in databases:
        limits.release(url, request.node)
        yield url


def _copy(template: Path, folder: Path) -> Iterator[str]:
    yield f"sqlite:///{shutil.copy(template, folder / 'repocast.db')}"


def _postgres_database(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    cluster = request.getfixturevalue("postgres")
    name = f"test{next(_numbers)}"
    yield cluster.create(name, template)
    cluster.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "template.db"
    _make_schema(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres) -> str:
    _make_schema(postgres.create("template"))
    return "template"


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
