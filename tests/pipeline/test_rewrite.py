"""Drafts written anew: queued, recovered, never paid twice for one try, and never over what their owner
typed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Draft, Platform, Project, Regeneration, Step
from models.values import Brief
from pipeline import drafts, housekeeping, orders, regenerate, rewrite
from pipeline.bells import Bell
from pipeline.drafts import DraftConflictError
from pipeline.hold import Heart
from tests.pipeline.posted import again, kept, posted
from writers.base import WriterError

FIRST = "What happened, for DEVTO."


@pytest.fixture
def draft(session, clock, adapters) -> Draft:
    found = posted(session, adapters)
    adapters.writer.calls.clear()
    return found


@pytest.fixture
def briefs(adapters) -> list[Brief]:
    """What the writer was asked for; each answer tells how many there were."""
    asked: list[Brief] = []
    adapters.writer.before_answer = asked.append
    write = adapters.writer.write

    def numbered(brief: Brief):
        post = write(brief)
        return type(post)(post.title, f"{post.content} Text {len(asked)}.", post.tags, post.usage)

    adapters.writer.write = numbered
    return asked


def order(session, draft, instruction: str = "Shorter.") -> str:
    made, bells = regenerate.order(session, draft.id, instruction)
    assert bells == [Bell("regenerate", made.id)]
    return made.id


def carry_on(session, adapters, heart: Heart | None = None) -> list[Bell] | None:
    """One try of what waits; None when nothing is due."""
    hold = orders.take_next(session)
    if hold is None:
        return None
    with ThreadPoolExecutor(2) as pool:
        return rewrite.carry(session, hold, adapters, heart or Heart(session.get_bind()), pool)


def row(session, order_id: str) -> Regeneration:
    found = session.get_one(Regeneration, order_id, populate_existing=True)
    session.commit()
    return found


def test_the_next_version_is_written_from_what_the_run_read(session, clock, adapters, draft, briefs):
    made = order(session, draft)
    assert carry_on(session, adapters) == []
    done, draft = row(session, made), again(session, draft)
    assert (done.status, done.attempt, done.version, done.error) == ("COMPLETED", 1, 2, None)
    assert (done.heartbeat_at, done.completed_at) == (None, clock.now())
    assert (draft.version, draft.content) == (2, f"{FIRST} Text 1.")
    assert [made_by for _, made_by, _ in kept(session, draft)] == ["MODEL", "MODEL"]
    [brief] = briefs
    assert (brief.instruction, brief.previous) == ("Shorter.", f"Update for DEVTO\n\n{FIRST}")
    assert [item.title for item in brief.digest.items] == ["Add TypeScript support"]
    assert brief.earlier_titles == ()  # its own is no other's
    assert carry_on(session, adapters) is None
    assert len(adapters.github.scans) == 1


def test_one_order_at_a_time(session, adapters, draft):
    order(session, draft)
    with pytest.raises(DraftConflictError, match="already"):
        regenerate.order(session, draft.id, "")
    session.rollback()
    carry_on(session, adapters)
    order(session, draft)


def test_two_orders_at_once_and_one_is_taken(sessions, session, draft):
    barrier = threading.Barrier(2)

    def ask(_: int) -> bool:
        with sessions() as own:
            barrier.wait()
            try:
                regenerate.order(own, draft.id, "")
            except DraftConflictError:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, range(2))) == [False, True]
    assert len(session.scalars(select(Regeneration)).all()) == 1


def test_an_order_has_one_taker(sessions, session, draft):
    order(session, draft)
    barrier = threading.Barrier(3)

    def take(_: int) -> bool:
        with sessions() as own:
            barrier.wait()
            return orders.take_next(own) is not None

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(take, range(3))) == [False, False, True]


def test_what_may_pass_is_tried_three_times(session, clock, adapters, draft):
    adapters.writer.failures["DEVTO"] = [WriterError("The model is busy.") for _ in range(3)]
    made = order(session, draft)
    waits = []
    for _ in range(2):
        [bell] = carry_on(session, adapters)
        waits.append((bell.eta - clock.now()).total_seconds())
        waiting = row(session, made)
        assert (waiting.status, waiting.error, waiting.heartbeat_at) == ("QUEUED", "The model is busy.", None)
        assert carry_on(session, adapters) is None  # not before its time
        clock.advance(waits[-1])
    assert waits == [5.0, 20.0]
    assert carry_on(session, adapters) == []
    done = row(session, made)
    assert (done.status, done.attempt, done.error) == ("FAILED", 3, "The model is busy.")
    assert again(session, draft).version == 1
    assert len(adapters.writer.calls) == 3


@pytest.mark.parametrize(
    "error",
    [
        WriterError("The model refused.", permanent=True),
        WriterError("The model wants an hour.", retry_after=3600.0),
        ValueError("unforeseen"),
    ],
)
def test_what_no_short_wait_mends_ends_it_with_its_sentence(session, adapters, draft, error):
    adapters.writer.failures["DEVTO"] = [error]
    made = order(session, draft)
    assert carry_on(session, adapters) == []
    assert (row(session, made).status, row(session, made).attempt) == ("FAILED", 1)
    assert str(error) in row(session, made).error
    assert again(session, draft).content == FIRST


def test_a_time_that_a_limit_names_is_honoured(session, clock, adapters, draft):
    adapters.writer.failures["DEVTO"] = [WriterError("Too many.", retry_after=42.0)]
    order(session, draft)
    [bell] = carry_on(session, adapters)
    assert bell.eta == clock.now() + timedelta(seconds=42)


def test_what_its_owner_typed_meanwhile_stays(sessions, session, adapters, draft, briefs):
    def type_on(brief: Brief) -> None:
        briefs.append(brief)
        with sessions() as own:
            drafts.edit(own, draft.id, 1, {"content": "Mine."})

    adapters.writer.before_answer = type_on
    made = order(session, draft)
    carry_on(session, adapters)
    done, draft = row(session, made), again(session, draft)
    assert (done.status, done.version) == ("FAILED", 3)
    assert "your text stays" in done.error
    assert "version 3" in done.error
    assert (draft.content, draft.version) == ("Mine.", 2)
    assert kept(session, draft)[-1] == (3, "MODEL", f"{FIRST} Text 1.")
    assert drafts.restore(session, draft.id, 2, 3).content == f"{FIRST} Text 1."
    assert again(session, draft).version == 4  # numbers are given once


def test_a_draft_that_was_decided_meanwhile_stays_as_it_is(sessions, session, adapters, draft):
    def approve(_: Brief) -> None:
        with sessions() as own:
            drafts.approve(own, draft.id)

    adapters.writer.before_answer = approve
    made = order(session, draft)
    carry_on(session, adapters)
    assert "approved while" in row(session, made).error
    assert (again(session, draft).state, again(session, draft).version) == ("APPROVED", 1)


def test_nothing_is_paid_for_a_draft_that_was_changed_before(session, adapters, draft):
    made = order(session, draft)
    drafts.edit(session, draft.id, 1, {"content": "Mine."})
    carry_on(session, adapters)
    assert row(session, made).status == "FAILED"
    assert "nothing was written" in row(session, made).error
    assert adapters.writer.calls == []


def test_a_text_like_the_old_one_is_no_version(session, adapters, draft):
    made = order(session, draft)
    carry_on(session, adapters)  # this writer says the same each time
    assert (row(session, made).status, row(session, made).version) == ("COMPLETED", 1)
    assert (again(session, draft).version, kept(session, draft)) == (1, [])


def test_a_cancelled_one_stores_nothing(sessions, session, adapters, draft):
    def call_off(_: Brief) -> None:
        with sessions() as own:
            regenerate.cancel(own, draft.id)

    adapters.writer.before_answer = call_off
    made = order(session, draft)
    assert carry_on(session, adapters) == []
    assert row(session, made).status == "CANCELLED"
    assert again(session, draft).version == 1
    with pytest.raises(DraftConflictError, match="not being written"):
        regenerate.cancel(session, draft.id)


def test_a_dead_workers_order_is_handed_on_and_ends_with_the_third_death(session, clock, draft, monkeypatch):
    seconds = 1000.0
    monkeypatch.setattr(housekeeping, "monotonic", lambda: seconds)
    made, watch = order(session, draft), orders.ward()
    for deaths in (1, 2, 3):
        assert orders.take_next(session) is not None
        assert orders.look(session, watch) == []
        for _ in range(12):
            seconds += 5
            clock.advance(5)
            bells = orders.look(session, watch)
        dead = row(session, made)
        assert (dead.failures, dead.error) == (deaths, orders.DIED)
        assert bells == ([Bell("regenerate", made)] if deaths < 3 else [])
    assert (dead.status, dead.completed_at) == ("FAILED", clock.now())


def test_whoever_was_taken_for_dead_writes_nothing(session, clock, adapters, draft, briefs):
    """Its answer comes after another worker has the order: each try has one call, and one text counts."""
    made = order(session, draft)
    slow = orders.take_next(session)
    orders.recover(session, (made, slow.attempt, row(session, made).heartbeat_at))
    carry_on(session, adapters)
    with ThreadPoolExecutor(2) as pool:
        assert rewrite.carry(session, slow, adapters, Heart(session.get_bind()), pool) == []
    assert len(briefs) == 1
    assert (row(session, made).status, row(session, made).attempt) == ("COMPLETED", 2)
    assert again(session, draft).content == f"{FIRST} Text 1."


def test_an_answer_that_comes_after_another_worker_has_begun_is_void(
    sessions, session, adapters, draft, briefs
):
    made, holds = order(session, draft), []

    def stand_still(brief: Brief) -> None:
        briefs.append(brief)
        if len(briefs) == 1:
            with sessions() as other:
                orders.recover(other, (made, 1, row(other, made).heartbeat_at))
                holds.append(orders.take_next(other))

    adapters.writer.before_answer = stand_still
    assert carry_on(session, adapters) == []
    assert (row(session, made).status, row(session, made).attempt) == ("RUNNING", 2)
    assert (again(session, draft).version, kept(session, draft)) == (1, [])
    with ThreadPoolExecutor(2) as pool:
        rewrite.carry(session, holds[0], adapters, Heart(session.get_bind()), pool)
    assert row(session, made).status == "COMPLETED"
    assert again(session, draft).content == f"{FIRST} Text 2."
    assert [number for number, _, _ in kept(session, draft)] == [1, 2]


def test_a_stopping_worker_hands_it_back_and_uses_up_no_try(session, adapters, draft):
    made = order(session, draft)
    heart = Heart(session.get_bind())
    heart.stopping.set()
    assert carry_on(session, adapters, heart) == [Bell("regenerate", made)]
    assert (row(session, made).status, row(session, made).failures) == ("QUEUED", 0)
    assert adapters.writer.calls == []
    assert carry_on(session, adapters) == []
    assert row(session, made).status == "COMPLETED"


def test_a_worker_that_stops_while_the_writer_works(session, adapters, draft):
    heart, gate = Heart(session.get_bind()), threading.Event()

    def hang(_: Brief) -> None:
        heart.abandon()
        gate.wait(10)

    adapters.writer.before_answer = hang
    made = order(session, draft)
    hold = orders.take_next(session)
    with ThreadPoolExecutor(2) as pool:
        bells = rewrite.carry(session, hold, adapters, heart, pool)
        gate.set()
    assert bells == [Bell("regenerate", made)]
    assert row(session, made).status == "QUEUED"


@pytest.mark.parametrize(("gone", "said"), [(Platform, "removed"), (Step, "not stored any more")])
def test_nothing_to_write_from(session, draft, gone, said):
    for found in session.scalars(select(gone)):
        session.delete(found)
    session.commit()
    with pytest.raises(DraftConflictError, match=said):
        regenerate.order(session, draft.id, "")


def test_what_is_withheld_by_now_is_not_told(session, adapters, draft):
    made = order(session, draft)
    project = session.scalars(select(Project)).one()
    project.withhold = {"words": ["TypeScript"], "paths": []}
    session.commit()
    carry_on(session, adapters)
    assert row(session, made).error == rewrite.EMPTY
    assert adapters.writer.calls == []


def test_a_decided_draft_is_not_written_anew(session, draft):
    drafts.reject(session, draft.id)
    with pytest.raises(DraftConflictError, match="reopen"):
        regenerate.order(session, draft.id, "")


def test_the_latest_order(session, clock, adapters, draft):
    first = order(session, draft)
    carry_on(session, adapters)
    clock.advance(1)
    second = order(session, draft)
    assert regenerate.latest(session, draft.id).id == second != first
    assert regenerate.latest(session, "draft_none") is None
