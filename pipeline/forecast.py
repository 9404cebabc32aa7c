"""What a job's next run will cost, before somebody starts it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models import Execution, Job, Spend
from models.base import table
from pipeline.tariff import Tariff
from writers.llm_sizes import BRIEF_MAX, BYTES_PER_TOKEN, COMPLETION_MAX

RUNS = 10
"""How many of a job's newest executions are asked."""
RULES = 5_000
"""Tokens of what stands around a brief, at most: rules, voice, the owner's own posts."""
PROMPT_MAX = 2 * (BRIEF_MAX // BYTES_PER_TOKEN + RULES) + COMPLETION_MAX
"""Tokens of the longest brief, asked twice, the second time with the first answer."""
Basis = Literal["RUNS", "BOUND", "FREE", "UNKNOWN"]
"""The mean of the last runs; the most that posts may take; no model is asked; nobody knows the price."""

_spend, _executions = table(Spend).c, table(Execution).c
_LAST = (
    select(_executions.id)
    .where(_executions.job_id == bindparam("job"))
    .order_by(_executions.created_at.desc(), _executions.id.desc())
    .limit(RUNS)
)
# A platform's cost in a run is that of all its calls, those that failed too.
_COSTS = (
    select(_spend.execution_id, _spend.platform_id, func.sum(_spend.cost).label("cost"))
    .where(_spend.execution_id.in_(_LAST), _spend.cost.is_not(None), _spend.is_estimate.is_(False))
    .group_by(_spend.execution_id, _spend.platform_id)
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """`cost` of the `posts` of one run in millionths, None where nobody knows the price."""

    cost: int | None
    posts: int
    basis: Basis


def forecast(session: Session, job: Job, tariff: Tariff) -> Forecast:
    """What the job's next run will cost, if it finds something to tell for each of its platforms.

    By the mean of what its last runs cost on each platform; for a platform without such a run by the mean of
    the others; where there is none at all, by the most that posts may take.
    """
    platforms = _platforms(job)
    if not tariff.pays_for(job) or tariff.model is None:
        return Forecast(0, len(platforms), "FREE")
    by_platform: dict[str | None, list[int]] = {}
    for row in session.connection().execute(_COSTS, {"job": job.id}):
        by_platform.setdefault(row.platform_id, []).append(int(row.cost))
    if by_platform:
        means = {platform: _mean(costs) for platform, costs in by_platform.items()}
        usual = _mean(means.values())
        return Forecast(sum(means.get(one, usual) for one in platforms), len(platforms), "RUNS")
    most = tariff.cost_of(tariff.model, PROMPT_MAX, 2 * COMPLETION_MAX)
    if most is None:
        return Forecast(None, len(platforms), "UNKNOWN")
    return Forecast(most * len(platforms), len(platforms), "BOUND")


def _mean(costs: Iterable[int]) -> int:
    known = list(costs)
    return -(-sum(known) // len(known))


def _platforms(job: Job) -> list[str]:
    """Those that the job would write for."""
    connected = [one.id for one in job.project.platforms if one.is_connected]
    chosen = None if job.platform_ids is None else set(job.platform_ids)
    return [one for one in connected if chosen is None or one in chosen]
