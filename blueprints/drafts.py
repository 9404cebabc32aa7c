"""Drafts: the list, and one to read."""

from flask import Blueprint, render_template, request
from flask_login import current_user, login_required
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from blueprints import view
from blueprints.access import owned
from blueprints.extensions import db
from blueprints.pages_paging import older_than, older_url, split
from blueprints.pages_preview import rendered
from models import Draft, Execution, Job
from platforms import NAMES

bp = Blueprint("drafts", __name__, url_prefix="/drafts")
PAGE_SIZE = 20
STATES = {
    "DRAFT": view.Mark("wait", "Waits for review", "live"),
    "APPROVED": view.Mark("ok", "Approved", "ok"),
    "REJECTED": view.Mark("stop", "Rejected", "quiet"),
    "PUBLISHED": view.Mark("ok", "Published", "ok"),
}


@bp.get("")
@login_required
def index() -> str:
    chosen = request.args.get("job")
    query = (
        select(Draft)
        .join(Draft.execution)
        .join(Execution.job)
        .options(
            contains_eager(Draft.execution).contains_eager(Execution.job).load_only(Job.name, Job.timezone)
        )
        .where(Draft.user_id == current_user.id, older_than(Draft, request.args.get("cursor")))
        .order_by(Draft.created_at.desc(), Draft.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if chosen:
        query = query.where(Execution.job_id == chosen)
    rows, further = split(list(db.session.scalars(query)), PAGE_SIZE)
    job = db.session.get(Job, chosen) if chosen and rows else None
    return render_template(
        "drafts/list.html",
        drafts=[_line(draft) for draft in rows],
        job=job,
        is_filtered=bool(chosen or request.args.get("cursor")),
        older=older_url(further),
    )


def _line(draft: Draft) -> dict[str, object]:
    first = draft.content.strip().partition("\n")[0]
    return {
        "id": draft.id,
        "title": draft.title or first[:120],
        "platform": NAMES.get(draft.platform_type, draft.platform_type),
        "mark": STATES[draft.state],
        "job": draft.execution.job.name,
        "at": view.past(draft.created_at, draft.execution.job.timezone, named=True),
        "checks": len(draft.checks),
    }


@bp.get("/<draft_id>")
@login_required
def show(draft_id: str) -> str:
    draft = owned(Draft, draft_id)
    options = joinedload(Execution.job).joinedload(Job.project)
    execution = db.session.get_one(Execution, draft.execution_id, options=[options])
    return render_template(
        "drafts/page.html",
        draft=draft,
        execution=execution,
        platform=NAMES.get(draft.platform_type, draft.platform_type),
        mark=STATES[draft.state],
        at=view.exactly(draft.created_at, execution.job.timezone),
        preview=rendered(draft.content) if draft.platform_type != "LINKEDIN" else None,
    )
