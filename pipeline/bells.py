"""What the pipeline asks to be woken for. It returns bells; the edges ring them after commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["start", "run", "deliver", "regenerate"]


@dataclass(frozen=True, slots=True)
class Bell:
    """`id` names a row: a job for `start`, an execution for `run`, a mail for `deliver`, an order to
    write a draft anew for `regenerate`. `eta` None means now.

    A bell that is lost, late or rung twice does no harm: the row says what is to be done, and the tick
    rings again.
    """

    kind: Kind
    id: str
    eta: datetime | None = None
    slot: datetime | None = None
