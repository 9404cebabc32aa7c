"""Finding a time zone by what people know of it: a city, a country, its letters or its offset."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources

from lib.zones import names, zone

_OFFSET = re.compile(r"(?:utc|gmt)? ?([+−-]) ?(\d{1,2})(?::?(\d{2}))?")
_LETTERS = re.compile(r"[a-z]{3,5}")


@dataclass(frozen=True, slots=True)
class Place:
    """A zone as it is offered: `about` tells its countries and its offset at that instant."""

    name: str
    about: str


def find(typed: str, at: datetime, first: Iterable[str] = (), limit: int = 20) -> list[Place]:
    """The zones that fit what is typed, the likeliest first: by the beginning of a city, of a country or of a
    word, then by what holds it, then by the letters or the offset in force at `at` (`CET`, `+5:30`, `UTC-3`).

    `first`: names that are offered before others that fit as well, and alone where nothing is typed.
    """
    sought = _plain(typed)
    known = frozenset(names())
    favoured = [name for name in dict.fromkeys(first) if name in known]
    if not sought:
        return [_place(name, at) for name in favoured[:limit]]
    ranks = {name: rank for name in names() if (rank := _rank(name, sought, at)) is not None}
    order = {name: number for number, name in enumerate(favoured)}
    # A zone of a country comes before a name that is only kept for old programs, such as US/Eastern.
    found = sorted(ranks, key=lambda one: (ranks[one], order.get(one, len(order)), not _countries(one), one))
    return [_place(name, at) for name in found[:limit]]


def near(typed: str, at: datetime, limit: int = 5) -> list[str]:
    """Names that may have been meant by one that is no zone; none where nothing is like it."""
    found = [place.name for place in find(typed, at, limit=limit)]
    if found:
        return found
    # The city alone: Europe/Berlim is no place, and Berlim is like Berlin.
    city = _plain(typed).rpartition("/")[2]
    cities: dict[str, str] = {}
    for name, (_, its_city, _, countries) in _searched().items():
        if countries:
            cities.setdefault(its_city, name)
    return [cities[one] for one in get_close_matches(city, cities, n=limit, cutoff=0.75)]


def _rank(name: str, sought: str, at: datetime) -> int | None:
    plain, city, words, countries = _searched()[name]
    if sought == plain:
        return -1
    if sought in countries:
        return 0
    if city.startswith(sought):
        return 1
    if len(sought) > 2 and any(one.startswith(sought) for one in countries):
        return 2
    if plain.startswith(sought) or any(word.startswith(sought) for word in words):
        return 3
    if len(sought) > 2 and sought in plain:
        return 4
    return 5 if _fits_clock(name, sought, at) else None


def _fits_clock(name: str, sought: str, at: datetime) -> bool:
    """Etc/GMT-5 means UTC+5, so only zones of countries, and UTC, are found by their clocks."""
    letters, offset = _LETTERS.fullmatch(sought), _OFFSET.fullmatch(sought)
    if not (letters or offset) or not (_countries(name) or name == "UTC"):
        return False
    local = at.astimezone(zone(name))
    if offset is None:
        return (local.tzname() or "").lower() == sought
    sign = 1 if offset[1] == "+" else -1
    return local.utcoffset() == sign * timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))


def _place(name: str, at: datetime) -> Place:
    local = at.astimezone(zone(name))
    offset = local.utcoffset() or timedelta()
    sign, minutes = "−" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
    clock = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"
    countries = _countries(name)[1:2]
    return Place(name, ", ".join([*countries, clock]))


def _plain(text: str) -> str:
    """For comparing: lower case, without accents, words apart by one space."""
    bare = unicodedata.normalize("NFKD", text.strip()[:60].lower().replace("_", " "))
    return " ".join("".join(one for one in bare if not unicodedata.combining(one)).split())


@lru_cache(maxsize=1)
def _searched() -> dict[str, tuple[str, str, list[str], list[str]]]:
    """By name: itself in plain letters, its city, its words, its countries."""
    found = {}
    for name in names():
        plain = _plain(name)
        countries = [_plain(one) for one in _countries(name)]
        found[name] = (plain, plain.rpartition("/")[2], re.split(r"[/ -]", plain), countries)
    return found


def _countries(name: str) -> tuple[str, ...]:
    """Code and name of the country in which the zone lies; none for names that are no place's."""
    return _zones_of_countries().get(name, ())


@lru_cache(maxsize=1)
def _zones_of_countries() -> dict[str, tuple[str, ...]]:
    countries = {row[0]: row[1] for row in _table("iso3166.tab")}
    return {row[2]: (row[0], countries.get(row[0], row[0])) for row in _table("zone.tab")}


def _table(name: str) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
