"""Real processes on a database that has its schema, with real servers around them."""

import shutil

import pytest

from tests.standins.house import House, World


@pytest.fixture
def surroundings():
    with World() as world:
        yield world


@pytest.fixture
def house(sqlite_template, tmp_path, surroundings):
    """On SQLite; its files lie in `tmp_path`."""
    shutil.copy(sqlite_template, tmp_path / "repocast.db")
    with House(f"sqlite:///{tmp_path / 'repocast.db'}", tmp_path, surroundings) as house:
        yield house
