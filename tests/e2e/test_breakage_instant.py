"""Trigger Now is pressed twice at the same instant, each time at another web process."""

import threading

import pytest

from models import Execution
from tests.standins.house import House
from tests.standins.stack import Api, free_port

pytestmark = pytest.mark.loopback

ROUNDS = 5


@pytest.fixture
def house(database_url, tmp_path, surroundings):
    with House(database_url, tmp_path, surroundings) as house:
        yield house


def test_trigger_now_twice_at_the_same_instant(house):
    """One starts it; the other is shown what the first has started. No worker takes it away meanwhile."""
    other = free_port()
    house.start_web()
    house.start_web(other)
    job = house.job()
    first = house.api(job)
    second = Api(f"http://127.0.0.1:{other}", job.id)
    for port in (house.port, other):
        house.await_web(port)
    for number in range(ROUNDS):
        won, lost = sorted(pressed(first, second, job), key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (202, 409), (won.text, lost.text)
        assert lost.json()["data"]["id"] == won.json()["data"]["id"]
        assert "running already" in lost.json()["error"]
        assert len(house.rows(Execution, job_id=job.id)) == number + 1
        first("POST", f"/api/executions/{won.json()['data']['id']}/cancel")
    house.check_statistics(job.id)


def pressed(first, second, job) -> list:
    answers, ready = [], threading.Barrier(2)

    def press(api) -> None:
        ready.wait(10)
        answers.append(api.raw("POST", "/api/cron/trigger", json={"jobId": job.id}))

    threads = [threading.Thread(target=press, args=(api,)) for api in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers
