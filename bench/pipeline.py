"""The main job's figures, against stand-ins in this process and a real web and worker process. Prints JSON.

With GitHub answering in 1.2 s and the model in 3.3 s, a run's time against the critical path of those
latencies; from Trigger Now to COMPLETED recorded with instant services; the idle worker's processor use; and
the memory of web and worker (PSS from /proc, in MB of 10^6 bytes).

`database_ms`: what a run of three platforms costs in this process on SQLite with adapters that answer at
once, so all of it is ours: rows, transactions, and threads. `calibration_ms` is an ORM insert and update with
a commit each in the same database, interleaved with it: processors here change their speed.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from sqlalchemy.orm import Session

from lib import ids
from models import Base, Job, Pulse
from models.base import make_engine
from pipeline import control, execute, take
from pipeline.hold import Heart
from tests.pipeline.conftest import FakeAdapters, commit, make_job
from tests.standins.github import GitHubStandIn
from tests.standins.llm import LlmStandIn
from tests.standins.stack import Api, Stack, until

GITHUB, MODEL = 1.2, 3.3
CRITICAL_PATH = 2 * GITHUB + MODEL
"""Lists and then commits at GitHub, then one post: what depends on each other, and nothing else."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
INSTANT_ROUNDS = int(os.environ.get("BENCH_INSTANT_ROUNDS", "40"))
DATABASE_ROUNDS = int(os.environ.get("BENCH_DATABASE_ROUNDS", "200"))
IDLE_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "15"))


def main() -> None:
    with GitHubStandIn() as github, LlmStandIn() as llm, tempfile.TemporaryDirectory() as folder:
        github.move_dates(datetime.now(UTC) - timedelta(minutes=30))
        environ = {
            "INSTANCE_PATH": folder,
            "GITHUB_API_URL": github.url,
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": f"{llm.url}/v1",
        }
        with Stack(environ) as stack:
            stack.flask("user", "create", "bench@example.com", "--password-stdin", stdin="correct horse\n")
            api = Api(stack.url, stack.flask("token", "create", "bench@example.com"))
            figures: dict[str, Any] = {"memory_mb_before_first_run": _memory(stack), **_idle(stack)}
            job_id = _job(api)
            _timed_run(api, job_id)
            github.latency, llm.latency = GITHUB, MODEL
            figures |= _runs(api, job_id)
            github.latency = llm.latency = 0.0
            figures |= _instant(api, job_id)
            figures["memory_mb_after_runs"] = _memory(stack)
    figures |= _database()
    print(json.dumps(figures, indent=2))


def _job(api: Api) -> str:
    project = api(
        "POST",
        "/api/projects",
        {"name": "B", "sourceType": "GITHUB", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"},
        status=201,
    )
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        api("POST", f"/api/projects/{project['id']}/platforms", {"type": kind}, status=201)
    job = {
        "projectId": project["id"],
        "type": "GENERATE_CONTENT",
        "name": "Bench",
        "frequency": "DAILY",
        "timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"},
        "notify": "NONE",
    }
    return str(api("POST", "/api/cron/schedule", job, status=201)["id"])


def _timed_run(api: Api, job_id: str) -> tuple[dict[str, Any], float]:
    """One triggered run that tells everything again; the execution, and the seconds until its end."""
    since = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    clicked = time.time()
    execution = api("POST", "/api/cron/trigger", {"jobId": job_id, "since": since}, status=202)

    def ended() -> Any:
        found = api("GET", f"/api/executions/{execution['id']}")
        return found if found["status"] == "COMPLETED" else None

    done = until(ended, 60, "finished run")
    assert done["itemsSuccess"] == 3, done
    return done, datetime.fromisoformat(done["completedAt"]).timestamp() - clicked


def _runs(api: Api, job_id: str) -> dict[str, Any]:
    seconds = [_timed_run(api, job_id)[0]["duration"] / 1000 for _ in range(ROUNDS)]
    median = statistics.median(seconds)
    return {
        "run_seconds": seconds,
        "critical_path_seconds": CRITICAL_PATH,
        "ratio_to_critical_path": round(median / CRITICAL_PATH, 4),
    }


def _instant(api: Api, job_id: str) -> dict[str, Any]:
    waits = sorted(_timed_run(api, job_id)[1] * 1000 for _ in range(INSTANT_ROUNDS))
    return {
        "trigger_to_completed_ms_median": round(statistics.median(waits), 1),
        "trigger_to_completed_ms_p95": round(waits[int(len(waits) * 0.95) - 1], 1),
    }


def _database() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/bench.db")
        Base.metadata.create_all(engine)
        with Session(engine, expire_on_commit=False) as session:
            job = make_job(session, notify="NONE")
            heart, pool = Heart(engine), ThreadPoolExecutor(execute.CALLS)
            pairs = [
                (_one_run(heart, pool, session, job), _one_pair(session)) for _ in range(DATABASE_ROUNDS)
            ]
        engine.dispose()
    runs, calibration = (statistics.median(column) for column in zip(*pairs[10:], strict=True))
    return {
        "database_ms": round(runs, 2),
        "calibration_ms": round(calibration, 2),
        "database_to_calibration": round(runs / calibration, 2),
    }


def _one_run(heart: Heart, pool: ThreadPoolExecutor, session: Session, job: Job) -> float:
    adapters = FakeAdapters()
    adapters.github.commits = [commit(ids.new("sha"), "Add TypeScript support")]
    control.trigger(session, job)
    began = time.perf_counter()
    hold = take.take_next(session)
    assert hold is not None
    execute.carry(session, hold, adapters, heart, pool)
    return (time.perf_counter() - began) * 1000


def _one_pair(session: Session) -> float:
    began = time.perf_counter()
    with session.begin():
        pulse = Pulse(name=ids.new("p")[:20], at=datetime.now(UTC))
        session.add(pulse)
    with session.begin():
        pulse.at = datetime.now(UTC)
    return (time.perf_counter() - began) * 1000


def _idle(stack: Stack) -> dict[str, Any]:
    """Processor use of the resting worker, in percent of one core."""
    worker = psutil.Process(stack.workers[0].pid)
    time.sleep(2)
    before, began = sum(worker.cpu_times()[:2]), time.monotonic()
    time.sleep(IDLE_SECONDS)
    used = sum(worker.cpu_times()[:2]) - before
    return {"idle_worker_percent_of_a_core": round(100 * used / (time.monotonic() - began), 2)}


def _memory(stack: Stack) -> dict[str, float]:
    web, worker = _tree(stack.web.pid), _tree(stack.workers[0].pid)
    return {"web": round(web, 1), "worker": round(worker, 1), "both": round(web + worker, 1)}


def _tree(pid: int) -> float:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / 1e6


if __name__ == "__main__":
    main()
