"""PostgreSQL is restarted under a run: what was found out is stored when it is back, and all go on."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.base import Base, make_engine
from tests.plugins import postgres as server
from tests.plugins.requirement import missing
from tests.standins.house import PLATFORMS, House
from tests.standins.stack import until

pytestmark = pytest.mark.loopback


class Outages:
    """Stops and starts a cluster of the test's own: other tests want theirs to stay."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.lives: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def one(self) -> Iterator[None]:
        """It is down while the body runs."""
        command = shlex.split((self.data / "postmaster.opts").read_text())
        self.stop()
        yield
        with (self.folder / "log").open("ab") as log:
            more = {"preexec_fn": server._die_with_parent, **server._server_user(self.folder)}
            self.lives.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **more))
        server._wait_until_it_answers(self.lives[-1], self.folder)

    def stop(self) -> None:
        """As a restart does: it throws out whoever is connected."""
        file = self.data / "postmaster.pid"
        if file.exists():
            os.kill(int(file.read_text().split()[0]), signal.SIGINT)
            until(lambda: not file.exists(), 20, "end of the server")
        for life in self.lives:
            life.wait(20)


@pytest.fixture
def cluster():
    if server._binaries() is None:
        missing("PostgreSQL's server (initdb, postgres) is not installed")
    with server.private_cluster() as cluster:
        yield cluster


@pytest.fixture
def outages(cluster):
    outages = Outages(cluster.folder)
    yield outages
    outages.stop()


@pytest.fixture
def house(cluster, tmp_path, surroundings):
    url = cluster.create("house")
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    with House(url, tmp_path, surroundings) as house:
        yield house


def test_a_server_that_is_restarted_while_a_run_is_under_way(outages, house):
    """The posts come in while it is down. Web and worker, database and queue alike find their way back."""
    house.start_web()
    house.start_worker()
    house.llm.held.update(PLATFORMS)
    running = house.trigger(house.job())
    house.llm.await_calls(3)
    house.await_web()
    with outages.one():
        house.llm.release()
        house.await_log("The database took nothing")
        assert house.healthz()["database"] == "unreachable"
    done = house.await_whole(running)
    assert (done.attempt, done.failures, done.recoveries) == (1, 0, 0)
    assert house.llm.calls == dict.fromkeys(PLATFORMS, 1)
    for _ in range(2):
        house.await_whole(house.pressed(house.job())["id"])
    until(lambda: house.healthz()["queueLength"] == 0, 10, "empty queue")
    assert house.llm.calls == dict.fromkeys(PLATFORMS, 3)
