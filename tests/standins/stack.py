"""The product as a person runs it: web and worker processes on a given environment. For bench/, too."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from lib import supervise
from tasks.queue import worker_command

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(found: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `found()` is truthy, and return that; AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError(f"After {seconds} s still no {what}.")


class Stack:
    """Use as a context manager. `environ` is what the product's settings are read from."""

    def __init__(self, environ: Mapping[str, str], workers: int = 1) -> None:
        self.port = free_port()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env = {**kept, "HOST": "127.0.0.1", "PORT": str(self.port), **environ}
        self.count = workers
        self.children: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def flask(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of the product; what it printed."""
        command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def __enter__(self) -> "Stack":
        from blueprints.cli import web_command

        self.flask("db", "upgrade")
        self.web = self._start(web_command("127.0.0.1", self.port))
        self.workers = [self.start_worker() for _ in range(self.count)]
        until(self._is_up, 30, "answer from the web process")
        return self

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(worker_command())

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)
        self.children.append(child)
        return child

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/login", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
        supervise.stop(self.children, patience=10)


class Api:
    """The JSON API as a program sees it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def raw(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=20, **more)

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The answer's `data`; AssertionError unless the status is as expected."""
        answer = self.raw(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()["data"]
