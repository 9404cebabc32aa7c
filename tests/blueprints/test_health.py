from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from models import Pulse


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
    }


def test_before_the_first_tick(client, bells):
    body = client.get("/healthz").get_json()
    assert (body["lastTick"], body["tickAge"]) == (None, None)
    assert "last_tick_age" not in client.get("/metrics").get_data(as_text=True)


def test_metrics(client, rows, user, clock, bells):
    from pipeline.bells import Bell
    from tasks.queue import ring

    rows.add(Pulse(name="tick", at=clock.now() - timedelta(seconds=42)))
    rows.execution(rows.job(rows.project(user)), status="RUNNING", outcome=None)
    rows.execution(rows.job(rows.project(user)), status="COMPLETED")
    ring([Bell("run", "exec_1")])
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=0.0.4")
    lines = response.get_data(as_text=True).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "repocast_database_up 1",
        "repocast_queue_up 1",
        "repocast_queue_length 1",
        "repocast_last_tick_age_seconds 42.0",
        'repocast_executions{status="QUEUED"} 0',
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
