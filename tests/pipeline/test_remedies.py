"""What a failure is called on its rows, and what helps against it."""

from datetime import timedelta

import pytest

from lib.codes import Code
from lib.errors import OutsideError
from models import Execution, Step
from models.values import Status
from pipeline import claim, control, execute, record, remedies
from pipeline.purse import BudgetError
from pipeline.remedies import Remedy, code_of, mailed, remedy_of
from sources.base import SourceError
from tests.pipeline.conftest import commit, make_job
from writers.base import WriterError
from writers.fallback import FallbackWriter


def run(session, adapters, job=None) -> Execution:
    job = job or make_job(session, ("DEVTO", "HASHNODE"), max_retries=0)
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    return session.get_one(Execution, execution.id, populate_existing=True)


def codes(session, execution) -> set[tuple[str, str | None]]:
    steps = session.query(Step).filter_by(execution_id=execution.id)
    return {(step.platform_type or step.name, step.error_code) for step in steps}


def test_a_failed_scan_is_named_on_execution_attempt_and_step(session, clock, adapters):
    adapters.github.failures = [SourceError("No", code=Code.BRANCH_GONE)]
    done = run(session, adapters)
    assert (done.error_code, done.attempts[0].error_code) == ("branch_gone", "branch_gone")
    assert codes(session, done) == {("scan", "branch_gone")}
    assert remedy_of(done) == Remedy(
        "Choose another branch", f"/projects/{done.project_id}/edit#f-githubBranch"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("Boom"), "unexpected"), (SourceError("No"), None), (OutsideError("No"), None)],
)
def test_what_nobody_foresaw_has_a_name_and_what_nobody_named_has_none(session, clock, adapters, error, code):
    adapters.github.failures = [error]
    assert run(session, adapters).error_code == code


def test_of_several_platforms_what_no_waiting_mends_gives_the_name(session, clock, adapters):
    adapters.github.commits = [commit("c1", "Add it")]
    adapters.writer.failures = {
        "DEVTO": [WriterError("Slow", code=Code.MODEL_RATE_LIMITED)],
        "HASHNODE": [WriterError("No", permanent=True, code=Code.MODEL_REFUSED)],
    }
    done = run(session, adapters)
    assert done.error_code == "model_refused"
    expected = {("scan", None), ("DEVTO", "model_rate_limited"), ("HASHNODE", "model_refused")}
    assert codes(session, done) == expected
    assert remedy_of(done).label == "Choose another writer"


def test_what_is_partly_done_is_named_by_its_first_failed_platform(session, clock, adapters):
    adapters.github.commits = [commit("c1", "Add it")]
    adapters.writer.failures = {"HASHNODE": [BudgetError("Spent")]}
    done = run(session, adapters)
    assert (done.outcome, done.error_code, code_of(done)) == ("PARTIAL", None, "budget_spent")
    (failed,) = [one for one in done.output["results"] if not one["success"]]
    assert failed["errorCode"] == "budget_spent"
    assert "errorCode" not in done.output["results"][0]
    link = f"{adapters.base_url}/projects/{done.project_id}/edit#f-monthlyBudget"
    assert mailed(done, adapters.base_url) == {"label": "Raise the budget", "link": link}


def test_a_retry_that_succeeds_leaves_no_name(session, clock, adapters):
    adapters.github.commits = [commit("c1", "Add it")]
    adapters.github.failures = [SourceError("No", code=Code.SOURCE_UNREACHABLE)]
    job = make_job(session, ("DEVTO",), max_retries=1)
    waiting = run(session, adapters, job)
    assert (waiting.status, waiting.error_code) == ("RETRYING", "source_unreachable")
    session.commit()
    control.retry(session, waiting)
    session.commit()
    execute.run(session, waiting.id, adapters)
    done = session.get_one(Execution, waiting.id, populate_existing=True)
    assert (done.outcome, done.error_code) == ("SUCCESS", None)
    assert [one.error_code for one in done.attempts] == ["source_unreachable", None]


@pytest.mark.parametrize(("error", "code"), [("No", "token_refused"), (None, "superseded")])
def test_an_end_from_outside_is_named_only_where_no_attempt_was(session, clock, adapters, error, code):
    adapters.github.failures = [SourceError("No", code=Code.TOKEN_REFUSED)]
    waiting = run(session, adapters, make_job(session, ("DEVTO",), max_retries=3))
    if error is None:
        waiting.error, waiting.error_code = None, None
    record.end(session, waiting, Status.FAILED, "Its next slot came.", "", Code.SUPERSEDED)
    assert (waiting.error, waiting.error_code) == (error or "Its next slot came.", code)


def test_the_mail_has_the_button(session, clock, adapters):
    from models import EmailDelivery

    adapters.github.failures = [SourceError("Bad credentials", code=Code.TOKEN_REFUSED)]
    done = run(session, adapters)
    (mail,) = session.query(EmailDelivery).filter_by(execution_id=done.id)
    link = f"{adapters.base_url}/projects/{done.project_id}/edit#f-githubToken"
    assert f"What helps:\n[Replace the token]\n{link}\n\nWhat happens next:" in mail.text
    assert f'<a href="{link}">Replace the token</a>' in mail.html


def test_where_the_repository_lies_and_whose_token_it_is_decide_too(session, clock, adapters):
    adapters.github.failures = [SourceError("No", code=Code.RATE_LIMITED)]
    done = run(session, adapters)
    project = done.job.project
    assert remedy_of(done).label == "Enter a token"
    project.github_token = "sealed"
    assert remedy_of(done) is None
    done.error_code = "repository_gone"
    assert remedy_of(done).label == "Correct the repository"
    project.source_type = "GIT"
    assert remedy_of(done).label == "Correct the folder"
    done.error_code = "a_code_of_tomorrow"
    assert remedy_of(done) is None
    done.error_code, done.status = "repository_gone", "CANCELLED"
    assert remedy_of(done) is None


def test_somebody_has_thought_about_every_name():
    assert set(remedies._REMEDIES) == set(Code)


def test_a_post_of_the_other_writer_says_that_it_fell_back(session, clock, adapters):
    refusing = type(adapters.writer)()
    refusing.failures = {"DEVTO": [WriterError("No", permanent=True, code=Code.MODEL_REFUSED)]}
    adapters.github.commits = [commit("c1", "Add it")]
    adapters.writer = FallbackWriter(refusing, adapters.writer)
    done = run(session, adapters)
    fell = {one["platformType"]: one.get("fellBack") for one in done.output["results"]}
    assert fell == {"DEVTO": True, "HASHNODE": None}


def test_a_slot_that_comes_before_the_retry_is_what_ends_it(session, clock, adapters):
    adapters.github.failures = [SourceError("No", code=Code.TOKEN_REFUSED)]
    job = make_job(session, ("DEVTO",), max_retries=3, retry_delay=3600)
    waiting = run(session, adapters, job)
    slot = job.next_run_at
    clock.move_to(slot)
    waiting.next_retry_at = slot + timedelta(minutes=5)
    session.commit()
    claim.claim(session, job.id, slot, "")
    done = session.get_one(Execution, waiting.id, populate_existing=True)
    assert (done.status, done.error_code) == ("FAILED", "token_refused")
