"""An execution as files: its raw JSON, and the receipt that tells all of what it did, for keeping."""

import json
from dataclasses import dataclass
from typing import Any

from flask import make_response
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import execution_detail, shapes_draft, view
from blueprints.extensions import db
from blueprints.pages_cost import usage_facts
from blueprints.pages_draft import STATES
from blueprints.shapes import Json
from lib import clock
from lib.masking import mask
from lib.words import cut, one_line
from models import Draft, EmailDelivery, Execution
from platforms import NAMES

LINES = 1500
"""As many of the JSON's lines does its page show; the file has them all."""


@dataclass(frozen=True, slots=True)
class Raw:
    """`more`: how many lines are left out of `text`."""

    text: str
    more: int


def raw(execution: Execution) -> Raw:
    """The API's answer, to be read."""
    lines = pretty(masked(execution_detail.detail(execution))).splitlines()
    return Raw("\n".join(lines[:LINES]), max(len(lines) - LINES, 0))


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def masked(shown: Json) -> Json:
    """Stack traces may quote what another service answered."""
    parts = [shown, *shown["attempts"]]
    for part in parts:
        if part.get("stackTrace"):
            part["stackTrace"] = mask(part["stackTrace"])
    return shown


def receipt(execution: Execution) -> Json:
    """What ran, from which sources, what was withheld and why, who wrote it at what cost, and whom it was
    mailed to. It needs nothing else to be understood."""
    job, drafts = execution.job, execution_detail.drafts_of([execution])
    return {
        "receipt": "repocast-execution",
        "version": 1,
        "madeAt": clock.iso(clock.now()),
        "project": {"id": job.project_id, "name": job.project.name},
        "job": {"id": job.id, "name": job.name, "schedule": job.schedule, "timezone": job.timezone},
        "execution": masked(execution_detail.with_drafts(execution, drafts)),
        "posts": [_post(draft) for draft in drafts.values()],
        "mails": _mails(execution),
    }


def _post(draft: Draft) -> Json:
    """Who wrote it and what it rests on; its text stands in the execution's output. `usage` is null where no
    model wrote it."""
    usage = None
    if draft.usage and draft.usage.get("model"):
        usage = shapes_draft.UsageView.model_validate(draft.usage).model_dump(mode="json", by_alias=True)
    return {
        "draftId": draft.id,
        "platformType": draft.platform_type,
        "state": draft.state,
        "version": draft.version,
        "usage": usage,
        "claims": draft.claims or [],
        "sources": draft.sources or [],
    }


@dataclass(frozen=True, slots=True)
class PostLine:
    """One post as the paper lists it; `sources` are what it rests on, as (what, address or None)."""

    platform: str
    title: str
    state: str
    version: int
    writer: str
    sources: tuple[tuple[str, str | None], ...]


def posts(execution: Execution) -> tuple[PostLine, ...]:
    """Of the execution, in one query."""
    return tuple(_line(draft) for draft in execution_detail.drafts_of([execution]).values())


def _line(draft: Draft) -> PostLine:
    facts = dict(usage_facts(draft.usage))
    more = (f"{name.lower()}: {facts[name]}" for name in ("Prompts", "Tokens", "Cost") if name in facts)
    sources = draft.sources or []
    return PostLine(
        platform=NAMES.get(draft.platform_type, draft.platform_type),
        title=draft.title or cut(one_line(draft.content), 120),
        state=STATES[draft.state].word,
        version=draft.version,
        writer="; ".join([facts["Model"], *more]) if facts else "The template writer",
        sources=tuple(
            (str(one.get("title") or one["ref"]), view.safe_url(one.get("url"))) for one in sources
        ),
    )


def _mails(execution: Execution) -> list[Json]:
    rows = select(EmailDelivery).where(EmailDelivery.execution_id == execution.id)
    return [
        {
            "recipient": row.recipient,
            "subject": row.subject,
            "status": row.status,
            "attempts": row.attempts,
            "sentAt": clock.iso(row.sent_at) if row.sent_at else None,
            "error": row.error,
        }
        for row in db.session.scalars(rows.order_by(EmailDelivery.created_at))
    ]


def file(value: Json, name: str) -> Response:
    """To be kept under `name`."""
    response = make_response(pretty(value) + "\n")
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
