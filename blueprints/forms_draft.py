"""The form of a draft: what was typed, as the pipeline takes it, and as it is shown again."""

import re
from typing import Any

from flask import request

from blueprints.bodies_draft import DraftEdit, RegenerateBody
from blueprints.forms import Filled
from blueprints.inputs import InputError, detail, parse
from models import Draft

_TEXTS = ("title", "subtitle", "content")


def typed() -> tuple[int, dict[str, Any]]:
    """The version that was typed on, and the fields that were sent. Raises InputError."""
    form = request.form
    sent: dict[str, Any] = {"version": _number(form.get("over") or form.get("version", ""))}
    sent |= {name: form[name] for name in _TEXTS if name in form}
    if "tags" in form:
        sent["tags"] = tags_in(form["tags"])
    values = parse(DraftEdit, sent).model_dump(exclude_unset=True)
    if "tags" in values:
        values["tags"] = tuple(values["tags"])
    return values.pop("version"), values


def instruction() -> str:
    """What is to be done otherwise. Raises InputError."""
    return parse(RegenerateBody, {"instruction": request.form.get("instruction", "")}).instruction


def number(text: str, field: str) -> int:
    """A version's number in an address or a form. Raises InputError."""
    found = _number(text)
    if found is None:
        raise InputError([detail(field, "Must be the number of a version.")])
    return found


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def tags_in(text: str) -> list[str]:
    """Tags as people type them: between commas or on lines of their own, with or without `#`."""
    return [tag for part in re.split(r"[,\n]", text) if (tag := part.strip().lstrip("#").strip())]


def values_of(draft: Draft) -> Filled:
    """A draft as its flat form."""
    return Filled(
        {
            "title": draft.title,
            "subtitle": draft.subtitle or "",
            "content": draft.content,
            "tags": ", ".join(draft.tags),
        }
    )
