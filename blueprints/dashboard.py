"""All jobs at a glance."""

from flask import Blueprint, render_template, request
from flask_login import current_user, login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import htmx, pages_cards, pages_cost
from blueprints.extensions import db
from models import Job, Project

bp = Blueprint("dashboard", __name__)
PAGE = "dashboard/page.html"


@bp.get("/dashboard")
@login_required
def show() -> str:
    shown = pages_cards.cards(current_user.id)
    projects = db.session.scalars(
        select(Project).where(Project.user_id == current_user.id).order_by(Project.name, Project.id)
    ).all()
    truth, warned = pages_cards.truth(current_user.id), pages_cost.warnings(projects)
    return render_template(PAGE, cards=shown, projects=projects, truth=truth, budgets=warned)


@bp.get("/dashboard/cards/<job_id>")
@login_required
def card(job_id: str) -> Response:
    """A live card asks for itself; it is told nothing while nothing has changed."""
    job = db.session.get(Job, job_id)
    if job is None or job.user_id != current_user.id:
        return htmx.gone()
    fresh = pages_cards.card(job)
    if request.args.get("v") == htmx.version(fresh):
        return htmx.unchanged()
    return answer(fresh)


def answer(fresh: pages_cards.Card, status: int = 200) -> Response:
    """The card and the sentence that tops the page."""
    truth = pages_cards.truth(current_user.id)
    html = htmx.block(PAGE, "card", card=fresh) + htmx.block(PAGE, "truth", truth=truth, apart=True)
    return Response(html, status, content_type="text/html; charset=utf-8")
