"""Outcome -> what its owner is told: a row in the app, a mail in the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from lib import words
from models.execution import Execution
from models.notification import DigestEntry, EmailDelivery, Notification
from models.user import User
from models.values import Outcome
from pipeline.letters import line, post_mail, story_of
from pipeline.wishes import EVENT_OF, Way, Wishes

_TYPES = {
    Outcome.SUCCESS: "JOB_SUCCESS",
    Outcome.PARTIAL: "JOB_PARTIAL",
    Outcome.FAILED: "JOB_FAILED",
    Outcome.TIMEOUT: "JOB_TIMEOUT",
}
ICONS = {
    "JOB_SUCCESS": "✅",
    "JOB_PARTIAL": "⚠️",
    "JOB_FAILED": "❌",
    "JOB_TIMEOUT": "❌",
    "JOB_RECOVERED": "✅",
    "JOB_PAUSED": "⏸️",
    "DRAFTS_WAIT": "📝",
    "TOKEN_EXPIRES": "🔑",
}
"""As a mail's subject begins with them."""
_TOLD = {"ALL": frozenset(_TYPES), "PROBLEMS": frozenset(_TYPES) - {Outcome.SUCCESS}, "NONE": frozenset()}


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
    out, or kept for a digest, and nothing is mailed to an address not yet shown to be theirs. `base_url`:
    where people reach the app, without a slash at its end. `posts`: the drafts that wait for the owner.
    Returns the mails, to be delivered after the commit.
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
    story = story_of(execution, outcome, base_url) | {"posts": [_named(post) for post in posts]}
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
    way = wishes.by_mail(mailed, is_change=is_change)
    if user.verified_at is None or way is Way.NONE:
        return []
    if way is Way.DIGEST:
        title, said = story["title"], _message(execution, outcome)
        if paused:
            title, said = story["paused_title"], f"{said} {story['paused']}"
        entry = _digested(user, mailed, title, said, story["link"])
        entry.job, entry.posts = story["job"], _results(story)
        session.add(entry)
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
    wishes, title = Wishes.of(user), line(story["title"])
    if wishes.in_app(kind):
        session.add(Notification(user_id=user_id, type=kind, title=title, message=line(message), link=link))
    way = wishes.by_mail(kind)
    if user.verified_at is None or way is Way.NONE:
        return []
    if way is Way.DIGEST:
        session.add(_digested(user, kind, title, line(message), story["link"]))
        return []
    return [post_mail(session, user, template, event=EVENT_OF[kind], **story)]


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
    mail = post_mail(session, user, template, event=EVENT_OF[kind], **story)
    mail.execution_id = execution.id
    return mail


def _digested(user: User, kind: str, title: str, message: str, link: str) -> DigestEntry:
    return DigestEntry(
        user_id=user.id,
        event=EVENT_OF[kind],
        job="",
        icon=ICONS[kind],
        title=title,
        message=message,
        link=link,
        posts=[],
    )


def _results(story: dict[str, Any]) -> list[dict[str, str]]:
    """Of each platform: where its post is read, or why there is none."""
    posts = [{"platform": post.platform, "title": post.title, "link": post.link} for post in story["posts"]]
    return posts + [dict(failure) for failure in story["failures"]]


def is_recovery(execution: Execution, notify: str, told_outcome: str | None) -> bool:
    """Whether this is the first success since a failure that the owner was told of: it ends that story, and
    so is told to who hears of problems only."""
    failed = told_outcome in (Outcome.FAILED, Outcome.TIMEOUT)
    return failed and notify != "NONE" and not execution.dry_run and execution.outcome == Outcome.SUCCESS


def is_told(execution: Execution, notify: str) -> bool:
    """Whether the owner who chose `notify` (ALL, PROBLEMS, NONE) hears of this end."""
    return not execution.dry_run and execution.outcome in _TOLD[notify]


def _named(post: Waiting) -> Waiting:
    return replace(post, title=words.cut(line(post.title), 120))


def _message(execution: Execution, outcome: Outcome) -> str:
    duration = words.duration(execution.duration or 0)
    if outcome is Outcome.SUCCESS:
        return f"Execution completed successfully in {duration}"
    if outcome is Outcome.PARTIAL:
        done, of = execution.items_success, execution.items_processed
        return f"Execution completed with errors in {duration}: {done} of {of} platforms succeeded"
    return line(execution.error or "The run ended without a reason.")
