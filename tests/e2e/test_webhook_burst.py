"""A thousand deliveries at once, forged and replayed ones among them, at the real web process."""

import hashlib
import hmac
import json
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from lib import clock
from lib.secrets import SecretBox
from models import Execution, Job, Project, WebhookDelivery
from pipeline import pushes
from tests.standins.house import House

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
SECRET = "burst"
RIGHT, REPLAYED, FORGED = 860, 70, 70
SENDERS = 32
PATIENCE = 10.0
"""Seconds that GitHub waits for an answer."""


@dataclass(frozen=True)
class Delivery:
    guid: str
    body: bytes
    signature: str


def delivery(number: int, secret: str = SECRET) -> Delivery:
    """A push of three commits, as large as those that were recorded (10 KB)."""
    commits = [{"id": f"{number:040}", "message": "Fix it", "added": ["src/file.py"] * 200}] * 3
    repository = {"id": 1, "full_name": "username/awesome-lib", "default_branch": "main"}
    body = json.dumps({"ref": "refs/heads/main", "commits": commits, "repository": repository}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Delivery(f"burst-{number}", body, f"sha256={signature}")


class GitHub:
    """Delivers on a connection of its own each time, as GitHub does."""

    def __init__(self, port: int, project_id: str) -> None:
        self.port, self.path = port, f"/webhooks/github/{project_id}"

    def __call__(self, one: Delivery) -> tuple[int, float]:
        """The status, and the seconds until it was there."""
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": one.guid,
            "X-Hub-Signature-256": one.signature,
        }
        began = time.perf_counter()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("POST", self.path, one.body, headers)
            answer = connection.getresponse()
            answer.read()
        return answer.status, time.perf_counter() - began


@pytest.fixture
def house(database_url, tmp_path, surroundings):
    with House(database_url, tmp_path, surroundings) as house:
        house.start_web()
        house.start_worker()
        house.await_web()
        yield house


@pytest.fixture
def job(house) -> Job:
    job = house.job(run_on_push=True)
    sealed = SecretBox([house.env["ENCRYPTION_KEYS"]]).seal(SECRET)
    with house.sessions() as session:
        session.get_one(Project, job.project_id).webhook_secret = sealed
        session.commit()
    return job


def test_a_thousand_deliveries_start_one_run(house, job, tally):
    deliver = GitHub(house.port, job.project_id)
    right = [delivery(number) for number in range(RIGHT)]
    forged = [delivery(RIGHT + number, "guessed") for number in range(FORGED)]
    burst = [*right, *right[:REPLAYED], *forged]
    random.Random(4).shuffle(burst)
    deliver(delivery(RIGHT + FORGED))  # the first one opens what the others use
    with ThreadPoolExecutor(SENDERS) as senders:
        began = time.perf_counter()
        answers = list(senders.map(deliver, burst))
        spent = time.perf_counter() - began
    seconds = sorted(took for _, took in answers)
    p50, p99 = seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100]
    said = f"{len(burst)} deliveries in {spent:.2f} s; p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"

    statuses = [status for status, _ in answers]
    assert (statuses.count(202), statuses.count(403)) == (RIGHT + REPLAYED, FORGED), said
    remembered = {row.guid for row in house.rows(WebhookDelivery)}
    assert remembered == {one.guid for one in right} | {f"burst-{RIGHT + FORGED}"}, said
    assert house.rows(Execution) == [], said
    assert p99 < PATIENCE / 2, said

    singly = [deliver(delivery(10_000 + number))[1] for number in range(20)]
    figures = {"p50_ms": p50, "p99_ms": p99, "single_ms": statistics.median(singly)}
    topic = f"webhook on {house.engine.dialect.name}"
    tally(topic, deliveries=len(burst), **{name: round(took * 1000) for name, took in figures.items()})

    waiting = house.rows(Job, id=job.id)[0]
    assert 0 < (waiting.push_at - clock.now()).total_seconds() <= pushes.DEBOUNCE.total_seconds()
    house.change(job, push_at=clock.now())
    started = house.until(lambda: house.rows(Execution), 20, "run that the pushes started")
    house.await_whole(started[0].id)
    with house.sessions() as session:
        assert pushes.due(session) == []
    assert [row.triggered_by for row in house.rows(Execution)] == ["webhook"]
    assert house.rows(Job, id=job.id)[0].push_at is None


def test_25_mb(house, job):
    """As it comes over the wire: too large, forged, right."""
    deliver = GitHub(house.port, job.project_id)
    padding = "x" * 25_000_000
    repository = {"id": 1, "full_name": "username/awesome-lib", "default_branch": "main"}
    body = json.dumps({"padding": padding, "ref": "refs/heads/main", "repository": repository}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert deliver(Delivery("forged", body, "sha256=" + "0" * 64))[0] == 403
    assert house.rows(WebhookDelivery) == []
    assert deliver(Delivery("right", body, signature))[0] == 202
    assert [row.guid for row in house.rows(WebhookDelivery)] == ["right"]
    try:
        status = deliver(Delivery("larger", body + b" " * 2_000_000, signature))[0]
    except ConnectionError:  # it hung up while the rest was on its way
        status = 413
    assert status == 413
    assert [row.guid for row in house.rows(WebhookDelivery)] == ["right"]


def test_a_chunked_body(house, job):
    one = delivery(1)
    connection = HTTPConnection("127.0.0.1", house.port, timeout=PATIENCE)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": one.guid,
        "X-Hub-Signature-256": one.signature,
    }
    parts = (one.body[start : start + 1000] for start in range(0, len(one.body), 1000))
    connection.request("POST", f"/webhooks/github/{job.project_id}", parts, headers, encode_chunked=True)
    assert connection.getresponse().status == 202
    connection.close()
    assert [row.guid for row in house.rows(WebhookDelivery)] == [one.guid]
