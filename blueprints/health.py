"""Whether it works, for whoever watches: /healthz for probes, /metrics for Prometheus. No sign-in."""

from typing import Any

from flask import Blueprint, jsonify, make_response, request
from sqlalchemy import Select, case, func, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from blueprints import scheduler
from blueprints.extensions import db
from lib import clock
from models import LIVE, EmailDelivery, Execution, unended
from models.values import Status
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
        "scheduler": scheduler.state(found["tick"]),
        "waiting": found["waiting"],
        "oldestWaiting": found["oldest"],
    }
    return make_response(jsonify(body), 200 if ok else 503)


@health.get("/metrics")
def metrics() -> Response:
    found = _vitals()
    live, mails = _live(), _mails()
    lines = [
        *_gauge("database_up", "Whether the database answers.", 1),
        *_gauge("queue_up", "Whether the queue answers.", int(found["queue"] is not None)),
        *_gauge("queue_length", "Tasks that wait for a worker.", found["queue"]),
        *_gauge("last_tick_age_seconds", "Seconds since the scheduler's last tick.", found["age"]),
        *_gauge("executions_waiting", "Executions that wait for a worker.", found["waiting"]),
        *_gauge("oldest_waiting_seconds", "Seconds that the longest of them has waited.", found["oldest"]),
        *_gauge("mails_pending", "Mails that no server has taken yet.", mails[0]),
        *_gauge("mails_oldest_seconds", "Seconds that the oldest of them has waited.", mails[1]),
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
    tick = db.session.scalar(select(scheduler.last_tick()))
    waiting, oldest = _waiting()
    age = scheduler.age(tick) if tick else None
    return {"tick": tick, "age": age, "queue": _queue_length(), "waiting": waiting, "oldest": oldest}


def _waiting() -> tuple[int, float | None]:
    """How many executions a free worker would take, and the seconds that the longest of them has waited.

    What waits for its retry counts once that is due.
    """
    due = (Execution.status == Status.RETRYING) & (Execution.next_retry_at <= clock.now())
    since = case((Execution.status == Status.QUEUED, Execution.created_at), (due, Execution.next_retry_at))
    return _counted(select(func.count(since), func.min(since)).where(unended(Execution)))


def _mails() -> tuple[int, float | None]:
    pending = select(func.count(), func.min(EmailDelivery.created_at))
    return _counted(pending.where(EmailDelivery.status == "PENDING"))


def _counted(query: Select[int, Any]) -> tuple[int, float | None]:
    count, since = db.session.execute(query).one()
    return count, scheduler.age(since) if since else None


def _live() -> dict[str, int]:
    """How many there are in each state that has not ended."""
    rows = select(Execution.status, func.count()).where(unended(Execution)).group_by(Execution.status)
    return {str(status): 0 for status in LIVE} | {row[0]: row[1] for row in db.session.execute(rows)}


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
