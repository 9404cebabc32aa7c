"""Two versions of a draft beside each other."""

from dataclasses import dataclass

from flask import abort

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_diff import Part, differences
from blueprints.pages_draft import MAKERS
from models import Draft, DraftVersion, Execution
from pipeline import versions


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the draft, where it differs."""

    label: str
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Compared:
    """`choices` are the versions that there are, as (number, words)."""

    id: str
    heading: str
    old: int
    new: int
    version: int
    is_open: bool
    choices: list[tuple[int, str]]
    fields: list[Field]


def compared(draft: Draft, old: int, new: int) -> Compared:
    """What version `new` changed about `old`; 404 where there is no such version."""
    zone = db.session.get_one(Execution, draft.execution_id).job.timezone
    rows = {row.number: row for row in versions.all_of(db.session(), draft)}
    if old not in rows or new not in rows:
        abort(404)
    return Compared(
        id=draft.id,
        heading=draft.title or "the post",
        old=old,
        new=new,
        version=draft.version,
        is_open=draft.state == "DRAFT",
        choices=[(number, _words(row, zone)) for number, row in rows.items()],
        fields=_fields(rows[old], rows[new]),
    )


def _words(row: DraftVersion, zone: str) -> str:
    return f"{row.number}: {MAKERS[row.made_by]}, {view.past(row.created_at, zone, named=True).words}"


def _fields(old: DraftVersion, new: DraftVersion) -> list[Field]:
    texts = {
        "Title": (old.title, new.title),
        "Subtitle": (old.subtitle or "", new.subtitle or ""),
        "Tags": (", ".join(old.tags), ", ".join(new.tags)),
        "Text": (old.content, new.content),
    }
    found = [Field(label, differences(*pair)) for label, pair in texts.items()]
    return [field for field in found if field.parts]
