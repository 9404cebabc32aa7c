"""The list of drafts: filters with their counts, and one line for each draft."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import contains_eager

from blueprints import view
from blueprints.extensions import db
from blueprints.pages_draft import STATES
from blueprints.pages_paging import older_than, older_url, split
from blueprints.view import Mark, Moment
from lib.words import plural
from models import Draft, Execution, Job
from platforms import NAMES

PAGE_SIZE = 20
FILTERS = ("state", "platform", "job")
"""Their names in the address."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter; `count` of drafts that it would show beside the other filters."""

    words: str
    url: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class DraftLine:
    id: str
    title: str
    platform: str
    mark: Mark
    job: str
    at: Moment
    checks: int


@dataclass(frozen=True, slots=True)
class DraftList:
    """`filters` by their labels."""

    truth: str
    lines: list[DraftLine]
    filters: list[tuple[str, list[Choice]]]
    is_filtered: bool
    has_any: bool
    older: str | None


Facet = tuple[str, str, str]
"""State, platform and job of some drafts."""


def drafts() -> DraftList:
    """The signed-in user's drafts, as the address asks for them."""
    chosen = {name: request.args.get(name, "") for name in FILTERS}
    counted = _counted()
    names = _job_names({job for _, _, job in counted})
    rows, further = split(list(db.session.scalars(_query(chosen))), PAGE_SIZE)
    return DraftList(
        truth=_truth(counted, chosen),
        lines=[_line(draft) for draft in rows],
        filters=[
            (
                "State",
                _choices("state", {state: mark.word for state, mark in STATES.items()}, counted, chosen),
            ),
            ("Platform", _choices("platform", NAMES, counted, chosen)),
            ("Job", _choices("job", names, counted, chosen)),
        ],
        is_filtered=any(chosen.values()) or "cursor" in request.args,
        has_any=bool(counted),
        older=older_url(further),
    )


def _query(chosen: Mapping[str, str]) -> Any:
    wanted: list[ColumnElement[bool]] = [Draft.user_id == current_user.id]
    for column, name in (
        (Draft.state, "state"),
        (Draft.platform_type, "platform"),
        (Draft.job_id, "job"),
    ):
        if chosen[name]:
            wanted.append(column == chosen[name])
    return (
        select(Draft)
        .join(Draft.execution)
        .join(Execution.job)
        .options(
            contains_eager(Draft.execution).contains_eager(Execution.job).load_only(Job.name, Job.timezone)
        )
        .where(*wanted, older_than(Draft, request.args.get("cursor")))
        .order_by(Draft.created_at.desc(), Draft.id.desc())
        .limit(PAGE_SIZE + 1)
    )


def _counted() -> Counter[Facet]:
    columns = (Draft.state, Draft.platform_type, Draft.job_id)
    rows = select(*columns, func.count()).where(Draft.user_id == current_user.id).group_by(*columns)
    found = db.session.execute(rows)
    return Counter({(state, kind, job or ""): count for state, kind, job, count in found})


def _job_names(ids: set[str]) -> dict[str, str]:
    """Those of the jobs that drafts stem from, by name."""
    rows = select(Job.id, Job.name).where(Job.user_id == current_user.id).order_by(Job.name, Job.id)
    return {job_id: name for job_id, name in db.session.execute(rows) if job_id in ids}


def _choices(
    name: str, words: Mapping[str, str], counted: Mapping[Facet, int], chosen: Mapping[str, str]
) -> list[Choice]:
    """`All`, and each value that there is a draft of, or that is chosen."""
    place = FILTERS.index(name)
    others = [(FILTERS.index(other), value) for other, value in chosen.items() if value and other != name]
    found: Counter[str] = Counter()
    for facet, count in counted.items():
        if all(facet[at] == value for at, value in others):
            found[facet[place]] += count
    there = {facet[place] for facet in counted}
    values = [value for value in words if value in there or value == chosen[name]]
    if len(values) < 2 and not chosen[name]:
        return []
    choices = [Choice("All", _url(chosen, name, ""), found.total(), not chosen[name])]
    return choices + [
        Choice(words[value], _url(chosen, name, value), found[value], value == chosen[name])
        for value in values
    ]


def _url(chosen: Mapping[str, str], name: str, value: str) -> str:
    kept: dict[str, Any] = {key: text for key, text in {**chosen, name: value}.items() if text}
    return url_for("drafts.index", **kept)


def _truth(counted: Mapping[Facet, int], chosen: Mapping[str, str]) -> str:
    if not counted:
        return "Nothing here waits for you."
    waiting = sum(count for (state, _, _), count in counted.items() if state == "DRAFT")
    if not waiting:
        return "All drafts are reviewed."
    return f"{plural(waiting, 'draft waits', 'drafts wait')} for your review."


def _line(draft: Draft) -> DraftLine:
    first = draft.content.strip().partition("\n")[0]
    job = draft.execution.job
    return DraftLine(
        id=draft.id,
        title=draft.title or first[:120],
        platform=NAMES.get(draft.platform_type, draft.platform_type),
        mark=STATES[draft.state],
        job=job.name,
        at=view.past(draft.created_at, job.timezone, named=True),
        checks=len(draft.checks) + len(draft.remarks or ()),
    )
