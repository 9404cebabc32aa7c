from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.zones import names
from pipeline.schedule import Frequency, Passed, Schedule, ScheduleError, preview

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIELDS = ["hour", "minute", "timezone", "dayOfWeek", "dayOfMonth", "expression"]


def schedule(frequency: str, **config: object) -> Schedule:
    return Schedule.parse(frequency, config)


def refusals(frequency: object, config: object) -> dict[str, str]:
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(frequency, config)
    assert isinstance(caught.value, ValueError)
    return dict(caught.value.details)


def written(one: Schedule, after: str, count: int) -> list[str]:
    return [f"{slot.at:%Y-%m-%dT%H:%MZ}" for slot in preview(one, datetime.fromisoformat(after), count)]


# Reading


def test_the_walkthrough_s_job():
    daily = schedule("DAILY", hour=9, minute=0, timezone="UTC")
    assert daily.cron == "0 9 * * *"
    assert daily.words() == "Every day at 9:00 AM UTC"
    assert daily.next_after(NOW) == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_what_is_left_out():
    daily = schedule("DAILY")
    assert (daily.hour, daily.minute, daily.timezone) == (9, 0, "UTC")
    assert schedule("DAILY", hour=None, minute=None, timezone=None) == daily
    assert schedule("CUSTOM", expression="@daily").timezone == "UTC"


@pytest.mark.parametrize(
    ("frequency", "config", "canonical", "cron"),
    [
        ("DAILY", {"hour": 0}, {"hour": 0, "minute": 0, "timezone": "UTC"}, "0 0 * * *"),
        (
            "WEEKLY",
            {"hour": 9, "dayOfWeek": 1, "timezone": "Europe/Berlin"},
            {"hour": 9, "minute": 0, "timezone": "Europe/Berlin", "dayOfWeek": 1},
            "0 9 * * 1",
        ),
        (
            "WEEKLY",
            {"hour": 9, "dayOfWeek": [3, 1, 3]},
            {"hour": 9, "minute": 0, "timezone": "UTC", "dayOfWeek": [1, 3]},
            "0 9 * * 1,3",
        ),
        (
            "WEEKLY",
            {"dayOfWeek": [0]},
            {"hour": 9, "minute": 0, "timezone": "UTC", "dayOfWeek": 0},
            "0 9 * * 0",
        ),
        (
            "MONTHLY",
            {"minute": 30, "dayOfMonth": 31},
            {"hour": 9, "minute": 30, "timezone": "UTC", "dayOfMonth": 31},
            "30 9 31 * *",
        ),
        (
            "CUSTOM",
            {"expression": " 0  9 * * MON "},
            {"expression": "0 9 * * MON", "timezone": "UTC"},
            "0 9 * * mon",
        ),
        ("CUSTOM", {"expression": "@weekly"}, {"expression": "@weekly", "timezone": "UTC"}, "0 0 * * 0"),
    ],
)
def test_canonical_settings_and_expression(frequency, config, canonical, cron):
    one = schedule(frequency, **config)
    assert one.time_config() == canonical
    assert one.cron == cron
    assert Schedule.parse(one.frequency, one.time_config()) == one


def test_a_known_key_without_use_is_left_out():
    """So that another frequency can be chosen without clearing what the old one needed."""
    daily = schedule("DAILY", hour=7, dayOfWeek=99, dayOfMonth="x", expression="")
    assert daily.time_config() == {"hour": 7, "minute": 0, "timezone": "UTC"}
    assert schedule("CUSTOM", expression="@daily", hour="late").cron == "0 0 * * *"


@pytest.mark.parametrize("frequency", ["", "daily", "YEARLY", None, 1, True, [], {}])
def test_a_frequency_that_is_none(frequency):
    assert refusals(frequency, {}) == {"frequency": "Must be DAILY, WEEKLY, MONTHLY or CUSTOM."}


@pytest.mark.parametrize("config", [None, [], "hour", 9, True])
def test_settings_that_are_no_object(config):
    assert refusals("DAILY", config) == {"timeConfig": "Must be an object."}


@pytest.mark.parametrize("value", ["9", 9.0, True, False, -1, 24, [], {}, 10**30, float("nan")])
def test_an_hour_that_is_none(value):
    assert refusals("DAILY", {"hour": value}) == {"timeConfig.hour": "Must be a whole number from 0 to 23."}


@pytest.mark.parametrize("value", ["0", 0.0, True, -1, 60])
def test_a_minute_that_is_none(value):
    assert refusals("DAILY", {"minute": value}) == {
        "timeConfig.minute": "Must be a whole number from 0 to 59."
    }


@pytest.mark.parametrize("value", ["1", 1.0, True, -1, 7, [7], ["1"], [True], [1, None], [[1]], {}])
def test_a_weekday_that_is_none(value):
    assert refusals("WEEKLY", {"dayOfWeek": value}) == {
        "timeConfig.dayOfWeek": "Is wrong: choose one day or a list of days, from 0 (Sunday) to 6 (Saturday)."
    }


@pytest.mark.parametrize("value", ["1", 1.0, True, 0, 32, [1]])
def test_a_day_of_the_month_that_is_none(value):
    assert refusals("MONTHLY", {"dayOfMonth": value}) == {
        "timeConfig.dayOfMonth": "Must be a whole number from 1 to 31."
    }


@pytest.mark.parametrize(
    ("frequency", "config", "field", "sentence"),
    [
        ("WEEKLY", {}, "dayOfWeek", "Is needed: choose one day or a list of days, from 0 (Sunday)"),
        (
            "WEEKLY",
            {"dayOfWeek": []},
            "dayOfWeek",
            "Is needed: choose one day or a list of days, from 0 (Sunday)",
        ),
        ("MONTHLY", {}, "dayOfMonth", "Is needed: a whole number from 1 to 31."),
        ("CUSTOM", {}, "expression", "Is needed: five cron fields"),
        ("CUSTOM", {"expression": 5}, "expression", "Is needed: five cron fields"),
        ("CUSTOM", {"expression": ""}, "expression", "The expression is empty"),
        ("CUSTOM", {"expression": "0 0 9 * * *"}, "expression", "this one has 6"),
        (
            "CUSTOM",
            {"expression": "@reboot"},
            "expression",
            "There is no alias '@reboot': use one of @hourly",
        ),
        (
            "CUSTOM",
            {"expression": "0 0 31 2 *"},
            "expression",
            "'31' names no day that the month field '2' has: choose an earlier day or other months.",
        ),
        ("DAILY", {"timezone": "Mars/Olympus"}, "timezone", "There is no time zone 'Mars/Olympus'"),
        ("DAILY", {"timezone": "localtime"}, "timezone", "There is no time zone 'localtime'"),
        ("DAILY", {"timezone": 2}, "timezone", "Must be a name such as 'Europe/Berlin' or 'UTC'."),
        ("DAILY", {"timezone": ""}, "timezone", "There is no time zone ''"),
        ("DAILY", {"hours": 9}, "hours", "Is not known; the keys are hour, minute"),
        ("DAILY", {7: 9}, "7", "Is not known"),
    ],
)
def test_what_else_is_refused(frequency, config, field, sentence):
    (refused,) = refusals(frequency, config).items()
    assert refused[0] == f"timeConfig.{field}"
    assert sentence in refused[1]


def test_everything_wrong_is_said_at_once():
    config = {"hour": 25, "minute": "0", "timezone": "Nowhere", "dayOfWeek": 8, "colour": "red"}
    assert list(refusals("WEEKLY", config)) == [
        *("timeConfig.colour", "timeConfig.timezone", "timeConfig.hour"),
        *("timeConfig.minute", "timeConfig.dayOfWeek"),
    ]
    assert set(refusals("SOMETIMES", {"hour": -1})) == {"frequency", "timeConfig.hour"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(Frequency) | JSON,
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON, max_size=6) | JSON,
)
@settings(max_examples=200)
def test_any_json_makes_a_schedule_or_named_refusals(frequency, config):
    try:
        one = Schedule.parse(frequency, config)
    except ScheduleError as error:
        fields = [field for field, _ in error.details]
        wrong = [field for field in fields if not field.startswith(("frequency", "timeConfig"))]
    else:
        fields, wrong = ["none"], [] if one.next_after(NOW) > NOW else ["next_after"]
    assert fields
    assert not wrong


# When


def test_weekly_on_two_days():
    weekly = schedule("WEEKLY", hour=9, dayOfWeek=[1, 4], timezone="Europe/Berlin")
    assert written(weekly, "2026-11-23T08:00Z", 3) == [
        "2026-11-26T08:00Z",
        "2026-11-30T08:00Z",
        "2026-12-03T08:00Z",
    ]


def test_monthly_on_the_31st_runs_on_the_last_day():
    monthly = schedule("MONTHLY", dayOfMonth=31)
    days = [at[5:10] for at in written(monthly, "2027-12-31T09:00Z", 12)]
    assert days == [
        *("01-31", "02-29", "03-31", "04-30", "05-31", "06-30"),
        *("07-31", "08-31", "09-30", "10-31", "11-30", "12-31"),
    ]


@pytest.mark.parametrize(("day", "february"), [(28, "02-28"), (29, "02-28"), (30, "02-28"), (31, "02-28")])
def test_february_of_an_ordinary_year(day, february):
    assert written(schedule("MONTHLY", dayOfMonth=day), "2027-02-01T00:00Z", 1)[0][5:10] == february


def test_the_30th_stays_the_30th_where_there_is_one():
    assert written(schedule("MONTHLY", dayOfMonth=30), "2027-03-01T00:00Z", 2) == [
        *("2027-03-30T09:00Z", "2027-04-30T09:00Z"),
    ]


def test_a_clipped_day_in_the_skipped_hour():
    """In 2024 the clocks of Berlin went forward on 31 March."""
    berlin = schedule("MONTHLY", hour=2, minute=30, dayOfMonth=31, timezone="Europe/Berlin")
    assert written(berlin, "2024-03-01T00:00Z", 2) == ["2024-03-31T01:00Z", "2024-04-30T00:30Z"]


def test_a_custom_day_31_leaves_short_months_out():
    custom = schedule("CUSTOM", expression="0 9 31 * *")
    assert [at[5:10] for at in written(custom, "2027-01-31T09:00Z", 2)] == ["03-31", "05-31"]


def test_a_leap_day():
    custom = schedule("CUSTOM", expression="0 0 29 2 *")
    assert written(custom, "2026-11-23T10:00Z", 2) == ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ("0 9 * jan,DEC Mon-Fri", "0 9 * 1,12 1-5"),
        ("0 0 * * sat-sun", "0 0 * * 6-7"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
    ],
)
def test_names_and_aliases_are_due_as_their_numbers(names, numbers):
    named, numbered = schedule("CUSTOM", expression=names), schedule("CUSTOM", expression=numbers)
    assert [slot.at for slot in preview(named, NOW, 20)] == [slot.at for slot in preview(numbered, NOW, 20)]


# What has passed


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_nothing_but_the_due_slot_has_passed():
    slot, next_day = at("2026-11-24T09:00Z"), at("2026-11-25T09:00Z")
    alone = Passed(1, None, slot, next_day)
    assert schedule("DAILY").passed(slot, slot) == alone
    assert schedule("DAILY").passed(slot, next_day - timedelta(microseconds=1)) == alone


def test_the_slot_of_this_very_moment_has_passed():
    slot, now = at("2026-11-24T09:00Z"), at("2026-11-25T09:00Z")
    assert schedule("DAILY").passed(slot, now) == Passed(2, slot, now, at("2026-11-26T09:00Z"))


def test_several_slots_have_passed():
    passed = schedule("DAILY").passed(at("2026-11-24T09:00Z"), at("2026-11-30T12:34:56Z"))
    assert passed == Passed(7, at("2026-11-29T09:00Z"), at("2026-11-30T09:00Z"), at("2026-12-01T09:00Z"))


def test_a_due_slot_counts_though_the_schedule_was_changed():
    passed = schedule("DAILY").passed(at("2026-11-24T07:30Z"), at("2026-11-24T10:00Z"))
    assert passed == Passed(2, at("2026-11-24T07:30Z"), at("2026-11-24T09:00Z"), at("2026-11-25T09:00Z"))


def test_clipped_days_pass_in_short_months():
    monthly = schedule("MONTHLY", dayOfMonth=31)
    passed = monthly.passed(at("2027-01-31T09:00Z"), at("2028-03-01T00:00Z"))
    assert passed == Passed(14, at("2028-01-31T09:00Z"), at("2028-02-29T09:00Z"), at("2028-03-31T09:00Z"))


def test_years_of_a_minutely_schedule_are_counted_and_not_walked():
    """Ten years have 3,653 days; a walk of five million steps would take most of a minute."""
    minutely = schedule("CUSTOM", expression="* * * * *", timezone="Europe/Berlin")
    begun = perf_counter()
    passed = minutely.passed(at("2027-01-01T00:00Z"), at("2037-01-01T00:00:30Z"))
    assert perf_counter() - begun < 1
    assert passed == Passed(
        3653 * 24 * 60 + 1, at("2036-12-31T23:59Z"), at("2037-01-01T00:00Z"), at("2037-01-01T00:01Z")
    )


# Preview


def test_preview_shows_six_slots_in_the_job_s_zone():
    slots = preview(schedule("DAILY", timezone="Europe/Berlin"), NOW)
    assert [slot.local for slot in slots[:2]] == ["2026-11-24 09:00 CET", "2026-11-25 09:00 CET"]
    assert [slot.note for slot in slots] == [None] * 6
    assert {late.at - early.at for early, late in pairwise(slots)} == {timedelta(days=1)}
    assert all(slot.at.tzinfo is UTC for slot in slots)


def test_preview_marks_the_slot_that_was_moved():
    daily = schedule("DAILY", hour=2, minute=30, timezone="Europe/Berlin")
    slots = preview(daily, datetime(2026, 3, 27, 12, tzinfo=UTC), 3)
    assert [(slot.local, slot.note) for slot in slots] == [
        ("2026-03-28 02:30 CET", None),
        ("2026-03-29 03:00 CEST", "GAP"),
        ("2026-03-30 02:30 CEST", None),
    ]


def test_preview_marks_the_slot_whose_time_comes_twice():
    daily = schedule("DAILY", hour=2, minute=30, timezone="Europe/Berlin")
    slots = preview(daily, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [(slot.local, slot.note) for slot in slots] == [
        ("2026-10-25 02:30 CEST", "REPEATED"),
        ("2026-10-26 02:30 CET", None),
    ]


def test_preview_marks_both_passes_of_a_wildcard():
    hourly = schedule("CUSTOM", expression="@hourly", timezone="America/New_York")
    slots = preview(hourly, datetime(2026, 11, 1, 4, 30, tzinfo=UTC), 3)
    assert [(slot.local, slot.note) for slot in slots] == [
        ("2026-11-01 01:00 EDT", "REPEATED"),
        ("2026-11-01 01:00 EST", "REPEATED"),
        ("2026-11-01 02:00 EST", None),
    ]


def test_a_time_right_after_the_change_is_not_moved():
    daily = schedule("DAILY", hour=3, timezone="Europe/Berlin")
    assert preview(daily, datetime(2026, 3, 28, 12, tzinfo=UTC), 1)[0].note is None


@given(
    st.sampled_from(names()),
    st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2037-12-31")),
)
@settings(max_examples=100)
def test_preview_and_reality_are_one(place, start):
    after = start.replace(tzinfo=UTC)
    monthly = schedule("MONTHLY", hour=1, minute=30, dayOfMonth=31, timezone=place)
    for slot in preview(monthly, after):
        assert monthly.next_after(after) == slot.at
        after = slot.at


# Words


@pytest.mark.parametrize(
    ("frequency", "config", "words"),
    [
        ("DAILY", {"hour": 0}, "Every day at 12:00 AM UTC"),
        ("DAILY", {"hour": 12, "minute": 5}, "Every day at 12:05 PM UTC"),
        (
            "WEEKLY",
            {"dayOfWeek": [4, 1], "timezone": "Europe/Berlin"},
            "Every Monday and Thursday at 9:00 AM Europe/Berlin",
        ),
        ("WEEKLY", {"dayOfWeek": [0, 1, 3]}, "Every Monday, Wednesday and Sunday at 9:00 AM UTC"),
        ("WEEKLY", {"dayOfWeek": list(range(7))}, "Every day at 9:00 AM UTC"),
        ("WEEKLY", {"dayOfWeek": [5, 1, 2, 3, 4]}, "Every weekday at 9:00 AM UTC"),
        ("MONTHLY", {"dayOfMonth": 1, "hour": 17}, "On day 1 of every month at 5:00 PM UTC"),
        ("MONTHLY", {"dayOfMonth": 31}, "On day 31 of every month (or its last day) at 9:00 AM UTC"),
        (
            "CUSTOM",
            {"expression": "*/15 9-17 * * MON-FRI", "timezone": "Asia/Tokyo"},
            "Every 15 minutes from 9:00 AM to 5:45 PM, from Monday to Friday (Asia/Tokyo)",
        ),
    ],
)
def test_words(frequency, config, words):
    assert schedule(frequency, **config).words() == words


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("* * * * *", 60),
        ("*/15 9 * * *", 4),
        ("0,30 * * * *", 2),
        ("*/5 9 1 1 *", 12),
        ("0,1 9 * * *", 2),
        ("0,59 * * * *", 2),
        ("*/40 * * * *", 2),
    ],
)
def test_a_schedule_more_often_than_hourly_warns_of_its_cost(expression, times):
    """However seldom its hour comes: what counts is the most that an hour can cost."""
    assert schedule("CUSTOM", expression=expression).warnings() == [
        f"Runs up to {times} times an hour; every run may cost money."
    ]


@pytest.mark.parametrize(
    "expression", ["@hourly", "30 * * * *", "0 0-23 * * *", "59 8,9 * * *", "0 9,10 * * *"]
)
def test_hourly_is_not_too_often(expression):
    assert schedule("CUSTOM", expression=expression).warnings() == []
    assert schedule("DAILY").warnings() == []


@given(st.sets(st.integers(0, 59), min_size=1), st.sets(st.integers(0, 23), min_size=1))
@settings(max_examples=50)
def test_the_warning_is_true(minutes, hours):
    """Without clock changes: it names the most slots that any sixty minutes hold, if these are several."""
    listed = [",".join(map(str, sorted(values))) for values in (minutes, hours)]
    often = schedule("CUSTOM", expression=f"{listed[0]} {listed[1]} * * *")
    slots = [slot.at for slot in preview(often, NOW, len(minutes) * len(hours) + len(minutes))]
    hour = timedelta(minutes=59)
    most = max(sum(first <= slot <= first + hour for slot in slots) for first in slots)
    said = [f"Runs up to {most} times an hour; every run may cost money."] if most > 1 else []
    assert often.warnings() == said
