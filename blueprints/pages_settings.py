"""What the settings page shows: the account, its sessions and its tokens, as finished values."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import forms, htmx, sessions, view
from blueprints.access import settings
from blueprints.extensions import db
from blueprints.view import Moment
from lib import clock, zones
from models import ApiToken, UserSession

PAGE = "settings/page.html"
HOURS = (("12", "12 hours, 9:00 PM"), ("24", "24 hours, 21:00"))
THEMES = (("auto", "As the device"), ("light", "Light"), ("dark", "Dark"))
EXPIRIES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    agent: str
    ip: str
    begun: Moment
    seen: Moment
    is_this: bool


@dataclass(frozen=True, slots=True)
class Token:
    """`ends` is None where it never does."""

    id: str
    name: str
    scope: str
    created: Moment
    used: Moment | None
    ends: Moment | None
    has_ended: bool


def page(
    block: str, errors: forms.Errors | None = None, status: int = 200, secret: str | None = None
) -> Response:
    """The page; for htmx the block of the form that it sent. `errors`: of what was typed there."""
    mine = select(ApiToken).where(ApiToken.user_id == current_user.id).order_by(ApiToken.created_at.desc())
    return htmx.page(
        PAGE,
        block,
        status,
        form=_form(typed=errors is not None),
        errors=errors or forms.no_errors(),
        at=block,
        secret=secret,
        hours=HOURS,
        themes=THEMES,
        expiries=EXPIRIES,
        zones=zones.names(),
        sessions=[_session(row) for row in sessions.of(current_user.id)],
        tokens=[_token(row) for row in db.session.scalars(mine)],
        mails_are_files=settings().mail_server is None,
    )


def _form(*, typed: bool) -> forms.Filled:
    """What is stored; in the form that was sent, what was typed."""
    stored = {
        "fullName": current_user.name,
        "timezone": current_user.timezone,
        "timeFormat": current_user.time_format,
        "theme": current_user.theme,
    }
    form = forms.Filled(stored | {"canWrite": "on"})
    if typed:
        if "name" in request.form:  # an absent switch is off
            form.pop("canWrite")
        for name, value in request.form.items():
            form[name] = value
    return form


def _session(row: UserSession) -> Session:
    return Session(
        id=row.id,
        agent=row.agent or "An unknown browser",
        ip=row.ip,
        begun=_past(row.created_at),
        seen=_past(row.last_seen_at),
        is_this=row.id == sessions.this(),
    )


def _token(row: ApiToken) -> Token:
    return Token(
        id=row.id,
        name=row.name or "Unnamed",
        scope="Reads and writes" if row.can_write else "Reads only",
        created=_past(row.created_at),
        used=_past(row.last_used_at) if row.last_used_at else None,
        ends=view.dated(row.expires_at, current_user.timezone) if row.expires_at else None,
        has_ended=row.expires_at is not None and row.expires_at <= clock.now(),
    )


def _past(instant: datetime) -> Moment:
    return view.past(instant, current_user.timezone, named=True)
