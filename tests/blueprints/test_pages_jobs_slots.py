"""Next runs and history of a job in the browser: trigger with a choice, pause, skip, filter, page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from tests.blueprints.pages import Visitor, beside, text, value
from tests.blueprints.test_pages_jobs import url

SLOT = datetime(2025, 10, 4, 9, tzinfo=UTC)


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def job(rows, user):
    return rows.job(rows.project(user))


def stored(rows, job):
    return rows.get(type(job), job.id)


def test_the_dialog_says_what_a_run_covers_and_costs(visitor, job):
    page = visitor.get(url(job, "/trigger"))
    for said in ("Its first run: the last 7 days.", "costs nothing", "the next slot is 4 Oct at 9:00 AM UTC"):
        assert said in text(page)
    assert "<html" not in visitor.get(url(job, "/trigger"), htmx=True).get_data(as_text=True)


def test_a_dry_run_since_a_date_in_the_jobs_zone(visitor, rows, user):
    from models import Execution

    job = rows.job(rows.project(user), timezone="Asia/Tokyo", time_config={"timezone": "Asia/Tokyo"})
    visitor.post(url(job, "/trigger"), {"dryRun": "on", "since": "2025-09-01T09:00"})
    row = rows.all(Execution)[0]
    assert (row.dry_run, row.tell_since) == (True, datetime(2025, 9, 1, tzinfo=UTC))
    again = visitor.get(url(job, "/trigger"))
    assert "one run at a time" in text(again)


@pytest.mark.parametrize(("since", "said"), [("soon", "date and time"), ("2999-01-01T00:00", "in the past")])
def test_a_wrong_since_keeps_what_was_typed(visitor, job, rows, since, said):
    from models import Execution

    answer = visitor.post(url(job, "/trigger"), {"dryRun": "on", "since": since})
    assert answer.status_code == 422
    assert said in beside(answer, "since")
    assert value(answer, "since") == since
    assert rows.all(Execution) == []


def test_pausing_until_a_date_and_resuming(visitor, rows, job):
    assert value(visitor.get(url(job, "/pause")), "until").startswith("2025-10-")
    page = visitor.follow(visitor.post(url(job, "/pause"), {"until": "2025-11-01T10:00"}))
    assert "is paused until 1 Nov at 10:00 AM UTC" in page
    assert "Paused until 1 Nov at 10:00 AM UTC" in page
    assert stored(rows, job).next_run_at == datetime(2025, 11, 2, 9, tzinfo=UTC)
    assert "Paused until 1 Nov" in text(visitor.get("/dashboard"))
    assert "goes on" in visitor.follow(visitor.post(url(job, "/enable")))
    assert stored(rows, job).paused_until is None


@pytest.mark.parametrize(("until", "said"), [("", "date and time"), ("2020-01-01T00:00", "in the future")])
def test_a_wrong_end_of_a_pause_is_refused(visitor, rows, job, until, said):
    answer = visitor.post(url(job, "/pause"), {"until": until})
    assert (answer.status_code, said in beside(answer, "until")) == (422, True)
    assert stored(rows, job).paused_until is None


def test_skipping_the_next_slot_and_undoing_it(visitor, rows, job):
    path = url(job, "/skip-next?slot=2025-10-04T09:00:00.000Z")
    page = visitor.follow(visitor.post(path))
    assert "Left out up to 4 Oct at 9:00 AM UTC" in page
    assert "Skipped by its owner." in page
    assert stored(rows, job).next_run_at == SLOT + timedelta(days=1)
    assert visitor.post(path, htmx=True).status_code == 409
    assert visitor.post(url(job, "/skip-next?slot=nonsense")).status_code == 400
    page = visitor.follow(visitor.post(url(job, "/skip-next/undo")))
    assert "Left out" not in page


def test_foreign_jobs_are_not_found(app, rows, job):
    stranger = Visitor(app, rows.user())
    for tail in ("/trigger", "/pause"):
        assert stranger.get(url(job, tail)).status_code == 404
    for tail in ("/trigger", "/pause", "/skip-next", "/skip-next/undo"):
        assert stranger.post(url(job, tail)).status_code == 404


def test_the_history_is_filtered_by_the_url(visitor, rows, job):
    rows.execution(job, summary="A good one", created_at=datetime(2025, 9, 1, 12, tzinfo=UTC))
    rows.execution(
        job, status="FAILED", outcome="FAILED", summary="A bad one", triggered_by="scheduled", error="Broken."
    )

    def found(query: str) -> str:
        return text(visitor.get(url(job, query))).partition("Any ")[2]

    assert "Broken." in found("?outcome=FAILED")
    assert "A good one" not in found("?outcome=FAILED")
    assert "A good one" in found("?trigger=manual&to=2025-09-01")
    assert "A good one" not in found("?from=2025-09-02")
    assert "No execution matches these filters. Show all" in found("?outcome=PARTIAL")
    assert "is no date" in found("?from=yesterday")


def test_every_page_of_the_history_is_reached_from_both_ends(visitor, rows, job):
    import html
    import re

    for number in range(45):
        rows.execution(job, summary=f"Run {number:02d}.")

    def shown(page) -> list[str]:
        return re.findall(r"Run (\d\d)\.", page.get_data(as_text=True))

    def go(page, label: str):
        links = re.findall(r'<a class="button" href="([^"]*)"[^>]*>([^<]*)</a>', page.get_data(as_text=True))
        return visitor.get(html.unescape({name: link for link, name in links}[label]))

    first = visitor.get(url(job, "?trigger=manual"))
    second = go(first, "Older executions")
    oldest = go(first, "Oldest")
    assert (shown(first)[0], shown(second)[0], shown(oldest)[-1]) == ("44", "24", "00")
    assert len(shown(oldest)) == 20
    assert shown(go(oldest, "Newer executions")) == [f"{n:02d}" for n in range(39, 19, -1)]
    assert shown(go(oldest, "Newest")) == shown(first)
    assert shown(go(second, "Newer executions")) == shown(first)
    assert "outcome=" not in second.request.url
    assert "trigger=manual" in second.request.url


def test_the_page_asks_for_itself_at_rest_and_keeps_its_filters(visitor, job):
    import html
    import re

    body = visitor.get(url(job, "?outcome=FAILED")).get_data(as_text=True)
    path = html.unescape(re.search(r'id="job"[^>]*hx-get="([^"]*)"', body)[1])
    assert "outcome=FAILED" in path
    assert visitor.get(path, htmx=True).status_code == 204


def test_the_queries_do_not_grow_with_the_history(app, visitor, rows, job):
    from blueprints.extensions import db

    def count() -> int:
        seen = []
        with app.app_context():
            engine = db.engine
        listener = lambda *about: seen.append(about[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        visitor.get(url(job))
        event.remove(engine, "before_cursor_execute", listener)
        return len([one for one in seen if one.startswith(("SELECT", "WITH"))])

    few = count()
    for _ in range(30):
        rows.execution(job)
    assert count() == few
    assert few <= MOST, few


MOST = 8
