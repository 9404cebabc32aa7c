"""Time zones for a field that searches them while somebody types."""

from flask import Blueprint, jsonify, request
from flask_login import current_user, login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from blueprints.extensions import db
from lib import clock, places
from models import Job

USED = 5
"""How many zones of the person's own jobs are offered first."""
bp = Blueprint("zones", __name__)


@bp.get("/zones")
@login_required
def suggest() -> Response:
    """At most twenty that fit `q`: `own`, which is the browser's, before others, then those of the person's
    jobs and account. Where nothing is typed, these alone."""
    used = (
        select(Job.timezone)
        .where(Job.user_id == current_user.id)
        .group_by(Job.timezone)
        .order_by(func.max(Job.created_at).desc())
        .limit(USED)
    )
    first = [request.args.get("own", ""), *db.session.scalars(used), current_user.timezone, "UTC"]
    found = places.find(request.args.get("q", ""), clock.now(), first)
    return jsonify([{"name": place.name, "about": place.about} for place in found])
