"""Items as rows keep them from one run to another: kind, key, and the value as JSON."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from models.values import Commit, Held, Issue, PullRequest, Release
from pipeline.belonging import Item

_COMMIT, _PULL, _ISSUE = TypeAdapter(Commit), TypeAdapter(PullRequest), TypeAdapter(Issue)
_RELEASE = TypeAdapter(Release)
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "commit": _COMMIT,
    "pull": _PULL,
    "issue": _ISSUE,
    "release": _RELEASE,
}


def as_rows(kept: Iterable[Item], **common: Any) -> list[dict[str, Any]]:
    """A row's `kind`, `key` and `item` for each, and what all of them have in common."""
    return [
        common | {"kind": kind, "key": name, "item": _ADAPTERS[kind].dump_python(item, mode="json")}
        for item in kept
        for kind, name in (item.key,)
    ]


def from_rows(rows: Iterable[Any]) -> Held:
    """The values of rows that have `kind` and `item`."""
    found = list(rows)

    def of(kind: str, adapter: TypeAdapter[Any]) -> tuple[Any, ...]:
        return tuple(adapter.validate_python(row.item) for row in found if row.kind == kind)

    return Held(of("commit", _COMMIT), of("pull", _PULL), of("issue", _ISSUE), of("release", _RELEASE))
