"""htmx: whether it asks, the block it asked for, and the answers it understands."""

import json
import zlib
from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

Context = dict[str, Any]
GLANCE = "X-Glance"


def asked() -> bool:
    """Whether htmx sent this request and wants a fragment."""
    return request.headers.get("HX-Request") == "true"


def block(template_name: str, name: str, **context: Any) -> str:
    """One block of a page, rendered alone."""
    template = current_app.jinja_env.get_template(template_name)
    current_app.update_template_context(context)
    return "".join(template.blocks[name](template.new_context(context)))


def page(template_name: str, name: str, status: int = 200, **context: Any) -> Response:
    """The block `name` for htmx, the page around it for everybody else."""
    if asked():
        return make_response(block(template_name, name, **context), status)
    return make_response(render_template(template_name, **context), status)


def version(shown: object) -> str:
    """What a live fragment sends along; it is the same while the fragment would show the same."""
    return f"{zlib.crc32(repr(shown).encode()):08x}"


def looked(glance: str | None) -> bool:
    """Whether the poll was told before that what it shows is up to date at this very glance
    (blueprints/pages_glance.py)."""
    return glance is not None and request.headers.get(GLANCE) == _stamp(glance)


def unchanged(glance: str | None = None) -> Response:
    """Nothing new to show. The page sends the stamp of `glance` along with its next poll (static/live.js)."""
    return make_response("", 204, {} if glance is None else {GLANCE: _stamp(glance)})


def stamped(response: Response, glance: str | None, shown: str) -> Response:
    """With the stamp for what the response shows instead, whose version is `shown`."""
    if glance is not None:
        response.headers[GLANCE] = version((glance, shown))
    return response


def _stamp(glance: str) -> str:
    """It counts for what this poll shows, and nothing else that its fragment may show later."""
    return version((glance, request.args.get("v")))


def gone() -> Response:
    """What the fragment showed does not exist any more: it leaves the page, and so ends its polling."""
    return make_response("", 200, {"HX-Reswap": "delete"})


def go(target: str, said: str | None = None) -> Response:
    """On to another page, with a sentence shown there."""
    if said:
        flash(said)
    if asked():
        return make_response("", 204, {"HX-Redirect": target})
    return redirect(target, 303)


def say(response: Response, sentence: str) -> Response:
    """Let the page show a sentence, beside whatever the response swaps."""
    response.headers["HX-Trigger"] = json.dumps({"say": sentence})
    return response
