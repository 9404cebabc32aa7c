"""A window with too little to say: no post, nobody told, and everything read again next time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import Draft, EmailDelivery, Execution, HeldBack, Job, Notification, Step, Told
from models.values import ACTIVITY, Activity, Seen, Window
from pipeline import control, execute, projects
from pipeline.significance import CARRIED_MAX
from sources.base import Known, SourceError
from sources.git import LocalGit
from tests.pipeline.conftest import commit, make_job
from tests.sources.git_repo import Repo

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
DAY = timedelta(days=1)
BUMP, FEATURE = "Bump requests from 2.31 to 2.32", "Add dark mode"
REASON = "Nothing worth a post yet: 1 dependency update. It is carried over to the next run."


@pytest.fixture
def job(session, clock, adapters) -> Job:
    clock.move_to(NOW)
    adapters.github.commits = [commit("c1", BUMP)]
    return make_job(session)


def run(session, job, adapters, triggered_by="scheduled", **more) -> Execution:
    execution, _ = control.trigger(session, job, triggered_by=triggered_by, **more)
    return attempt(session, execution, adapters)


def attempt(session, execution, adapters) -> Execution:
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def now(session, job) -> Job:
    row = session.get_one(Job, job.id, populate_existing=True)
    session.commit()
    return row


def told(session) -> set[str]:
    keys = set(session.scalars(select(Told.key)))
    session.commit()
    return keys


def count(session, model) -> int:
    found = len(session.scalars(select(model)).all())
    session.commit()
    return found


def later(session, clock, job, adapters, *commits, days=1, **more) -> Execution:
    clock.advance(days * 86_400)
    adapters.github.commits = [*commits, *adapters.github.commits]
    return run(session, job, adapters, **more)


def test_a_window_with_too_little_ends_without_a_post_and_says_why(session, job, adapters):
    done = run(session, job, adapters)
    assert (done.status, done.outcome, done.reason) == ("COMPLETED", "NOT_SIGNIFICANT", REASON)
    assert (done.output, done.summary) == (None, "1 commit")
    assert (done.items_processed, done.items_success, done.items_failed) == (0, 0, 0)
    assert adapters.writer.calls == []
    assert [count(session, one) for one in (Draft, Notification, EmailDelivery, Told)] == [0, 0, 0, 0]
    steps = session.scalars(select(Step.name).where(Step.execution_id == done.id).order_by(Step.id))
    assert list(steps) == ["scan", "record"]


def test_it_counts_as_a_success(session, job, adapters):
    run(session, job, adapters)
    row = now(session, job)
    assert (row.run_count, row.success_count, row.failure_count, row.last_success) == (1, 1, 0, NOW)
    assert row.failures_in_row == 0


def test_the_next_run_tells_it_with_what_has_come_by_then(session, clock, job, adapters):
    run(session, job, adapters, "manual")
    clock.advance(86_400)
    adapters.github.commits.insert(0, commit("c2", BUMP))
    first = run(session, job, adapters)
    assert now(session, job).cursor_until == NOW
    second = later(session, clock, job, adapters, commit("c3", FEATURE))
    assert (first.outcome, second.outcome, second.summary) == ("NOT_SIGNIFICANT", "SUCCESS", "2 commits")
    assert (second.window_since, second.window_until) == (NOW, NOW + 2 * DAY)
    assert (now(session, job).cursor_until, now(session, job).carried_since) == (NOW + 2 * DAY, None)
    assert told(session) == {"c1", "c2", "c3"}
    third = later(session, clock, job, adapters)
    assert (third.outcome, third.window_since) == ("NO_ACTIVITY", NOW + 2 * DAY)


def test_small_weeks_add_up(session, clock, job, adapters):
    outcomes = [run(session, job, adapters).outcome]
    for number in range(3):
        edited = commit(f"d{number}", f"The parser reads {number} tabs")
        outcomes.append(later(session, clock, job, adapters, edited, days=7).outcome)
    assert outcomes == ["NOT_SIGNIFICANT"] * 3 + ["SUCCESS"]
    assert now(session, job).carried_since is None


def test_when_it_was_carried_first_stays(session, clock, job, adapters):
    run(session, job, adapters)
    later(session, clock, job, adapters)
    assert now(session, job).carried_since == NOW


def test_after_thirty_days_it_is_told_however_little_it_is(session, clock, job, adapters):
    run(session, job, adapters)
    clock.move_to(NOW + CARRIED_MAX - timedelta(seconds=1))
    assert run(session, job, adapters).outcome == "NOT_SIGNIFICANT"
    clock.move_to(NOW + CARRIED_MAX)
    done = run(session, job, adapters)
    assert (done.outcome, done.reason, done.items_success) == ("SUCCESS", None, 3)
    assert (told(session), now(session, job).carried_since) == ({"c1"}, None)


def test_thirty_days_after_nothing_is_carried_the_gate_holds_again(session, clock, job, adapters):
    run(session, job, adapters)
    later(session, clock, job, adapters, commit("c2", FEATURE))
    done = later(session, clock, job, adapters, commit("c3", BUMP), days=40)
    assert done.outcome == "NOT_SIGNIFICANT"
    assert now(session, job).carried_since == done.window_until


@pytest.mark.parametrize(
    ("chosen", "outcome"),
    [
        ({"triggered_by": "manual"}, "SUCCESS"),
        ({"triggered_by": "manual", "dry_run": True}, "SUCCESS"),
        ({"triggered_by": "manual", "since": NOW - DAY}, "SUCCESS"),
        ({"triggered_by": "webhook"}, "NOT_SIGNIFICANT"),
        ({"triggered_by": "scheduled"}, "NOT_SIGNIFICANT"),
    ],
)
def test_who_presses_a_button_sees_something(session, job, adapters, chosen, outcome):
    assert run(session, job, adapters, **chosen).outcome == outcome


def test_trigger_now_tells_what_was_carried(session, clock, job, adapters):
    run(session, job, adapters)
    done = later(session, clock, job, adapters, triggered_by="manual")
    assert (done.outcome, told(session), now(session, job).carried_since) == ("SUCCESS", {"c1"}, None)


def test_a_dry_run_shows_it_and_leaves_it_carried(session, clock, job, adapters):
    run(session, job, adapters)
    before = [getattr(now(session, job), name) for name in ("cursor_until", "carried_since", "run_count")]
    assert later(session, clock, job, adapters, triggered_by="manual", dry_run=True).outcome == "SUCCESS"
    assert [getattr(now(session, job), n) for n in ("cursor_until", "carried_since", "run_count")] == before
    assert told(session) == set()


@pytest.mark.parametrize(
    ("triggered_by", "outcome"), [("scheduled", "NOT_SIGNIFICANT"), ("manual", "SUCCESS")]
)
def test_a_retry_is_what_its_original_was(session, job, adapters, triggered_by, outcome):
    adapters.github.failures = [SourceError("Gone", permanent=True), SourceError("Gone", permanent=True)]
    failed = run(session, job, adapters, triggered_by)
    again = attempt(session, control.retry(session, failed)[0], adapters)
    assert (failed.outcome, again.outcome) == ("FAILED", "FAILED")
    last = attempt(session, control.retry(session, again)[0], adapters)
    assert (last.triggered_by, last.outcome) == ("retry", outcome)


def test_off_writes_of_everything(session, clock, adapters):
    clock.move_to(NOW)
    adapters.github.commits = [commit("c1", BUMP)]
    job = make_job(session, significance="OFF")
    assert run(session, job, adapters).outcome == "SUCCESS"


def test_strict_carries_a_fix_over(session, clock, adapters):
    clock.move_to(NOW)
    adapters.github.commits = [commit("c1", "Fix crash on empty input")]
    job = make_job(session, significance="STRICT")
    assert run(session, job, adapters).outcome == "NOT_SIGNIFICANT"


def test_what_is_written_already_is_told_though_the_measure_became_stricter(session, job, adapters):
    """An attempt that follows reuses paid posts: to call them too little now would throw them away."""
    execution, _ = control.trigger(session, job, triggered_by="scheduled")
    found = Activity("x/y", Window(NOW - DAY, NOW, None, "h"), commits=(commit("c1", BUMP),))
    done = {"execution_id": execution.id, "attempt": 1, "status": "COMPLETED"}
    devto = next(one for one in now(session, job).project.platforms if one.type == "DEVTO")
    post = {"post": {"title": "T", "content": "C"}, "checks": []}
    scanned = Step(name="scan", result=ACTIVITY.dump_python(found, mode="json"), **done)
    session.add(scanned)
    session.add(Step(name="write", platform_id=devto.id, platform_type="DEVTO", result=post, **done))
    session.get_one(Execution, execution.id).attempt = 1
    session.commit()
    assert attempt(session, execution, adapters).outcome == "SUCCESS"
    assert sorted(adapters.writer.calls) == ["HASHNODE", "LINKEDIN"]


# Where the next scan begins


def test_a_first_run_that_is_too_little_does_not_slide(session, clock, job, adapters):
    run(session, job, adapters)
    row = now(session, job)
    assert (row.cursor_floor, row.cursor_until) == (NOW - 7 * DAY, NOW - 7 * DAY)
    assert (row.cursor_head, row.cursor_read, row.cursor_etag) == (None, None, None)
    assert row.carried_since == NOW
    later(session, clock, job, adapters, days=10)
    later(session, clock, job, adapters, commit("c2", FEATURE), days=10)
    asked = [(scan["since"], scan["margin_from"], scan["base"]) for scan in adapters.github.scans]
    assert asked == [(NOW - 7 * DAY, None, None)] * 3, "a first run by date, from the same instant"
    assert now(session, job).cursor_until == NOW + 20 * DAY
    assert now(session, job).cursor_head == "head1"


def test_a_later_run_that_is_too_little_leaves_the_cursor_as_if_it_had_not_been(
    session, clock, job, adapters
):
    run(session, job, adapters, "manual")
    before = now(session, job)
    cursor = ("cursor_floor", "cursor_until", "cursor_head", "cursor_read", "cursor_etag")
    stood = [getattr(before, name) for name in cursor]
    later(session, clock, job, adapters, commit("c2", BUMP))
    assert [getattr(now(session, job), name) for name in cursor] == stood
    later(session, clock, job, adapters)
    *_, second, third = adapters.github.scans
    assert {name: second[name] for name in ("since", "base", "margin_from")} == {
        name: third[name] for name in ("since", "base", "margin_from")
    }


def test_telling_again_before_anything_was_told_leaves_a_cursor_that_is_no_first_runs(
    session, clock, job, adapters
):
    """It moves the cursor and reads no head anew: what is carried then is read from that cursor."""
    run(session, job, adapters, "manual", since=NOW - DAY)
    assert (now(session, job).cursor_until, now(session, job).cursor_read) == (NOW, None)
    assert later(session, clock, job, adapters, commit("c2", BUMP)).outcome == "NOT_SIGNIFICANT"
    later(session, clock, job, adapters)
    *_, second, third = adapters.github.scans
    assert second["margin_from"] == third["margin_from"] is not None
    assert (second["since"], third["since"]) == (NOW, NOW)


def test_an_unchanged_repository_is_not_taken_for_one_without_activity(session, clock, job, adapters):
    seen = Seen(1000, "username/awesome-lib", 'W/"one"')
    asked: list[Known | None] = []
    scan = adapters.github.scan

    def with_etag(since: datetime, **more) -> Activity:
        asked.append(more["known"])
        return replace(scan(since, **more), seen=seen)

    adapters.github.scan = with_etag
    run(session, job, adapters, "manual")
    clock.advance(3600)
    adapters.github.commits.insert(0, commit("c2", BUMP))
    first = run(session, job, adapters)
    clock.advance(3600)
    second = run(session, job, adapters)
    assert [one.etag for one in asked] == [None, 'W/"one"', None]
    assert (first.outcome, second.outcome) == ("NOT_SIGNIFICANT", "NOT_SIGNIFICANT")
    clock.advance(3600)
    adapters.github.commits.insert(0, commit("c3", FEATURE))
    assert run(session, job, adapters).outcome == "SUCCESS"
    clock.advance(3600)
    run(session, job, adapters)
    assert asked[-1] == Known(1000, 'W/"one"'), "once told, one question is enough again"


def test_what_vanished_meanwhile_is_not_carried_any_more(session, clock, job, adapters):
    run(session, job, adapters)
    adapters.github.commits = []
    done = later(session, clock, job, adapters)
    assert (done.outcome, done.reason) == ("NO_ACTIVITY", None)
    assert (now(session, job).carried_since, now(session, job).cursor_until) == (None, NOW + DAY)


def test_a_failed_run_changes_nothing_of_what_is_carried(session, clock, job, adapters):
    run(session, job, adapters)
    adapters.github.failures = [SourceError("Gone", permanent=True)]
    assert later(session, clock, job, adapters).outcome == "FAILED"
    assert now(session, job).carried_since == NOW
    assert later(session, clock, job, adapters, commit("c2", FEATURE)).outcome == "SUCCESS"
    assert told(session) == {"c1", "c2"}


def test_another_repository_carries_nothing_over(session, clock, job, adapters):
    run(session, job, adapters)
    projects.edit(session, now(session, job).project, {"github_repo_name": "other"}, None)
    session.commit()
    assert (now(session, job).carried_since, now(session, job).cursor_until) == (None, None)


# What is kept besides


def test_held_security_fixes_stay_with_what_is_carried(session, clock, job, adapters):
    adapters.github.commits.insert(0, commit("s1", "Check the length\n\nCVE-2025-12345"))
    assert run(session, job, adapters).outcome == "NOT_SIGNIFICANT"
    assert (count(session, HeldBack), told(session)) == (0, set())
    done = later(session, clock, job, adapters, commit("c2", FEATURE))
    assert (done.outcome, done.summary) == ("SUCCESS", "2 commits")
    assert [row.key for row in session.scalars(select(HeldBack))] == ["s1"]


def test_only_what_stood_there_before_the_first_window_is_passed_for_good(session, job, adapters):
    """An issue's bare number is told with the issue, which is carried."""
    scan = adapters.github.scan
    passed = (("release", ""), ("release", "v0.1"), ("issue", "7@"))
    adapters.github.scan = lambda since, **more: replace(scan(since, **more), passed=passed)
    run(session, job, adapters)
    rows = session.execute(select(Told.kind, Told.key)).all()
    assert {tuple(row) for row in rows} == {("release", ""), ("release", "v0.1")}


def test_a_push_is_settled_by_a_run_that_found_too_little(session, clock, job, adapters):
    row = now(session, job)
    row.push_since, row.push_at = NOW - timedelta(minutes=3), NOW + timedelta(minutes=7)
    session.commit()
    run(session, job, adapters)
    assert now(session, job).push_at is None


def test_the_project_was_looked_at(session, job, adapters):
    run(session, job, adapters)
    assert now(session, job).project.last_synced_at == NOW


def test_what_is_left_out_of_the_digest_alone_is_no_activity(session, job, adapters):
    merge = replace(commit("m1", "Merge branch 'x'"), parents=("a", "b"))
    adapters.github.scan = lambda since, **more: Activity(
        "username/awesome-lib", Window(since, NOW, None, "h"), commits=(merge,)
    )
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert told(session) == {"m1"}


def test_a_local_repositorys_first_run_stays_one(session, clock, adapters, tmp_path):
    """What stood there before it is not told with what was carried over."""
    clock.move_to(NOW)
    job, repo = make_job(session, ("DEVTO",)), Repo(tmp_path / "awesome-lib")
    adapters.source = lambda project: LocalGit(repo.path, root=tmp_path)
    repo.commit("Add what was told long ago", -24 * 30)
    repo.git("tag", "v0.1")
    repo.commit(BUMP, 20, {"uv.lock": "x"})
    first = run(session, job, adapters)
    assert (first.outcome, first.summary) == ("NOT_SIGNIFICANT", "1 commit")
    clock.advance(86_400)
    repo.commit(FEATURE, 40)
    repo.git("tag", "v0.0.1", "HEAD~2")
    second = run(session, job, adapters)
    assert (second.outcome, second.summary) == ("SUCCESS", "2 commits, 1 release")
    clock.advance(86_400)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
