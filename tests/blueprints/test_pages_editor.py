"""The schedule's editor: presets, the time, zones that are searched, a form that is sent twice."""

import html
import re
import threading

import pytest

from blueprints.presets import PRESETS
from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, beside, text, value
from tests.blueprints.test_pages_jobs import FORM, url

TYPED = {name: one for name, one in FORM.items() if name not in ("hour", "minute")} | {"time": "09:30"}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


@pytest.fixture
def new(project) -> str:
    return f"/projects/{project.id}/cron/new"


def checked(answer, name: str) -> list[str]:
    fields = re.findall(rf'<input[^>]*name="{name}" value="([^"]*)" checked', answer.get_data(as_text=True))
    return [html.unescape(one) for one in fields]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("weekday-mornings", "Every weekday at 9:00 AM"),
        ("friday-afternoons", "Every Friday at 4:00 PM"),
        ("first-of-the-month", "On day 1 of every month at 9:00 AM"),
        ("twice-a-month", "9:00 AM"),
        ("every-hour", "Every hour"),
    ],
)
def test_a_preset_fills_the_schedule_and_keeps_what_is_typed(visitor, rows, project, new, key, said):
    words = text(visitor.get(f"{new}?preset={key}"))
    assert said in words[words.index("Next runs") :]
    kept = visitor.post(f"/projects/{project.id}/cron/preview", TYPED | {"preset": key, "name": "Mine"})
    assert (value(kept, "name"), value(kept, "timezone")) == ("Mine", "Europe/Berlin")
    assert said in text(kept)
    job = rows.job(project, name="Old")
    assert said in text(visitor.get(url(job, f"/edit?preset={key}")))


def test_presets_are_what_they_say_and_an_unknown_one_changes_nothing(visitor, new):
    page = visitor.get(f"{new}?preset=weekday-mornings")
    assert (checked(page, "frequency"), checked(page, "dayOfWeek")) == (["WEEKLY"], ["1", "2", "3", "4", "5"])
    assert text(visitor.get(f"{new}?preset=x")).count("Every day at 9:00 AM UTC") == 1
    shown = page.get_data(as_text=True)
    assert [html.unescape(one) for one in re.findall(r'data-fill="([^"]+)"', shown)] == [
        preset.fill for preset in PRESETS
    ]


def test_enter_presses_the_button_that_saves(visitor, new):
    form = visitor.get(new).get_data(as_text=True)
    form = form[form.index('id="job-form"') :]
    assert "formaction" not in re.search(r"<button[^>]*>", form)[0]


@pytest.mark.parametrize(
    ("time", "schedule"), [("17:05", "5 17 * * 1,4"), ("07:00:00", "0 7 * * 1,4"), (" 7:00 ", "0 7 * * 1,4")]
)
def test_the_time_is_one_field(visitor, rows, new, time, schedule):
    from models import Job

    assert visitor.post(new, TYPED | {"time": time}).status_code == 303
    assert [job.schedule for job in rows.all(Job)] == [schedule]


@pytest.mark.parametrize("time", ["", "24:00", "9", "nine", "12:60", "1:2:3"])
def test_a_wrong_time_is_said_once_and_kept(visitor, new, time):
    answer = visitor.post(new, TYPED | {"time": time})
    assert answer.status_code == 422
    assert beside(answer, "time") == "Must be a time of day such as 09:30, from 00:00 to 23:59."
    assert value(answer, "time") == time
    field = re.search(r'<input[^>]*name="time"[^>]*>', answer.get_data(as_text=True))[0]
    assert ('type="text"' in field) == (time != ""), "a browser would drop it from a field for times"


def test_hour_and_minute_are_still_taken(visitor, rows, new):
    from models import Job

    assert visitor.post(new, TYPED | {"hour": "6", "minute": "7"}).status_code == 303
    assert [job.schedule for job in rows.all(Job)] == ["7 6 * * 1,4"]
    assert value(visitor.post(new, FORM | {"name": "", "hour": "6", "minute": "7"}), "time") == "06:07"


def test_a_wrong_zone_offers_what_was_meant(visitor, project, new):
    answer = visitor.post(new, TYPED | {"timezone": "Europe/Berlim"})
    assert "Europe/Berlin" in beside(answer, "timezone")
    assert value(answer, "timezone") == "Europe/Berlim"
    assert "Did you mean Europe/Berlin" in text(visitor.post(new, TYPED | {"timezone": "berlin"}))
    assert "Did you mean" not in text(visitor.post(new, TYPED | {"timezone": "Mars/Olympus"}))
    chosen = visitor.post(
        f"/projects/{project.id}/cron/preview",
        TYPED | {"timezone": "berlin", "meant": "Europe/Berlin", "name": "Mine"},
    )
    assert (value(chosen, "timezone"), value(chosen, "name")) == ("Europe/Berlin", "Mine")


def zones(visitor, query: str) -> list[str]:
    answer = visitor.get(f"/zones?{query}")
    assert answer.status_code == 200
    return [one["name"] for one in answer.get_json()]


def test_zones_are_found_the_browsers_and_ones_own_first(app, visitor, rows, user, project):
    assert zones(visitor, "") == ["UTC"]
    assert visitor.get("/zones?q=berl").get_json() == [
        {"name": "Europe/Berlin", "about": "Germany, UTC+02:00"}
    ]
    for zone in ("Asia/Tokyo", "America/New_York"):
        rows.job(project, timezone=zone)
    rows.job(rows.project(rows.user()), timezone="Africa/Cairo")
    mine = ["Europe/Paris", "America/New_York", "Asia/Tokyo", "UTC"]
    assert zones(visitor, "own=Europe/Paris") == mine
    assert zones(visitor, "own=Mars/Olympus") == mine[1:]
    assert zones(visitor, "q=america&own=Europe/Paris")[0] == "America/New_York"
    assert len(zones(visitor, "q=a")) == 20
    assert zones(visitor, "q=zzz") == []
    assert Visitor(app).get("/zones").status_code == 303


def test_zones_cost_one_question(visitor, queries):
    visitor.get("/zones?q=a")
    queries.clear()
    visitor.get("/zones?q=a")
    assert statements(queries) <= 4


def test_the_form_carries_no_list_of_all_zones(visitor, new):
    assert "America/New_York" not in visitor.get(new).get_data(as_text=True)


def test_a_form_that_is_sent_twice_makes_one_job(visitor, rows, new, bells):
    from models import Job

    often = TYPED | {"frequency": "CUSTOM", "expression": "* * * * *"}
    form = often | {"formKey": value(visitor.get(new), "formKey")}
    first, second = visitor.post(new, form), visitor.post(new, form)
    assert (first.status_code, first.location) == (303, second.location)
    assert (len(rows.all(Job)), len(bells())) == (1, 1)
    other = often | {"formKey": value(visitor.get(new), "formKey")}
    assert visitor.post(new, other).location != first.location
    assert len(rows.all(Job)) == 2, "two forms make two"


def test_a_form_that_was_sent_and_changed_asks_first(visitor, rows, new):
    from models import Job

    form = TYPED | {"formKey": value(visitor.get(new), "formKey")}
    visitor.post(new, form)
    for changed in ({"name": "Another"}, {"time": "10:00"}):
        asked = visitor.post(new, form | changed)
        assert asked.status_code == 409
        assert "this form has made “Weekly notes” already" in text(asked)
        assert len(rows.all(Job)) == 1
    again = form | {"time": "10:00", "formKey": value(asked, "formKey")}
    assert visitor.post(new, again).status_code == 303
    assert len(rows.all(Job)) == 2


def test_a_refused_form_keeps_its_key(visitor, rows, new):
    from models import Job

    key = value(visitor.get(new), "formKey")
    assert value(visitor.post(new, TYPED | {"name": "", "formKey": key}), "formKey") == key
    assert visitor.post(new, TYPED | {"formKey": "' or 1=1"}).status_code == 303
    assert [job.form_key for job in rows.all(Job)] == [None], "what is no key of ours is none"


def test_two_at_the_same_moment_make_one_job(app, visitor, rows, user, project, new):
    from models import Job

    form = TYPED | {"formKey": value(visitor.get(new), "formKey")}
    visitors = [Visitor(app, user) for _ in range(4)]
    tokens = [one.token() for one in visitors]
    start, answers = threading.Barrier(len(visitors)), []

    def send(one, token):
        start.wait()
        answers.append(one.post(new, form, token=token))

    threads = [threading.Thread(target=send, args=pair) for pair in zip(visitors, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [303] * 4
    assert (len(rows.all(Job)), len({answer.location for answer in answers})) == (1, 1)


def test_the_history_is_found_by_a_rare_trigger_at_once(visitor, rows, project, queries, session):
    from sqlalchemy import text as sql

    job = rows.job(project)
    queries.clear()
    visitor.get(url(job, "?trigger=webhook"))
    (asked,) = [one for one in queries if "triggered_by = " in one and "ORDER BY" in one]
    if session.bind.dialect.name == "sqlite":
        asked = asked.replace("?", "'x'")
        asked = re.sub(r"LIMIT 'x'.*", "LIMIT 21", asked, flags=re.S)
        plan = " ".join(row.detail for row in session.execute(sql(f"EXPLAIN QUERY PLAN {asked}")))
        assert "ix_execution_trigger (job_id=? AND triggered_by=?" in plan
        assert "TEMP B-TREE" not in plan
