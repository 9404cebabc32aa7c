"""Outcome -> what its owner is told: a row in the app, a mail in the outbox; and the delivery of one mail."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import CursorResult, bindparam, select, update
from sqlalchemy.orm import Session

from lib import clock, ids, words, zones
from lib.errors import OutsideError, sentence
from models.execution import Execution
from models.job import Job
from models.notification import EmailDelivery, Notification
from models.user import User
from models.values import Outcome
from pipeline.remedies import mailed
from pipeline.wishes import EVENT_OF, Wishes
from platforms import NAMES

LEASE = timedelta(minutes=5)
"""How long one delivery may hold a mail; longer than all time-outs of one SMTP conversation together."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)

_TYPES = {
    Outcome.SUCCESS: "JOB_SUCCESS",
    Outcome.PARTIAL: "JOB_PARTIAL",
    Outcome.FAILED: "JOB_FAILED",
    Outcome.TIMEOUT: "JOB_TIMEOUT",
}
_TOLD = {"ALL": frozenset(_TYPES), "PROBLEMS": frozenset(_TYPES) - {Outcome.SUCCESS}, "NONE": frozenset()}
_SENTENCE_MAX = 500
_DUE = (
    select(EmailDelivery.id)
    .where(EmailDelivery.status == "PENDING", EmailDelivery.next_try_at <= bindparam("now"))
    .order_by(EmailDelivery.next_try_at, EmailDelivery.id)
    .limit(bindparam("most"))
)

log = logging.getLogger(__name__)


class MailError(OutsideError):
    """A mail was not taken. `permanent`: this recipient or this message never will be."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft as a mail names it. `link` is where it can be read and approved."""

    platform: str
    title: str
    link: str


def tell(
    session: Session,
    execution: Execution,
    *,
    base_url: str,
    paused: bool = False,
    posts: Sequence[Waiting] = (),
) -> list[EmailDelivery]:
    """Add the notification and the mail about a finished execution; the caller commits.

    One setting rules both ways of telling, so that NONE is silence: `job.notify` ALL tells every result,
    PROBLEMS only PARTIAL, FAILED and TIMEOUT. Runs that found nothing worth saying, were cancelled, skipped
    or dry are never told. `paused`: this failure paused the job, which is told in the app whatever the job
    says, and by mail in place of the failure. What the owner has switched off (pipeline.wishes) is left
    out, and nothing is mailed to an address not yet shown to be theirs. `base_url`: where people reach the
    app, without a slash at its end. `posts`: the drafts that wait for the owner. Returns the mails, to be
    delivered after the commit.
    """
    if execution.dry_run or execution.outcome not in _TYPES:
        return []
    outcome, job = Outcome(execution.outcome), execution.job
    recovers = is_recovery(execution, job.notify, job.told_outcome)
    told = recovers or is_told(execution, job.notify)
    if not told and not paused:
        return []
    user = session.get_one(User, execution.user_id)
    wishes, kind = Wishes.of(user), "JOB_RECOVERED" if recovers else _TYPES[outcome]
    story = _story(execution, outcome, base_url) | {"posts": [_named(post) for post in posts]}
    if recovers:
        story |= {"title": f"{story['job']} works again"}
    if told and wishes.in_app(kind):
        session.add(_entry(execution, kind, story["title"], _message(execution, outcome)))
    if paused and wishes.in_app("JOB_PAUSED"):
        session.add(_entry(execution, "JOB_PAUSED", story["paused_title"], story["paused"]))
    if not told:
        return []
    is_change = paused or job.told_outcome != outcome
    if is_change:
        job.told_outcome = outcome
    mailed = "JOB_PAUSED" if paused else kind
    if user.verified_at is None or not wishes.by_mail(mailed, is_change=is_change):
        return []
    return [_mail(session, execution, user, story, mailed)]


def tell_apart(
    session: Session,
    user_id: str,
    *,
    kind: str,
    template: str,
    message: str,
    link: str,
    story: dict[str, Any],
) -> list[EmailDelivery]:
    """Add the notification and the mail about something that is no execution; the caller commits.

    `kind`: the notification's type. `template`: the mail's folder, filled with `story`, whose `title` is also
    the notification's. `link`: where the notification leads, a path. Returns the mail, to be delivered after
    the commit, where one is wanted.
    """
    user = session.get_one(User, user_id)
    wishes, title = Wishes.of(user), _line(story["title"])
    if wishes.in_app(kind):
        session.add(Notification(user_id=user_id, type=kind, title=title, message=_line(message), link=link))
    if user.verified_at is None or not wishes.by_mail(kind):
        return []
    mail = post_mail(session, user, template, **story)
    mail.event = EVENT_OF[kind]
    return [mail]


def post_mail(
    session: Session, user: User, name: str, *, recipient: str | None = None, **context: Any
) -> EmailDelivery:
    """Add a mail of the folder templates/email/`name`, filled with `context`, to `recipient` (default: the
    user's address), whether or not it was shown to be its owner's; the caller commits, and then delivers
    it."""
    mail = EmailDelivery(
        id=ids.new("mail"),  # named here and not by the flush: the caller rings for it
        user_id=user.id,
        recipient=recipient or user.email,
        **_render(name, context),
    )
    session.add(mail)
    return mail


def _entry(execution: Execution, kind: str, title: str, message: str) -> Notification:
    return Notification(
        user_id=execution.user_id,
        execution_id=execution.id,
        type=kind,
        title=title,
        message=message,
        link=f"/projects/{execution.project_id}/cron/{execution.job_id}",
    )


def _mail(
    session: Session, execution: Execution, user: User, story: dict[str, Any], kind: str
) -> EmailDelivery:
    succeeded = execution.outcome in (Outcome.SUCCESS, Outcome.PARTIAL)
    template = "job_completed" if succeeded else "job_failed"
    if kind == "JOB_PAUSED":
        template, story = "job_paused", story | {"title": story["paused_title"]}
    mail = post_mail(session, user, template, **story)
    mail.execution_id, mail.event = execution.id, EVENT_OF[kind]
    return mail


def is_recovery(execution: Execution, notify: str, told_outcome: str | None) -> bool:
    """Whether this is the first success since a failure that the owner was told of: it ends that story, and
    so is told to who hears of problems only."""
    failed = told_outcome in (Outcome.FAILED, Outcome.TIMEOUT)
    return failed and notify != "NONE" and not execution.dry_run and execution.outcome == Outcome.SUCCESS


def is_told(execution: Execution, notify: str) -> bool:
    """Whether the owner who chose `notify` (ALL, PROBLEMS, NONE) hears of this end."""
    return not execution.dry_run and execution.outcome in _TOLD[notify]


def due_mails(session: Session, now: datetime, limit: int) -> list[str]:
    """The ids of at most `limit` mails that may be tried at `now`, those that wait longest first."""
    return list(session.scalars(_DUE, {"now": now, "most": limit}))


def deliver(session: Session, mail_id: str, send: Callable[[EmailDelivery], None]) -> None:
    """Try one mail once and write down how it ended; nothing when it is not due or another delivery holds it.

    `send` hands the mail over and raises MailError. A passing failure is tried again after 1, 2, 4, ...
    minutes, at most an hour, until the mail is three days old; then, or at once for a permanent one, it is
    FAILED with the reason. Commits twice. A worker that dies between the server's yes and ours sends the mail
    again when the lease ends: rather twice than never.
    """
    mail = _claim(session, mail_id)
    if mail is None:
        return
    try:
        send(mail)
    except Exception as error:
        log.warning("Mail %s was not delivered", mail_id, exc_info=error)
        _finish(session, mail, **_after(mail, error))
    else:
        _finish(session, mail, status="SENT", sent_at=clock.now(), error=None)


def _claim(session: Session, mail_id: str) -> EmailDelivery | None:
    now = clock.now()
    claim = (
        update(EmailDelivery)
        .where(EmailDelivery.id == mail_id)
        .where(EmailDelivery.status == "PENDING", EmailDelivery.next_try_at <= now)
        .values(next_try_at=now + LEASE, attempts=EmailDelivery.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    won = cast(CursorResult[Any], session.execute(claim)).rowcount == 1
    mail = session.get(EmailDelivery, mail_id, populate_existing=True) if won else None
    if mail is not None:
        # Detached: reading it while the mail server is slow must open no transaction, which on SQLite locks
        # out every other writer.
        session.expunge(mail)
    session.commit()
    return mail


def _finish(session: Session, mail: EmailDelivery, **values: Any) -> None:
    """Write the outcome, unless the lease ran out and another delivery has begun."""
    session.execute(
        update(EmailDelivery)
        .where(EmailDelivery.id == mail.id, EmailDelivery.status == "PENDING")
        .where(EmailDelivery.attempts == mail.attempts)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def _after(mail: EmailDelivery, error: Exception) -> dict[str, Any]:
    now, end = clock.now(), mail.created_at + GIVEN_UP_AFTER
    if now >= end or (isinstance(error, OutsideError) and error.permanent):
        return {"status": "FAILED", "error": sentence(error)}
    # 2^10 minutes is far beyond the cap; the bound keeps the power small.
    wait = min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    return {"next_try_at": min(now + wait, end), "error": sentence(error)}


def _story(execution: Execution, outcome: Outcome, base_url: str) -> dict[str, Any]:
    """The finished values that the templates format."""
    job, status = execution.job, _status(execution, outcome)
    return {
        "outcome": outcome.value,
        "title": f"{_line(job.name)} {status}",
        "job": _line(job.name),
        "project": _line(job.project.name),
        "status": status,
        "duration": words.duration(execution.duration or 0),
        "processed": execution.items_processed,
        "successful": execution.items_success,
        "failed": execution.items_failed,
        "failures": _failures(execution),
        "error": _line(execution.error or "The run ended without a reason."),
        "remedy": mailed(execution, base_url),
        "next_run": _when(job),
        "paused_title": f"{_line(job.name)} is paused",
        "paused": _paused(job),
        "is_paused": job.paused_at is not None,
        "link": f"{base_url}/executions/{execution.id}",
        "preferences": f"{base_url}/notifications/preferences",
    }


def _named(post: Waiting) -> Waiting:
    return replace(post, title=words.cut(_line(post.title), 120))


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


def _message(execution: Execution, outcome: Outcome) -> str:
    duration = words.duration(execution.duration or 0)
    if outcome is Outcome.SUCCESS:
        return f"Execution completed successfully in {duration}"
    if outcome is Outcome.PARTIAL:
        done, of = execution.items_success, execution.items_processed
        return f"Execution completed with errors in {duration}: {done} of {of} platforms succeeded"
    return _line(execution.error or "The run ended without a reason.")


def _failures(execution: Execution) -> list[dict[str, str]]:
    """The platforms that got no post, and why."""
    results = (execution.output or {}).get("results") or []
    return [
        {
            "platform": NAMES.get(result["platformType"], result["platformType"]),
            "error": _line(result.get("error") or "no reason was given"),
        }
        for result in results
        if not result["success"]
    ]


def _when(job: Job) -> str | None:
    """`Saturday, 4 October 2025 at 9:00 AM UTC`, in the job's zone; None while no run is planned."""
    if job.next_run_at is None:
        return None
    local = job.next_run_at.astimezone(zones.zone(job.timezone))
    return f"{local:%A}, {local.day} {local:%B %Y} at {local.hour % 12 or 12}:{local:%M %p} {job.timezone}"


def _line(text: str) -> str:
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
