"""Pages about the pages: the keyboard's shortcuts, and in development every piece of the design."""

from flask import Blueprint, abort, current_app, render_template
from werkzeug.wrappers import Response

from blueprints import htmx
from blueprints.access import settings
from blueprints.view import MARKS

bp = Blueprint("help", __name__)

KEYBOARD = (
    (
        "Go to",
        (
            (("g", "d"), "the dashboard"),
            (("g", "j"), "the jobs, the first one focused"),
            (("g", "r"), "the drafts to review"),
            (("g", "n"), "the notifications"),
            (("g", "s"), "the settings"),
            (("/",), "the search"),
        ),
    ),
    (
        "On a page",
        (
            (("j",), "the next card or row"),
            (("k",), "the one before"),
            (("t",), "Trigger Now: the focused job, or the page's"),
            (("e",), "edit it"),
            (("?",), "this list"),
        ),
    ),
)


@bp.get("/keyboard")
def keyboard() -> Response:
    return htmx.page("help/keyboard.html", "dialog", shown=KEYBOARD)


@bp.get("/design")
def design() -> str:
    """For whoever works on the pages; elsewhere there is no such page."""
    if not (current_app.debug or settings().design_page):
        abort(404)
    return render_template("help/design.html", marks=MARKS)
