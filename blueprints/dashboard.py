"""All jobs at a glance."""

from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, request
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from blueprints import htmx, pages_cards, pages_glance, pages_overview
from blueprints.pages_overview import Asked, Overview

bp = Blueprint("dashboard", __name__)
PAGE = "dashboard/page.html"


@bp.get("/dashboard")
@login_required
def show() -> Response:
    return htmx.page(PAGE, "found", seen=_seen(), sorts=pages_overview.SORTS)


@bp.get("/dashboard/changes")
@login_required
def changes() -> Response:
    """One poll for the whole page: what changed since it was shown, nothing while nothing has."""
    glance = pages_glance.dashboard(current_user)
    if htmx.looked(glance):
        return htmx.unchanged(glance)
    seen, shown = _seen(), request.args.get("v", "")
    if shown == seen.versions:
        return htmx.unchanged(glance)
    parts = [htmx.block(PAGE, "pulse", seen=seen)]
    if shown[4:8] != seen.top:
        parts += [htmx.block(PAGE, block, seen=seen, apart=True) for block in ("top", "chips")]
    if shown[:4] != seen.order or len(shown) != len(seen.versions):
        parts.append(htmx.block(PAGE, "list", seen=seen, apart=True))
    else:
        parts += _cards(seen, shown)
    return htmx.stamped(_html("".join(parts)), glance, seen.versions)


def _cards(seen: Overview, shown: str) -> list[str]:
    """Those that show something else than what the poll named, each in its place."""
    block, now = "row" if seen.asked.view == "list" else "card", seen.versions
    return [
        htmx.block(PAGE, block, card=card, seen=seen, apart=True)
        for at, card in enumerate(seen.cards)
        if shown[8 + 4 * at : 12 + 4 * at] != now[8 + 4 * at : 12 + 4 * at]
    ]


def _seen() -> Overview:
    return pages_overview.overview(current_user, Asked.of(request.args))


def answer(fresh: pages_cards.Card, status: int = 200) -> Response:
    """The card where its button was pressed, and what tops the page."""
    seen = pages_overview.overview(current_user, Asked.of(_address()))
    block = "row" if seen.asked.view == "list" else "card"
    html = htmx.block(PAGE, block, card=fresh, seen=seen)
    around = [htmx.block(PAGE, block, seen=seen, apart=True) for block in ("top", "chips", "pulse")]
    return _html(html + "".join(around), status)


def _address() -> dict[str, str]:
    """What the address of the page says on which the button was pressed."""
    return dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query))


def _html(html: str, status: int = 200) -> Response:
    return Response(html, status, content_type="text/html; charset=utf-8")
