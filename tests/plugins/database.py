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
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
    else:
        yield from _postgres_database(request, "template0")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that has the schema and no rows."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "repocast.db")
        yield f"sqlite:///{file}"
    else:
        yield from _postgres_database(request, request.getfixturevalue("postgres_template"))


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
    from tests.plugins.moves import guard

    for module in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"models.{module.name}")
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        guard(connection)
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
