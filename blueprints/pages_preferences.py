"""What a person is told, as the page of preferences shows it, and what became of the newest test message."""

from typing import Any

from flask import request
from flask_login import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from blueprints import forms, htmx, pages_mail, view
from blueprints.access import settings
from blueprints.extensions import db
from lib.cron import WEEKDAYS
from lib.words import plural
from models import DigestEntry, EmailDelivery
from pipeline import trial
from pipeline.wishes import EVENTS, Wishes

PAGE = "notifications/preferences.html"
PACES = (
    ("EACH", "Each at once"),
    ("DAILY", "Once a day"),
    ("WEEKLY", "Once a week"),
    ("NONE", "Not at all"),
)
DAYS = [(str(day), WEEKDAYS[day]) for day in (1, 2, 3, 4, 5, 6, 0)]


def page(
    block: str = "preferences", errors: forms.Errors | None = None, status: int = 200, refused: str = ""
) -> Response:
    """The page; for htmx the block of what it sent. `errors`: of what was typed; `refused`: why no test
    message was sent."""
    form, ticked = _stored()
    if errors:
        form = forms.typed()
        ticked = {(channel, event) for channel in ("app", "email") for event in form.getlist(channel)}
    return htmx.page(
        PAGE,
        block,
        status,
        form=form,
        errors=errors or forms.no_errors(),
        events=[
            (event, said, ("app", event) in ticked, ("email", event) in ticked)
            for event, said in EVENTS.items()
        ],
        paces=PACES,
        hours=_hours(),
        days=DAYS,
        truth=_truth(),
        digest=_digest(),
        test=_test(),
        refused=refused,
    )


def form_values() -> dict[str, Any]:
    """The form as the API's body; a box that is not ticked is not sent, so what is absent is switched off."""
    sent = request.form
    values: dict[str, Any] = {
        "events": {
            event: {channel: event in sent.getlist(channel) for channel in ("app", "email")}
            for event in EVENTS
        },
        "onlyChanges": "onlyChanges" in sent,
    }
    if "pace" in sent:
        values |= {"pace": sent["pace"], "urgentAtOnce": "urgentAtOnce" in sent}
    for name in ("hour", "weekday"):
        if name in sent:
            values[name] = int(sent[name]) if sent[name].isdecimal() and len(sent[name]) < 3 else sent[name]
    return values


def _stored() -> tuple[forms.Filled, set[tuple[str, str]]]:
    wishes = Wishes.of(current_user)
    form = forms.Filled(
        {
            "onlyChanges": "on" if wishes.only_changes else "",
            "pace": wishes.pace.value,
            "hour": str(wishes.hour),
            "weekday": str(wishes.weekday),
            "urgentAtOnce": "on" if wishes.urgent_at_once else "",
        }
    )
    off = {"app": wishes.app_off, "email": wishes.email_off}
    return form, {
        (channel, event) for channel, events in off.items() for event in EVENTS if event not in events
    }


def _hours() -> list[tuple[str, str]]:
    if current_user.time_format == "24":
        return [(str(hour), f"{hour}:00") for hour in range(24)]
    return [(str(hour), f"{hour % 12 or 12}:00 {'AM' if hour < 12 else 'PM'}") for hour in range(24)]


def _truth() -> str:
    if current_user.verified_at is None:
        return f"Nothing is mailed to {current_user.email} until the address is verified; the app tells all."
    return f"Mails go to {current_user.email}."


def _digest() -> tuple[view.Moment, str] | None:
    """When the next digest comes, and how much waits for it; None without one."""
    if current_user.digest_at is None:
        return None
    mine = select(func.count()).select_from(DigestEntry).where(DigestEntry.user_id == current_user.id)
    count = db.session.scalar(mine) or 0
    waits = plural(count, "notification waits", "notifications wait") if count else "Nothing waits"
    return view.upcoming(current_user.digest_at, current_user.timezone), waits


def test_version() -> str:
    """Of what the page shows of the test message."""
    return str(_test()["version"])


def _test() -> dict[str, Any]:
    """What became of the newest test message; `busy` while it is still on its way."""
    mine = select(EmailDelivery).where(
        EmailDelivery.user_id == current_user.id, EmailDelivery.event == trial.EVENT
    )
    row = db.session.scalar(mine.order_by(EmailDelivery.created_at.desc()).limit(1))
    line = pages_mail.line_of(row, current_user.timezone) if row is not None else None
    return {
        "version": htmx.version(line),
        "line": line,
        "busy": row is not None and row.status == "PENDING",
        "arrived": line is not None and line.mark in (pages_mail.SENT, pages_mail.SAVED),
        "saved": line is not None and line.mark is pages_mail.SAVED,
        "can": current_user.verified_at is not None,
        "files": settings().mail_server is None,
    }
