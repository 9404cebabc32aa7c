"""What every test may ask for.

The product is imported inside the fixtures, so that a broken module fails only the tests that need it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from tests import shared

THIS_MACHINE = ["127.0.0.1", "::1", "localhost"]
LONG = os.environ.get("REPOCAST_LONG") == "1"
MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30
"""What tests write lies in memory where there is enough of it, in bytes: most of it is databases."""
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

pytest_plugins = [
    "tests.plugins.browser",
    "tests.plugins.closing_line",
    "tests.plugins.once",
    "tests.plugins.postgres",
    "tests.plugins.database",  # after what it imports
]

# Machines that share their processor are slow at times; CI tries the same examples each time.
hypothesis.settings.register_profile("repocast", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("repocast")


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("loopback"):
        item.add_marker(pytest.mark.allow_hosts(THIS_MACHINE))
    if item.get_closest_marker("long") and not LONG:
        item.add_marker(pytest.mark.skip(reason="long: runs with make long"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recorded responses and activity, kept beside the checkout and not in it."""
    folder = shared.data()
    if folder is None:
        pytest.skip(shared.ABSENT)
    return folder


class FrozenClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def now(self) -> datetime:
        return self.instant

    def move_to(self, instant: datetime) -> None:
        self.instant = instant.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FrozenClock:
    """Freezes `lib.clock.now` at the instant at which the walkthrough's job comes due."""
    frozen = FrozenClock(datetime(2025, 10, 3, 9, tzinfo=UTC))
    monkeypatch.setattr("lib.clock.now", frozen.now)
    return frozen


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment that `settings` is read from; override this fixture to add names."""
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "tests-only",
        "ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    }


@pytest.fixture
def settings(environ: dict[str, str]):
    from lib.settings import load

    return load(environ)


@pytest.fixture
def app(settings) -> Iterator:
    from app import create_app
    from tasks import queue

    app = create_app(settings)
    app.testing = True
    yield app
    queue.disconnect()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()
