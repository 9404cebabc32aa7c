import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from lib.zones import UnknownZone, happens_twice, names, spans, zone

ROOT = Path(__file__).resolve().parents[2]


def test_every_zone_comes_from_the_tzdata_package():
    assert zoneinfo.TZPATH == ()
    listed = resources.files("tzdata").joinpath("zones").read_text().split()
    assert set(names()) == set(listed) - {"Factory"}


def test_a_zone_read_from_the_system_before_is_read_anew(tmp_path):
    (tmp_path / "Europe").mkdir()
    tokyo = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    program = (
        "from datetime import datetime, timedelta\n"
        "from zoneinfo import ZoneInfo\n"
        "name, noon = 'Europe/Berlin', datetime(2026, 1, 1, 12)\n"
        "stale = ZoneInfo(name)\n"
        "from lib.zones import zone\n"
        "print(*(place.utcoffset(noon) for place in (stale, zone(name), ZoneInfo(name))))\n"
    )
    environment = {"PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["9:00:00", "1:00:00", "1:00:00"]


@pytest.mark.parametrize(
    ("name", "hours"), [("America/Vancouver", -7), ("America/Winnipeg", -5), ("Africa/Casablanca", 0)]
)
def test_the_package_knows_what_was_decided_this_year(name, hours):
    """They gave up changing their clocks in 2026; the system's files may be older and say otherwise."""
    christmas = datetime(2026, 12, 25, tzinfo=UTC)
    assert christmas.astimezone(zone(name)).utcoffset() == timedelta(hours=hours)


def test_names_are_sorted_and_all_of_them_open():
    assert list(names()) == sorted(names())
    assert {"UTC", "Europe/Berlin", "America/New_York", "US/Eastern"} <= set(names())
    assert [zone(name).key for name in names()] == list(names())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localtime",
        "posixrules",
        "Factory",
        "leapseconds",
        "Europe",
        "Mars/Olympus",
        "../Europe/Berlin",
        "Europe/../Europe/Berlin",
        "/usr/share/zoneinfo/UTC",
        "Europe\\Berlin",
        "UTC\0",
        "Europe/Berlin ",
        "x" * 100_000,
    ],
)
def test_what_is_no_iana_zone_is_refused(name):
    with pytest.raises(UnknownZone, match="There is no time zone") as caught:
        zone(name)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("name", "meant"),
    [("utc", "'UTC'"), ("europe/berlin", "'Europe/Berlin'"), ("America/New York", "'America/New_York'")],
)
def test_a_near_miss_is_told_what_was_meant(name, meant):
    with pytest.raises(UnknownZone, match=f"did you mean {meant}"):
        zone(name)


def test_spans_of_a_year_with_two_changes():
    winter, summer, autumn = spans(zone("Europe/Berlin"), 2026)
    assert winter.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert summer.start == winter.end == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert autumn.start == summer.end == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert autumn.end == datetime(2027, 1, 1, tzinfo=UTC)
    assert (winter.before, winter.offset) == (timedelta(hours=1), timedelta(hours=1))
    assert (summer.before, summer.offset) == (timedelta(hours=1), timedelta(hours=2))
    assert (autumn.before, autumn.offset) == (timedelta(hours=2), timedelta(hours=1))


def test_a_zone_without_changes_has_one_span_a_year():
    assert len(spans(zone("Asia/Tokyo"), 2026)) == 1


def test_a_change_at_the_turn_of_the_year_is_kept():
    """Samoa went from UTC-10 to UTC+14 at the end of 2011-12-29, which is 10:00 UTC on the 30th."""
    *_, before, after = spans(zone("Pacific/Apia"), 2011)
    assert after.start == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert after.offset - before.offset == timedelta(hours=24)


def test_what_happens_twice():
    berlin = zone("Europe/Berlin")
    assert happens_twice(berlin, datetime.fromisoformat("2026-10-25T02:00"))
    assert happens_twice(berlin, datetime.fromisoformat("2026-10-25T02:59"))
    assert not happens_twice(berlin, datetime.fromisoformat("2026-10-25T03:00"))
    assert not happens_twice(berlin, datetime.fromisoformat("2026-10-25T01:59"))
    assert not happens_twice(berlin, datetime.fromisoformat("2026-03-29T02:30")), "skipped, not repeated"


def check_spans(name: str, years: range, every: timedelta) -> None:
    """The spans have no holes, and agree with the zone itself at every probe and around every change."""
    place = zone(name)
    for year in years:
        found = spans(place, year)
        assert all(early.end == late.start and late.before == early.offset for early, late in pairwise(found))
        for span in found:
            probe = span.start
            while probe < span.end:
                assert probe.astimezone(place).utcoffset() == span.offset, (name, probe)
                probe += every
            last = span.end - timedelta(seconds=1)
            assert last.astimezone(place).utcoffset() == span.offset, (name, last)


@pytest.mark.parametrize(
    "name",
    [
        "Africa/Casablanca",
        "Africa/Cairo",
        "Antarctica/Troll",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "America/Nuuk",
    ],
)
def test_spans_agree_with_the_zone(name):
    check_spans(name, range(2026, 2028), timedelta(hours=3))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_spans_agree_with_every_zone():
    for name in names():
        check_spans(name, range(2024, 2038), timedelta(hours=6))
