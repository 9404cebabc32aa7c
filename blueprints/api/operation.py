"""The description of one call, kept beside its view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from blueprints.shapes import View

Call = TypeVar("Call", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """`answer` is the model of `data` (a list of it where `many`), `also` what may stand beside it, `errors`
    the statuses beyond those that follow from method, path, query and body. A `text` answer is no JSON.
    `may_be_empty`: the body may be left out."""

    summary: str
    answer: type[View] | None = None
    many: bool = False
    also: Mapping[str, type[View]] = field(default_factory=dict)
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    text: bool = False
    public: bool = False
    may_be_empty: bool = False


def operation(summary: str, **about: Any) -> Callable[[Call], Call]:
    """Describe the view below; `about` are the fields of `Operation`."""

    def mark(view: Call) -> Call:
        view.operation = Operation(summary, **about)  # type: ignore[attr-defined]
        return view

    return mark


def operation_of(view: object) -> Operation | None:
    """What `operation` noted at the view."""
    return getattr(view, "operation", None)
