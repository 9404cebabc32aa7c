"""What a mail holds: the finished values of its story, and its subject, text and HTML."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy.orm import Session

from lib import ids, words, zones
from models.execution import Execution
from models.job import Job
from models.notification import EmailDelivery
from models.user import User
from models.values import Outcome
from pipeline.remedies import mailed
from pipeline.wishes import STOPPABLE
from platforms import NAMES

UNSUBSCRIBE = "https://unsubscribe.invalid/"
"""Stands for the address that stops such mails: only who delivers can sign it."""
_SENTENCE_MAX = 500


def post_mail(
    session: Session,
    user: User,
    name: str,
    *,
    event: str | None = None,
    recipient: str | None = None,
    **context: Any,
) -> EmailDelivery:
    """Add a mail of the folder templates/email/`name`, filled with `context`, to `recipient` (default: the
    user's address), whether or not it was shown to be its owner's; the caller commits, and then delivers
    it. `event`: what it tells of, where its reader can stop such mails."""
    stop = UNSUBSCRIBE if event in STOPPABLE else None
    mail = EmailDelivery(
        id=ids.new("mail"),  # named here and not by the flush: the caller rings for it
        user_id=user.id,
        recipient=recipient or user.email,
        event=event,
        **_render(name, context | {"unsubscribe": stop}),
    )
    session.add(mail)
    return mail


def story_of(execution: Execution, outcome: Outcome, base_url: str) -> dict[str, Any]:
    """The finished values that the templates about an execution's end format."""
    job, status = execution.job, _status(execution, outcome)
    return {
        "outcome": outcome.value,
        "title": f"{line(job.name)} {status}",
        "job": line(job.name),
        "project": line(job.project.name),
        "status": status,
        "duration": words.duration(execution.duration or 0),
        "processed": execution.items_processed,
        "successful": execution.items_success,
        "failed": execution.items_failed,
        "failures": _failures(execution),
        "error": line(execution.error or "The run ended without a reason."),
        "remedy": mailed(execution, base_url),
        "next_run": when(job.next_run_at, job.timezone) if job.next_run_at else None,
        "paused_title": f"{line(job.name)} is paused",
        "paused": _paused(job),
        "is_paused": job.paused_at is not None,
        "link": f"{base_url}/executions/{execution.id}",
        "preferences": f"{base_url}/notifications/preferences",
    }


def _status(execution: Execution, outcome: Outcome) -> str:
    if outcome in (Outcome.SUCCESS, Outcome.PARTIAL):
        return "completed successfully" if outcome is Outcome.SUCCESS else "completed with errors"
    verb = "failed" if outcome is Outcome.FAILED else "timed out"
    retries = max(execution.failures - 1, 0)
    return f"{verb} after {retries} {'retry' if retries == 1 else 'retries'}" if retries else verb


def _paused(job: Job) -> str:
    return (
        f"Its last {job.failures_in_row} runs failed, so its schedule is paused. It goes on as soon as a run"
        " succeeds (Trigger Now), or when you press Resume; what happened meanwhile is told then."
    )


def _failures(execution: Execution) -> list[dict[str, str]]:
    """The platforms that got no post, and why."""
    results = (execution.output or {}).get("results") or []
    return [
        {
            "platform": NAMES.get(result["platformType"], result["platformType"]),
            "error": line(result.get("error") or "no reason was given"),
        }
        for result in results
        if not result["success"]
    ]


def when(instant: datetime, timezone: str) -> str:
    """`Saturday, 4 October 2025 at 9:00 AM UTC`, in that zone."""
    local = instant.astimezone(zones.zone(timezone))
    return f"{local:%A}, {local.day} {local:%B %Y} at {local.hour % 12 or 12}:{local:%M %p} {timezone}"


def line(text: str) -> str:
    """One line of bounded length: it comes from outside, and a newline in a subject is a second header."""
    text = " ".join(text.split())
    return text if len(text) <= _SENTENCE_MAX else text[: _SENTENCE_MAX - 1] + "…"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "templates" / "email"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(name: str, story: dict[str, Any]) -> dict[str, str]:
    parts = {"subject": "subject.txt", "text": "body.txt", "html": "body.html"}
    rendered = {
        part: _templates().get_template(f"{name}/{file}").render(story) for part, file in parts.items()
    }
    return rendered | {"subject": rendered["subject"].strip()}
