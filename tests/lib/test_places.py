"""Zones by what people type: cities, countries, letters, offsets; and what a wrong name may have meant."""

from datetime import UTC, datetime

import pytest

from lib.places import find, near
from lib.zones import names

AT = datetime(2025, 10, 3, 9, tzinfo=UTC)


def first(typed: str, **more) -> str:
    return find(typed, AT, **more)[0].name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("berl", "Europe/Berlin"),
        ("  BERLIN ", "Europe/Berlin"),
        ("Zürich", "Europe/Zurich"),
        ("são paulo", "America/Sao_Paulo"),
        ("new york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("york", "America/New_York"),
        ("europe/ber", "Europe/Berlin"),
        ("DE", "Europe/Berlin"),
        ("germany", "Europe/Berlin"),
        ("germ", "Europe/Berlin"),
        ("jst", "Asia/Tokyo"),
        ("+5:30", "Asia/Colombo"),
        ("UTC+0545", "Asia/Kathmandu"),
        ("gmt -3:30", "America/St_Johns"),
        ("utc", "UTC"),
        ("-2:30", "America/St_Johns"),
    ],
)
def test_the_likeliest_comes_first(typed, name):
    # Newfoundland is at −2:30 in summer: the offset is that of the instant.
    at = datetime(2025, 1, 3, tzinfo=UTC) if typed == "gmt -3:30" else AT
    assert find(typed, at)[0].name == name


def test_every_zone_is_found_by_its_name_and_by_no_more_than_twenty():
    for name in names():
        assert first(name) == name
    assert len(find("a", AT)) == 20
    assert [one.name for one in find("america", AT, limit=3)] == sorted(
        one.name for one in find("america", AT, limit=3)
    )


def test_a_place_tells_country_and_offset():
    told = {
        typed: find(typed, AT)[0].about for typed in ("Europe/Berlin", "St_Johns", "Africa/Abidjan", "UTC")
    }
    assert told == {
        "Europe/Berlin": "Germany, UTC+02:00",
        "St_Johns": "Canada, UTC−02:30",
        "Africa/Abidjan": "Côte d’Ivoire, UTC",
        "UTC": "UTC",
    }


def test_what_is_used_comes_first_and_alone_where_nothing_is_typed():
    used = ["Asia/Tokyo", "Mars/Olympus", "UTC", "Asia/Tokyo"]
    assert [one.name for one in find("", AT, used)] == ["Asia/Tokyo", "UTC"]
    assert first("asia", first=["Asia/Tokyo"]) == "Asia/Tokyo"
    assert first("berlin", first=["Asia/Tokyo"]) == "Europe/Berlin", "what does not fit stays out"
    assert find("zzz", AT, used) == []


def test_a_zone_of_a_country_precedes_its_old_name():
    assert [one.name for one in find("istanbul", AT)] == ["Europe/Istanbul", "Asia/Istanbul"]
    assert first("+5") != "Etc/GMT-5", "whose sign is the other way round"


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Berlin", "Europe/Berlin"), ("Europe/Berlim", "Europe/Berlin"), ("new yrok", "America/New_York")],
)
def test_a_wrong_name_is_near_a_right_one(typed, name):
    assert near(typed, AT)[0] == name


def test_nothing_is_near_to_what_is_like_nothing():
    assert near("Mars/Olympus", AT) == near("", AT) == []
    assert near("x" * 10_000, AT) == []
