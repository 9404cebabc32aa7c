"""What a scan found, as lists of lines. Strangers wrote all of it: it is shown as plain text."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from blueprints import pages_withheld, view
from blueprints.view import Moment
from lib import clock
from lib.words import cut, one_line, plural

SHOWN = 50
TITLE = 200


@dataclass(frozen=True, slots=True)
class Item:
    """`ref` is how people name it: `1a2b3c4`, `#42`, `v1.0`."""

    ref: str
    url: str | None
    title: str
    by: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    items: tuple[Item, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Scanned:
    repository: str
    url: str | None
    requests: int
    parts: tuple[Part, ...]
    withheld: tuple[str, ...]
    cuts: tuple[str, ...]
    nothing: str


def scanned(activity: dict[str, Any], zone: str) -> Scanned:
    """`activity` is a `models.values.Activity` as the scan's step stores it."""
    parts = (
        _part("commit", _commits(activity.get("commits", []), zone)),
        _part("merged PR", _numbered(activity.get("pulls", []), "merged_at", zone)),
        _part("closed issue", _numbered(activity.get("issues", []), "closed_at", zone)),
        _part("release", _releases(activity.get("releases", []), zone)),
    )
    withheld = pages_withheld.sentences(activity.get("withheld", []))
    return Scanned(
        repository=str(activity.get("repository", "")),
        url=view.safe_url(activity.get("url")),
        requests=int(activity.get("requests") or 0),
        parts=tuple(part for part in parts if part.items),
        withheld=withheld,
        cuts=tuple(map(str, activity.get("cuts", []))),
        nothing="Nothing else happened in this window." if withheld else "No activity in this window.",
    )


def _part(noun: str, items: Iterable[Item]) -> Part:
    found = tuple(items)
    return Part(plural(len(found), noun), found[:SHOWN], max(0, len(found) - SHOWN))


def _item(ref: str, raw: dict[str, Any], title: str, by: str, at: str, zone: str) -> Item:
    moment = view.past(clock.parse_iso(raw[at]), zone)
    return Item(ref, view.safe_url(raw.get("url")), cut(one_line(title), TITLE), by, moment)


def _commits(rows: list[dict[str, Any]], zone: str) -> list[Item]:
    return [
        _item(row["sha"][:7], row, row["message"].strip().partition("\n")[0], _person(row), "date", zone)
        for row in rows
    ]


def _numbered(rows: list[dict[str, Any]], at: str, zone: str) -> list[Item]:
    return [_item(f"#{row['number']}", row, row["title"], _person(row), at, zone) for row in rows]


def _releases(rows: list[dict[str, Any]], zone: str) -> list[Item]:
    return [_item(row["tag"], row, row.get("name") or row["tag"], "", "published_at", zone) for row in rows]


def _person(row: dict[str, Any]) -> str:
    author = row.get("author") or {}
    return one_line(str(author.get("name") or author.get("login") or ""))
