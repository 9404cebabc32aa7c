"""What a run hands its writers: joined with what was told, bots known, and nothing where there is nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lib import clock as our_clock
from models import Draft, EmailDelivery, Execution, Job, Project, Step, Told
from models.values import Activity, Brief, Commit, Issue, Person, PullRequest, Window
from pipeline import control, execute
from tests.pipeline.conftest import FakeAdapters, FakeSource, commit, make_job


class Lists(FakeSource):
    """Answers with these lists, without what the job has told."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, tuple[Any, ...]] = {}

    def scan(self, since: datetime, **more: Any) -> Activity:
        found = Activity("username/awesome-lib", Window(since, our_clock.now()), **self.lists)
        known = more["told"](found.keys())
        fresh = {name: tuple(o for o in items if o.key not in known) for name, items in self.lists.items()}
        return replace(found, **fresh)


@pytest.fixture
def adapters() -> FakeAdapters:
    made = FakeAdapters()
    made.github = Lists()
    return made


@pytest.fixture
def briefs(adapters) -> list[Brief]:
    seen: list[Brief] = []
    adapters.writer.before_answer = seen.append
    return seen


def run(session, job: Job, adapters) -> Execution:
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def merged(number: int, sha: str) -> PullRequest:
    return PullRequest(number, f"Add part {number}", our_clock.now(), merge_sha=sha)


def squash(number: int, sha: str) -> Commit:
    return replace(commit(sha, f"Add part {number} (#{number})"), by_forge=True, parents=("0",))


def test_a_pull_request_and_its_commit_in_two_windows_are_told_once(session, clock, adapters, briefs):
    job = make_job(session, ("DEVTO",))
    adapters.github.lists = {"pulls": (merged(1, "s1"),), "commits": (squash(2, "s2"),)}
    assert run(session, job, adapters).outcome == "SUCCESS"
    clock.advance(86_400)
    adapters.github.lists = {"pulls": (merged(2, "s2"), merged(3, "s3")), "commits": (squash(1, "s1"),)}
    done = run(session, job, adapters)
    assert done.summary == "1 commit, 2 merged PRs"
    first, second = briefs
    assert sorted(item.ref for item in first.digest.items) == ["Cs2", "PR1"]
    assert [item.ref for item in second.digest.items] == ["PR3"]
    assert set(second.digest.left_out) == {(("pull", "2"), "told"), (("commit", "s1"), "told")}


def test_a_run_that_tells_again_tells_it_all(session, clock, adapters, briefs):
    job = make_job(session, ("DEVTO",))
    adapters.github.lists = {"pulls": (merged(1, "s1"),)}
    run(session, job, adapters)
    adapters.github.lists = {"commits": (squash(1, "s1"),)}
    execution, _ = control.trigger(session, job, since=clock.now())
    execute.run(session, execution.id, adapters)
    assert [item.ref for item in briefs[-1].digest.items] == ["Cs1"]


def test_the_projects_own_bots_are_known(session, clock, adapters, briefs):
    job = make_job(session, ("DEVTO",))
    session.get_one(Project, job.project_id).bots = ["Build-Machine"]
    session.commit()
    machine = Person("The Machine", "build-machine")
    adapters.github.lists = {
        "commits": (
            replace(commit("a", "Publish the site"), author=machine),
            replace(commit("b", "Add x"), co_authors=(machine,)),
        )
    }
    run(session, job, adapters)
    [brief] = briefs
    assert [person.name for person in brief.digest.people] == ["John Doe"]
    assert {item.ref: item.is_routine for item in brief.digest.items} == {"Ca": True, "Cb": False}


@pytest.mark.parametrize("platforms", [("DEVTO",), ("HASHNODE", "DEVTO", "LINKEDIN")])
def test_where_nothing_is_worth_telling_nothing_is_written(session, clock, adapters, briefs, platforms):
    job = make_job(session, platforms)
    adapters.github.lists = {
        "commits": (
            commit("b" * 40, f'Revert "Add x"\n\nThis reverts commit {"a" * 40}.'),
            commit("a" * 40, "Add x"),
        ),
        "issues": (Issue(4, "Rewrite it", our_clock.now(), reason="not_planned"),),
    }
    done = run(session, job, adapters)
    assert (done.status, done.outcome, done.error) == ("COMPLETED", "NO_ACTIVITY", None)
    assert (done.summary, done.output) == ("2 commits, 1 closed issue", None)
    assert briefs == []
    assert {step.name for step in session.query(Step).filter_by(execution_id=done.id)} == {"scan", "record"}
    assert session.query(Draft).count() == session.query(EmailDelivery).count() == 0
    assert session.query(Told).filter_by(job_id=job.id).count() == 3
    assert session.get_one(Job, job.id, populate_existing=True).cursor_until == clock.now()
