"""The parts of an execution's page: its waterfall and its stack traces."""

from datetime import UTC, datetime, timedelta

import pytest

from blueprints.pages_trace import trace
from tests.blueprints.pages import Visitor, attempt, step, text

AT = datetime(2025, 10, 3, 9, 0, 2, tzinfo=UTC)
MIXED = """Error: Bad credentials
    at run (pipeline/execute.py:50)
    at scan (sources/github.py:88)
    at send (requests/sessions.py:700)
    at connect (urllib3/connection.py:9)
Caused by: OSError"""


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def job(rows, user):
    project = rows.project(user)
    rows.platform(project, "DEVTO")
    return rows.job(project)


def test_own_lines_come_first_and_libraries_are_folded():
    shown = trace(MIXED)
    assert shown.own.splitlines() == [
        "Error: Bad credentials",
        "    at scan (sources/github.py:88)",
        "    at run (pipeline/execute.py:50)",
        "Caused by: OSError",
    ]
    assert (shown.whole, shown.folded) == (MIXED, "2 lines")


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_no_trace_is_nothing(nothing):
    assert trace(nothing) is None


def test_a_trace_of_our_own_is_shown_once_and_masks_secrets():
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    shown = trace(f"Error: {token} is bad\n    at scan (sources/github.py:88)")
    assert shown.own == shown.whole
    assert not shown.folded
    assert token not in shown.whole


def test_the_page_folds_what_libraries_did(visitor, rows, job):
    execution = rows.execution(job, status="FAILED", outcome="FAILED", error="Bad", stack_trace=MIXED)
    body = visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    assert "All of it, with 2 lines of libraries" in body
    assert 'data-copy="trace"' in body
    calm = rows.execution(job, status="FAILED", outcome="FAILED", error="Bad")
    assert "Stack trace" not in text(visitor.get(f"/executions/{calm.id}"))


def test_what_runs_reaches_to_now_and_waits_are_said(visitor, rows, job, clock):
    now = clock.now()
    execution = rows.execution(job, status="RUNNING", outcome=None, started_at=now, attempt=2)
    began = now - timedelta(seconds=4)
    failed = {"started_at": began - timedelta(seconds=302), "completed_at": began - timedelta(seconds=300)}
    attempt(rows, execution, 1, status="FAILED", duration=2000, error="Bad", **failed)
    attempt(rows, execution, 2, started_at=began)
    step(rows, execution, "scan", attempt=2, status="COMPLETED", started_at=began, duration=1000,
         completed_at=began + timedelta(seconds=1))  # fmt: skip
    step(rows, execution, "write", attempt=2, platform_type="DEVTO", started_at=began + timedelta(seconds=1))
    page = visitor.get(f"/executions/{execution.id}")
    assert "Write for Dev.to Running 3s so far after 1s" in text(page)
    assert "Waited 5m before attempt 2" in text(page)
    assert '<rect x="25.0" width="75.0"' in page.get_data(as_text=True)
