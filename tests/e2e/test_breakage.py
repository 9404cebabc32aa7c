"""What breaks around a running worker: a locked database, a full disk, a queue file that is gone. Each run
ends with nothing lost, nothing paid twice, and a sentence that says what happened."""

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from lib import clock
from models import Execution
from tests.plugins.requirement import missing
from tests.standins.house import PLATFORMS, House
from tests.standins.stack import until

pytestmark = pytest.mark.loopback

ONCE, TWICE = dict.fromkeys(PLATFORMS, 1), dict.fromkeys(PLATFORMS, 2)
LOCKED = 10.0


def test_a_database_that_is_locked_for_ten_seconds(house, tmp_path):
    """The posts come in, and a slot comes due, while another connection holds the database."""
    house.start_worker()
    house.llm.held.update(PLATFORMS)
    running, due = house.trigger(house.job()), house.job()
    house.llm.await_calls(3)
    slot = clock.now() + timedelta(seconds=2)
    house.change(due, next_run_at=slot)
    with closing(sqlite3.connect(tmp_path / "repocast.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        house.llm.release()
        time.sleep(LOCKED)  # the lock is what this is about
        assert house.row(running).status == "RUNNING"
        other.execute("ROLLBACK")
    house.await_whole(running)
    (late,) = until(lambda: house.rows(Execution, job_id=due.id), 5, "execution of the slot")
    assert late.scheduled_for == slot
    house.await_whole(late.id)
    assert house.llm.calls == TWICE
    assert (house.row(running).attempt, house.row(running).failures) == (1, 0)
    assert "The database took nothing (database is locked)" in house.log()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        missing("only root may mount a small disk to be filled")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        missing("this machine lets nobody mount a small disk to be filled")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes the last byte."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def test_a_disk_that_is_full_while_results_are_stored(sqlite_template, small_disk, tmp_path, surroundings):
    shutil.copy(sqlite_template, small_disk / "repocast.db")
    with House(f"sqlite:///{small_disk / 'repocast.db'}", tmp_path, surroundings) as house:
        house.start_worker()
        house.llm.held.update(PLATFORMS)
        running = house.trigger(house.job())
        house.llm.await_calls(3)
        filler = fill(small_disk)
        house.llm.release()
        house.await_log("The database took nothing")
        assert house.row(running).status == "RUNNING"
        filler.unlink()
        house.await_whole(running)
        assert house.llm.calls == ONCE
        assert (house.row(running).attempt, house.row(running).failures) == (1, 0)
        assert "disk is full" in house.log()


def test_a_queue_file_that_is_deleted_while_jobs_wait(house, tmp_path):
    """Bells are lost with it; the rows are not. Web and worker go on with a new one."""
    house.start_web()
    jobs = [house.job() for _ in range(4)]
    house.await_web()
    started = [house.pressed(job)["id"] for job in jobs[:2]]
    remove_queue(tmp_path)
    house.start_worker()
    for execution_id in started:
        house.await_whole(execution_id)
    house.llm.held.update(PLATFORMS)
    started += [house.pressed(jobs[2])["id"]]
    house.llm.await_calls(9)
    remove_queue(tmp_path)
    started += [house.pressed(jobs[3])["id"]]
    house.llm.release()
    for execution_id in started:
        house.await_whole(execution_id)
    assert house.llm.calls == dict.fromkeys(PLATFORMS, 4)
    assert "The queue's file was taken away" in house.log()
    # Both use the same new file: what the web process wrote, a worker took.
    until(lambda: house.healthz()["queueLength"] == 0, 5, "empty queue")


def remove_queue(folder: Path) -> None:
    gone = list(folder.glob("queue.db*"))
    assert gone
    for file in gone:
        file.unlink()
