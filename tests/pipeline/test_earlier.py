"""What a writer is told of earlier posts and of disclosure."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from lib import clock as our_clock
from models import Draft, Execution, Job, Platform
from models.values import Brief
from pipeline import control, execute
from pipeline.earlier import LINE, TITLES, earlier_titles
from tests.pipeline.conftest import FakeAdapters, commit, make_job
from writers.template import TemplateWriter


@pytest.fixture
def briefs(adapters) -> list[Brief]:
    seen: list[Brief] = []
    adapters.writer.before_answer = seen.append
    return seen


def run(session: Session, job: Job, adapters: FakeAdapters, sha: str, **how) -> None:
    adapters.github.commits = [commit(sha, f"Add {sha}")]
    execution, _ = control.trigger(session, job, **how)
    execute.run(session, execution.id, adapters)
    session.commit()


def told(briefs: list[Brief]) -> dict[str, tuple[str, ...]]:
    return {brief.rules.type: brief.earlier_titles for brief in briefs}


def ids_of(session: Session, job: Job) -> list[str]:
    rows = session.query(Platform).filter_by(project_id=job.project_id).order_by(Platform.created_at)
    return [row.id for row in rows]


def fill(session: Session, job: Job, platform_id: str, titles: list[str], content: str = "x") -> None:
    """Drafts of one run, oldest first."""
    execution = Execution(
        job_id=job.id,
        user_id=job.user_id,
        project_id=job.project_id,
        triggered_by="manual",
        status="COMPLETED",
    )
    session.add(execution)
    session.flush()
    for number, title in enumerate(titles):
        session.add(
            Draft(
                user_id=job.user_id,
                execution_id=execution.id,
                job_id=job.id,
                platform_id=platform_id,
                platform_type="DEVTO",
                title=title,
                content=content,
                created_at=our_clock.now() + timedelta(seconds=number),
            )
        )
    session.commit()


def test_a_run_knows_the_titles_of_the_runs_before(session, clock, adapters, briefs):
    job = make_job(session)
    run(session, job, adapters, "one")
    assert told(briefs) == {"HASHNODE": (), "DEVTO": (), "LINKEDIN": ()}
    session.query(Draft).filter_by(platform_type="DEVTO").update({"state": "REJECTED", "title": "The first"})
    session.commit()
    clock.advance(86_400)
    briefs.clear()
    run(session, job, adapters, "two")
    clock.advance(86_400)
    briefs.clear()
    run(session, job, adapters, "three")
    assert told(briefs) == {
        "HASHNODE": ("Update for HASHNODE", "Update for HASHNODE"),
        "DEVTO": ("Update for DEVTO", "The first"),
        "LINKEDIN": ("What happened, for LINKEDIN.", "What happened, for LINKEDIN."),
    }


def test_a_dry_run_leaves_no_title(session, clock, adapters, briefs):
    job = make_job(session, ("DEVTO",))
    run(session, job, adapters, "one", dry_run=True)
    clock.advance(60)
    run(session, job, adapters, "two")
    assert briefs[-1].earlier_titles == ()


def test_a_retry_is_told_them_too(session, clock, adapters, briefs):
    job = make_job(session, ("DEVTO",), max_retries=1)
    fill(session, job, ids_of(session, job)[0], ["Earlier"])
    adapters.writer.failures = {"DEVTO": [OSError("gone")]}
    run(session, job, adapters, "one")
    retried, _ = control.retry(session, session.query(Execution).filter_by(status="FAILED").one())
    execute.run(session, retried.id, adapters)
    assert [brief.earlier_titles for brief in briefs] == [("Earlier",), ("Earlier",)]


def test_the_last_twenty_of_this_job_newest_first_in_one_query(session, clock, queries):
    job, other = make_job(session), make_job(session)
    hashnode, devto, linkedin = ids_of(session, job)
    fill(session, job, hashnode, [f"Title {number}" for number in range(TITLES + 5)])
    fill(session, job, devto, ["Old", "", "New"], content="\n First line \nSecond line")
    fill(session, job, linkedin, [""], content="y" * (LINE + 1))
    fill(session, other, hashnode, ["Of another job"])
    connection = session.connection()
    queries.clear()
    found = earlier_titles(connection, job.id, [hashnode, devto, linkedin])
    assert len(queries) == 1
    assert found == {
        hashnode: tuple(f"Title {number}" for number in range(TITLES + 4, 4, -1)),
        devto: ("New", "First line", "Old"),
        linkedin: ("y" * LINE,),
    }
    assert earlier_titles(connection, job.id, [devto]) == {devto: ("New", "First line", "Old")}


def test_a_post_says_how_it_was_made_unless_its_owner_chose_otherwise(session, clock, adapters, briefs):
    job = make_job(session)
    hashnode, devto, _ = (session.get_one(Platform, platform_id) for platform_id in ids_of(session, job))
    hashnode.settings, devto.settings = {"disclosure": ""}, {"disclosure": "Made with help."}
    session.commit()
    run(session, job, adapters, "one")
    assert {brief.rules.type: brief.disclosure for brief in briefs} == {
        "HASHNODE": "",
        "DEVTO": "Made with help.",
        "LINKEDIN": "This post was drafted by an AI model, with Repocast, from the repository's activity.",
    }


def test_the_template_writer_does_not_pass_for_a_model(session, clock, adapters):
    class Noted(TemplateWriter):
        def write(self, brief):
            seen.append(brief.disclosure)
            return super().write(brief)

    seen: list[str] = []
    adapters.writer = Noted()
    run(session, make_job(session, ("DEVTO",)), adapters, "one")
    assert seen == [
        "This update was put together by Repocast from the repository's activity, without an AI model."
    ]
