"""Whether it works, for whoever watches: /healthz for probes, /metrics for Prometheus. No sign-in."""

from typing import Any

from flask import Blueprint, jsonify, make_response, request
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from blueprints.extensions import db
from lib import clock
from models import LIVE, Execution, Pulse
from tasks.queue import huey, queue_errors

health = Blueprint("health", __name__)
PREFIX = "repocast"


@health.get("/healthz")
def healthz() -> Response:
    found = _vitals()
    ok = found["queue"] is not None
    body = {
        "status": "ok" if ok else "error",
        "database": "ok",
        "queue": "ok" if ok else "unreachable",
        "queueLength": found["queue"],
        "lastTick": clock.iso(found["tick"]),
        "tickAge": found["age"],
    }
    return make_response(jsonify(body), 200 if ok else 503)


@health.get("/metrics")
def metrics() -> Response:
    found = _vitals()
    live = {str(status): 0 for status in LIVE}
    rows = select(Execution.status, func.count()).where(Execution.status.in_(LIVE)).group_by(Execution.status)
    live |= {row[0]: row[1] for row in db.session.execute(rows)}
    lines = [
        *_gauge("database_up", "Whether the database answers.", 1),
        *_gauge("queue_up", "Whether the queue answers.", int(found["queue"] is not None)),
        *_gauge("queue_length", "Tasks that wait for a worker.", found["queue"]),
        *_gauge("last_tick_age_seconds", "Seconds since the scheduler's last tick.", found["age"]),
        f"# HELP {PREFIX}_executions Executions that have not ended.",
        f"# TYPE {PREFIX}_executions gauge",
        *(f'{PREFIX}_executions{{status="{status}"}} {count}' for status, count in live.items()),
    ]
    return _text(lines, 200 if found["queue"] is not None else 503)


@health.errorhandler(SQLAlchemyError)
def no_database(_error: SQLAlchemyError) -> Response:
    """Also when it fails before the view, where the request's transaction is opened."""
    if request.endpoint == "health.metrics":
        return _text(_gauge("database_up", "Whether the database answers.", 0), 503)
    return make_response(jsonify({"status": "error", "database": "unreachable"}), 503)


def _vitals() -> dict[str, Any]:
    tick = db.session.scalar(select(Pulse.at).where(Pulse.name == "tick"))
    age = None if tick is None else round((clock.now() - tick).total_seconds(), 3)
    return {"tick": tick, "age": age, "queue": _queue_length()}


def _queue_length() -> int | None:
    try:
        return int(huey.storage.queue_size())
    except queue_errors():
        return None


def _gauge(name: str, about: str, value: float | None) -> list[str]:
    """Nothing where there is no value: an absent figure is not a zero."""
    if value is None:
        return []
    full = f"{PREFIX}_{name}"
    return [f"# HELP {full} {about}", f"# TYPE {full} gauge", f"{full} {value}"]


def _text(lines: list[str], status: int) -> Response:
    kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return make_response("\n".join([*lines, ""]), status, kind)
