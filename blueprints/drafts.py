"""Drafts: the list, and one to read, edit, compare, decide and take along."""

from collections.abc import Callable

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from blueprints import forms, forms_draft, htmx, pages_draft, pages_drafts, present
from blueprints.access import owned, tariff
from blueprints.extensions import db
from blueprints.inputs import InputError
from blueprints.pages_compare import compared
from blueprints.pages_draft import Conflict
from lib.words import plural
from models import Draft, DraftState
from pipeline import drafts, regenerate
from pipeline.control import ConflictError
from pipeline.drafts import DraftConflictError
from pipeline.giveback import give_back
from tasks import queue

bp = Blueprint("drafts", __name__, url_prefix="/drafts")
PAGE = "drafts/page.html"
SAVED, ORDER = "drafts/_saved.html", "drafts/_order.html"
BESIDE = (
    *((PAGE, "top"), (PAGE, "notes"), ("drafts/_preview.html", "preview")),
    *(("drafts/_sources.html", "sources"), ("drafts/_counts.html", "counts")),
    ("drafts/_versions.html", "versions"),
)
"""What an edit may change beside the form itself."""
Act = Callable[[str, int], str]
"""What is done with a draft at a version; the sentence that says so."""


@bp.get("")
@login_required
def index() -> str:
    return render_template("drafts/list.html", shown=pages_drafts.drafts())


@bp.get("/<draft_id>")
@login_required
def show(draft_id: str) -> str:
    return render_template(PAGE, draft=pages_draft.page(owned(Draft, draft_id)))


@bp.post("/<draft_id>")
@login_required
def save(draft_id: str) -> Response:
    return _acted(draft_id, lambda _id, _version: "Saved.")


@bp.post("/<draft_id>/autosave")
@login_required
def autosave(draft_id: str) -> Response:
    """Save what is typed so far, and show what that changes around the form; the form itself stays."""
    try:
        version, changes = forms_draft.typed()
        drafts.edit(db.session(), owned(Draft, draft_id).id, version, changes)
    except InputError as error:
        return _around(draft_id, 422, errors=forms.errors_of(error))
    except DraftConflictError as error:
        return _around(draft_id, 409, conflict=_conflict(error))
    return _around(draft_id)


@bp.post("/<draft_id>/approve")
@login_required
def approve(draft_id: str) -> Response:
    def act(row_id: str, version: int) -> str:
        drafts.approve(db.session(), row_id, version)
        return f"Version {version} is approved."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/reject")
@login_required
def reject(draft_id: str) -> Response:
    def act(row_id: str, version: int) -> str:
        drafts.reject(db.session(), row_id, version)
        return "The draft is rejected. What it told stays told, unless you let it be told again."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/regenerate")
@login_required
def write_anew(draft_id: str) -> Response:
    def act(row_id: str, version: int) -> str:
        _, bells = regenerate.order(db.session(), row_id, forms_draft.instruction(), version, tariff())
        queue.ring(bells)
        return "The draft is being written anew."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/restore/<int:number>")
@login_required
def restore(draft_id: str, number: int) -> Response:
    def act(row_id: str, version: int) -> str:
        drafts.restore(db.session(), row_id, version, number)
        return f"Version {number} is the text again."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/reopen")
@login_required
def reopen(draft_id: str) -> Response:
    def act(row_id: str, _version: int) -> str:
        drafts.reopen(db.session(), row_id)
        return "The draft waits for review again."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/regenerate/cancel")
@login_required
def cancel_writing(draft_id: str) -> Response:
    def act(row_id: str, _version: int) -> str:
        regenerate.cancel(db.session(), row_id)
        return "It is cancelled; the text stays as it is."

    return _acted(draft_id, act)


@bp.post("/<draft_id>/give-back")
@login_required
def tell_again(draft_id: str) -> Response:
    """What a rejected draft told goes back to its job."""
    row_id = owned(Draft, draft_id).id
    db.session.rollback()  # the job is locked first
    try:
        count = give_back(db.session(), row_id)
        db.session.commit()
        said = f"{plural(count, 'item')} given back: the job's next run tells them again."
    except ConflictError as error:
        db.session.rollback()
        said = error.message
    return htmx.go(url_for("drafts.show", draft_id=row_id), said)


@bp.get("/<draft_id>/order")
@login_required
def order(draft_id: str) -> Response:
    """How writing it anew stands; what has ended polls no more."""
    draft = owned(Draft, draft_id)
    if htmx.asked() and request.args.get("v") == htmx.version(pages_draft.order_of(draft)):
        return htmx.unchanged()
    shown = pages_draft.page(draft)
    if htmx.asked():
        return make_response(htmx.block(ORDER, "order", draft=shown))
    return make_response(render_template(PAGE, draft=shown))


@bp.get("/<draft_id>/compare")
@login_required
def compare(draft_id: str) -> str:
    draft = owned(Draft, draft_id)
    try:
        old = forms_draft.number(request.args.get("old", "1"), "old")
        new = forms_draft.number(request.args.get("new", str(draft.version)), "new")
    except InputError:
        abort(404)
    shown = compared(draft, old, new)
    return render_template("drafts/compare.html", shown=shown)


@bp.get("/<draft_id>/export")
@login_required
def export(draft_id: str) -> Response:
    row = owned(Draft, draft_id)
    file = present.export(row)
    return make_response(file.text, 200, present.file_headers(row, file))


def _acted(draft_id: str, act: Act) -> Response:
    """Save what is typed, then act on that; where either cannot be done, say why and keep what was typed."""
    row_id = owned(Draft, draft_id).id
    try:
        version, changes = forms_draft.typed()
        if changes:
            over = "over" in request.form
            version = drafts.edit(db.session(), row_id, version, changes, is_over=over).version
        said = act(row_id, version)
    except InputError as error:
        return _whole(row_id, 422, errors=forms.errors_of(error))
    except DraftConflictError as error:
        return _whole(row_id, 409, conflict=_conflict(error))
    return htmx.go(url_for("drafts.show", draft_id=row_id), said)


def _conflict(error: DraftConflictError) -> Conflict:
    """Saving over what stands there helps where that is a later version of a draft that waits."""
    draft = error.draft
    helps = draft is not None and draft.state == DraftState.DRAFT and "content" in request.form
    return Conflict(
        error.message, draft.version if draft is not None and helps and not error.broken else None
    )


def _whole(draft_id: str, status: int, **about: object) -> Response:
    db.session.rollback()
    form = forms.typed() if "content" in request.form else None
    shown = pages_draft.page(owned(Draft, draft_id), form, **about)  # type: ignore[arg-type]
    return make_response(render_template(PAGE, draft=shown), status)


def _around(draft_id: str, status: int = 200, **about: object) -> Response:
    db.session.rollback()
    shown = pages_draft.page(owned(Draft, draft_id), forms.typed(), **about)  # type: ignore[arg-type]
    html = htmx.block(SAVED, "saved", draft=shown)
    if status == 200:
        html += "".join(htmx.block(file, name, draft=shown, apart=True) for file, name in BESIDE)
    return make_response(html, status)
