"""The scheduler's figures on SQLite and PostgreSQL, with a real worker process of five places. Prints JSON.

Lateness, from a slot to the start of its execution, in ms: 200 jobs with three platforms, which tell nobody
(notify NONE), are due at one instant; their source and writer answer at once. A round waits for no full
minute: it sets the jobs' next slot a few seconds ahead and rings the start bells, as creating or editing a
job does. The first round warms up. `timer` is how late a plain sleep in this process woke up at the same
instants: what the machine could do. `executions_per_second` counts those that found no free place at first,
and stands beside what the same worker consumes of tasks that do nothing. `cpu_ms_per_execution` is the
worker's processor time.

The tick, in ms: with 1,000 and with 100,000 jobs that are not due, as many ended executions and as many sent
mails. The two take turns, so that a processor that changes its speed does so to both. PostgreSQL runs without
fsync.
"""

import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from sqlalchemy import Engine, String, cast, insert, literal, select, text, true
from sqlalchemy.orm import Session

from lib import clock
from lib.settings import load
from models import EmailDelivery, Execution, Job
from models.base import Base, make_engine, table
from models.values import Outcome, Status
from pipeline import claim
from pipeline.housekeeping import Ward
from tasks import queue
from tests.plugins.postgres import private_cluster
from tests.standins.crowd import Crew, bare, due_at, ended, populate, soon
from tests.standins.stack import Stack, until

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
JOBS, WORKERS = 200, 5
TASKS = 2_000
IDLE = (1_000, 100_000)
TICKS, WARM_UP = 60, 10
SECRETS = {"SECRET_KEY": "bench-only", "ENCRYPTION_KEYS": "YmVuY2gtb25seS1iZW5jaC1vbmx5LWJlbmNoLW9ubHk="}


def main() -> None:
    with private_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        urls = {
            "sqlite": lambda name: f"sqlite:///{folder}/{name}.db",
            "postgresql": lambda name: cluster.create(name),
        }
        figures = {
            kind: _clock(Path(folder), url("clock")) | _ticks(Path(folder), [url(f"idle{n}") for n in IDLE])
            for kind, url in urls.items()
        }
    print(json.dumps(figures, indent=2))


def _environ(folder: Path, url: str) -> dict[str, str]:
    return {"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "WORKERS": str(WORKERS), **SECRETS}


def _engine(folder: Path, url: str) -> Engine:
    """A database with the schema that migrations make."""
    Stack(_environ(folder, url)).flask("db", "upgrade")
    return make_engine(url)


def _clock(folder: Path, url: str) -> dict[str, Any]:
    engine = _engine(folder, url)
    environ = _environ(folder, url)
    queue.connect(load(environ))
    job_ids = populate(engine, [f"Project {number}" for number in range(JOBS)])
    note = folder / f"bare-{engine.dialect.name}"
    enqueued = _enqueue(note)
    with Crew(environ, engine) as crew:
        consumed = TASKS / float(
            until(lambda: note.exists() and note.read_text(), 60, "end of the bare tasks")
        )
        _round(crew, job_ids)  # what is imported with the first run is no news
        rounds = [_round(crew, job_ids) for _ in range(ROUNDS)]
    queue.disconnect()
    engine.dispose()
    rate = statistics.median(one["per_second"] for one in rounds)
    return {
        "lateness_first_workers_ms": _percentiles(late for one in rounds for late in one["late"][:WORKERS]),
        "lateness_all_ms": _percentiles(late for one in rounds for late in one["late"]),
        "timer_ms_worst": round(max(one["timer"] for one in rounds), 1),
        "early": sum(late < 0 for one in rounds for late in one["late"]),
        "executions_per_second": round(rate, 1),
        "cpu_ms_per_execution": round(statistics.median(one["cpu"] for one in rounds), 2),
        "bare_queue_per_second": {"enqueued": round(enqueued), "consumed": round(consumed)},
        "ratio_to_bare_queue": round(rate / consumed, 4),
    }


def _enqueue(note: Path) -> float:
    """Fill the queue before the worker starts, so that consuming is measured alone; tasks per second."""
    began = time.perf_counter()
    for _ in range(TASKS):
        bare(TASKS, str(note))
    return TASKS / (time.perf_counter() - began)


def _round(crew: Crew, job_ids: list[str]) -> dict[str, Any]:
    slot = soon()
    queue.ring(due_at(crew.engine, job_ids, slot))
    used = _cpu(crew)
    time.sleep((slot - clock.now()).total_seconds())
    timer = clock.now() - slot
    while ended(crew, slot) < len(job_ids):
        if (clock.now() - slot).total_seconds() > 60:
            raise TimeoutError("A minute after their slot some executions have not ended.")
        time.sleep(0.3)
    with crew.engine.connect() as connection:
        columns = select(Execution.started_at, Execution.completed_at)
        runs = connection.execute(columns.where(Execution.scheduled_for == slot)).all()
    starts, last = sorted(run.started_at for run in runs), max(run.completed_at for run in runs)
    return {
        "late": [_ms(start - slot) for start in starts],
        "timer": _ms(timer),
        "cpu": 1000 * (_cpu(crew) - used) / len(runs),
        "per_second": (len(runs) - WORKERS) / (last - starts[0]).total_seconds(),
    }


def _cpu(crew: Crew) -> float:
    """Processor seconds that the worker has used so far."""
    return sum(psutil.Process(crew.workers[0].pid).cpu_times()[:2])


def _ms(span: Any) -> float:
    return span.total_seconds() * 1000


def _percentiles(values: Iterable[float]) -> dict[str, float]:
    """By nearest rank, so that each is a value that occurred."""
    ranked = sorted(values)
    return {f"p{p}": round(ranked[math.ceil(len(ranked) * p / 100) - 1], 1) for p in (50, 95, 99)}


def _ticks(folder: Path, urls: list[str]) -> dict[str, Any]:
    engines = [_engine(folder, url) for url in urls]
    for engine, count in zip(engines, IDLE, strict=True):
        _fill(engine, count)
    wards = [Ward() for _ in engines]
    took: list[list[float]] = [[] for _ in engines]
    for _ in range(TICKS):
        for engine, ward, times in zip(engines, wards, took, strict=True):
            began = time.perf_counter()
            with Session(engine) as session:
                bells = claim.tick(session, "http://localhost", ward)
            times.append((time.perf_counter() - began) * 1000)
            assert not bells, "an idle job was rung"
    for engine in engines:
        engine.dispose()
    few, many = (statistics.median(times[WARM_UP:]) for times in took)
    return {
        "tick_ms": dict(zip(IDLE, (round(few, 3), round(many, 3)), strict=True)),
        "tick_ratio": round(many / few, 3),
    }


def _fill(engine: Engine, count: int) -> None:
    """Jobs that are due in half a day, each with an execution that has ended and a mail that was sent."""
    (job_id,) = populate(engine, ["Idle"])
    now = clock.now()
    with Session(engine) as session, session.begin():
        job = session.get_one(Job, job_id)
        whose = {"user_id": job.user_id}
        times = {"scheduled_for": now, "started_at": now, "completed_at": now, "heartbeat_at": now}
        ended_as = {"status": Status.COMPLETED, "outcome": Outcome.SUCCESS, "triggered_by": "scheduled"}
        run = Execution(job_id=job_id, project_id=job.project_id, attempt=1, **ended_as, **times, **whose)
        parts = {"recipient": "one@example.com", "subject": "", "text": "", "html": ""}
        mail = EmailDelivery(status="SENT", sent_at=now, **parts, **whose)
        session.add_all([run, mail])
    with engine.begin() as connection:
        _copy(connection, Job, count)
        _copy(connection, Execution, count, job_id="")
        _copy(connection, EmailDelivery, count)
    if engine.dialect.name == "postgresql":  # as autovacuum does within the minute, in the midst of the ticks
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _copy(connection: Any, model: type[Base], count: int, **numbered: str) -> None:
    """Copies of the table's only row, with the numbers from 1 as ids, and in the columns of `numbered`."""
    rows = table(model)
    number = select(literal(1).label("i")).cte("number", recursive=True)
    number = number.union_all(select(number.c.i + 1).where(number.c.i < count))
    named = cast(number.c.i, String)
    columns = [named if c.name in {"id", *numbered} else c for c in rows.c]
    source = select(*columns).select_from(rows.join(number, true()))
    connection.execute(insert(rows).from_select([c.name for c in rows.c], source))


if __name__ == "__main__":
    main()
