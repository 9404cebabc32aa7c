"""What the pages weigh and cost, on SQLite and PostgreSQL, in this process. Prints JSON.

Weight: bytes with gzip and requests of a first visit, by the addresses that a page's HTML links; a live poll
without change by its body. Speed: one user with 50 jobs and 100,000 executions, and the same with 1,000: the
time of a request in milliseconds, this process's part of it (`cpu`), and its number of queries. A job's
history is 100 pages long with 100,000 executions, and one with 1,000: "history" is the last one, reached by
following "Older". "poll" is one without change. The two sizes' requests are interleaved, so that both see the
same noise.
"""

import contextlib
import gzip
import html
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Connection, event, insert, text
from sqlalchemy.orm import sessionmaker

from lib import garbage, ids
from models import Draft, Execution, Notification
from models.base import Base, make_engine, table
from tests.blueprints.conftest import Rows
from tests.blueprints.pages import Visitor
from tests.plugins.postgres import private_cluster
from tests.site.served import serving

ROOT = Path(__file__).resolve().parent.parent
SIZES = (100_000, 1_000)
JOBS = 50
ROUNDS = int(os.environ.get("BENCH_PAGE_ROUNDS", "40"))
LIMITS = {"weight_bytes": 60 * 1024, "requests": 12, "poll_bytes": 400, "ratio": 1.3, "queries": 8}
PAGES = 100
POLL = re.compile(r'hx-get="([^"]*[?&](?:amp;)?v=[^"]*)"')
OLDER = re.compile(r'href="([^"]*)" rel="next">Older executions')
LINKED = re.compile(r'<(?:script|link|img)\b[^>]*?(?:src|href)="(/static/[^"?]+)')


def main() -> None:
    figures = {"limits": LIMITS, "weight": _weight(), "speed": _speed()}
    print(json.dumps(figures, indent=2))


def _weight() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        return {state.name: _weigh(served, state) for state in served.site.states}


def _weigh(served: Any, state: Any) -> dict[str, Any]:
    answer = served.answer(state)
    body = answer.get_data(as_text=True)
    linked = set(LINKED.findall(body))
    assets = sum(len(gzip.compress((ROOT / name[1:]).read_bytes())) for name in linked)
    visitor = Visitor(served.app, served.site.users.get(state.who))
    polls = [visitor.get(html.unescape(path), htmx=True) for path in set(POLL.findall(body))]
    return {
        "bytes": len(gzip.compress(answer.data)) + assets,
        "requests": 1 + len(linked),
        "poll_bytes": max((len(poll.data) for poll in polls), default=0),
    }


def _speed() -> dict[str, Any]:
    figures = {"sqlite": _compared(lambda folder: f"sqlite:///{folder / 'bench.db'}")}
    with private_cluster() as cluster:
        figures["postgresql"] = _compared(lambda folder: cluster.create(folder.name))
    return figures


def _compared(url: Callable[[Path], str]) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        big, small = (stack.enter_context(_filled(size, url)) for size in SIZES)
        return {name: _compare(big, small, name) for name in big.paths}


class _Filled:
    """An application on a database of its own, with one user who has so many executions."""

    def __init__(self, folder: Path, executions: int, url: str) -> None:
        from app import create_app
        from lib.settings import load

        self.engine = make_engine(url)
        Base.metadata.create_all(self.engine)
        self.app = create_app(
            load({"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "SECRET_KEY": "bench"})
        )
        rows = Rows(sessionmaker(self.engine, expire_on_commit=False))
        user = rows.user()
        project = rows.project(user)
        jobs = [rows.job(project, name=f"Job {number}") for number in range(JOBS)]
        last = self._fill(jobs, executions)
        self.visitor = Visitor(self.app, user)
        home = f"/projects/{project.id}/cron/{jobs[0].id}"
        self.paths = {
            "dashboard": "/dashboard",
            "job": home,
            "execution": f"/executions/{last}",
            "drafts": "/drafts",
            "notifications": "/notifications",
        }
        self.stamps: dict[str, dict[str, str]] = {}
        self.queries = 0
        with self.app.app_context():
            event.listen(self.app.extensions["sqlalchemy"].engine, "before_cursor_execute", self._count)
        self.paths["history"] = self._oldest(home)
        for name in ("dashboard", "job"):
            body = self.visitor.get(self.paths[name]).get_data(as_text=True)
            paths = [html.unescape(path) for path in POLL.findall(body)]
            self.paths[f"{name} poll"] = next(path for path in paths if "badge" not in path)

    def _oldest(self, path: str) -> str:
        for _ in range(PAGES - 1):
            found = OLDER.search(self.visitor.get(path).get_data(as_text=True))
            if found is None:
                break
            path = html.unescape(found[1]).partition("#")[0]
        return path

    def _count(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.queries += not statement.startswith("BEGIN")

    def _fill(self, jobs: list[Any], executions: int) -> str:
        """Half an hour apart, newest first, the jobs in turn; a draft and a notification for every tenth."""
        newest = datetime.now(UTC)
        made: list[dict[str, Any]] = []
        for number in range(executions):
            job, at = jobs[number % JOBS], newest - timedelta(minutes=30 * number)
            run: dict[str, Any] = {
                "status": "COMPLETED",
                "outcome": "SUCCESS",
                "triggered_by": "schedule",
                "duration": 5000,
            }
            whose = {"user_id": job.user_id, "project_id": job.project_id, "job_id": job.id}
            times = {"created_at": at, "started_at": at, "completed_at": at + timedelta(seconds=5)}
            made.append({"id": ids.new("exec"), **whose, **run, **times})
        drafts = [
            {
                "id": ids.new("draft"),
                "user_id": one["user_id"],
                "execution_id": one["id"],
                "job_id": one["job_id"],
                "platform_type": "DEVTO",
                "state": "DRAFT",
                "title": "A title",
                "content": "A post",
                "tags": [],
                "checks": [],
                "created_at": one["created_at"],
            }
            for one in made[::10]
        ]
        told = [
            {
                "id": ids.new("ntf"),
                "user_id": one["user_id"],
                "execution_id": one["id"],
                "type": "JOB_SUCCESS",
                "title": "It went well",
                "message": "m",
                "link": f"/executions/{one['id']}",
                "is_read": False,
                "created_at": one["created_at"],
            }
            for one in made[::10]
        ]
        with self.engine.begin() as connection:
            for model, rows in ((Execution, made), (Draft, drafts), (Notification, told)):
                _store(connection, model, rows)
        # As autovacuum does within the minute.
        tidy = "VACUUM ANALYZE" if self.engine.dialect.name == "postgresql" else "ANALYZE"
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(tidy))
        return str(made[0]["id"])

    def ask(self, name: str) -> tuple[float, float, int]:
        """Milliseconds, those of this process, and queries."""
        is_poll = name.endswith("poll")
        headers = {"HX-Request": "true", **self.stamps.get(name, {})} if is_poll else {}
        self.queries, began, used = 0, time.perf_counter(), time.process_time()
        answer = self.visitor._client.get(self.paths[name], headers=headers)
        took, cpu = time.perf_counter() - began, time.process_time() - used
        assert answer.status_code == (204 if is_poll else 200), name
        if is_poll:
            self.stamps[name] = {"X-Glance": answer.headers["X-Glance"]}
        return took * 1000, cpu * 1000, self.queries


def _store(connection: Connection, model: type[Base], rows: list[dict[str, Any]]) -> None:
    """PostgreSQL takes them five times as fast by COPY."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(model), rows)
        return
    names = list(rows[0])
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table(model).name} ({', '.join(names)}) FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(
                [json.dumps(value) if isinstance(value, list) else value for value in row.values()]
            )


@contextlib.contextmanager
def _filled(executions: int, url: Callable[[Path], str]) -> Iterator[_Filled]:
    from tasks import queue

    with tempfile.TemporaryDirectory() as folder:
        filled = _Filled(Path(folder), executions, url(Path(folder)))
        yield filled
        queue.disconnect()
        filled.engine.dispose()
        with filled.app.app_context():
            filled.app.extensions["sqlalchemy"].engine.dispose()


def _compare(big: _Filled, small: _Filled, name: str) -> dict[str, Any]:
    for one in (big, small):
        one.ask(name)
    garbage.settle()  # as a process that serves
    pairs = [(big.ask(name), small.ask(name)) for _ in range(ROUNDS)]
    figures: dict[str, Any] = {}
    for size, column in zip(SIZES, zip(*pairs, strict=True), strict=True):
        times = sorted(took for took, _, _ in column)
        figures[str(size)] = {
            "p50_ms": round(statistics.median(times), 2),
            "p95_ms": round(times[int(len(times) * 0.95) - 1], 2),
            "cpu_p50_ms": round(statistics.median(cpu for _, cpu, _ in column), 2),
            "queries": max(queries for _, _, queries in column),
        }
    large, little = (figures[str(size)] for size in SIZES)
    figures["ratio_p50"] = round(large["p50_ms"] / little["p50_ms"], 2)
    figures["ratio_p95"] = round(large["p95_ms"] / little["p95_ms"], 2)
    return figures


if __name__ == "__main__":
    main()
