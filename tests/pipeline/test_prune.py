"""What is older than RETENTION_DAYS goes; what somebody may still need stays."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import (
    AccountLink,
    Attempt,
    Draft,
    EmailDelivery,
    Execution,
    Job,
    Notification,
    Pulse,
    Step,
    Told,
    UserSession,
)
from pipeline import account, control, execute, housekeeping
from tests.pipeline.conftest import commit, make_job
from tests.plugins.moves import lawless

YEAR = timedelta(days=365)


@pytest.fixture
def job(session, clock) -> Job:
    return make_job(session)


@pytest.fixture
def run(session, clock, job, adapters):
    """Run the job; its executions lie a day apart."""

    def once() -> str:
        adapters.github.commits.append(commit(f"c{len(adapters.github.commits) + 1}", "Fix it"))
        execution, _ = control.trigger(session, job)
        execute.run(session, execution.id, adapters)
        clock.advance(86_400)
        return execution.id

    return once


def left(session, model) -> set:
    key = model.execution_id if hasattr(model, "execution_id") else model.id
    found = set(session.scalars(select(key)).all())
    session.commit()
    return found


def test_only_what_is_too_old_goes_with_all_that_belongs_to_it(session, clock, run):
    old, young = run(), run()
    clock.advance(YEAR.total_seconds() - 1.5 * 86_400)
    session.add(EmailDelivery(user_id=_user(session), recipient="a@b", subject="s", text="t", html="h"))
    session.commit()
    assert housekeeping.prune(session, YEAR) == 1
    for model in (Execution, Attempt, Step, Draft):
        assert left(session, model) == {young}, model
    assert left(session, Notification) == {young}
    assert old not in left(session, EmailDelivery)


def _user(session) -> str:
    return session.scalars(select(Job.user_id)).one()


def test_statistics_cursor_and_what_was_told_stay(session, clock, job, run):
    run(), run()
    clock.advance(2 * YEAR.total_seconds())
    assert housekeeping.prune(session, YEAR) == 1
    kept = session.get_one(Job, job.id, populate_existing=True)
    assert (kept.run_count, kept.success_count) == (2, 2)
    assert kept.cursor_until is not None
    assert len(session.scalars(select(Told.key)).all()) == 3


def test_a_job_keeps_its_newest_execution_whatever_its_age(session, clock, run):
    only = run()
    clock.advance(9 * YEAR.total_seconds())
    assert housekeeping.prune(session, YEAR) == 0
    assert left(session, Execution) == {only}


@pytest.mark.parametrize("state", ["APPROVED", "PUBLISHED"])
def test_what_has_a_post_that_somebody_chose_stays(session, clock, run, state):
    chosen, newest = run(), run()
    lawless(session, "draft")
    session.scalars(select(Draft).where(Draft.execution_id == chosen)).first().state = state
    session.commit()
    clock.advance(2 * YEAR.total_seconds())
    assert housekeeping.prune(session, YEAR) == 0
    assert left(session, Execution) == {chosen, newest}


def test_what_still_waits_stays(session, clock, job, run):
    live = control.trigger(session, job)[0].id
    clock.advance(2 * YEAR.total_seconds())
    other = make_job(session)
    control.trigger(session, other)
    assert housekeeping.prune(session, YEAR) == 0
    assert live in left(session, Execution)


def test_a_mail_that_waits_outlives_its_execution(session, clock, run):
    """Its text is its own: whoever mended the mail server after a year still gets it, or reads why not."""
    run(), run()
    clock.advance(2 * YEAR.total_seconds())
    housekeeping.prune(session, YEAR)
    assert len(session.scalars(select(EmailDelivery.id)).all()) == 2


def test_it_looks_once_an_hour_for_all_workers(session, clock, run):
    run(), run(), run()
    clock.advance(YEAR.total_seconds() - 2.5 * 86_400)
    assert [housekeeping.prune(session, YEAR) for _ in range(2)] == [1, 0]
    clock.advance(86_400)
    assert housekeeping.prune(session, YEAR) == 1


def test_a_clock_that_was_set_back_does_not_stop_it(session, clock, run):
    housekeeping.prune(session, YEAR)
    clock.advance(-86_400)
    housekeeping.prune(session, YEAR)
    assert session.get_one(Pulse, "prune", populate_existing=True).at == clock.now()


def test_what_a_retry_stems_from_stays(session, clock, job, run):
    """A retry of single platforms reads it at each attempt."""
    origin, _ = run(), run()
    retry = Execution(
        job_id=job.id, user_id=job.user_id, project_id=job.project_id, triggered_by="retry", retry_of=origin
    )
    session.add(retry)
    session.commit()
    clock.advance(2 * YEAR.total_seconds())
    housekeeping.prune(session, YEAR)
    assert origin in left(session, Execution)


def test_a_post_that_is_approved_while_it_goes_on_stays(session, clock, run, monkeypatch):
    chosen, newest = run(), run()
    clock.advance(2 * YEAR.total_seconds())
    read = housekeeping.reading

    @contextmanager
    def approved_meanwhile(session):
        with read(session):
            yield
        session.scalars(select(Draft).where(Draft.execution_id == chosen)).first().state = "APPROVED"
        session.commit()

    monkeypatch.setattr(housekeeping, "reading", approved_meanwhile)
    housekeeping.prune(session, YEAR)
    assert left(session, Execution) == {chosen, newest}


def test_sessions_and_links_go_once_they_have_ended(session, clock, job):
    user, now, hour = _user(session), clock.now(), timedelta(hours=1)
    ages = {"gone": account.SESSION_LASTS, "used": account.SESSION_LASTS - hour}
    session.add_all(UserSession(id=name, user_id=user, last_seen_at=now - age) for name, age in ages.items())
    links = {
        "ended": (now - hour, now),
        "counts": (now - hour / 2, now),
        "works": (now - 2 * hour, now + hour),
    }
    session.add_all(
        AccountLink(digest=name, user_id=user, kind="RESET", email="a@b", created_at=begun, expires_at=ends)
        for name, (begun, ends) in links.items()
    )
    session.commit()
    housekeeping.prune(session, YEAR)
    assert left(session, UserSession) == {"used"}
    assert set(session.scalars(select(AccountLink.digest))) == {"counts", "works"}
