"""What a person changes locks as a run that ends does, or PostgreSQL would break one of the two off."""

import threading
from datetime import datetime

import pytest
from sqlalchemy import select, text, update

from models import Execution, Job, Project
from models.values import Usage
from pipeline import control, jobs, projects
from pipeline.purse import Purse
from pipeline.take import take_next
from pipeline.tariff import Tariff
from tests.pipeline.conftest import make_job
from tests.standins.stack import until

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one lock
CHANGES = {
    "the job is deleted": lambda session, job: jobs.delete(session, job),
    "its project is deleted": lambda session, job: projects.delete(session, job.project),
    "its repository is changed": lambda session, job: projects.edit(
        session, job.project, {"github_repo_name": "other"}, None
    ),
}
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def ends(session, job_id: str, project_id: str, at: datetime) -> None:
    session.execute(update(Project).where(Project.id == project_id).values(last_synced_at=at))
    session.execute(update(Job).where(Job.id == job_id).values(run_count=Job.run_count + 1))


def sets_money_aside(session, job_id: str, project_id: str, _at: datetime) -> None:
    execution_id = session.scalars(select(Execution.id).where(Execution.job_id == job_id)).one()
    purse = Purse(Tariff("m"), project_id, execution_id)
    purse.reserve(lambda work: work(session.connection()), {"plat_1": Usage("m", 1, 1)})


@pytest.mark.parametrize("act", [ends, sets_money_aside])
@pytest.mark.parametrize("change", CHANGES)
def test_a_run_is_not_broken_off_by_what_comes_meanwhile(session, sessions, clock, change, act):
    job = make_job(session)
    control.trigger(session, job)
    hold = take_next(session)
    job_id, project_id, errors = job.id, job.project_id, []
    session.commit()

    def person() -> None:
        with sessions() as own:
            try:
                CHANGES[change](own, own.get_one(Job, job_id))
                own.commit()
            except Exception as error:  # noqa: BLE001  (a thread's error is looked at below)
                errors.append(error)

    thread = threading.Thread(target=person)
    with session.begin():
        hold.take(session.connection())
        thread.start()
        with sessions() as watching:
            until(lambda: watching.execute(WAITING).scalar_one() > 0, 5, "the person waiting for the run")
        act(session, job_id, project_id, clock.now())
    thread.join(10)
    assert errors == []
    left = session.scalars(select(Execution.status)).all()
    assert left == (["CANCELLED"] if change == "its repository is changed" else [])
