from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import words


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0s"),
        (1, "0.1s"),
        (400, "0.4s"),
        (949, "0.9s"),
        (950, "1s"),
        (14_000, "14s"),
        (59_499, "59s"),
        (59_600, "1m"),
        (65_000, "1m 5s"),
        (120_000, "2m"),
        (3_600_000, "1h"),
        (3_780_000, "1h 3m"),
    ],
)
def test_durations(milliseconds: int, shown: str) -> None:
    assert words.duration(milliseconds) == shown


def test_plurals_and_lists() -> None:
    assert [words.plural(n, "commit") for n in (0, 1, 2, 1024)] == [
        "0 commits",
        "1 commit",
        "2 commits",
        "1,024 commits",
    ]
    assert words.plural(2, "person", "people") == "2 people"
    assert [words.listed("ABC"[:n]) for n in range(4)] == ["", "A", "A and B", "A, B and C"]


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("feat(api)!: drop v1", ("feat", "api", True, "drop v1")),
        ("Docs: fix typo", ("docs", "", False, "fix typo")),
        ("http: close idle connections", ("", "", False, "http: close idle connections")),
        ("fix:", ("", "", False, "fix:")),
        ("", ("", "", False, "")),
    ],
)
def test_conventional_titles(title: str, parts: tuple) -> None:
    assert words.conventional(title) == parts


END = date(2025, 10, 3)


@pytest.mark.parametrize(
    ("length", "cadence", "shown"),
    [
        (timedelta(minutes=1), "custom", "the last minute"),
        (timedelta(minutes=40), "daily", "the last 40 minutes"),
        (timedelta(hours=1), "daily", "the last hour"),
        (timedelta(hours=5), "weekly", "the last 5 hours"),
        (timedelta(hours=23), "daily", "the last 24 hours"),
        (timedelta(hours=25), "daily", "the last 24 hours"),
        (timedelta(hours=36), "daily", "the last 36 hours"),
        (timedelta(days=3), "daily", "the last 3 days"),
        (timedelta(days=7), "daily", "the 7 days to 3 October 2025"),
        (timedelta(days=7), "weekly", "the week to 3 October 2025"),
        (timedelta(days=7, hours=1), "weekly", "the week to 3 October 2025"),
        (timedelta(days=14), "weekly", "the 14 days to 3 October 2025"),
        (timedelta(days=30), "daily", "the 30 days to 3 October 2025"),
        (timedelta(days=30), "monthly", "the month to 3 October 2025"),
        (timedelta(days=200), "daily", "the 7 months to 3 October 2025"),
        (timedelta(days=1500), "daily", "the 4 years to 3 October 2025"),
        (timedelta(days=20_000), "daily", "the whole history up to 3 October 2025"),
    ],
)
def test_a_window_in_words(length: timedelta, cadence: str, shown: str) -> None:
    assert words.span(END - length, END, length, cadence) == shown


@pytest.mark.parametrize("until", [date(2025, 10, 1), date(2025, 9, 30)])
def test_a_whole_month_has_a_name(until: date) -> None:
    assert words.span(date(2025, 9, 1), until, timedelta(days=30), "monthly") == "September 2025"


@given(st.floats(0.001, 1000), st.sampled_from(["daily", "custom"]))
def test_only_weekly_and_monthly_readers_are_told_of_weeks_and_months(days: float, cadence: str) -> None:
    length = timedelta(days=days)
    shown = words.span(END - length, END, length, cadence)
    assert "week" not in shown
    assert "the month" not in shown


@given(st.text(max_size=300), st.integers(0, 120))
def test_cut_keeps_the_limit(text: str, limit: int) -> None:
    assert len(words.cut(text, limit)) <= limit or len(text) <= limit


def test_cut_ends_where_a_reader_would() -> None:
    assert words.cut("Short.", 10) == "Short."
    assert words.cut("First sentence here. Second one follows.", 30) == "First sentence here."
    assert words.cut("no sentence ends in this text", 15) == "no sentence…"


def test_one_line_shows_what_is_there() -> None:
    assert words.one_line("a\u202eb\u200b c\n\td\x00e \U000e0041") == "ab c d e"
    assert words.one_line("👩\u200d👧 ok") == "👩\u200d👧 ok"


def test_utf16_counts_as_linkedin_does() -> None:
    assert words.utf16("a🚀") == 3
    assert words.utf16("\ud83d") == 1
