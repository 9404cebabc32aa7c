"""A worker dies, or stands still, while it writes a draft anew: the order goes on, no text counts twice."""

import signal

import pytest

from models import Draft, DraftVersion, Regeneration
from pipeline import regenerate
from tests.standins.stack import until

pytestmark = pytest.mark.loopback


@pytest.fixture
def ordered(house):
    """A worker that has begun to write a draft anew, and waits for the model; the order's id."""
    worker = house.start_hasty_worker()
    done = house.await_status(house.trigger(house.job(platforms=("DEVTO",))))
    (draft,) = house.rows(Draft, execution_id=done.id)
    house.llm.held.add("DEVTO")
    house.llm.say("DEVTO", tags=["opensource"])
    with house.sessions() as session:
        order, _ = regenerate.order(session, draft.id, "Shorter.")
    house.llm.await_calls(2)
    return worker, order.id


def row(house, order_id: str) -> Regeneration:
    (found,) = house.rows(Regeneration, id=order_id)
    return found


def await_end(house, order_id: str) -> Draft:
    house.until(lambda: row(house, order_id).status == "COMPLETED", 30, "end of the order")
    (draft,) = house.rows(Draft, id=row(house, order_id).draft_id)
    assert (draft.version, draft.tags) == (2, ["opensource"])
    assert [one.number for one in house.rows(DraftVersion, draft_id=draft.id)] == [1, 2]
    return draft


def test_a_worker_that_is_killed(house, ordered):
    worker, order_id = ordered
    worker.kill()
    house.start_hasty_worker()
    house.until(lambda: row(house, order_id).attempt == 2, 20, "second try")
    house.llm.await_calls(3)
    house.llm.release()
    await_end(house, order_id)
    assert house.llm.calls == {"DEVTO": 3}  # the run, the try that died, the one that came through
    assert row(house, order_id).failures == 1


def test_a_worker_that_is_suspended_past_its_lease(house, ordered):
    worker, order_id = ordered
    worker.send_signal(signal.SIGSTOP)
    house.start_hasty_worker()
    until(lambda: row(house, order_id).attempt == 2, 20, "second try")
    house.llm.await_calls(3)
    house.llm.release()
    await_end(house, order_id)
    worker.send_signal(signal.SIGCONT)
    house.await_log(f"Attempt 1 of {order_id} was taken away")
    await_end(house, order_id)
    assert house.llm.calls == {"DEVTO": 3}


def test_a_worker_that_is_asked_to_stop(house, ordered):
    """What is nearly finished is waited for."""
    worker, order_id = ordered
    worker.terminate()
    house.await_log("This worker stops")
    house.llm.release()
    assert worker.wait(30) == 0
    await_end(house, order_id)
    assert house.llm.calls == {"DEVTO": 2}
