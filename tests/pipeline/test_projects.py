"""Projects and platforms: what is sealed, what starts over, and what goes with what is deleted."""

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from lib.secrets import SecretBox
from models import Attempt, Base, Draft, Execution, Job, Platform, Project, Step, Told
from pipeline import projects
from pipeline.control import ConflictError
from tests.pipeline.conftest import make_job

BOX = SecretBox([Fernet.generate_key().decode()])


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


@pytest.fixture
def project(session, job) -> Project:
    return job.project


def count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


def test_secrets_are_sealed(session, project):
    made = projects.create(session, project.user_id, {"name": "Lib", "github_token": "ghp_x"}, BOX)
    assert made.github_token != "ghp_x"
    assert BOX.open(made.github_token) == "ghp_x"
    projects.edit(session, made, {"github_token": None}, BOX)
    assert made.github_token is None
    platform = session.scalars(select(Platform).where(Platform.type == "DEVTO")).one()
    projects.edit_platform(session, platform, {"credentials": {"apiKey": "k"}}, BOX)
    assert json.loads(BOX.open(platform.credentials)) == {"apiKey": "k"}


def test_an_unknown_field_is_a_mistake_of_ours(session, project):
    with pytest.raises(KeyError, match="last_synced_at"):
        projects.edit(session, project, {"last_synced_at": None}, BOX)


class TestStartingOver:
    @pytest.fixture
    def told(self, session, job, clock) -> Job:
        """The job has told something, and so has a job of another project."""
        clock.advance(1)
        for one in (job, make_job(session)):
            one.cursor_floor, one.cursor_until, one.cursor_head = clock.now(), clock.now(), "abc"
            one.project.last_synced_at = clock.now()
            session.add(Told(job_id=one.id, kind="commit", key="abc"))
        session.commit()
        return job

    @pytest.mark.parametrize(
        "changes",
        [
            {"github_repo_name": "other"},
            {"github_repo_owner": "other"},
            {"github_branch": "develop"},
            {"source_type": "GIT", "git_path": "/srv/git/lib"},
        ],
    )
    def test_another_repository_or_branch(self, session, told, changes):
        projects.edit(session, told.project, changes, BOX)
        session.commit()
        session.refresh(told)
        assert (told.cursor_floor, told.cursor_until, told.cursor_head) == (None, None, None)
        assert told.project.last_synced_at is None
        assert [row.job_id for row in session.scalars(select(Told))] != [told.id]
        assert count(session, Told) == 1
        assert count(session, Job) - count(session, Told) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "Renamed", "description": "x", "voice": {"tone": "dry"}},
            {"github_token": "new"},
            {"github_repo_name": "Awesome-Lib"},
            {"github_repo_name": "awesome-lib"},
            {"git_path": "/not/read/by/a/GitHub/project"},
        ],
    )
    def test_the_same_repository(self, session, told, clock, changes):
        projects.edit(session, told.project, changes, BOX)
        session.commit()
        session.refresh(told)
        assert told.cursor_until == clock.now()
        assert count(session, Told) == 2

    @pytest.mark.parametrize("status", ["RUNNING", "RETRYING"])
    def test_what_has_begun_on_the_old_one_is_cancelled(self, session, job, clock, status):
        execution = _execution(session, job, status=status, next_retry_at=clock.now())
        session.add(Attempt(execution_id=execution.id, number=1))
        session.add(Step(execution_id=execution.id, attempt=1, name="scan"))
        session.commit()
        clock.advance(60)
        projects.edit(session, job.project, {"github_repo_name": "other"}, BOX)
        session.commit()
        session.refresh(execution)
        assert (execution.status, execution.outcome) == ("CANCELLED", "CANCELLED")
        assert (execution.completed_at, execution.next_retry_at) == (clock.now(), None)
        assert execution.reason == "The project's repository was changed."
        parts = [session.scalars(select(model)).one() for model in (Attempt, Step)]
        assert [(part.status, part.completed_at) for part in parts] == [("CANCELLED", clock.now())] * 2

    @pytest.mark.parametrize("status", ["QUEUED", "COMPLETED"])
    def test_what_has_not_begun_or_has_ended_stays(self, session, job, status):
        execution = _execution(session, job, status=status)
        projects.edit(session, job.project, {"github_repo_name": "other"}, BOX)
        session.commit()
        session.refresh(execution)
        assert execution.status == status


def _execution(session, job, **values) -> Execution:
    execution = Execution(
        job_id=job.id, user_id=job.user_id, project_id=job.project_id, triggered_by="manual", **values
    )
    session.add(execution)
    session.commit()
    return execution


class TestPlatforms:
    def test_one_of_each_type(self, session, project):
        with pytest.raises(ConflictError, match="has Hashnode already"):
            projects.add_platform(session, project, {"type": "HASHNODE"}, BOX)
        assert count(session, Platform) == 3

    def test_a_deleted_one_leaves_the_jobs_and_its_drafts_stay(self, session, job, clock):
        devto, other = session.scalars(select(Platform).where(Platform.type != "LINKEDIN"))
        job.platform_ids = [devto.id, other.id]
        execution = _execution(session, job, status="COMPLETED")
        session.add(
            Draft(
                user_id=job.user_id,
                execution_id=execution.id,
                platform_id=devto.id,
                platform_type="DEVTO",
                content="A post",
            )
        )
        session.commit()
        projects.delete_platform(session, devto)
        session.commit()
        session.expire_all()
        assert job.platform_ids == [other.id]
        assert session.scalars(select(Draft)).one().platform_id is None

    def test_the_last_choice_leaves_an_empty_list(self, session, job):
        devto = session.scalars(select(Platform).where(Platform.type == "DEVTO")).one()
        job.platform_ids = [devto.id]
        session.commit()
        projects.delete_platform(session, devto)
        session.commit()
        session.expire_all()
        assert job.platform_ids == []


def test_a_deleted_project_leaves_nothing(session, job, clock):
    execution = _execution(session, job, status="RUNNING")
    session.add(Attempt(execution_id=execution.id, number=1, started_at=clock.now() - timedelta(1)))
    session.add(Step(execution_id=execution.id, attempt=1, name="scan"))
    session.add(
        Draft(user_id=job.user_id, execution_id=execution.id, platform_type="DEVTO", content="A post")
    )
    session.add(Told(job_id=job.id, kind="commit", key="abc"))
    session.commit()
    projects.delete(session, job.project)
    session.commit()
    left = {
        table.name: session.scalar(select(func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }
    assert {name for name, rows in left.items() if rows} == {"user_account"}
