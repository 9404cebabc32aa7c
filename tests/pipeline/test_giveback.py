"""A rejected post's items, given back once and told once more, for its platform alone."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Draft, Execution, GivenBack, Job, Platform, Step
from models.values import Activity, Brief, Issue, PullRequest, Release, Seen, Window
from pipeline import control, execute, projects
from pipeline.control import ConflictError
from pipeline.giveback import give_back
from pipeline.givenback import written_from
from sources.base import SourceError
from tests.pipeline.conftest import commit, make_job
from writers.base import WriterError

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FEATURE, BUMP = "Add dark mode", "Bump requests from 2.31 to 2.32"


@pytest.fixture
def shown(adapters) -> list[Brief]:
    briefs: list[Brief] = []
    adapters.writer.before_answer = briefs.append
    return briefs


@pytest.fixture
def job(session, clock, adapters, shown) -> Job:
    clock.move_to(NOW)
    adapters.github.commits = [commit("c1", FEATURE)]
    return make_job(session)


def run(session, job, adapters, triggered_by="scheduled", **more) -> Execution:
    execution, _ = control.trigger(session, job, triggered_by=triggered_by, **more)
    return attempt(session, execution, adapters)


def attempt(session, execution, adapters) -> Execution:
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def rejected(session, execution, kind="DEVTO") -> str:
    draft = session.scalars(
        select(Draft).where(Draft.execution_id == execution.id, Draft.platform_type == kind)
    ).one()
    draft.state = "REJECTED"
    session.commit()
    return draft.id


def given_back(session, execution, kind="DEVTO") -> int:
    count = give_back(session, rejected(session, execution, kind))
    session.commit()
    return count


def waiting(session) -> set[tuple[str, str]]:
    rows = session.execute(
        select(Platform.type, GivenBack.key).join(Platform, Platform.id == GivenBack.platform_id)
    )
    found = {tuple(row) for row in rows}
    session.commit()
    return found


def told(shown: list[Brief]) -> dict[str, set[str]]:
    """The commits that the briefs of each platform stand for, since the last look."""
    found = {brief.rules.type: {item.ref for item in brief.digest.items} for brief in shown}
    shown.clear()
    return found


def test_the_next_run_tells_it_again_for_that_platform_alone(session, clock, job, adapters, shown):
    first = run(session, job, adapters)
    told(shown)
    assert given_back(session, first) == 1
    assert waiting(session) == {("DEVTO", "c1")}
    clock.move_to(NOW + 7 * DAY)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    done = run(session, job, adapters)
    assert told(shown) == {"HASHNODE": {"Cc2"}, "DEVTO": {"Cc1", "Cc2"}, "LINKEDIN": {"Cc2"}}
    assert (done.outcome, done.items_success, done.summary) == ("SUCCESS", 3, "1 commit")
    assert waiting(session) == set()
    given = {one["platformType"]: one.get("givenBack") for one in done.output["results"]}
    assert given == {"HASHNODE": None, "DEVTO": 1, "LINKEDIN": None}


def test_its_window_reaches_back_to_where_the_rejected_posts_began(session, clock, job, adapters, shown):
    first = run(session, job, adapters)
    given_back(session, first)
    clock.move_to(NOW + DAY)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    shown.clear()
    run(session, job, adapters)
    since = {brief.rules.type: brief.digest.window.since for brief in shown}
    assert since == {"HASHNODE": NOW, "DEVTO": NOW - 7 * DAY, "LINKEDIN": NOW}
    assert {brief.digest.words for brief in shown} == {"the last 24 hours", "the 8 days to 4 October 2025"}


def test_where_nothing_else_happened_that_platform_is_written_for_alone(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    told(shown)
    clock.move_to(NOW + DAY)
    done = run(session, job, adapters)
    assert told(shown) == {"DEVTO": {"Cc1"}}
    assert (done.outcome, done.summary) == ("SUCCESS", "No activity")
    assert (done.items_processed, done.items_success, done.items_failed) == (1, 1, 0)
    drafts = session.scalars(select(Draft.platform_type).where(Draft.execution_id == done.id)).all()
    steps = session.scalars(select(Step.platform_type).where(Step.execution_id == done.id)).all()
    assert (drafts, sorted(filter(None, steps))) == (["DEVTO"], ["DEVTO"])
    clock.move_to(NOW + 2 * DAY)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert session.get_one(Job, job.id, populate_existing=True).cursor_until == NOW + 2 * DAY


def test_an_unchanged_repository_is_no_reason_not_to_tell_it(session, clock, job, adapters, shown):
    scan = adapters.github.scan
    seen = Seen(1, "username/awesome-lib", "etag")
    adapters.github.scan = lambda since, **more: replace(scan(since, **more), seen=seen)
    given_back(session, run(session, job, adapters))
    told(shown)
    clock.advance(3600)
    adapters.github.scan = lambda since, **more: Activity(
        "username/awesome-lib", Window(since, clock.now(), "head1", "head1"), unchanged=True
    )
    assert run(session, job, adapters).outcome == "SUCCESS"
    assert told(shown) == {"DEVTO": {"Cc1"}}


def test_what_came_back_is_worth_a_post_and_opens_the_gate(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    told(shown)
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", BUMP))
    assert run(session, job, adapters).outcome == "SUCCESS"
    assert told(shown) == {"HASHNODE": {"Cc2"}, "DEVTO": {"Cc1", "Cc2"}, "LINKEDIN": {"Cc2"}}


def test_every_kind_of_item_comes_back(session, clock, adapters, shown):
    clock.move_to(NOW)
    job = make_job(session, ("DEVTO",))
    lists = {
        "commits": (commit("c1", FEATURE),),
        "pulls": (PullRequest(7, "Add x", NOW),),
        "issues": (Issue(8, "Slow start", NOW, reason="completed"),),
        "releases": (Release("v1", "v1", NOW),),
    }
    adapters.github.scan = lambda since, **more: Activity("x/y", Window(since, NOW, None, "h"), **lists)
    first = run(session, job, adapters)
    assert given_back(session, first) == 4
    adapters.github.scan = lambda since, **more: Activity("x/y", Window(since, clock.now(), "h", "h"))
    shown.clear()
    clock.advance(86_400)
    run(session, job, adapters)
    assert told(shown) == {"DEVTO": {"Cc1", "PR7", "I8", "Rv1"}}


def test_rejected_again_it_gives_back_what_it_was_really_written_from(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    second = run(session, job, adapters)
    assert given_back(session, second, "HASHNODE") == 1
    assert given_back(session, second) == 2
    assert waiting(session) == {("HASHNODE", "c2"), ("DEVTO", "c1"), ("DEVTO", "c2")}
    draft = session.scalars(select(Draft).where(Draft.execution_id == second.id)).first()
    assert written_from(session, draft).repository == "username/awesome-lib"


def test_two_clicks_give_back_once(session, job, adapters):
    draft_id = rejected(session, run(session, job, adapters))
    give_back(session, draft_id)
    session.commit()
    with pytest.raises(ConflictError, match="given back already"):
        give_back(session, draft_id)
    session.rollback()
    assert waiting(session) == {("DEVTO", "c1")}


def test_two_clicks_at_the_same_instant_give_back_once(session, sessions, job, adapters):
    draft_id = rejected(session, run(session, job, adapters))
    gate, said = threading.Barrier(2), []

    def click() -> None:
        gate.wait(10)
        with sessions() as own:
            try:
                said.append(give_back(own, draft_id))
                own.commit()
            except ConflictError as error:
                said.append(error.message)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(map(type, said), key=str) == [int, str]
    assert waiting(session) == {("DEVTO", "c1")}


def refusal(session, draft_id: str) -> str:
    with pytest.raises(ConflictError) as refused:
        give_back(session, draft_id)
    session.rollback()
    assert waiting(session) == set()
    draft = session.get(Draft, draft_id)
    assert draft is None or draft.given_back_at is None
    session.commit()
    return refused.value.message


@pytest.mark.parametrize("state", ["DRAFT", "APPROVED", "PUBLISHED"])
def test_only_a_rejected_draft_gives_back(session, job, adapters, state):
    execution = run(session, job, adapters)
    draft = session.scalars(select(Draft).where(Draft.execution_id == execution.id)).first()
    for step in ("APPROVED", "PUBLISHED")[: ("DRAFT", "APPROVED", "PUBLISHED").index(state)]:
        draft.state = step
        session.commit()
    assert refusal(session, draft.id).startswith("Only a rejected draft")


def test_a_platform_that_is_not_written_for_takes_nothing_back(session, job, adapters):
    draft_id = rejected(session, run(session, job, adapters))
    devto = session.scalars(select(Platform).where(Platform.type == "DEVTO")).one()
    others = [one.id for one in session.scalars(select(Platform)) if one.type != "DEVTO"]
    session.get_one(Job, job.id).platform_ids = others
    session.commit()
    assert refusal(session, draft_id).startswith("The job does not write for Dev.to any more")
    session.get_one(Job, job.id).platform_ids = None
    devto = session.get_one(Platform, devto.id)
    devto.is_connected = False
    session.commit()
    assert refusal(session, draft_id).startswith("Dev.to is not connected any more")
    projects.delete_platform(session, session.get_one(Platform, devto.id))
    session.commit()
    assert refusal(session, draft_id).startswith("Dev.to is not connected any more")


def test_what_is_not_kept_any_more_cannot_be_told_again(session, job, adapters):
    done = run(session, job, adapters)
    draft_id = rejected(session, done)
    for step in session.scalars(select(Step).where(Step.execution_id == done.id, Step.name == "scan")):
        step.result = None
    session.commit()
    assert refusal(session, draft_id).startswith("What this draft was written from is not kept any more")


def test_another_repositorys_drafts_give_nothing_back(session, job, adapters):
    draft_id = rejected(session, run(session, job, adapters))
    project = session.get_one(Job, job.id, populate_existing=True).project
    projects.edit(session, project, {"github_repo_name": "other"}, None)
    session.commit()
    assert refusal(session, draft_id).startswith("The job has started over on another repository")


def test_a_draft_that_is_gone_says_so(session, job):
    assert refusal(session, "draft_gone").startswith("This draft was deleted meanwhile")


def test_another_repository_forgets_what_came_back(session, job, adapters):
    given_back(session, run(session, job, adapters))
    project = session.get_one(Job, job.id, populate_existing=True).project
    projects.edit(session, project, {"github_branch": "next"}, None)
    session.commit()
    assert waiting(session) == set()


# Runs that fail, are retried, or come in between


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


def test_a_platform_that_fails_keeps_it_for_its_retry(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    adapters.writer.failures = {"DEVTO": [WriterError("No", permanent=True)]}
    partial = run(session, job, adapters)
    assert (partial.outcome, waiting(session)) == ("PARTIAL", {("DEVTO", "c1")})
    shown.clear()
    again = attempt(session, control.retry(session, partial)[0], adapters)
    assert told(shown) == {"DEVTO": {"Cc1", "Cc2"}}
    assert (again.outcome, waiting(session)) == ("SUCCESS", set())


def test_a_failed_run_forgets_nothing(session, clock, job, adapters):
    given_back(session, run(session, job, adapters))
    clock.advance(86_400)
    adapters.github.failures = [SourceError("Gone", permanent=True)]
    assert run(session, job, adapters).outcome == "FAILED"
    assert waiting(session) == {("DEVTO", "c1")}


def test_a_dry_run_shows_it_and_forgets_nothing(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    told(shown)
    clock.advance(86_400)
    done = run(session, job, adapters, "manual", dry_run=True)
    assert told(shown) == {"DEVTO": {"Cc1"}}
    assert done.output["results"][0]["givenBack"] == 1
    assert waiting(session) == {("DEVTO", "c1")}


def test_what_comes_back_while_a_post_is_written_waits_for_the_next(
    session, sessions, clock, job, adapters, shown
):
    """Exactly what the post told is forgotten."""
    first = run(session, job, adapters)
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    second = run(session, job, adapters)
    drafts = [rejected(session, one) for one in (first, second)]
    give_back(session, drafts[0])
    session.commit()
    told(shown)

    def click(brief: Brief) -> None:
        shown.append(brief)
        with sessions() as own:
            give_back(own, drafts[1])
            own.commit()

    adapters.writer.before_answer = click
    clock.advance(86_400)
    run(session, job, adapters)
    assert told(shown) == {"DEVTO": {"Cc1"}}
    assert waiting(session) == {("DEVTO", "c2")}


@pytest.mark.parametrize("before", [True, False], ids=["given back before, too", "given back after"])
def test_a_post_of_an_earlier_attempt_forgets_what_it_was_written_from(
    session, clock, job, adapters, shown, monkeypatch, before
):
    """What came back between two attempts is in no post yet; what the first one's posts tell is told."""
    first = run(session, job, adapters)
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", "Add tabs"))
    second = run(session, job, adapters)
    drafts = [rejected(session, one) for one in (first, second)]
    if before:
        give_back(session, drafts[0])
        session.commit()
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c3", "Add spaces"))
    execution, _ = control.trigger(session, job)
    told(shown)
    stored, store = threading.Event(), execute._store_posts
    adapters.writer.before_answer = lambda brief: brief.rules.type == "DEVTO" or stored.wait(5)

    def dying(story, batch) -> None:
        store(story, batch)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(execute, "_store_posts", dying)
        with pytest.raises(Killed):
            execute.run(session, execution.id, adapters)
    stored.set()
    session.rollback()
    adapters.writer.before_answer = shown.append
    give_back(session, drafts[1])
    row = session.get_one(Execution, execution.id, populate_existing=True)
    row.status, row.next_retry_at = "RETRYING", clock.now()
    session.commit()
    told(shown)
    assert attempt(session, row, adapters).outcome == "SUCCESS"
    assert told(shown) == {"HASHNODE": {"Cc3"}, "LINKEDIN": {"Cc3"}}
    assert waiting(session) == {("DEVTO", "c2")}


def test_what_the_user_withholds_by_now_is_not_told_again(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    session.get_one(Job, job.id).project.withhold = {"words": ["dark mode"], "paths": []}
    session.commit()
    told(shown)
    clock.advance(86_400)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert told(shown) == {}


def test_a_platform_that_is_disconnected_meanwhile_keeps_it(session, clock, job, adapters, shown):
    given_back(session, run(session, job, adapters))
    devto = session.scalars(select(Platform).where(Platform.type == "DEVTO")).one()
    devto.is_connected = False
    session.commit()
    told(shown)
    clock.advance(86_400)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert waiting(session) == {("DEVTO", "c1")}
    session.get_one(Platform, devto.id).is_connected = True
    session.commit()
    clock.advance(86_400)
    assert run(session, job, adapters).outcome == "SUCCESS"
    assert told(shown) == {"DEVTO": {"Cc1"}}
