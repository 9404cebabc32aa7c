"""A private PostgreSQL cluster for the tests, reachable only through a socket in its own folder."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.plugins.requirement import missing

PR_SET_PDEATHSIG = 1
SHORT_LIVED = ("autovacuum=off", "wal_level=minimal", "max_wal_senders=0")
FAST = ("listen_addresses=", "fsync=off", "full_page_writes=off", "synchronous_commit=off")


class Cluster:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = psycopg.connect(self.url("postgres"), autocommit=True)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template0") -> str:
        self.connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def rename(self, database: str, to: str) -> None:
        """Only while nobody is connected to it."""
        self.connection.execute(f'ALTER DATABASE "{database}" RENAME TO "{to}"')

    def disconnect(self, database: str, patience: float) -> None:
        """Throw out whoever is connected, and wait until they are gone; at most `patience` seconds."""
        throw_out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        deadline = time.monotonic() + patience
        while self.connection.execute(throw_out, [database]).fetchall() and time.monotonic() < deadline:
            time.sleep(0.001)

    def drop(self, database: str) -> None:
        self.connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    if _binaries() is None:
        missing("PostgreSQL's server (initdb, postgres) is not installed")
    with private_cluster(*SHORT_LIVED) as cluster:
        yield cluster


@contextlib.contextmanager
def private_cluster(*settings: str) -> Iterator[Cluster]:
    """Runs while the body does, with these settings more; for bench/, too. RuntimeError where no server is
    installed."""
    binaries = _binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL's server (initdb, postgres) is not installed")
    # Not in pytest's own folder: the server's user must reach it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="repocast-pg-"))
    try:
        with _running(binaries, folder, *settings):
            cluster = Cluster(folder)
            yield cluster
            cluster.connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """The folder of the newest server on this machine."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    complete = [folder for folder in found if (folder / "postgres").exists()]
    return max(
        complete,
        key=lambda folder: [int(n) for n in folder.parent.name.split(".") if n.isdigit()],
        default=None,
    )


@contextlib.contextmanager
def _running(binaries: Path, folder: Path, *more: str) -> Iterator[None]:
    data = folder / "data"
    who = _server_user(folder)
    initdb = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    settings = [part for setting in (*FAST, *more) for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, *settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_die_with_parent,
            **who,
        )
    try:
        _wait_until_it_answers(server, folder)
        yield
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs the data again
        server.wait(30)


def _server_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it is its own user's, and so is the folder."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_it_answers(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={folder}").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.02)
        else:
            return
