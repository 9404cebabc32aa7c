"""Runs whose worker died or was stopped: what was finished is kept, and the run goes on."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Attempt, Execution, Job, Step
from pipeline import control, execute, housekeeping, record
from pipeline.hold import Heart, Hold, LostError, StoppedError
from pipeline.housekeeping import RECOVERIES, Ward
from pipeline.take import take_next
from tests.pipeline.conftest import FakeAdapters, make_job
from tests.standins.stack import until

BASE = "https://repocast.example"


class Eyes:
    """What a ward sees, with a monotonic clock that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        self.ward = Ward()
        monkeypatch.setattr(housekeeping, "monotonic", lambda: self.seconds)

    def after(self, seconds: float, session) -> list[str]:
        """The ids of the runs that are dead so much later; meanwhile it looked every few seconds."""
        until = self.seconds + seconds
        while until - self.seconds > 5:
            self.seconds += 5
            self.ward.dead(session)
        return self.at(until, session)

    def at(self, instant: float, session) -> list[str]:
        self.seconds = instant
        return [beat[0] for beat in self.ward.dead(session)]


@pytest.fixture
def eyes(monkeypatch) -> Eyes:
    return Eyes(monkeypatch)


@pytest.fixture
def execution(session, clock) -> Execution:
    return control.trigger(session, make_job(session))[0]


def taken(session) -> Hold:
    hold = take_next(session)
    assert hold is not None
    return hold


def again(session, execution: Execution) -> Execution:
    found = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return found


def recover(session, execution: Execution):
    row = again(session, execution)
    return housekeeping.recover(session, (row.id, row.attempt, row.heartbeat_at), BASE)


def attempts(session, execution: Execution) -> list[Attempt]:
    query = select(Attempt).where(Attempt.execution_id == execution.id).order_by(Attempt.number)
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    session.commit()
    return list(found)


def test_a_heart_that_stood_still_for_a_minute_is_dead(session, clock, execution, eyes):
    taken(session)
    clock.advance(60)
    assert eyes.after(0, session) == []
    clock.advance(1)
    assert eyes.after(19, session) == []
    assert eyes.after(1, session) == [execution.id]


def test_a_heart_that_beats_is_alive_whatever_the_clock_says(session, clock, execution, eyes):
    hold = taken(session)
    eyes.after(0, session)
    for leap in (3600, -7200, 3600):  # set forward an hour, back two, and right again
        clock.advance(leap)
        with session.begin():
            hold.take(session.connection())
        assert eyes.after(9, session) == []
        clock.advance(leap)
        assert eyes.after(9, session) == []


def test_the_dead_are_found_while_the_clock_is_an_hour_behind(session, clock, execution, eyes):
    taken(session)
    clock.advance(-3600)
    assert eyes.after(0, session) == []
    assert eyes.after(59, session) == []
    assert eyes.after(1, session) == [execution.id]


@pytest.mark.parametrize("unwatched", [0, 70], ids=["the machine slept", "this process or its database did"])
def test_time_in_which_nobody_looked_is_no_evidence(session, clock, execution, eyes, unwatched):
    """Linux' monotonic clock stands still while the machine sleeps, and goes on while a process does."""
    hold = taken(session)
    eyes.after(0, session)
    clock.advance(8 * 3600)
    assert eyes.at(eyes.seconds + unwatched, session) == []
    assert eyes.after(15, session) == []
    with session.begin():
        hold.take(session.connection())
    assert eyes.after(20, session) == []


def test_who_was_recovered_writes_nothing_more(session, clock, execution):
    hold = taken(session)
    clock.advance(61)
    assert [(b.kind, b.id) for b in recover(session, execution)] == [("run", execution.id)]
    row = again(session, execution)
    assert (row.status, row.next_retry_at, row.recoveries, row.failures) == ("RETRYING", clock.now(), 1, 0)
    assert (row.error, row.duration) == (housekeeping.WORDS, 61_000)
    with pytest.raises(LostError), session.begin():
        hold.take(session.connection())


def test_a_beat_between_the_look_and_the_recovery_saves_the_run(session, clock, execution):
    hold = taken(session)
    row = again(session, execution)
    seen = (row.id, row.attempt, row.heartbeat_at)
    clock.advance(1)
    with session.begin():
        hold.take(session.connection())
    assert housekeeping.recover(session, seen, BASE) == []
    assert again(session, execution).status == "RUNNING"


def test_a_run_that_keeps_killing_its_worker_ends_and_says_so(session, clock, execution):
    for _ in range(RECOVERIES + 1):
        taken(session)
        recover(session, execution)
    row = again(session, execution)
    assert (row.status, row.next_retry_at) == ("FAILED", None)
    assert row.reason == "4 workers stopped while they ran it: it is not tried again."
    assert session.get_one(Job, row.job_id, populate_existing=True).failure_count == 1


def test_a_dead_worker_uses_up_no_retry(session, clock, execution, adapters):
    taken(session)
    recover(session, execution)
    adapters.github.failures = [OSError("down")] * 9
    for wait in (300, 600, 1200):
        execute.run(session, execution.id, adapters)
        row = again(session, execution)
        assert (row.status, row.next_retry_at) == ("RETRYING", clock.now() + timedelta(seconds=wait))
        clock.advance(wait)
    execute.run(session, execution.id, adapters)
    row = again(session, execution)
    assert (row.status, row.attempt, row.failures, row.recoveries) == ("FAILED", 5, 4, 1)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


def test_a_recovered_attempt_writes_only_what_is_missing(session, clock, adapters, execution, monkeypatch):
    """The worker dies after two of three posts were stored."""
    two_are_stored = threading.Event()
    adapters.writer.before_answer = lambda brief: (
        two_are_stored.wait(5) if brief.rules.type == "LINKEDIN" else None
    )
    store, stored = execute._store_posts, []

    def dying(story, batch):
        store(story, batch)
        stored.extend(batch)
        if len(stored) == 2:
            two_are_stored.set()
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(execute, "_store_posts", dying)
        with pytest.raises(Killed):
            execute.run(session, execution.id, adapters)
    session.rollback()
    assert again(session, execution).status == "RUNNING"
    recover(session, execution)
    adapters.writer.calls.clear()
    execute.run(session, execution.id, adapters)
    done = again(session, execution)
    assert (done.status, done.items_success, adapters.writer.calls) == ("COMPLETED", 3, ["LINKEDIN"])
    assert len(adapters.github.scans) == 1
    second = attempts(session, execution)[1]
    assert [name.split(":")[0] for name in second.reused] == ["scan", "write", "write"]


@pytest.mark.parametrize("asked", ["before the scan", "after the scan", "while a post is written"])
def test_a_worker_that_is_stopped_hands_its_run_back(session, engine, clock, adapters, execution, asked):
    heart, release = Heart(engine), threading.Event()

    def hang(brief):
        if brief.rules.type == "DEVTO":
            heart.abandon()
            release.wait(5)

    if asked == "before the scan":
        heart.stopping.set()
    elif asked == "after the scan":
        adapters.github.before_answer = heart.stopping.set
    else:
        adapters.writer.before_answer = hang
    clock.advance(1)
    bells = execute.run(session, execution.id, adapters, heart)
    release.set()
    assert [(b.kind, b.id) for b in bells] == [("run", execution.id)]
    row = again(session, execution)
    assert (row.status, row.next_retry_at, row.failures, row.recoveries) == ("RETRYING", clock.now(), 0, 0)
    first = attempts(session, execution)[0]
    assert (first.status, first.completed_at) == ("CANCELLED", clock.now())
    assert first.error.startswith("The worker was asked to stop while this attempt ran.")
    open_steps = select(Step).where(Step.execution_id == execution.id, Step.status == "RUNNING")
    assert session.scalars(open_steps).all() == []
    session.commit()
    adapters.writer.before_answer = lambda brief: None
    execute.run(session, execution.id, adapters)
    assert again(session, execution).status == "COMPLETED"
    assert len(adapters.github.scans) == 1


def test_what_ended_while_the_worker_stopped_is_kept(session, engine, clock, adapters, execution):
    """A post that came in the same moment as the end of the grace has been paid for."""
    heart, release, written = Heart(engine), threading.Event(), threading.Barrier(2, timeout=5)

    def before(brief):
        if brief.rules.type == "HASHNODE":
            written.wait()
        elif brief.rules.type == "DEVTO":
            written.wait()
            release.wait(5)

    adapters.writer.before_answer = before
    store = execute._store_posts

    def stop_after(story, batch):
        store(story, batch)
        heart.abandon()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute, "_store_posts", stop_after)
        execute.run(session, execution.id, adapters, heart)
    release.set()
    kept = session.scalars(select(Step).where(Step.name == "write", Step.status == "COMPLETED")).all()
    session.commit()
    assert kept
    adapters.writer.before_answer = lambda brief: None
    calls = len(adapters.writer.calls)
    execute.run(session, execution.id, adapters)
    assert len(adapters.writer.calls) - calls == 3 - len(kept)
    assert again(session, execution).items_success == 3


def test_adapters_are_asked_nothing_by_a_stopped_worker(session, engine, clock, execution):
    heart, adapters = Heart(engine), FakeAdapters()
    heart.stopping.set()
    execute.run(session, execution.id, adapters, heart)
    assert (adapters.github.scans, adapters.writer.calls) == ([], [])


def test_a_refused_transaction_costs_no_attempt(session, clock, adapters, execution, monkeypatch):
    """Between two offers to the database nothing reads rows: that would begin a transaction of its own."""
    store, refusals = execute._store_posts, []

    def refused_once(story, batch):
        if not refusals:
            refusals.append(1)
            with suppress(OperationalError), story.session.begin():
                story.hold.take(story.session.connection())
                raise OperationalError("UPDATE", {}, Exception("database is locked"))
        store(story, batch)

    monkeypatch.setattr(execute, "_store_posts", refused_once)
    execute.run(session, execution.id, adapters)
    row = again(session, execution)
    assert (row.status, row.attempt, row.items_success) == ("COMPLETED", 1, 3)


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The waits between offers, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr("pipeline.hold.wait", lambda futures, timeout: waited.append(timeout))
    return waited


def refuse(times: int):
    """Work that the database takes at last."""
    offers = []

    def work(connection):
        offers.append(connection)
        if len(offers) <= times:
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))
        return "taken"

    return work


def test_a_database_that_is_away_is_offered_the_result_until_it_takes_it(session, clock, execution, pauses):
    assert taken(session).store(session, refuse(100)) == "taken"
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 5.0
    assert not session.in_transaction()


def test_a_run_that_is_lost_offers_its_result_once_more(session, clock, execution, pauses):
    hold = taken(session)
    hold.end(LostError())
    with pytest.raises(OperationalError):
        hold.store(session, refuse(1))
    assert hold.store(session, refuse(0)) == "taken"
    assert pauses == []


def test_a_run_that_is_handed_on_has_some_seconds_to_say_so(session, clock, execution, monkeypatch):
    """As after a restart of PostgreSQL, where the first connection is found broken."""
    hold = taken(session)
    hold.end(StoppedError())
    assert hold.store(session, refuse(3)) == "taken"
    monkeypatch.setattr("pipeline.hold.LAST_WORDS", 0.2)
    with pytest.raises(OperationalError):
        hold.store(session, refuse(100))


class Coded(Exception):
    """As the drivers raise them: by code."""

    def __init__(self, **codes: object) -> None:
        super().__init__("words that nobody reads")
        for name, code in codes.items():
            setattr(self, name, code)


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ({"sqlite_errorcode": 5}, True),  # locked
        ({"sqlite_errorcode": 10 | 4 << 8}, True),  # could not be written, in its long form
        ({"sqlite_errorcode": 13}, True),  # full
        ({"sqlite_errorcode": 1}, False),  # no such column
        ({"sqlite_errorcode": 11}, False),  # malformed
        ({"sqlstate": "57P01"}, True),  # shut down by its administrator
        ({"sqlstate": "40P01"}, True),  # deadlock
        ({"sqlstate": "25006"}, True),  # read-only after a failover
        ({"sqlstate": None}, True),  # nobody answered
        ({"sqlstate": "57014"}, False),  # took too long
        ({"sqlstate": "42703"}, False),  # no such column
    ],
)
def test_what_waiting_mends_is_told_by_its_code(session, clock, execution, pauses, code, passes):
    answers = [OperationalError("UPDATE", {}, Coded(**code))]

    def work(connection):
        if answers:
            raise answers.pop()
        return "taken"

    if passes:
        assert taken(session).store(session, work) == "taken"
    else:
        with pytest.raises(OperationalError):
            taken(session).store(session, work)


def test_what_no_waiting_mends_ends_the_attempt_with_a_sentence(
    session, clock, adapters, execution, monkeypatch
):
    def broken(*_):
        raise OperationalError("UPDATE", {}, Coded(sqlite_errorcode=1, sqlstate="42703"))

    monkeypatch.setattr(record, "remember", broken)
    execute.run(session, execution.id, adapters)
    row = again(session, execution)
    assert (row.status, row.failures) == ("RETRYING", 1)
    assert row.error.startswith("Unexpected error: OperationalError")


def test_waiting_for_the_database_is_not_the_run_s_time(session, clock, adapters, execution, monkeypatch):
    job = session.get_one(Job, execution.job_id)
    job.time_limit = 1
    session.commit()
    store = execute.end_scan

    def slow(story, *more):
        store(story, *more)
        monkeypatch.setattr(execute, "end_scan", store)
        time.sleep(1.2)  # the database takes it, after more than the time limit

    monkeypatch.setattr(execute, "end_scan", slow)
    execute.run(session, execution.id, adapters)
    assert again(session, execution).status == "COMPLETED"


def test_an_answer_that_was_lost_leaves_each_step_once(session, clock, adapters, execution, monkeypatch):
    """The database took the transaction, and its yes did not arrive: the work is done again."""
    begin = Session.begin
    lost = []

    class LosesTheYes:
        def __init__(self, transaction):
            self.transaction = transaction

        def __enter__(self):
            return self.transaction.__enter__()

        def __exit__(self, kind, error, trace):
            self.transaction.__exit__(kind, error, trace)
            if kind is None and len(lost) < 3:
                lost.append(1)
                raise OperationalError("COMMIT", {}, Coded(sqlstate="08006"))

    hold = taken(session)
    monkeypatch.setattr(Session, "begin", lambda self, *a: LosesTheYes(begin(self, *a)))
    monkeypatch.setattr("pipeline.hold.PAUSES", (0.0, 0.0))
    with ThreadPoolExecutor(8) as pool:
        execute.carry(session, hold, adapters, Heart(session.get_bind()), pool)
    monkeypatch.undo()
    names = session.scalars(select(Step.name).where(Step.execution_id == execution.id)).all()
    session.commit()
    assert sorted(names) == ["record", "scan", "write", "write", "write"]
    assert len(lost) == 3


def test_a_run_that_stood_still_asks_the_model_nothing_that_another_has_paid(
    session, sessions, clock, adapters, execution, monkeypatch
):
    """Stopped between its scan and its posts, as by SIGSTOP; another worker took it over meanwhile."""
    other = FakeAdapters()

    def stand_still(story, activity):
        with sessions() as elsewhere:
            recover(elsewhere, execution)
            execute.run(elsewhere, execution.id, other)
        story.hold.proved -= 61
        return write(story, activity)

    write, turns = execute._write, [stand_still]
    monkeypatch.setattr(
        execute, "_write", lambda story, activity: (turns.pop() if turns else write)(story, activity)
    )
    assert execute.run(session, execution.id, adapters) == []
    assert (adapters.writer.calls, len(other.writer.calls)) == ([], 3)
    assert again(session, execution).status == "COMPLETED"


def test_a_hold_is_proved_with_the_same_patience(session, engine, clock, execution, pauses, monkeypatch):
    """Other platforms' answers are under way: a database that is away must not break the attempt off."""
    hold, take = taken(session), Hold.take
    hold.proved -= 61
    refusals = iter([OperationalError("UPDATE", {}, Exception("server closed the connection"))] * 3)

    def refused(self, connection, **values):
        for error in refusals:
            raise error
        take(self, connection, **values)

    monkeypatch.setattr(Hold, "take", refused)
    hold.prove(engine)
    assert pauses == [0.1, 0.2, 0.4]
    assert time.monotonic() - hold.proved < 5


def test_a_heart_beats_for_each_run_and_rests_when_there_is_none(
    session, engine, clock, execution, monkeypatch
):
    monkeypatch.setattr("pipeline.hold.BEAT", 0.02)
    heart, beats = Heart(engine), []

    def beat(hold):
        beats.append(hold)
        if len(beats) == 2:
            raise ValueError("what nobody foresaw")

    monkeypatch.setattr(heart, "_beat_one", beat)
    monkeypatch.setattr("threading.excepthook", lambda *_: None)
    hold = taken(session)
    with heart.beating(hold):
        until(lambda: len(beats) == 2 and heart._thread is None, 5, "the heart stopping")
        with heart.beating(taken_elsewhere(session)):
            until(lambda: len(set(beats)) == 2, 5, "beats for both")
    until(lambda: heart._thread is None, 5, "rest")


def taken_elsewhere(session) -> Hold:
    control.trigger(session, make_job(session))
    return taken(session)
