from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from models import EmailDelivery, Pulse


@pytest.fixture
def down(monkeypatch):
    """Take the database or the queue away."""
    from tasks.queue import huey

    def fail_database(*_args, **_kwargs):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    def fail_queue(*_args):
        raise OSError("gone")

    def take(what):
        if what == "database":
            monkeypatch.setattr("sqlalchemy.orm.Session.connection", fail_database)
        else:
            monkeypatch.setattr(huey.storage, "queue_size", fail_queue)

    return take


def test_all_is_well(client, rows, clock, bells):
    rows.add(Pulse(name="tick", at=clock.now() - timedelta(seconds=42)))
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.get_json() == {
        "status": "ok",
        "database": "ok",
        "queue": "ok",
        "queueLength": 0,
        "lastTick": "2025-10-03T08:59:18.000Z",
        "tickAge": 42.0,
        "scheduler": "ok",
        "waiting": 0,
        "oldestWaiting": None,
    }


def test_before_the_first_tick(client, bells):
    body = client.get("/healthz").get_json()
    assert (body["lastTick"], body["tickAge"], body["scheduler"]) == (None, None, "never")
    assert "last_tick_age" not in client.get("/metrics").get_data(as_text=True)


@pytest.mark.parametrize(("age", "state"), [(150, "ok"), (150.001, "late"), (9000, "late"), (-3600, "ok")])
def test_a_tick_is_late_after_two_and_a_half_minutes(client, rows, clock, bells, age, state):
    """A tick in the future is a clock that stepped back."""
    rows.add(Pulse(name="tick", at=clock.now() - timedelta(seconds=age)))
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.get_json()["scheduler"] == state
    assert response.get_json()["tickAge"] == max(0, age)


def test_what_waits_for_a_worker_is_counted_and_timed(client, rows, user, clock, bells):
    def waits(status, ago, **values):
        at = clock.now() - timedelta(seconds=ago)
        key = "created_at" if status == "QUEUED" else "next_retry_at"
        rows.execution(rows.job(rows.project(user)), status=status, outcome=None, **{key: at} | values)

    waits("RETRYING", -600)
    waits("RUNNING", 0, created_at=clock.now() - timedelta(days=1))
    assert vitals(client) == (0, None)
    waits("QUEUED", -60)
    assert vitals(client) == (1, 0)
    waits("RETRYING", 30, created_at=clock.now() - timedelta(days=1))
    assert vitals(client) == (2, 30)
    waits("QUEUED", 90)
    assert vitals(client) == (3, 90)


def vitals(client):
    body = client.get("/healthz").get_json()
    return body["waiting"], body["oldestWaiting"]


def test_metrics(client, rows, user, clock, bells):
    from pipeline.bells import Bell
    from tasks.queue import ring

    rows.add(Pulse(name="tick", at=clock.now() - timedelta(seconds=42)))
    rows.execution(rows.job(rows.project(user)), status="RUNNING", outcome=None)
    rows.execution(rows.job(rows.project(user)), status="COMPLETED")
    rows.execution(rows.job(rows.project(user)), status="QUEUED", outcome=None, created_at=clock.now())
    mail = {"recipient": "you@example.com", "subject": "s", "text": "t", "html": "h"}
    for status, ago in (("PENDING", 60), ("PENDING", 90), ("SENT", 900), ("FAILED", 900)):
        at = clock.now() - timedelta(seconds=ago)
        rows.add(EmailDelivery(user_id=user.id, status=status, created_at=at, **mail))
    ring([Bell("run", "exec_1")])
    clock.advance(5)
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=0.0.4")
    lines = response.get_data(as_text=True).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "repocast_database_up 1",
        "repocast_queue_up 1",
        "repocast_queue_length 1",
        "repocast_last_tick_age_seconds 47.0",
        "repocast_executions_waiting 1",
        "repocast_oldest_waiting_seconds 5.0",
        "repocast_mails_pending 2",
        "repocast_mails_oldest_seconds 95.0",
        'repocast_executions{status="QUEUED"} 1',
        'repocast_executions{status="RUNNING"} 1',
        'repocast_executions{status="RETRYING"} 0',
    ]
    assert "# TYPE repocast_queue_length gauge" in lines


def test_without_the_queue(client, down, bells):
    down("queue")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert (response.get_json()["status"], response.get_json()["queue"]) == ("error", "unreachable")
    response = client.get("/metrics")
    assert response.status_code == 503
    assert "repocast_queue_up 0" in response.get_data(as_text=True)


def test_without_the_database(client, down, bells):
    down("database")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.get_json() == {"status": "error", "database": "unreachable"}
    response = client.get("/metrics")
    assert response.status_code == 503
    assert "repocast_database_up 0" in response.get_data(as_text=True)
