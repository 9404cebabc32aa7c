"""The export holds few rows at a time, however many and however large they are."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from models import Execution
from pipeline import export
from tests.pipeline.conftest import make_job

ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 50 * 1024 * 1024
# In a process of its own: what others needed before it says nothing.
WRITE = """
import resource, sys, tempfile, time, zipfile
from models.base import make_engine
from pipeline import export

def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

with make_engine(sys.argv[1]).connect() as connection, tempfile.TemporaryFile() as file:
    connection.exec_driver_sql("SELECT 1")
    before, begun = resident(), time.monotonic()
    export.write(connection, sys.argv[2], file)
    grown, took = resident() - before, int(1000 * (time.monotonic() - begun))
    with zipfile.ZipFile(file) as archive, archive.open("executions.jsonl") as lines:
        print(grown, took, sum(1 for _ in lines))
"""


def made(session, clock, count: int, size: int) -> str:
    """The id of a user with so many executions, each with an output of so many bytes."""
    job, at, output = make_job(session), clock.now(), {"results": [{"content": "post " * (size // 5)}]}
    who = {"job_id": job.id, "user_id": job.user_id, "project_id": job.project_id, "output": output}
    state = {"triggered_by": "scheduled", "status": "COMPLETED", "outcome": "SUCCESS"}
    for start in range(0, count, 500):
        numbers = range(start, min(start + 500, count))
        rows = [who | state | {"created_at": at + timedelta(minutes=number)} for number in numbers]
        session.execute(insert(Execution), rows)
        session.commit()
    return job.user_id


def exported(url: str, user_id: str) -> tuple[int, int, int]:
    """Bytes that the process grew by, milliseconds, and executions written."""
    command = [sys.executable, "-c", WRITE, url, user_id]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    grown, took, lines = map(int, done.stdout.split())
    return grown, took, lines


@pytest.mark.timeout(300)
def test_large_rows_do_not_lie_in_memory_together(session, clock, database_url):
    user_id = made(session, clock, 10 * export.BATCH, 150_000)
    grown, _, lines = exported(database_url, user_id)
    assert lines == 10 * export.BATCH
    assert grown < MOST


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hundred_thousand_executions(session, clock, database_url, tally):
    user_id = made(session, clock, 100_000, 4000)
    grown, took, lines = exported(database_url, user_id)
    assert lines == 100_000
    assert grown < MOST
    tally("export:", executions=lines, MB_of_memory=grown // 1_000_000, seconds=took // 1000)
