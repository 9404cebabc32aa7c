"""One execution: live while it runs, and what its owner may do to it."""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from blueprints import execution_detail, htmx, jobs, pages_execution, pages_glance, pages_receipt
from blueprints.access import owned, tariff
from blueprints.extensions import db
from models import Execution
from pipeline import control
from pipeline.bells import Bell
from tasks import queue

bp = Blueprint("executions", __name__, url_prefix="/executions/<execution_id>")
PAGE = "executions/page.html"


@bp.get("")
@login_required
def show(execution_id: str) -> Response:
    is_poll = htmx.asked() and "v" in request.args
    glance = pages_glance.execution(current_user, execution_id) if is_poll else None
    if htmx.looked(glance):
        return htmx.unchanged(glance)
    shown = pages_execution.load(execution_id)
    if is_poll and request.args["v"] == htmx.version(shown):
        return htmx.unchanged(glance)
    return htmx.stamped(htmx.page(PAGE, "live", run=shown), glance, htmx.version(shown))


@bp.get("/raw")
@login_required
def raw(execution_id: str) -> str:
    execution = owned(Execution, execution_id)
    return render_template("executions/raw.html", run=execution, raw=pages_receipt.raw(execution))


@bp.get("/execution.json")
@login_required
def whole(execution_id: str) -> Response:
    shown = pages_receipt.masked(execution_detail.detail(owned(Execution, execution_id)))
    return pages_receipt.file(shown, f"repocast-execution-{execution_id}.json")


@bp.get("/receipt")
@login_required
def paper(execution_id: str) -> str:
    shown = pages_execution.load(execution_id)
    posts = pages_receipt.posts(db.session.get_one(Execution, execution_id))
    return render_template("executions/receipt.html", run=shown, posts=posts)


@bp.get("/receipt.json")
@login_required
def receipt(execution_id: str) -> Response:
    shown = pages_receipt.receipt(owned(Execution, execution_id))
    return pages_receipt.file(shown, f"repocast-receipt-{execution_id}.json")


@bp.post("/cancel")
@login_required
def cancel(execution_id: str) -> Response:
    def order(execution: Execution) -> tuple[Execution, list[Bell]]:
        return control.cancel(db.session(), execution), []

    return _ordered(execution_id, order, "The execution is cancelled.")


@bp.post("/retry")
@login_required
def retry(execution_id: str) -> Response:
    def order(execution: Execution) -> tuple[Execution, list[Bell]]:
        return control.retry(db.session(), execution, tariff())

    return _ordered(execution_id, order, "It is tried again.")


def _ordered(
    execution_id: str, order: Callable[[Execution], tuple[Execution, list[Bell]]], said: str
) -> Response:
    """Do it and show the execution that came of it, or the card or job at which the button was; where it
    cannot be done, say why in its place."""
    execution = owned(Execution, execution_id)
    at_job = "from" in request.form
    try:
        execution, bells = order(execution)
    except control.ConflictError as error:
        return _refused(owned(Execution, execution_id), error.message, at_job)
    queue.ring(bells)
    if at_job:
        return jobs.shown(execution.job, said)
    if execution.id != execution_id or not htmx.asked():
        return htmx.go(url_for("executions.show", execution_id=execution.id), said)
    return htmx.page(PAGE, "live", run=pages_execution.page(execution))


def _refused(execution: Execution, said: str, at_job: bool) -> Response:
    if at_job:
        return jobs.shown(execution.job, said, 409)
    if not htmx.asked():
        return htmx.go(url_for("executions.show", execution_id=execution.id), said)
    shown = pages_execution.page(execution)
    return htmx.say(htmx.page(PAGE, "live", 409, run=shown), said)
