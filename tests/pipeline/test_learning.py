"""What scans and looks learn about a repository and its token, and what is kept of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.orm import Session

from lib.secrets import SecretBox
from models import Project
from models.values import Budget, Seen
from pipeline import control, execute, projects
from tests.pipeline.conftest import make_job

BOX = SecretBox([Fernet.generate_key().decode()])
END = datetime(2025, 10, 20, 12, tzinfo=UTC)
RESET = datetime(2025, 10, 3, 9, 5, tzinfo=UTC)
SEEN = Seen(7, "username/awesome-lib", None, Budget(5000, 4321, RESET), END)


@pytest.fixture
def project(session, clock) -> Project:
    return make_job(session).project


def learn(session: Session, project: Project, seen: Seen, **more) -> Project:
    projects.saw(session, project, seen, **more)
    session.commit()
    session.refresh(project)
    return project


def test_what_is_learned_is_kept(session, project):
    learn(session, project, SEEN)
    assert (project.github_id, project.token_expires_at, project.token_warned) == (7, END, None)
    assert project.github_budget == {
        "limit": 5000,
        "remaining": 4321,
        "reset": "2025-10-03T09:05:00.000Z",
        "at": "2025-10-03T09:00:00.000Z",
    }


def test_the_id_stays_the_first_one(session, project):
    learn(session, project, SEEN)
    assert learn(session, project, Seen(8, "username/awesome-lib")).github_id == 7


def test_an_answer_without_budget_and_end_takes_neither_away(session, project):
    learn(session, project, SEEN)
    learn(session, project, Seen(7, "username/awesome-lib"))
    assert (project.token_expires_at, project.github_budget["remaining"]) == (END, 4321)
    learn(session, project, Seen(7, "username/awesome-lib"), whole=True)
    assert (project.token_expires_at, project.github_budget) == (None, None)


def test_the_same_end_keeps_what_was_announced_and_another_one_does_not(session, project):
    learn(session, project, SEEN)
    project.token_warned = 14
    session.commit()
    assert learn(session, project, SEEN).token_warned == 14
    later = Seen(7, "username/awesome-lib", None, None, END + timedelta(days=90))
    assert learn(session, project, later).token_warned is None


@pytest.mark.parametrize("meanwhile", [{"github_token": "ghp_new"}, {"github_repo_name": "other"}])
def test_a_late_answer_tells_nothing_of_what_came_meanwhile(session, project, meanwhile):
    asked = projects.trial(project, {}, BOX)
    projects.edit(session, project, meanwhile, BOX)
    session.commit()
    projects.saw(session, asked, SEEN)
    session.commit()
    session.refresh(project)
    assert (project.github_id, project.token_expires_at) == (None, None)


@pytest.mark.parametrize("token", ["ghp_new", None])
def test_a_new_token_forgets_the_end_of_the_old_one(session, project, token):
    learn(session, project, SEEN)
    project.token_warned = 7
    projects.edit(session, project, {"github_token": token}, BOX)
    session.commit()
    assert (project.token_expires_at, project.token_warned, project.github_budget) == (None, None, None)


def test_an_edit_that_names_no_token_keeps_its_end(session, project):
    learn(session, project, SEEN)
    projects.edit(session, project, {"name": "New"}, BOX)
    session.commit()
    assert project.token_expires_at == END


def test_a_trial_is_stored_nowhere(session, project):
    project.github_id = 7
    session.commit()
    tried = projects.trial(project, {"github_repo_name": "other", "github_token": "ghp_typed"}, BOX)
    assert (tried.repository, BOX.open(tried.github_token)) == ("username/other", "ghp_typed")
    assert (tried.github_id, projects.trial(project, {"name": "x"}, BOX).github_id) == (None, 7)
    assert projects.trial(None, {"source_type": "GIT", "git_path": "a"}, BOX).repository == "a"
    assert not session.new
    assert not session.dirty
    assert project.github_repo_name == "awesome-lib"


def test_a_run_keeps_what_its_scan_learned(session, clock, adapters):
    job = make_job(session)
    scan = adapters.github.scan

    def scanned(since, **more):
        return replace(scan(since, **more), seen=SEEN)

    adapters.github.scan = scanned
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    project = session.get_one(Project, job.project_id, populate_existing=True)
    assert (project.github_id, project.token_expires_at) == (7, END)
    assert project.github_budget["remaining"] == 4321
