"""Where a job's next scan begins, and what a scan learns about the repository itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from lib.secrets import SecretBox
from models import Execution, Job, Project
from models.values import Activity, Budget, Seen, Window
from pipeline import control, execute, projects
from pipeline.scan import READ_ANYHOW
from sources.base import Known
from tests.pipeline.conftest import commit, make_job
from writers.base import WriterError

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
SEEN = Seen(1000, "username/awesome-lib", 'W/"one"', Budget(5000, 4321, NOW + timedelta(hours=1)))


class Scripted:
    """Answers each scan with the next activity; remembers what it was asked."""

    def __init__(self, adapters, clock) -> None:
        self.clock, self.asked, self.answers = clock, [], []
        adapters.github.scan = self.scan

    def scan(self, since, **more) -> Activity:
        self.asked.append({"since": since, **more})
        found = self.answers.pop(0)
        return replace(found, window=replace(found.window, since=since, until=self.clock.now()))


@pytest.fixture
def box() -> SecretBox:
    return SecretBox([Fernet.generate_key().decode()])


@pytest.fixture
def job(session, clock) -> Job:
    clock.move_to(NOW)
    return make_job(session)


@pytest.fixture
def source(adapters, clock) -> Scripted:
    return Scripted(adapters, clock)


def found(head: str, *shas: str, **more) -> Activity:
    commits = tuple(commit(sha, f"Add {sha}") for sha in shas)
    window = Window(NOW, NOW, None, head)
    return Activity("username/awesome-lib", window, commits=commits, **{"seen": SEEN} | more)


def run(session, job, adapters, **chosen) -> Execution:
    execution, _ = control.trigger(session, job, **chosen)
    execute.run(session, execution.id, adapters)
    return session.scalars(
        select(Execution).where(Execution.id == execution.id).execution_options(populate_existing=True)
    ).one()


def cursor(session, job) -> tuple:
    row = session.get_one(Job, job.id, populate_existing=True)
    session.commit()
    return row.cursor_until, row.cursor_head, row.cursor_read, row.cursor_etag


def test_a_scan_that_read_everything_remembers_by_what_it_will_know(session, clock, job, adapters, source):
    source.answers = [found("h1", "c1")]
    run(session, job, adapters)
    assert cursor(session, job) == (NOW, "h1", NOW, 'W/"one"')
    assert source.asked[0]["known"] == Known(None, None)


def test_an_unchanged_repository_moves_the_window_and_the_margin_reaches_behind_what_was_read(
    session, clock, job, adapters, source
):
    source.answers = [found("h1", "c1"), found("h1", unchanged=True, seen=None), found("h2", "c2")]
    run(session, job, adapters, triggered_by="scheduled")
    clock.move_to(later := NOW + timedelta(hours=2))
    execution = run(session, job, adapters, triggered_by="scheduled")
    assert execution.outcome == "NO_ACTIVITY"
    assert cursor(session, job) == (later, "h1", NOW, 'W/"one"')
    clock.move_to(later + timedelta(hours=2))
    run(session, job, adapters, triggered_by="scheduled")
    assert [asked["known"] for asked in source.asked[1:]] == [Known(1000, 'W/"one"')] * 2
    asked = source.asked[2]
    assert (asked["since"], asked["base"]) == (later, "h1")
    assert asked["margin_from"] == NOW - timedelta(days=1)


def test_after_long_everything_is_read_whatever_the_description_says(session, clock, job, adapters, source):
    source.answers = [found("h1", "c1"), found("h1")]
    run(session, job, adapters, triggered_by="scheduled")
    clock.move_to(NOW + READ_ANYHOW)
    run(session, job, adapters, triggered_by="scheduled")
    assert source.asked[1]["known"] == Known(1000, None)


@pytest.mark.parametrize("triggered_by", ["manual", "webhook"])
def test_whoever_asks_for_a_run_gets_everything_read(session, clock, job, adapters, source, triggered_by):
    """An issue that is closed while another is opened leaves the description as it was."""
    source.answers = [found("h1", "c1"), found("h1")]
    run(session, job, adapters)
    run(session, job, adapters, triggered_by=triggered_by)
    assert source.asked[1]["known"] == Known(1000, None)


def test_a_retry_of_one_platform_does_not_point_a_moved_project_back(
    session, clock, job, adapters, source, box
):
    source.answers = [found("h1", "c1")]
    adapters.writer.failures = {"DEVTO": [WriterError("No", permanent=True)]}
    first = run(session, job, adapters)
    project = session.get_one(Project, job.project_id, populate_existing=True)
    chosen = {"github_repo_owner": "new", "github_repo_name": "place"}
    projects.edit(session, project, chosen, box)
    session.commit()
    first = session.get_one(Execution, first.id, populate_existing=True)
    again, _ = control.retry(session, first)
    execute.run(session, again.id, adapters)
    project = session.get_one(Project, job.project_id, populate_existing=True)
    assert (project.repository, project.github_id) == ("new/place", None)


def test_who_still_sends_the_name_from_before_means_no_other_repository(
    session, clock, job, adapters, source, box
):
    source.answers = [found("h1", "c1", seen=replace(SEEN, full_name="username/better-lib"))]
    run(session, job, adapters)
    project = session.get_one(Project, job.project_id, populate_existing=True)
    sent = {"github_repo_owner": "Username", "github_repo_name": "awesome-lib", "name": "Better"}
    projects.edit(session, project, sent, box)
    session.commit()
    project = session.get_one(Project, job.project_id, populate_existing=True)
    assert (project.name, project.repository, project.github_id) == ("Better", "username/better-lib", 1000)
    assert cursor(session, job)[1] == "h1"
    projects.edit(session, project, {"github_repo_name": "other"}, box)
    session.commit()
    assert cursor(session, job)[1] is None


def test_telling_again_leaves_the_head_for_the_next_window(session, clock, job, adapters, source):
    """It goes by date: what was pushed late is reached only from the last head."""
    source.answers = [found("h1", "c1"), found("h3", "c1", "c3"), found("h3", "c2")]
    run(session, job, adapters)
    clock.move_to(later := NOW + timedelta(hours=3))
    run(session, job, adapters, since=NOW - timedelta(days=2))
    assert source.asked[1]["base"] is None
    assert cursor(session, job) == (later, "h1", NOW, 'W/"one"')
    clock.move_to(later + timedelta(hours=1))
    run(session, job, adapters)
    assert source.asked[2]["base"] == "h1"
    assert cursor(session, job)[1] == "h3"


def test_telling_again_from_a_later_instant_skips_nothing(session, clock, job, adapters, source):
    source.answers = [found("h1", "c1"), found("h2", "c2")]
    run(session, job, adapters)
    clock.move_to(NOW + timedelta(hours=3))
    run(session, job, adapters, since=NOW + timedelta(hours=2))
    assert source.asked[1]["since"] == NOW


def test_what_a_scan_learned_is_kept_with_the_project(session, clock, job, adapters, source):
    ends = NOW + timedelta(days=30)
    renamed = replace(SEEN, full_name="new-home/better-lib", token_expires=ends)
    source.answers = [found("h1", "c1", seen=renamed)]
    run(session, job, adapters)
    project = session.get_one(Project, job.project_id, populate_existing=True)
    assert (project.github_id, project.repository) == (1000, "new-home/better-lib")
    assert project.token_expires_at == ends
    assert project.github_budget == {
        "limit": 5000,
        "remaining": 4321,
        "reset": "2025-10-03T10:00:00.000Z",
        "at": "2025-10-03T09:00:00.000Z",
    }


def test_a_dry_run_learns_and_moves_nothing_else(session, clock, job, adapters, source):
    source.answers = [found("h1", "c1")]
    run(session, job, adapters, dry_run=True)
    assert cursor(session, job) == (None, None, None, None)
    assert session.get_one(Project, job.project_id, populate_existing=True).github_id == 1000
