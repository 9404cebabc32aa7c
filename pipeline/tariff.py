"""What models cost here: the price table of the settings, and amounts as a person reads them.

Amounts are whole millionths of MODEL_CURRENCY. A price is per million tokens, so that tokens times price are
millionths already.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from lib.settings import Price, Settings
from models import Job
from models.values import Usage

UNIT = 1_000_000
"""Millionths of one unit of the currency."""
_DATED = re.compile(r"(?P<name>.+?)[-@:](?:\d{4}-\d{2}-\d{2}|\d{3,8}|latest)")
"""A model's name with the version that servers add to it: `gpt-4.1-mini-2025-04-14`, `gpt-4-0613`,
`claude-x@20250514`, `qwen3:latest`."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """`model` is the one that posts are asked of, None without a key for one; `prices` by model."""

    model: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    currency: str = "USD"

    @classmethod
    def of(cls, settings: Settings) -> "Tariff":
        """As the settings have it."""
        model = settings.openai_model if settings.openai_api_key is not None else None
        return cls(model, settings.model_prices, settings.model_currency)

    def pays_for(self, job: Job) -> bool:
        """Whether the job's posts are asked of a model."""
        return self.model is not None and job.writer != "TEMPLATE"

    def knows(self, model: str) -> bool:
        """Whether there is a price for the model."""
        return self._price(model) is not None

    def cost_of(self, model: str, prompt_tokens: int | None, completion_tokens: int | None) -> int | None:
        """What so many tokens cost, rounded up; None where the price or a number is not known."""
        price = self._price(model)
        if price is None or prompt_tokens is None or completion_tokens is None:
            return None
        exact = price.input * prompt_tokens + price.output * completion_tokens
        return int(exact.to_integral_value(ROUND_CEILING))

    def cost(self, usage: Usage, asked: str | None = None) -> int | None:
        """What an answer cost, by the model that it names; where the table has no such model, by the one
        that was `asked`, for a proxy may answer under a name of its own."""
        model = usage.model if asked is None or self.knows(usage.model) else asked
        return self.cost_of(model, usage.prompt_tokens, usage.completion_tokens)

    def stored(self, usage: Usage | None) -> dict[str, Any] | None:
        """What a draft keeps of its cost: the usage, with `cost` in units of `currency`, None where that is
        not known."""
        if usage is None:
            return None
        cost = self.cost(usage, self.model)
        return asdict(usage) | {"cost": units(cost), "currency": self.currency}

    def words(self, amount: int) -> str:
        """`0.02 USD`."""
        return f"{figure(amount)} {self.currency}"

    def share(self, spent: int, budget: int) -> str:
        """`1.20 of 5.00 USD`."""
        return f"{figure(spent)} of {self.words(budget)}"

    def _price(self, model: str) -> Price | None:
        """Exactly by its name, or by the name without a date. Not by any common beginning: gpt-5 and
        gpt-5-mini have prices of their own."""
        if (price := self.prices.get(model)) is not None:
            return price
        dated = _DATED.fullmatch(model)
        return self.prices.get(dated["name"]) if dated else None


FREE = Tariff()
"""Of an instance without a model."""


def figure(amount: int) -> str:
    """Two decimals, and two digits that say something where it is less than a tenth: `0.02`, `0.0013`."""
    exact = Decimal(amount) / UNIT
    small = 0 < amount < UNIT // 10
    places = min(6, 1 - exact.adjusted()) if small else 2
    return f"{exact:,.{places}f}"


def units(amount: int | None) -> float | None:
    """For JSON: the amount in units of the currency."""
    return None if amount is None else amount / UNIT


def typed(amount: int) -> str:
    """As somebody would type it, and exact: `5`, `12.50`, `0.0005`."""
    whole, rest = divmod(amount, UNIT)
    return f"{whole}.{rest:06d}".rstrip("0").ljust(len(str(whole)) + 3, "0") if rest else str(whole)
