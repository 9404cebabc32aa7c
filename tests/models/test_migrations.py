"""Migrations keep every row, there and back, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.orm import Session

from models import Attempt, Base, Draft, EmailDelivery, Execution, Notification, Step, Told
from models.base import make_engine
from pipeline import jobs
from tests.pipeline.conftest import make_job

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = (Attempt, Step, Draft, Told, Notification, EmailDelivery)


@pytest.fixture
def migrate(blank_database_url, tmp_path):
    def run(*command: str) -> None:
        environ = {**os.environ, "DATABASE_URL": blank_database_url, "INSTANCE_PATH": str(tmp_path)}
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", "db", *command],
            cwd=ROOT, env=environ, check=True, capture_output=True,
        )  # fmt: skip

    return run


def populate(url: str) -> str:
    """A paused job with an execution that has something of everything."""
    engine = make_engine(url)
    with Session(engine) as session:
        job = make_job(session)
        jobs.pause(job)
        execution = Execution(
            job_id=job.id,
            user_id=job.user_id,
            project_id=job.project_id,
            triggered_by="manual",
            status="FAILED",
        )
        session.add(execution)
        session.flush()
        of = {"execution_id": execution.id}
        session.add_all(
            [
                Attempt(**of, number=1),
                Step(**of, attempt=1, name="scan"),
                Draft(**of, user_id=job.user_id, platform_type="DEVTO", content="x", state="APPROVED"),
                Notification(**of, user_id=job.user_id, type="JOB_FAILED", title="t", message="m", link="/"),
                EmailDelivery(**of, user_id=job.user_id, recipient="a", subject="s", text="t", html="h"),
            ]
        )
        session.execute(insert(Told), {"job_id": job.id, "kind": "commit", "key": "c1"})
        session.commit()
        job_id = job.id
    engine.dispose()
    return job_id


def test_the_pausing_goes_back_and_forth_and_loses_nothing(blank_database_url, migrate):
    migrate("upgrade")
    job_id = populate(blank_database_url)
    migrate("downgrade", "0001")
    engine = make_engine(blank_database_url)
    with engine.connect() as connection:
        due = connection.execute(text("SELECT next_run_at FROM job")).scalar_one()
        assert due is not None, "the version before knows no pause: it would never run again"
    migrate("upgrade")
    with Session(engine) as session:
        assert session.scalars(select(Execution.job_id)).all() == [job_id]
        for model in CHILDREN:
            assert session.scalar(select(func.count()).select_from(model)) == 1, model
        assert session.scalars(select(Notification.execution_id)).one() is not None
        assert session.scalars(select(Draft.job_id)).one() == job_id
        (failures,) = session.scalars(select(Execution.failures))
        assert failures == 0
    engine.dispose()


def test_a_model_and_its_migrations_are_the_same(blank_database_url, migrate):
    migrate("upgrade")
    migrate("check")
    engine = create_engine(blank_database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        tables = {table.name for table in Base.metadata.sorted_tables}
        assert tables <= set(engine.dialect.get_table_names(connection))
    engine.dispose()
