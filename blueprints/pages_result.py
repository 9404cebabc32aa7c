"""What an execution wrote for each platform: an excerpt, who wrote it, at what cost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from blueprints.access import tariff
from blueprints.extensions import db
from blueprints.pages_cost import Cost
from blueprints.view import MARKS, Mark
from lib.words import cut, one_line
from models import Draft, Execution
from platforms import NAMES

_HEADING = re.compile(r"^#{1,6} ", re.M)
EXCERPT = 280
"""Characters; what is longer is folded behind them."""


@dataclass(frozen=True, slots=True)
class Result:
    """`excerpt` is empty where `content` is short enough to be shown whole."""

    platform: str
    mark: Mark
    error: str
    draft_id: str | None
    title: str
    excerpt: str
    content: str
    tags: tuple[str, ...]
    checks: tuple[str, ...]
    given_back: int
    fell_back: bool
    writer: str
    cost: str


def results(execution: Execution, costs: Mapping[str | None, Cost]) -> tuple[Result, ...]:
    """In the order of the output; one query where there is any."""
    shown = (execution.output or {}).get("results", [])
    by_id = {draft.id: draft for draft in _drafts(execution)} if shown else {}
    return tuple(
        _result(one, by_id.get(one.get("draftId") or ""), costs.get(one.get("platformId"))) for one in shown
    )


def _drafts(execution: Execution) -> Sequence[Draft]:
    return db.session.scalars(select(Draft).where(Draft.execution_id == execution.id)).all()


def _result(one: dict[str, Any], draft: Draft | None, cost: Cost | None) -> Result:
    """The draft's text; a dry run, which stores no draft, keeps its text in the output."""
    content = one.get("content") or {}
    text = draft.content if draft else str(content.get("content") or "")
    return Result(
        platform=NAMES.get(one["platformType"], one["platformType"]),
        mark=MARKS["SUCCESS" if one["success"] else "FAILED"],
        error=one.get("error") or "",
        draft_id=draft.id if draft else None,
        title=draft.title if draft else str(content.get("title") or ""),
        excerpt=_excerpt(text),
        content=text,
        tags=tuple(draft.tags if draft else content.get("tags") or ()),
        checks=tuple(draft.checks if draft else ()),
        given_back=int(one.get("givenBack") or 0),
        fell_back=bool(one.get("fellBack")),
        writer=_writer(draft),
        cost=f"{cost.words(tariff())}; tokens: {cost.tokens}" if cost else "",
    )


def _excerpt(text: str) -> str:
    line = one_line(_HEADING.sub("", text))
    return cut(line, EXCERPT) if len(line) > EXCERPT or "\n" in text.strip() else ""


def _writer(draft: Draft | None) -> str:
    """Nothing where no draft was kept."""
    if draft is None:
        return ""
    return str((draft.usage or {}).get("model") or "the template writer")
