"""Starts workers quickly: 200 deaths are 200 starts, and a start is mostly the import of libraries.

A forkserver imports the libraries once, and none of the product's modules; each worker is its fork, which
then does what `tasks.queue.worker_command` does: run Huey's consumer with those arguments.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.standins.stack import ROOT

LIBRARIES = [
    "cryptography.fernet",
    "flask_mail",
    "openai",
    "psycopg",
    "pydantic",
    "requests",
    "sqlalchemy.orm",
]
PR_SET_PDEATHSIG = 1

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(LIBRARIES)


def start(arguments: Sequence[str], env: Mapping[str, str], log: Path) -> BaseProcess:
    """`python -m huey.bin.huey_consumer ARGUMENTS` in the folder of the product."""
    process = _server.Process(target=_consume, args=(list(arguments), dict(env), str(log)))
    process.start()
    return process


def _consume(arguments: list[str], env: dict[str, str], log: str) -> None:
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["huey_consumer", *arguments]
    from huey.bin.huey_consumer import consumer_main

    consumer_main()
