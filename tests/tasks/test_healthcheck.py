"""An outside monitor hears of each tick, and cannot hurt it."""

import shutil
import time

import pytest

from tasks import healthcheck
from tests.standins.house import House, World
from tests.standins.server import Answer, Request, StandIn
from tests.standins.stack import free_port

pytestmark = pytest.mark.loopback


class Monitor(StandIn):
    def handle(self, request: Request) -> Answer:
        return Answer(200, "OK")


@pytest.fixture
def monitor():
    with Monitor() as running:
        yield running


def test_it_is_told_by_a_get(monitor, caplog):
    healthcheck.ping(f"{monitor.url}/ping/secret-uuid")
    assert [(r.method, r.path) for r in monitor.requests] == [("GET", "/ping/secret-uuid")]
    assert caplog.text == ""


def test_a_monitor_that_refuses_is_logged_without_its_secret_address(monitor, caplog):
    monitor.fail_always("/ping", Answer(404, "not found"))
    healthcheck.ping(f"{monitor.url}/ping/secret-uuid")
    assert "The outside monitor was not told of this tick: it answered 404" in caplog.text
    assert "secret-uuid" not in caplog.text


def test_a_monitor_that_is_down_is_logged(caplog):
    healthcheck.ping(f"http://127.0.0.1:{free_port()}/ping/secret-uuid")
    assert "The outside monitor was not told of this tick: HEALTHCHECK_URL error" in caplog.text
    assert "secret-uuid" not in caplog.text


def test_a_monitor_that_never_answers_holds_the_tick_for_seconds_only(monitor, monkeypatch, caplog):
    monkeypatch.setattr(healthcheck, "SECONDS", 0.2)
    monitor.latency = 30
    began = time.monotonic()
    healthcheck.ping(f"{monitor.url}/ping")
    assert time.monotonic() - began < 5
    assert "no answer within 0.2 s" in caplog.text


def test_a_worker_tells_it_with_each_tick(monitor, sqlite_template, tmp_path):
    """Its first tick comes when it starts."""
    shutil.copy(sqlite_template, tmp_path / "repocast.db")
    url = f"sqlite:///{tmp_path / 'repocast.db'}"
    with World() as world, House(url, tmp_path, world, HEALTHCHECK_URL=f"{monitor.url}/ping/u") as house:
        house.start_worker()
        house.until(lambda: [r.path for r in monitor.requests] == ["/ping/u"], 20, "a ping")
        assert "/ping/u" not in house.log()
