"""What posts cost, in words and as the API shows it: a draft, an execution, the next run, a month."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from blueprints import view
from blueprints.access import tariff
from blueprints.extensions import db
from lib import clock, words
from lib.words import plural
from models import Job, Project, Spend
from pipeline import spending
from pipeline.forecast import Forecast, forecast
from pipeline.spending import Month, total
from pipeline.tariff import Tariff, units

MONTHS = 6
NEAR = 0.8
"""The part of a budget from which on its owner is told."""
_SPENT = select(
    Spend.execution_id,
    Spend.platform_id,
    func.sum(Spend.cost).label("cost"),
    func.sum(Spend.prompt_tokens).label("prompt"),
    func.sum(Spend.completion_tokens).label("completion"),
    func.count().label("calls"),
    func.count().filter(Spend.cost.is_(None)).label("unpriced"),
    func.count().filter(Spend.is_estimate).label("estimated"),
).group_by(Spend.execution_id, Spend.platform_id)
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all calls for one platform, or for all. `cost` is in millionths, without the `unpriced` calls; of
    `estimated` calls nobody knows the tokens, so that they count with what was set aside for them."""

    cost: int = 0
    prompt: int = 0
    completion: int = 0
    calls: int = 0
    unpriced: int = 0
    estimated: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, name) + getattr(other, name) for name in Cost.__slots__))

    def words(self, prices: Tariff) -> str:
        """`0.02 USD`."""
        if self.unpriced == self.calls:
            return "No price is known"
        about = "About " if self.estimated else ""
        more = f", and {plural(self.unpriced, 'call')} without a price" if self.unpriced else ""
        return f"{about}{prices.words(self.cost)}{more}"

    @property
    def tokens(self) -> str:
        """`1,234 in, 567 out`."""
        return f"{self.prompt:,} in, {self.completion:,} out"


def costs_of(executions: Sequence[str]) -> dict[str, dict[str | None, Cost]]:
    """What these executions cost, by execution and platform, in one query."""
    found: dict[str, dict[str | None, Cost]] = {}
    for row in db.session.execute(_SPENT.where(Spend.execution_id.in_(executions))):
        numbers = (row.cost, row.prompt, row.completion, row.calls, row.unpriced, row.estimated)
        found.setdefault(row.execution_id, {})[row.platform_id] = Cost(*(int(one or 0) for one in numbers))
    return found


def summed(parts: Iterable[Cost]) -> Cost:
    """Of all platforms."""
    return sum(parts, Cost())


def cost_json(parts: Mapping[str | None, Cost] | None) -> dict[str, Any] | None:
    """An execution's cost as `shapes.CostView` wants it; None where no model was asked."""
    if not parts:
        return None
    whole = summed(parts.values())
    return {
        "amount": None if whole.unpriced == whole.calls else units(whole.cost),
        "currency": tariff().currency,
        "prompt_tokens": whole.prompt,
        "completion_tokens": whole.completion,
        "calls": whole.calls,
        "unpriced": whole.unpriced,
        "is_estimate": whole.estimated > 0,
    }


def usage_facts(usage: Mapping[str, Any] | None) -> Facts:
    """What a draft's page tells of its making, from `Draft.usage`: model, prompts, tokens, cost and time;
    nothing for one that no model wrote."""
    if not usage or not usage.get("model"):
        return ()
    read, made = usage.get("prompt_tokens"), usage.get("completion_tokens")
    told = "Not told by the server" if read is None or made is None else f"{read:,} in, {made:,} out"
    calls, seconds = usage.get("calls") or 1, usage.get("seconds")
    facts = [("Model", str(usage["model"])), ("Tokens", told), ("Cost", _draft_cost(usage))]
    if usage.get("prompt"):
        facts.insert(1, ("Prompts", f"Version {usage['prompt']}"))
    if seconds is not None:
        took = view.duration(round(seconds * 1000))
        facts.append(("Written in", took if calls == 1 else f"{took}, {plural(calls, 'call')}"))
    return tuple(facts)


def _draft_cost(usage: Mapping[str, Any]) -> str:
    cost, currency = usage.get("cost"), usage.get("currency") or tariff().currency
    if cost is None:
        return f"Not known: MODEL_PRICES had no price for {usage['model']}"
    return Tariff(currency=str(currency)).words(round(float(cost) * 1_000_000))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the next run costs, and what is spent, as sentences. `over`: why it cannot start."""

    words: str
    over: str


def ahead(job: Job) -> Ahead:
    """For the place where a run is triggered."""
    prices = tariff()
    found = forecast(db.session(), job, prices)
    if found.basis == "FREE":
        return Ahead("A run costs nothing: the template writer asks no model.", "")
    used = spending.spent(db.session(), job.project_id, Month.of(clock.now()), prices)
    budget = job.project.budget
    share = prices.words(used) if budget is None else prices.share(used, budget)
    why = None if budget is None else spending.over_by(spending.Cap(budget), used, prices)
    return Ahead(f"{_expected(found, prices)} {share} spent this month.", _sentence(why))


def _expected(found: Forecast, prices: Tariff) -> str:
    posts = plural(found.posts, "post")
    if found.cost is None:
        return f"What {posts} cost is not known: MODEL_PRICES has no price for {prices.model}."
    if found.basis == "RUNS":
        return f"A run costs about {prices.words(found.cost)} for {posts}."
    return f"A run costs at most about {prices.words(found.cost)} for {posts}."


def _sentence(why: str | None) -> str:
    return view.sentence(why or "")


def ahead_json(job: Job) -> dict[str, Any]:
    """The same as `shapes.EstimateView` wants it."""
    prices = tariff()
    found = forecast(db.session(), job, prices)
    return {
        "cost": units(found.cost),
        "currency": prices.currency,
        "posts": found.posts,
        "basis": found.basis,
    }


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month of a project: its name, what was spent, and on which models."""

    name: str
    spent: str
    models: str


@dataclass(frozen=True, slots=True)
class Spending:
    """A project's part about money. `state`: ok, near or over; `why`: why no model is asked now."""

    truth: str
    state: str
    why: str
    months: tuple[MonthLine, ...]


def spending_of(project: Project) -> Spending:
    """What a project's page shows; months in which nothing was spent are left out, but for the present."""
    prices = tariff()
    months = spending.history(db.session.connection(), project.id, MONTHS, prices)
    used = total(months[0][1])
    why = _why(project, prices)
    return Spending(
        truth=_truth(project, used, prices),
        state="over" if why else "near" if _is_near(project, used) else "ok",
        why=why,
        months=tuple(
            MonthLine(
                words.month(month.first),
                prices.words(total(parts)),
                words.listed([_model(part, prices) for part in parts]) or "–",
            )
            for number, (month, parts) in enumerate(months)
            if parts or not number
        ),
    )


def _model(part: spending.ModelSpend, prices: Tariff) -> str:
    if part.unpriced:
        return f"{part.model} ({plural(part.calls, 'call')}, {part.unpriced} without a known price)"
    return f"{part.model} ({plural(part.calls, 'call')}, {prices.words(part.cost)})"


def _truth(project: Project, used: int, prices: Tariff) -> str:
    if project.budget is None:
        return f"{prices.words(used)} spent this month; no budget is set."
    return f"{prices.share(used, project.budget)} spent this month."


def _why(project: Project, prices: Tariff) -> str:
    """Why the project's slots do not run now; empty where they do, or have no budget."""
    if project.budget is None:
        return ""
    cap = spending.Cap(project.budget, project.budget_short)
    over = spending.over(db.session.connection(), {project.id: cap}, prices)
    return over.get(project.id, "").removeprefix("budget: ")


def _is_near(project: Project, used: int) -> bool:
    return project.budget is not None and used >= NEAR * project.budget


def spending_json(project: Project) -> dict[str, Any]:
    """The same as `shapes.SpendingView` wants it."""
    prices = tariff()
    months = spending.history(db.session.connection(), project.id, MONTHS, prices)
    return {
        "currency": prices.currency,
        "why": _why(project, prices) or None,
        "months": [
            {
                "month": f"{month.first:%Y-%m}",
                "cost": units(total(parts)),
                "models": [
                    {
                        "model": part.model,
                        "cost": units(part.cost),
                        "calls": part.calls,
                        "unpriced": part.unpriced,
                    }
                    for part in parts
                ],
            }
            for month, parts in months
        ],
    }


@dataclass(frozen=True, slots=True)
class Warned:
    """A project whose budget is spent, or nearly. `tone`: bad or warn."""

    project_id: str
    project: str
    tone: str
    sentence: str


def warnings(projects: Sequence[Project]) -> list[Warned]:
    """Those of the projects at 80 % of their budget and more, or that can spend nothing; no query where
    none has a budget."""
    prices = tariff()
    capped = [project for project in projects if project.budget is not None]
    if not capped or prices.model is None:
        return []
    connection, ids = db.session.connection(), [project.id for project in capped]
    caps = {one.id: spending.Cap(one.budget or 0, one.budget_short) for one in capped}
    over = spending.over(connection, caps, prices)
    bills = spending.by_model(connection, ids, Month.of(clock.now()), prices)
    found = []
    for project in capped:
        used = total(bills.get(project.id, ()))
        if why := over.get(project.id):
            found.append(Warned(project.id, project.name, "bad", why.removeprefix("budget: ")))
        elif _is_near(project, used):
            found.append(Warned(project.id, project.name, "warn", _truth(project, used, prices)))
    return found
