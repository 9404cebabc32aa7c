"""One execution, from QUEUED to its end, on both databases; the rows are what is asserted."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from lib.errors import OutsideError
from models import Attempt, Draft, EmailDelivery, Execution, Job, Notification, Project, Step, Told
from models.values import Post
from pipeline import control, execute
from pipeline.record import retry_wait
from sources.base import SourceError
from tests.pipeline.conftest import commit, make_job
from writers.base import WriterError


def start(session, job: Job, **more) -> Execution:
    execution, _ = control.trigger(session, job, **more)
    return execution


def run(session, execution: Execution, adapters) -> Execution:
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def rows(session, model, **where):
    found = session.scalars(select(model).filter_by(**where)).all()
    session.commit()
    return found


def test_a_run_ends_completed_with_all_that_belongs_to_it(session, clock, adapters):
    job = make_job(session)
    adapters.writer.before_answer = lambda brief: clock.advance(1)
    done = run(session, start(session, job), adapters)
    assert (done.status, done.outcome, done.attempt) == ("COMPLETED", "SUCCESS", 1)
    assert (done.items_processed, done.items_success, done.items_failed) == (3, 3, 0)
    assert done.summary == "1 commit"
    assert done.output["activity"] == {"summary": "1 commit", "hasActivity": True}
    drafts = {d.platform_type: d for d in rows(session, Draft, execution_id=done.id)}
    shown = [(r["platformType"], r["success"], r["error"], r["draftId"]) for r in done.output["results"]]
    assert shown == [(kind, True, None, drafts[kind].id) for kind in ("HASHNODE", "DEVTO", "LINKEDIN")]
    assert drafts["DEVTO"].content == "What happened, for DEVTO."
    usage = drafts["DEVTO"].usage
    assert (usage["model"], usage["prompt_tokens"], usage["completion_tokens"]) == ("fake", 10, 5)
    steps = rows(session, Step, execution_id=done.id)
    assert sorted(step.name for step in steps) == ["record", "scan", "write", "write", "write"]
    assert {step.status for step in steps} == {"COMPLETED"}
    attempt = rows(session, Attempt, execution_id=done.id)[0]
    assert (attempt.number, attempt.status, attempt.reused) == (1, "COMPLETED", [])
    assert done.duration == attempt.duration == 3000


def test_statistics_cursor_and_messages_move_with_the_outcome(session, clock, adapters):
    job = make_job(session)
    next_run = job.next_run_at
    done = run(session, start(session, job), adapters)
    job = session.get_one(Job, job.id, populate_existing=True)
    assert (job.run_count, job.success_count, job.failure_count) == (1, 1, 0)
    assert job.last_run_at == job.last_success == done.started_at
    assert job.next_run_at == next_run
    assert (job.cursor_until, job.cursor_head) == (clock.now(), "head1")
    assert job.cursor_floor == clock.now() - timedelta(days=7)
    assert session.get_one(Project, job.project_id, populate_existing=True).last_synced_at == clock.now()
    assert [(t.kind, t.key) for t in rows(session, Told, job_id=job.id)] == [("commit", "c1")]
    note = rows(session, Notification, execution_id=done.id)[0]
    assert (note.type, note.title) == ("JOB_SUCCESS", "Daily Content Generation completed successfully")
    mail = rows(session, EmailDelivery, execution_id=done.id)[0]
    assert (mail.status, mail.subject) == ("PENDING", "✅ Daily Content Generation completed successfully")


def test_the_bells_to_ring_are_the_mails(session, clock, adapters):
    execution = start(session, make_job(session))
    bells = execute.run(session, execution.id, adapters)
    assert [(b.kind, b.id) for b in bells] == [("deliver", rows(session, EmailDelivery)[0].id)]


def test_the_second_run_begins_where_the_first_ended_and_tells_nothing_twice(session, clock, adapters):
    job = make_job(session)
    run(session, start(session, job), adapters)
    first_end = clock.now()
    clock.advance(86_400)
    adapters.github.commits.append(commit("c2", "Fix build errors"))
    second = run(session, start(session, job), adapters)
    assert adapters.github.scans[1]["since"] == first_end
    assert adapters.github.scans[1]["margin_from"] == first_end - timedelta(hours=24)
    assert adapters.github.scans[1]["base"] == "head1"
    assert second.summary == "1 commit"
    assert (second.window_since, second.window_until) == (first_end, clock.now())


def test_the_margin_never_reaches_behind_the_first_window(session, clock, adapters):
    since = clock.now() - timedelta(hours=3)
    job = make_job(session, first_run={"since": since.isoformat()})
    run(session, start(session, job), adapters)
    session.commit()
    clock.advance(60)
    run(session, start(session, job), adapters)
    assert adapters.github.scans[0]["since"] == since
    assert adapters.github.scans[1]["margin_from"] == since


def test_nothing_happened_completes_without_a_post_and_without_a_mail(session, clock, adapters):
    job = make_job(session)
    adapters.github.commits = []
    done = run(session, start(session, job), adapters)
    assert (done.status, done.outcome, done.output) == ("COMPLETED", "NO_ACTIVITY", None)
    assert (done.items_processed, done.summary) == (0, "No activity")
    assert adapters.writer.calls == []
    assert rows(session, EmailDelivery) == []
    assert session.get_one(Job, job.id, populate_existing=True).cursor_until == clock.now()


def test_one_failing_platform_makes_it_partial(session, clock, adapters):
    adapters.writer.failures["DEVTO"] = [WriterError("API rate limit", retry_after=3600)]
    done = run(session, start(session, make_job(session)), adapters)
    assert (done.status, done.outcome) == ("COMPLETED", "PARTIAL")
    assert (done.items_processed, done.items_success, done.items_failed) == (3, 2, 1)
    assert done.output["results"][1]["error"] == "API rate limit"
    assert done.output["results"][1]["draftId"] is None
    step = rows(session, Step, execution_id=done.id, platform_type="DEVTO")[0]
    assert (step.status, step.error, step.permanent, step.retry_after) == (
        "FAILED",
        "API rate limit",
        False,
        3600,
    )
    assert rows(session, Notification)[0].type == "JOB_PARTIAL"


def test_a_passing_failure_is_retried_inside_the_attempt_while_others_succeed(session, clock, adapters):
    adapters.patience = 60.0
    adapters.writer.failures["DEVTO"] = [WriterError("HTTP 500", retry_after=0.01)]
    done = run(session, start(session, make_job(session)), adapters)
    assert (done.outcome, sorted(adapters.writer.calls).count("DEVTO")) == ("SUCCESS", 2)


def test_a_permanent_failure_of_a_platform_is_not_retried(session, clock, adapters):
    adapters.patience = 60.0
    adapters.writer.failures["DEVTO"] = [WriterError("The model refused", permanent=True)]
    done = run(session, start(session, make_job(session)), adapters)
    assert (done.outcome, adapters.writer.calls.count("DEVTO")) == ("PARTIAL", 1)


def test_a_failed_scan_waits_for_its_retries_and_then_fails(session, clock, adapters):
    job = make_job(session)
    adapters.github.failures = [SourceError("GitHub API error: Bad credentials") for _ in range(4)]
    execution = start(session, job)
    waits = []
    for _ in range(3):
        bells = execute.run(session, execution.id, adapters)
        execution = session.get_one(Execution, execution.id, populate_existing=True)
        assert (execution.status, execution.outcome) == ("RETRYING", None)
        assert execution.error == "GitHub API error: Bad credentials"
        assert [(b.kind, b.eta) for b in bells] == [("run", execution.next_retry_at)]
        waits.append((execution.next_retry_at - clock.now()).total_seconds())
        assert session.get_one(Job, job.id, populate_existing=True).run_count == 0
        session.commit()
        clock.move_to(execution.next_retry_at)
    assert waits == [300, 600, 1200]
    done = run(session, execution, adapters)
    assert (done.status, done.outcome, done.attempt) == ("FAILED", "FAILED", 4)
    assert done.stack_trace.startswith("Error: GitHub API error: Bad credentials\n    at ")
    assert (done.output, done.items_processed) == (None, 0)
    assert [a.status for a in rows(session, Attempt, execution_id=done.id)] == ["FAILED"] * 4
    job = session.get_one(Job, job.id, populate_existing=True)
    assert (job.run_count, job.failure_count, job.cursor_until) == (1, 1, None)
    assert job.last_failure == done.completed_at
    assert [m.subject for m in rows(session, EmailDelivery)] == [
        "❌ Daily Content Generation failed after 3 retries"
    ]


def test_before_its_time_a_retry_does_not_run(session, clock, adapters):
    adapters.github.failures = [SourceError("down")]
    waiting = run(session, start(session, make_job(session)), adapters)
    clock.advance(299)
    assert run(session, waiting, adapters).attempt == 1
    clock.advance(1)
    assert run(session, waiting, adapters).status == "COMPLETED"


def test_what_waiting_cannot_mend_fails_at_once(session, clock, adapters):
    adapters.github.failures = [SourceError("Repository access blocked", permanent=True)]
    done = run(session, start(session, make_job(session)), adapters)
    assert (done.status, done.attempt, done.next_retry_at) == ("FAILED", 1, None)


def test_a_job_without_a_platform_fails_at_once_and_says_so(session, clock, adapters):
    done = run(session, start(session, make_job(session, platforms=())), adapters)
    assert (done.status, done.attempt) == ("FAILED", 1)
    assert "No platform is connected" in done.error
    assert adapters.github.scans == []


def test_an_unexpected_error_is_recorded_and_retried(session, clock, adapters, caplog):
    adapters.github.failures = [ZeroDivisionError("oops")]
    waiting = run(session, start(session, make_job(session)), adapters)
    assert (waiting.status, waiting.error) == ("RETRYING", "Unexpected error: ZeroDivisionError: oops")


def test_no_platform_succeeded_is_retried_and_reuses_the_scan(session, clock, adapters):
    job = make_job(session)
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        adapters.writer.failures[kind] = [WriterError("Model API error: HTTP 500")]
    waiting = run(session, start(session, job), adapters)
    assert (waiting.status, waiting.error) == (
        "RETRYING",
        "No post could be written: Model API error: HTTP 500",
    )
    clock.advance(300)
    done = run(session, waiting, adapters)
    assert (done.status, len(adapters.github.scans)) == ("COMPLETED", 1)
    assert rows(session, Attempt, execution_id=done.id, number=2)[0].reused == ["scan"]
    assert done.error is None


def test_no_platform_succeeded_for_good_is_failed_with_each_reason(session, clock, adapters):
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        adapters.writer.failures[kind] = [WriterError(f"no {kind}", permanent=True)]
    done = run(session, start(session, make_job(session)), adapters)
    assert (done.status, done.items_processed, done.items_failed) == ("FAILED", 3, 3)
    assert "Hashnode: no HASHNODE; Dev.to: no DEVTO; LinkedIn: no LINKEDIN" in done.error
    assert [r["error"] for r in done.output["results"]] == ["no HASHNODE", "no DEVTO", "no LINKEDIN"]


def test_a_cancelled_run_writes_nothing_more(session, sessions, clock, adapters):
    job = make_job(session)
    execution = start(session, job)

    def cancel_meanwhile():
        with sessions() as other:
            control.cancel(other, other.get_one(Execution, execution.id))

    adapters.github.before_answer = cancel_meanwhile
    done = run(session, execution, adapters)
    assert (done.status, done.outcome) == ("CANCELLED", "CANCELLED")
    assert adapters.writer.calls == []
    assert rows(session, Draft) == []
    assert session.get_one(Job, job.id, populate_existing=True).run_count == 0


def test_only_one_of_two_workers_runs_it(session, sessions, clock, adapters):
    execution = start(session, make_job(session))

    def second_worker():
        with sessions() as other:
            assert execute.run(other, execution.id, adapters) == []

    adapters.github.before_answer = second_worker
    assert run(session, execution, adapters).attempt == 1
    assert len(adapters.github.scans) == 1


def test_longer_than_its_time_limit_is_a_timeout_that_is_retried(session, adapters):
    job = make_job(session, time_limit=1)
    release = threading.Event()
    adapters.github.before_answer = lambda: release.wait(10) and None
    began = time.monotonic()
    waiting = run(session, start(session, job), adapters)
    release.set()
    assert time.monotonic() - began < 5
    assert waiting.status == "RETRYING"
    assert rows(session, Attempt)[0].status == "TIMEOUT"
    step = rows(session, Step)[0]
    assert (step.name, step.status, step.duration is None) == ("scan", "TIMEOUT", False)
    assert "time limit" in waiting.error


def test_a_timeout_at_the_end_is_the_outcome(session, adapters):
    job = make_job(session, time_limit=1, max_retries=0)
    release = threading.Event()
    adapters.writer.before_answer = lambda brief: release.wait(10) and None
    done = run(session, start(session, job), adapters)
    release.set()
    assert (done.status, done.outcome) == ("TIMEOUT", "TIMEOUT")
    assert rows(session, Notification)[0].type == "JOB_TIMEOUT"


def test_a_dry_run_shows_and_moves_nothing(session, clock, adapters):
    job = make_job(session)
    done = run(session, start(session, job, dry_run=True), adapters)
    assert (done.status, done.outcome) == ("COMPLETED", "SUCCESS")
    assert done.output["results"][0]["content"]["title"] == "Update for HASHNODE"
    assert rows(session, Draft) == rows(session, Told) == rows(session, Notification) == []
    job = session.get_one(Job, job.id, populate_existing=True)
    assert (job.run_count, job.cursor_until) == (0, None)


def test_since_tells_again_from_there(session, clock, adapters):
    job = make_job(session)
    run(session, start(session, job), adapters)
    clock.advance(60)
    since = clock.now() - timedelta(days=30)
    again = run(session, start(session, job, since=since), adapters)
    assert (again.summary, again.window_since) == ("1 commit", since)
    assert len(rows(session, Told)) == 1


def test_retrying_a_partial_run_writes_the_failed_platforms_alone(session, clock, adapters):
    job = make_job(session)
    adapters.writer.failures["DEVTO"] = [WriterError("API rate limit", retry_after=3600)]
    partial = run(session, start(session, job), adapters)
    cursor = session.get_one(Job, job.id, populate_existing=True).cursor_until
    clock.advance(60)
    successor, _ = control.retry(session, partial)
    adapters.writer.calls.clear()
    done = run(session, successor, adapters)
    assert (done.triggered_by, done.retry_of, done.outcome) == ("retry", partial.id, "SUCCESS")
    assert adapters.writer.calls == ["DEVTO"]
    assert len(adapters.github.scans) == 1
    assert (done.items_processed, done.summary) == (1, "1 commit")
    assert session.get_one(Job, job.id, populate_existing=True).cursor_until == cursor


def test_what_a_retry_has_written_is_not_retried_again(session, clock, adapters):
    job = make_job(session)
    adapters.writer.failures["DEVTO"] = [WriterError("API rate limit", retry_after=3600)]
    partial = run(session, start(session, job), adapters)
    successor, _ = control.retry(session, partial)
    run(session, successor, adapters)
    with pytest.raises(control.ConflictError, match="Every platform has its post"):
        control.retry(session, partial)
    assert len(rows(session, Draft, platform_type="DEVTO")) == 1


def test_a_retry_of_a_retry_leaves_nothing_to_its_origin(session, clock, adapters):
    job = make_job(session)
    for kind in ("DEVTO", "LINKEDIN"):
        adapters.writer.failures[kind] = [WriterError("API rate limit", retry_after=3600)]
    partial = run(session, start(session, job), adapters)
    adapters.writer.failures["LINKEDIN"] = [WriterError("API rate limit", retry_after=3600)]
    first = run(session, control.retry(session, partial)[0], adapters)
    assert (first.outcome, first.items_processed) == ("PARTIAL", 2)
    second = run(session, control.retry(session, first)[0], adapters)
    assert (second.retry_of, second.outcome, second.items_processed) == (partial.id, "SUCCESS", 1)
    with pytest.raises(control.ConflictError, match="Every platform has its post"):
        control.retry(session, partial)


def test_a_failed_run_can_be_retried_until_its_window_is_covered(session, clock, adapters):
    job = make_job(session, max_retries=0)
    adapters.github.failures = [SourceError("down")]
    failed = run(session, start(session, job), adapters)
    successor, bells = control.retry(session, failed)
    assert [b.id for b in bells] == [successor.id]
    assert run(session, successor, adapters).status == "COMPLETED"
    with pytest.raises(control.ConflictError, match="covered this window"):
        control.retry(session, failed)


def test_a_cut_stack_trace_holds_no_foreign_path(session, clock, adapters):
    adapters.github.failures = [SourceError("down", permanent=True)]
    done = run(session, start(session, make_job(session)), adapters)
    assert "pipeline/scan.py" in done.stack_trace
    assert "/usr/" not in done.stack_trace
    assert "/work" not in done.stack_trace


@pytest.mark.parametrize(
    ("delay", "attempt", "named", "wait"),
    [
        (300, 1, None, 300),
        (300, 2, None, 600),
        (300, 3, None, 1200),
        (3600, 2, None, 3600),
        (0, 1, None, 0),
        (300, 1, 42.0, 42),
        (300, 1, 100_000.0, 21_600),
    ],
)
def test_waits_double_and_a_named_time_is_honoured(delay, attempt, named, wait):
    assert retry_wait(delay, attempt, named) == wait


def test_posts_come_back_as_they_were_stored():
    from models.values import POST

    post = Post("T", "body", ("a", "b"))
    assert POST.validate_python(POST.dump_python(post, mode="json")) == post


def test_an_outside_error_speaks_for_itself():
    from lib.errors import sentence

    assert sentence(OutsideError("Plain words.")) == "Plain words."


def test_no_transaction_is_open_while_the_outside_is_waited_for(session, sessions, clock, adapters):
    """On SQLite an open transaction would keep everybody else from writing."""
    job = make_job(session)
    wrote = []

    def write_elsewhere(_brief=None):
        with sessions() as other:
            other.get_one(Job, job.id).description = "changed meanwhile"
            other.commit()
            wrote.append(datetime.now(UTC))

    adapters.github.before_answer = write_elsewhere
    adapters.writer.before_answer = write_elsewhere
    assert run(session, start(session, job), adapters).status == "COMPLETED"
    assert len(wrote) == 4


def test_the_number_of_transactions_does_not_grow_with_the_history(session, clock, adapters):
    job = make_job(session)
    for _ in range(3):
        clock.advance(60)
        run(session, start(session, job), adapters)
    assert session.scalar(select(func.count()).select_from(Execution)) == 3


def test_the_mail_links_to_the_approval_of_each_draft(session, clock, adapters):
    execution, _ = control.trigger(session, make_job(session))
    execute.run(session, execution.id, adapters)
    [mail] = session.scalars(select(EmailDelivery)).all()
    for draft in session.scalars(select(Draft)):
        assert adapters.approval(draft.id, 1) in mail.text


def test_a_scan_that_cannot_be_stored_ends_on_the_row(session, clock, adapters, monkeypatch):
    def refuse(*_):
        raise ValueError("A character that no column takes.")

    monkeypatch.setattr(execute, "end_scan", refuse)
    execution, _ = control.trigger(session, make_job(session))
    execute.run(session, execution.id, adapters)
    session.expire_all()
    assert (execution.status, execution.failures) == ("RETRYING", 1)
    assert "ValueError" in execution.error
    assert adapters.writer.calls == []
