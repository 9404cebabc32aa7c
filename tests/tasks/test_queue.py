"""The queue on each storage: what is rung is dequeued, soon, and a stranger's row runs nothing."""

import shutil
import socket
import subprocess
import threading
import time

import pytest
from sqlalchemy import make_url

from lib.settings import load
from pipeline.bells import Bell
from tasks import queue
from tasks.sqlite_queue import WatchedSqliteStorage
from tests.plugins.requirement import missing
from tests.standins.stack import free_port, until


@pytest.fixture
def redis_url(tmp_path):
    binary = shutil.which("redis-server") or missing("redis-server is not installed")
    port = free_port()
    command = [binary, "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(up, 10, "redis")
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(10)


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def queue_url(request, tmp_path):
    if request.param == "redis":
        yield request.getfixturevalue("redis_url")
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'queue.db'}"
    else:
        cluster = request.getfixturevalue("postgres")
        yield cluster.create("queue", "template0")
        cluster.drop("queue")


@pytest.fixture
def connected(queue_url, tmp_path):
    queue.connect(load({"INSTANCE_PATH": str(tmp_path), "QUEUE_URL": queue_url}))
    yield queue.huey
    queue.disconnect()


def taken(huey):
    return until(huey.dequeue, 5, "task")


@pytest.mark.loopback
def test_what_is_rung_is_dequeued(connected):
    queue.ring([Bell("run", "exec_1"), Bell("deliver", "mail_1")])
    assert [(t.name, t.args) for t in (taken(connected), taken(connected))] == [
        ("run", ("exec_1",)),
        ("deliver", ("mail_1",)),
    ]


@pytest.mark.loopback
def test_a_waiting_worker_wakes_soon(connected):
    """A dequeue that waits returns within its patience; the bound is loose, the figure is bench's."""
    got: list[float] = []

    def wait():
        task = taken(connected)
        got.append(time.monotonic())
        assert task.args == ("exec_1",)

    thread = threading.Thread(target=wait)
    thread.start()
    rung = time.monotonic()
    queue.ring([Bell("run", "exec_1")])
    thread.join(10)
    assert got
    assert got[0] - rung < 3


@pytest.mark.loopback
def test_an_unsigned_row_runs_nothing(connected):
    connected.storage.enqueue(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(ValueError, match=r"Separator|Signature"):
        until(connected.dequeue, 5, "task")


def test_a_queue_out_of_order_loses_no_request(tmp_path, monkeypatch, caplog):
    def broken(*_args, **_more):
        raise OSError("disk full")

    monkeypatch.setattr(queue.huey, "enqueue", broken)
    queue.ring([Bell("run", "exec_1")])
    assert "a worker finds it in the rows" in caplog.text


def test_a_bell_with_an_eta_is_scheduled(tmp_path, clock):
    queue.disconnect()
    queue.ring([Bell("start", "cron_1", eta=clock.now(), slot=clock.now())])
    (task,) = queue.huey.pending()
    assert (task.name, task.args) == ("start", ("cron_1", "2025-10-03T09:00:00+00:00"))
    assert task.eta == clock.now().replace(tzinfo=None)  # huey keeps UTC without saying so
    queue.disconnect()


def test_sqlalchemy_urls_reach_the_database_driver():
    assert make_url("postgresql+psycopg://u@h/d").drivername == "postgresql+psycopg"


def test_a_deleted_queue_file_is_made_anew_for_all_who_use_it(tmp_path):
    """Two processes, played by two storages: without this each would go on with a file that nobody sees."""
    file = tmp_path / "queue.db"
    web, worker = (WatchedSqliteStorage("repocast", filename=str(file), fsync=False) for _ in range(2))
    web.enqueue(b"first")
    assert worker.dequeue() == b"first"
    for each in tmp_path.glob("queue.db*"):
        each.unlink()
    web.enqueue(b"second")
    assert worker.dequeue() == b"second"
    for each in tmp_path.glob("queue.db*"):
        each.unlink()
    assert worker.queue_size() == 0
    web.enqueue(b"third")
    assert worker.dequeue() == b"third"
    web.close()
    worker.close()
