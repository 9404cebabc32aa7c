"""A project's month: what is spent, what may be, and in which words there is no more.

A month is a calendar month of UTC. What counts is every call of a model since its first instant: by the
tokens that the answer told, else by the estimate that was reserved for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select
from sqlalchemy.orm import Session

from lib import clock, words
from models import Job, Project, Spend
from models.base import table
from pipeline.tariff import Tariff

# Built once: building a statement costs more than running it.
_spend = table(Spend).c
_AT = _spend.at.type
_UNPRICED = _spend.cost.is_(None)
_SUMS = (
    _spend.model,
    func.sum(_spend.cost).label("cost"),
    func.sum(case((_UNPRICED, _spend.prompt_tokens))).label("prompt"),
    func.sum(case((_UNPRICED, _spend.completion_tokens))).label("completion"),
    func.count().label("calls"),
    func.count().filter(_UNPRICED).label("unpriced"),
)
_BY_MODEL = (
    select(_spend.project_id, *_SUMS)
    .where(
        _spend.project_id.in_(bindparam("projects", expanding=True)),
        _spend.at >= bindparam("first", type_=_AT),
        _spend.at < bindparam("following", type_=_AT),
    )
    .group_by(_spend.project_id, _spend.model)
    .order_by(_spend.project_id, _spend.model)
)
_CAP = select(Project.budget, Project.budget_short).where(Project.id == bindparam("project"))


@dataclass(frozen=True, slots=True)
class Month:
    """[first, following) in UTC."""

    first: datetime
    following: datetime

    @classmethod
    def of(cls, instant: datetime) -> "Month":
        """The calendar month of UTC in which the instant lies."""
        first = instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return cls(first, _next(first))

    @property
    def before(self) -> "Month":
        """The one before it."""
        year, month = divmod(self.first.year * 12 + self.first.month - 2, 12)
        return Month(self.first.replace(year=year, month=month + 1), self.first)


def _next(first: datetime) -> datetime:
    year, month = divmod(first.year * 12 + first.month, 12)
    return first.replace(year=year, month=month + 1)


@dataclass(frozen=True, slots=True)
class ModelSpend:
    """One model's part of a month. `cost` is what is known of it; of `unpriced` calls no price is known."""

    model: str
    cost: int
    calls: int
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """What a project may spend in a month, and `short` as `Project.budget_short`."""

    budget: int
    short: int | None = None


def by_model(
    connection: Connection, projects: Collection[str], month: Month, tariff: Tariff
) -> dict[str, list[ModelSpend]]:
    """What each project spent in the month, by model. What was spent when there was no price yet is counted
    by the present one."""
    found: dict[str, list[ModelSpend]] = {}
    asked = {"projects": list(projects), "first": month.first, "following": month.following}
    for row in connection.execute(_BY_MODEL, asked):
        found.setdefault(row.project_id, []).append(_part(row, tariff))
    return found


def history(
    connection: Connection, project_id: str, count: int, tariff: Tariff
) -> list[tuple[Month, list[ModelSpend]]]:
    """The present month and those before it, `count` in all, the newest first, in one query."""
    months = [Month.of(clock.now())]
    while len(months) < count:
        months.append(months[-1].before)
    which = case(*((_spend.at >= month.first, number) for number, month in enumerate(months))).label("which")
    query = (
        select(which, *_SUMS)
        .where(
            _spend.project_id == project_id,
            _spend.at >= months[-1].first,
            _spend.at < months[0].following,
        )
        .group_by(which, _spend.model)
        .order_by(_spend.model)
    )
    found: list[list[ModelSpend]] = [[] for _ in months]
    for row in connection.execute(query):
        found[row.which].append(_part(row, tariff))
    return list(zip(months, found, strict=True))


def _part(row: Row[Any], tariff: Tariff) -> ModelSpend:
    later = tariff.cost_of(row.model, int(row.prompt or 0), int(row.completion or 0))
    unpriced = row.unpriced if later is None else 0
    return ModelSpend(row.model, int(row.cost or 0) + (later or 0), row.calls, unpriced)


def spent(session: Session | Connection, project_id: str, month: Month, tariff: Tariff) -> int:
    """What the project spent in the month, in millionths."""
    connection = session if isinstance(session, Connection) else session.connection()
    return total(by_model(connection, [project_id], month, tariff).get(project_id, []))


def total(parts: Collection[ModelSpend]) -> int:
    """Of all models."""
    return sum(part.cost for part in parts)


def over(connection: Connection, caps: Mapping[str, Cap], tariff: Tariff) -> dict[str, str]:
    """Those of the projects that may ask no model for a post now, and in what words: there is no price that
    a cap could be kept by, the month's money is spent, or what is left was too little for the last post.
    `caps` by project."""
    if not caps or tariff.model is None:
        return {}
    bills = {}
    if tariff.knows(tariff.model):
        bills = by_model(connection, caps.keys(), Month.of(clock.now()), tariff)
    said = {project: over_by(cap, total(bills.get(project, ())), tariff) for project, cap in caps.items()}
    return {project: sentence for project, sentence in said.items() if sentence is not None}


def over_by(cap: Cap, used: int, tariff: Tariff) -> str | None:
    """The same of one project, of which is known what it `used` this month, in millionths."""
    if tariff.model is None:
        return None
    if not tariff.knows(tariff.model):
        return f"budget: {no_price(tariff.model)}"
    sentence = _over(cap, used, Month.of(clock.now()), tariff)
    return None if sentence is None else f"budget: {sentence}"


def _over(cap: Cap, used: int, month: Month, tariff: Tariff) -> str | None:
    if used < cap.budget and (cap.short is None or used + cap.short <= cap.budget):
        return None
    share = f"{tariff.share(used, cap.budget)} are spent this month"
    if used < cap.budget and cap.short is not None:
        share += f", and the next post may cost {tariff.words(cap.short)}"
        if cap.short > cap.budget:
            return f"{share}: raise the project's monthly budget."
    if not cap.budget:
        return "The project's monthly budget is zero, so no model is asked: raise it or take it away."
    return f"{share}. {until(month)}"


def until(month: Month) -> str:
    """When a spent budget is free again, and what frees it at once."""
    return (
        f"Models are asked again from {words.day(month.following)} (UTC) on, or as soon as the project's"
        " monthly budget is raised."
    )


def remedy(month: Month) -> str:
    """The same as advice."""
    return f"raise it in the project's settings, or wait until {words.day(month.following)} (UTC)"


def no_price(model: str) -> str:
    """Why a budget cannot be kept."""
    return (
        f"No price is known for {model}, so the project's monthly budget cannot be kept: whoever runs this"
        " instance sets MODEL_PRICES, or you take the budget away."
    )


def why_not(session: Session, job: Job, tariff: Tariff) -> str | None:
    """Why the job may not ask its model for posts now, None where it may. Somebody who asks is not held to
    what the last post would have cost: theirs may be cheaper."""
    found = _caps(session, job, tariff)
    caps_now = {project: Cap(cap.budget) for project, cap in found.items()}
    return over(session.connection(), caps_now, tariff).get(job.project_id) if found else None


def why_no_slot(session: Session, job: Job, tariff: Tariff) -> str | None:
    """The same for what starts by itself, which would fail each time while too little is left."""
    found = _caps(session, job, tariff)
    return over(session.connection(), found, tariff).get(job.project_id) if found else None


def _caps(session: Session, job: Job, tariff: Tariff) -> dict[str, Cap]:
    if not tariff.pays_for(job):
        return {}
    row = session.connection().execute(_CAP, {"project": job.project_id}).one()
    return caps([(job, *row)], tariff)


def caps(found: Collection[Any], tariff: Tariff) -> dict[str, Cap]:
    """The caps of those rows (job, budget, budget_short) whose posts are asked of a model, by project."""
    return {
        job.project_id: Cap(budget, short)
        for job, budget, short in found
        if budget is not None and tariff.pays_for(job)
    }
