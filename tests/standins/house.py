"""The product's real processes around rows that the test writes itself, for tests that break things.

Quicker than `Stack` as a person starts it, and what the processes say is kept: `log()`.
"""

import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from blueprints.cli import web_command
from lib.digests import digest
from models import ApiToken, Draft, EmailDelivery, Execution, Job, Step
from models.base import make_engine
from pipeline import control
from tasks.queue import worker_command
from tests.pipeline.conftest import make_job
from tests.standins.github import GitHubStandIn
from tests.standins.llm import LlmStandIn, platform_of
from tests.standins.mail import Mailbox
from tests.standins.server import Answer, Request
from tests.standins.stack import ROOT, Api, Stack, until

COUNTED = ("COMPLETED", "FAILED", "TIMEOUT")
PLATFORMS = ("HASHNODE", "DEVTO", "LINKEDIN")
LATEST_MAIL = 75.0
"""Seconds: its bell may be lost with the queue, and then the next tick rings again."""


class SlowLlm(LlmStandIn):
    """Keeps its answers for the platforms in `held` until `release()`; the call is counted when it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()

    def release(self) -> None:
        self.held.clear()

    def stop(self) -> None:
        self.release()
        super().stop()

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        asked = self._platform(request)
        while asked in self.held and not self._closing.wait(0.01):
            pass
        return answer

    @staticmethod
    def _platform(request: Request) -> str:
        messages = request.json()["messages"] if request.method == "POST" else []
        return platform_of("\n".join(message["content"] for message in messages))

    def await_calls(self, number: int) -> None:
        until(lambda: self.calls.total() >= number, 20, f"{number} calls of the model")


class World:
    """GitHub, the model and the mail server."""

    def __init__(self) -> None:
        self.github, self.llm, self.mailbox = GitHubStandIn(), SlowLlm(), Mailbox()
        self.github.move_dates(datetime.now(UTC) - timedelta(minutes=40))
        self._parts = (self.github, self.llm, self.mailbox)

    def __enter__(self) -> "World":
        for part in self._parts:
            part.start()
        return self

    def __exit__(self, *_: object) -> None:
        for part in self._parts:
            part.stop()

    def environ(self) -> dict[str, str]:
        return {
            "SECRET_KEY": "tests-only",
            "ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
            "GITHUB_API_URL": self.github.url,
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.llm.base_url,
            "OPENAI_MODEL": "stand-in",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.mailbox.port),
        }


class House(Stack):
    """Use as a context manager; it starts no process by itself. The database has its schema already."""

    def __init__(self, database_url: str, folder: Path, world: World, **environ: str) -> None:
        places = {"INSTANCE_PATH": str(folder), "DATABASE_URL": database_url}
        super().__init__({**places, **world.environ(), **environ})
        self.world, self.llm, self.mailbox = world, world.llm, world.mailbox
        self.logs, self._numbers = folder / "logs", count(1)
        self.engine = make_engine(database_url)
        self.sessions = sessionmaker(self.engine, expire_on_commit=False)
        # A look takes no lock, so that one can be had while the database is locked.
        self._looks = sessionmaker(self.engine.execution_options(readonly=True), expire_on_commit=False)

    def __enter__(self) -> "House":
        self.logs.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.llm.release()
        super().__exit__()
        self.engine.dispose()

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.logs / f"{next(self._numbers)}.log").open("wb") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, env=self.env, start_new_session=True, stdout=log, stderr=log
            )
        self.children.append(child)
        return child

    def start_hasty_worker(self) -> subprocess.Popen[bytes]:
        """One whose hearts beat, and lapse, within seconds (tests/standins/hasty.py)."""
        return self._start(
            [word.replace("tasks.consumer", "tests.standins.hasty") for word in worker_command()]
        )

    def start_web(self, port: int | None = None) -> None:
        self._start(web_command("127.0.0.1", port or self.port))

    def await_web(self, port: int | None = None) -> None:
        """Until it listens: it does so when it has assembled itself."""

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port or self.port)) == 0

        self.until(listens, 30, "answer from the web process")

    def healthz(self) -> Any:
        return requests.get(f"{self.url}/healthz", timeout=5).json()

    def log(self) -> str:
        """What all processes have said so far."""
        return "\n".join(file.read_text(errors="replace") for file in sorted(self.logs.iterdir()))

    def await_log(self, words: str, seconds: float = 20) -> None:
        self.until(lambda: words in self.log(), seconds, f"{words!r} in the log")

    def until(self, found: Callable[[], Any], seconds: float, what: str) -> Any:
        """As the function of that name; who waits in vain is shown the end of the log."""
        try:
            return until(found, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-5000:]}") from None

    def job(self, **more: Any) -> Job:
        with self.sessions() as session:
            return make_job(session, **more)

    def api(self, job: Job) -> Api:
        """Speaks for the job's owner."""
        with self.sessions() as session:
            session.add(ApiToken(user_id=job.user_id, name="", digest=digest(job.id), can_write=True))
            session.commit()
        return Api(self.url, job.id)

    def trigger(self, job: Job) -> str:
        """Without a bell: the worker looks at the rows each second."""
        with self.sessions() as session:
            return control.trigger(session, session.get_one(Job, job.id))[0].id

    def pressed(self, job: Job) -> Any:
        """Trigger Now, through the web process."""
        return self.api(job)("POST", "/api/cron/trigger", {"jobId": job.id}, status=202)

    def change(self, job: Job, **values: Any) -> None:
        with self.sessions() as session:
            row = session.get_one(Job, job.id)
            for name, value in values.items():
                setattr(row, name, value)
            session.commit()

    def row(self, execution_id: str) -> Execution:
        with self._looks() as session:
            return session.get_one(Execution, execution_id)

    def rows(self, model: Any, **of: Any) -> list[Any]:
        with self._looks() as session:
            return list(session.scalars(select(model).filter_by(**of)))

    def await_status(self, execution_id: str, status: str = "COMPLETED", seconds: float = 30) -> Execution:
        def there() -> Execution | None:
            row = self.row(execution_id)
            return row if row.status == status else None

        return self.until(there, seconds, f"{status} of {execution_id}")

    def written(self, execution_id: str) -> list[str]:
        """The platforms whose posts are stored."""
        steps = self.rows(Step, execution_id=execution_id, name="write", status="COMPLETED")
        return [step.platform_type for step in steps]

    def await_whole(self, execution_id: str, seconds: float = 30) -> Execution:
        """The execution ends well, and nothing of it is lost or there twice, its mail included."""
        done = self.await_status(execution_id, seconds=seconds)
        assert (done.outcome, done.items_success, done.items_failed) == ("SUCCESS", 3, 0)
        assert sorted(self.written(execution_id)) == sorted(PLATFORMS)
        assert len(self.rows(Draft, execution_id=execution_id)) == 3
        mails = {"execution_id": execution_id, "status": "SENT"}
        sent = self.until(lambda: self.rows(EmailDelivery, **mails), LATEST_MAIL, "mail sent")
        assert [mail.attempts for mail in sent] == [1]
        assert len(self.rows(EmailDelivery, execution_id=execution_id)) == 1
        self.check_statistics(done.job_id)
        return done

    def check_statistics(self, job_id: str) -> None:
        """The job's figures are those of its rows."""
        rows = [e for e in self.rows(Execution, job_id=job_id) if e.status in COUNTED and not e.dry_run]
        good = [e for e in rows if e.status == "COMPLETED"]
        (job,) = self.rows(Job, id=job_id)
        figures = (job.run_count, job.success_count, job.failure_count, job.total_duration)
        assert figures == (len(rows), len(good), len(rows) - len(good), sum(e.duration for e in good))
        slots = [e.scheduled_for for e in self.rows(Execution, job_id=job_id) if e.scheduled_for]
        assert len(set(slots)) == len(slots)
