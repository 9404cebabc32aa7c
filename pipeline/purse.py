"""What one piece of work may spend on models: money is set aside before each call, and settled by what the
answer says that it cost.

Whatever happens in between, nobody spends it twice: a reservation counts as spent at once. One whose call was
never sent is given back. One whose answer nobody saw (a worker died, a time limit, a connection that broke)
stays: what such a call cost nobody knows, so that it counts with its estimate.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from lib import clock, ids
from lib.codes import Code
from lib.errors import helped
from models import Project, Spend
from models.base import AWAY, said, table
from models.values import Usage
from pipeline import spending
from pipeline.hold import LostError
from pipeline.spending import Month
from pipeline.tariff import Tariff
from writers.base import WriterError

log = logging.getLogger(__name__)
# Built once: building a statement costs more than running it.
_spend, _project = table(Spend), table(Project)
# The key stays free, so that executions and platforms can be inserted meanwhile.
_LOCK = (
    select(_project.c.budget, _project.c.budget_short)
    .where(_project.c.id == bindparam("project"))
    .with_for_update(key_share=True)
)
_SHORT = (
    update(_project).where(_project.c.id == bindparam("project")).values(budget_short=bindparam("needed"))
)
_INSERT = insert(_spend)
# Without values(): the columns to set are those of the parameters.
_SETTLE = update(_spend).where(_spend.c.id == bindparam("of"))
_GIVE_BACK = delete(_spend).where(_spend.c.id.in_(bindparam("ids", expanding=True)))


MODEL_MAX = 200
"""Characters of a model's name that are kept."""
T = TypeVar("T")


class Store(Protocol):
    """Does the work in one transaction; again and again where the database cannot take it."""

    def __call__(self, work: Callable[[Connection], T]) -> T: ...


class BudgetError(WriterError):
    """A post that the project's monthly budget does not allow; the next month or its owner does."""

    code = Code.BUDGET_SPENT

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@dataclass(slots=True)
class _Call:
    """One reservation. `answer` is what the call cost, None while nobody knows."""

    id: str
    estimate: Usage
    sent: bool = False
    answer: Usage | None = None


class Purse:
    """Of one attempt of a run, or of one try to write a draft anew; `execution_id` is whose cost it is.

    All transactions are the caller's. One that has to prove a hold on an execution does so first, for
    everybody locks executions, then projects; one that proves a hold on what a project's end deletes with it
    does so last. `send` may be called from any thread, the others by one.
    """

    def __init__(self, tariff: Tariff, project_id: str, execution_id: str | None) -> None:
        self._tariff, self._project_id, self._execution_id = tariff, project_id, execution_id
        self._calls: dict[str, _Call] = {}
        self._answered: dict[str, _Call] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def reserve(self, store: Store, wanted: Mapping[str, Usage]) -> dict[str, BudgetError]:
        """Set aside what the posts may cost, by platform; those that are refused, and why.

        Whoever reserves for the same project meanwhile waits, so that all together never get more than its
        budget. `store` does the work in one transaction; again where the database did not take it. Raises
        LostError where the project was deleted.
        """
        calls = {platform: _Call(ids.new("spend"), usage) for platform, usage in wanted.items()}
        self._calls.update(calls)  # at once: `close` gives back what this breaks off on
        tries = iter([False])

        def work(connection: Connection) -> dict[str, BudgetError]:
            if next(tries, True):  # the database may have taken them, though its yes was lost on the way
                connection.execute(_GIVE_BACK, {"ids": [call.id for call in calls.values()]})
            self.settle(connection)
            return self._reserve(connection, calls)

        refused = store(work)
        self.settled()
        for platform in refused:
            del self._calls[platform]
        return refused

    def _reserve(self, connection: Connection, calls: Mapping[str, _Call]) -> dict[str, BudgetError]:
        cap = connection.execute(_LOCK, {"project": self._project_id}).one_or_none()
        if cap is None:
            raise LostError
        now = clock.now()
        month, used = Month.of(now), 0
        if cap.budget is not None:
            used = spending.spent(connection, self._project_id, month, self._tariff)
        rows: list[dict[str, Any]] = []
        refused: dict[str, BudgetError] = {}
        for platform, call in calls.items():
            cost = self._tariff.cost(call.estimate)
            why = self._why_not(call.estimate.model, cost, used, cap.budget, month)
            if why is not None:
                refused[platform] = BudgetError(why)
                continue
            used += cost or 0
            rows.append(self._row(platform, call, cost, now))
        if rows:
            connection.execute(_INSERT, rows)
        costs = [self._tariff.cost(calls[platform].estimate) for platform in refused]
        short = None if rows else min((cost for cost in costs if cost is not None), default=None)
        if short != cap.budget_short:
            connection.execute(_SHORT, {"project": self._project_id, "needed": short})
        return refused

    def _why_not(
        self, model: str, cost: int | None, used: int, budget: int | None, month: Month
    ) -> str | None:
        if budget is None:
            return None
        if cost is None:
            return spending.no_price(model)
        if used + cost <= budget:
            return None
        tariff = self._tariff
        happened = (
            f"The monthly budget has no room for this post: it may cost {tariff.words(cost)}, and"
            f" {tariff.share(used, budget)} are spent or set aside"
        )
        return helped(happened, spending.remedy(month))

    def _row(self, platform: str, call: _Call, cost: int | None, at: datetime) -> dict[str, Any]:
        return {
            "id": call.id,
            "project_id": self._project_id,
            "execution_id": self._execution_id,
            "platform_id": platform,
            "cost": cost,
            "is_estimate": True,
            "at": at,
            **_counted(call.estimate),
        }

    def send(self, platform: str) -> None:
        """Called right before the platform's post is asked for. Raises LostError when nobody waits for it any
        more: its reservation was given back."""
        with self._lock:
            if self._is_closed:
                raise LostError
            if (call := self._calls.get(platform)) is not None:
                call.sent = True

    def answer(self, platform: str, usage: Usage | None) -> None:
        """Note what came of a platform's call: what it cost, None where nobody knows. One that was never
        sent cost nothing."""
        call = self._calls.pop(platform, None)
        if call is not None and (usage is not None or not call.sent):
            call.answer = usage if call.sent else replace(call.estimate, prompt_tokens=0, completion_tokens=0)
            self._answered[call.id] = call

    def settle(self, connection: Connection) -> None:
        """Write down what was noted, in the caller's transaction, until `settled` says that it was taken."""
        free = [call.id for call in self._answered.values() if _is_free(call)]
        paid = [self._settled(call) for call in self._answered.values() if _is_paid(call)]
        if free:
            connection.execute(_GIVE_BACK, {"ids": free})
        if paid:
            connection.execute(_SETTLE, paid)

    def settled(self) -> None:
        """The transaction in which it was settled was taken."""
        self._answered.clear()

    def _settled(self, call: _Call) -> dict[str, Any]:
        usage = call.answer or call.estimate
        cost = self._tariff.cost(usage, call.estimate.model)
        return {"of": call.id, "cost": cost, "is_estimate": False, **_counted(usage)}

    def close(self, engine: Engine) -> None:
        """Give back what was reserved and never sent, and settle what a run that broke off had still to
        settle. Needs no hold: nobody else touches these rows."""
        with self._lock:
            self._is_closed = True
        for platform in [platform for platform, call in self._calls.items() if not call.sent]:
            self.answer(platform, None)
        if not self._answered:
            return
        try:
            with engine.begin() as connection:
                self.settle(connection)
            self.settled()
        except AWAY as error:
            log.warning("Reservations of %s stay as they are: %s", self._execution_id, said(error))


def _counted(usage: Usage) -> dict[str, Any]:
    tokens = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
    return {"model": usage.model[:MODEL_MAX], **tokens}


def _is_free(call: _Call) -> bool:
    """It was not sent, or its server refused it before it read a token."""
    answer = call.answer
    return answer is not None and answer.prompt_tokens == answer.completion_tokens == 0


def _is_paid(call: _Call) -> bool:
    """Its server told the tokens; one that does not leaves the estimate standing."""
    answer = call.answer
    known = answer is not None and None not in (answer.prompt_tokens, answer.completion_tokens)
    return known and not _is_free(call)
