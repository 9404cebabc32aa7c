"""Approval by the link of a mail: a page with the post and one button. Whoever holds the link needs no
password; it approves this version of this draft, once, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from blueprints import view
from blueprints.access import links
from blueprints.extensions import db, limiter
from blueprints.pages_claims import unmarked
from blueprints.pages_draft import STATES, Preview, preview_of
from blueprints.view import Mark
from lib.links import APPROVAL_LASTS, BrokenLinkError, ExpiredLinkError
from models import Draft, DraftState, Execution, Job
from pipeline import drafts
from pipeline.drafts import DraftConflictError
from platforms import NAMES

bp = Blueprint("approval", __name__)
PAGE = "drafts/approve.html"
BROKEN = "This link is not whole, or not one of ours. Copy the whole address from the mail, or sign in."
EXPIRED = f"This link has ended: it is good for {APPROVAL_LASTS.days} days. Sign in to review the draft."
GONE = "This draft was deleted meanwhile, so there is nothing left to approve."


@dataclass(frozen=True, slots=True)
class Approving:
    """`why_not` says what stands in the way of approving the version that the link is about."""

    id: str
    version: int
    platform: str
    project: str
    mark: Mark
    preview: Preview
    why_not: str


def _private(answer: Callable[[], Response]) -> Callable[[], Response]:
    """No search engine and no other site learns of the address. Our own pages get the origin as the referrer,
    which the check of forms wants to see over https."""

    @wraps(answer)
    def guarded() -> Response:
        response = answer()
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


@bp.get("/approve")
@limiter.limit("60 per minute")
@_private
def show() -> Response:
    """Changes nothing: mail programs open links to look for harm."""
    return _answer(request.args.get("token", ""))


@bp.post("/approve")
@limiter.limit("60 per minute")
@_private
def approve() -> Response:
    token = request.form.get("token", "")
    try:
        draft_id, version = links().approvable(token)
        drafts.approve(db.session(), draft_id, version)
    except (BrokenLinkError, ExpiredLinkError):
        return _answer(token)
    except DraftConflictError:
        db.session.rollback()
        return _answer(token, 409)
    flash("Approved. Thank you.")
    return redirect(url_for("approval.show", token=token), 303)


def _answer(token: str, conflict: int = 200) -> Response:
    """The page that the token leads to; `conflict` is the status where the draft cannot be approved."""
    try:
        draft_id, version = links().approvable(token)
    except BrokenLinkError:
        return _page(None, token, BROKEN, 404)
    except ExpiredLinkError:
        return _page(None, token, EXPIRED, 410)
    draft = db.session.get(Draft, draft_id, populate_existing=True)
    if draft is None:
        return _page(None, token, GONE, 410)
    shown = _approving(draft, version)
    return _page(shown, token, "", conflict if shown.why_not else 200)


def _page(shown: Approving | None, token: str, said: str, status: int) -> Response:
    return make_response(render_template(PAGE, shown=shown, token=token, said=said), status)


def _approving(draft: Draft, version: int) -> Approving:
    options = joinedload(Execution.job).joinedload(Job.project)
    execution = db.session.get_one(Execution, draft.execution_id, options=[options])
    project = execution.job.project.name
    return Approving(
        id=draft.id,
        version=version,
        platform=NAMES[draft.platform_type],
        project=project,
        mark=STATES[draft.state],
        preview=preview_of(draft, unmarked(draft), project),
        why_not=_why_not(draft, version),
    )


def _why_not(draft: Draft, version: int) -> str:
    when = view.relative(draft.decided_at) if draft.decided_at else ""
    if draft.state != DraftState.DRAFT:
        others = "" if draft.version == version else f", which the mail does not show: it told of {version}"
        return f"Version {draft.version} was {draft.state.lower()} {when}{others}."
    if draft.version != version:
        return (
            f"The draft was changed since the mail was sent: it is at version {draft.version} now, and this"
            f" link approves version {version} alone. Sign in to review it."
        )
    if found := drafts.broken(draft):
        name = NAMES[draft.platform_type]
        return f"{name} would not take it as it is: {' '.join(found)} Sign in to change it."
    return ""
