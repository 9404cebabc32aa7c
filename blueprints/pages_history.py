"""A job's history: what is asked for in the URL, and one page of what was found. Every page is reached by its
cursor, so that the oldest costs what the newest does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, and_, or_, select

from blueprints import pages_cards
from blueprints.extensions import db
from blueprints.pages_cards import Run
from blueprints.pages_newest import LIST_COLUMNS
from blueprints.pages_paging import older_than, place, stamp
from blueprints.view import MARKS, TRIGGERS
from lib.zones import zone
from models import Execution, Job, unended
from models.values import Outcome

PAGE_SIZE = 20
LIVE_NOW = "LIVE"
OUTCOMES = ((LIVE_NOW, "Running or waiting"), *((str(one), MARKS[one].word) for one in Outcome))
FILTERS = ("outcome", "trigger", "from", "to")
OLDEST = "0001-01-01T00:00:00.000000Z_"
"""The place before the first execution: what is newer than it begins with the oldest."""


@dataclass(frozen=True, slots=True)
class History:
    """`values` are the filters as asked for; `wrong` is what could not be read. The
    addresses lead to the other pages; None where there is none."""

    runs: tuple[Run, ...]
    values: tuple[tuple[str, str], ...]
    outcomes: tuple[tuple[str, str], ...]
    triggers: tuple[tuple[str, str], ...]
    is_filtered: bool
    is_first: bool
    wrong: str
    here: str
    newest: str | None
    newer: str | None
    older: str | None
    oldest: str | None

    @property
    def form(self) -> dict[str, str]:
        return dict(self.values)


def history(job: Job, asked: Mapping[str, str]) -> History:
    """The page that the URL's arguments ask for."""
    values = {name: asked.get(name, "")[:40] for name in FILTERS}
    conditions, wrong = _conditions(job, values)
    newer, cursor = asked.get("newer"), asked.get("cursor")
    query = select(Execution).options(LIST_COLUMNS).where(Execution.job_id == job.id, *conditions)
    if newer:
        upwards = query.where(_newer_than(newer)).order_by(Execution.created_at, Execution.id)
        rows = list(db.session.scalars(upwards.limit(PAGE_SIZE + 1)))
        more_newer, more_older = len(rows) > PAGE_SIZE, newer != OLDEST
        rows = rows[:PAGE_SIZE][::-1]
    else:
        downwards = query.where(older_than(Execution, cursor))
        downwards = downwards.order_by(Execution.created_at.desc(), Execution.id.desc())
        rows = list(db.session.scalars(downwards.limit(PAGE_SIZE + 1)))
        more_newer, more_older = bool(cursor), len(rows) > PAGE_SIZE
        rows = rows[:PAGE_SIZE]
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}

    def page(**at: Any) -> str:
        return url_for("jobs.show", project_id=job.project_id, job_id=job.id, **kept, **at)

    shown = {"newer": newer} if newer else {"cursor": cursor} if cursor else {}
    return History(
        runs=tuple(pages_cards.run(row, job.timezone) for row in rows),
        values=tuple(values.items()),
        outcomes=OUTCOMES,
        triggers=tuple(TRIGGERS.items()),
        is_filtered=bool(kept),
        is_first=not more_newer,
        wrong=wrong,
        here=page(**shown),
        newest=page() if more_newer else None,
        newer=page(newer=stamp(rows[0])) if more_newer and rows else None,
        older=page(cursor=stamp(rows[-1])) if more_older and rows else None,
        oldest=page(newer=OLDEST) if more_older else None,
    )


def _newer_than(cursor: str) -> ColumnElement[bool]:
    at, row_id = place(cursor)
    return or_(Execution.created_at > at, and_(Execution.created_at == at, Execution.id > row_id))


def _conditions(job: Job, values: Mapping[str, str]) -> tuple[list[ColumnElement[bool]], str]:
    """For the filters that can be read; and what is wrong with the others."""
    found: list[ColumnElement[bool]] = []
    wrong = []
    if values["outcome"] == LIVE_NOW:
        found.append(unended(Execution))
    elif values["outcome"]:
        found.append(Execution.outcome == values["outcome"])
    if values["trigger"]:
        found.append(Execution.triggered_by == values["trigger"])
    for name, days in (("from", 0), ("to", 1)):
        if not values[name]:
            continue
        try:
            day = date.fromisoformat(values[name]) + timedelta(days=days)
            at = datetime.combine(day, time(), zone(job.timezone)).astimezone(UTC)
        except (ValueError, OverflowError):
            wrong.append(f"“{values[name]}” is no date: write it as 2026-01-31.")
            continue
        found.append(Execution.created_at < at if days else Execution.created_at >= at)
    return found, " ".join(wrong)
