"""The product as a person runs it: web and worker processes on a given environment. For bench/, too."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from lib import clock, supervise
from lib.digests import digest
from lib.settings import load
from models import ApiToken, User
from models.base import make_engine
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

    def account(self, email: str, password: str = "") -> str:
        """Where there is none yet, one with that password; a token for it. Quicker than the two commands."""
        token = secrets.token_urlsafe(32)
        with self._rows() as session:
            user = session.scalar(select(User).where(User.email == email))
            if user is None:
                hashed = generate_password_hash(password)
                user = User(email=email, password_hash=hashed, verified_at=clock.now())
                session.add(user)
                session.flush()
            session.add(ApiToken(user_id=user.id, digest=digest(token)))
            session.commit()
        return token

    def _has_tables(self) -> bool:
        """A database that has its tables is spared the migrations, which take as long as many a test."""
        with self._rows() as session:
            return inspect(session.connection()).has_table(User.__tablename__)

    @contextmanager
    def _rows(self) -> Iterator[Session]:
        settings = load(self.env)
        settings.instance_path.mkdir(parents=True, exist_ok=True)  # where the database lies by default
        engine = make_engine(settings.database_url)
        with Session(engine, expire_on_commit=False) as session:
            yield session
        engine.dispose()

    def __enter__(self) -> "Stack":
        from blueprints.cli import web_command

        if not self._has_tables():
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
