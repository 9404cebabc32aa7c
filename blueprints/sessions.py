"""Who is signed in where: one row per browser, looked up with its user at every request."""

import ipaddress
import re
import secrets
from datetime import timedelta

from flask import Flask, g, request, session
from flask_login import login_user
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from blueprints.extensions import db
from lib import clock
from lib.digests import digest
from models import User, UserSession
from pipeline.account import SESSION_LASTS

SEEN_EVERY = timedelta(minutes=5)
_BROWSERS = (
    ("Edge", "Edg/"),
    ("Opera", "OPR/"),
    ("Samsung Internet", "SamsungBrowser/"),
    ("Firefox", "Firefox/"),
    ("Firefox", "FxiOS/"),
    ("Chrome", "CriOS/"),
    ("Chrome", "Chrome/"),
    ("Safari", "Safari/"),
    ("curl", "curl/"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


def init_app(app: Flask) -> None:
    app.after_request(_seen)


def start(user: User, *, remember: bool = False) -> None:
    """Sign in with a cookie that is new, lest who planted the old one be signed in, too; commits."""
    secret = secrets.token_urlsafe(32)
    row = UserSession(
        id=digest(secret),
        user_id=user.id,
        agent=agent_words(request.headers.get("User-Agent", "")),
        ip=masked(request.remote_addr),
    )
    db.session.add(row)
    db.session.commit()
    session.clear()
    user.session_secret = secret
    login_user(user, remember=remember)


def find(secret: str) -> User | None:
    """The user of a cookie, or None where its session was ended."""
    found = db.session.execute(
        select(User, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id == digest(secret), UserSession.last_seen_at > clock.now() - SESSION_LASTS)
    ).first()
    if found is None:
        return None
    user, g.user_session = found
    user.session_secret = secret
    return user


def this() -> str | None:
    """The id of the session that asks."""
    row = g.get("user_session")
    return row.id if row else None


def end(user_id: str, session_id: str) -> bool:
    """End one of the user's; the caller commits."""
    gone = delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id)
    return bool(db.session.scalar(gone.returning(UserSession.id)))


def end_others(user_id: str) -> int:
    """End all of the user's but the one that asks; the caller commits. How many there were."""
    gone = delete(UserSession).where(UserSession.user_id == user_id, UserSession.id != (this() or ""))
    return len(list(db.session.scalars(gone.returning(UserSession.id))))


def of(user_id: str) -> list[UserSession]:
    """The user's, those used last first."""
    mine = select(UserSession).where(UserSession.user_id == user_id)
    return list(db.session.scalars(mine.order_by(UserSession.last_seen_at.desc(), UserSession.id).limit(100)))


def _seen(response: Response) -> Response:
    """Note that the session is in use, seldom; a database that is busy need not hear of it."""
    row, now = g.get("user_session"), clock.now()
    if row is None or now - row.last_seen_at < SEEN_EVERY:
        return response
    this_one = row.id  # the rollback forgets the row, which another browser may have ended meanwhile
    try:
        db.session.rollback()  # a request that reads was begun without the write lock
        db.session.execute(update(UserSession).where(UserSession.id == this_one).values(last_seen_at=now))
        db.session.commit()
    except OperationalError:
        db.session.rollback()
    return response


def agent_words(sent: str) -> str:
    """`Firefox on Linux`, from what the browser says of itself."""
    browser = next((name for name, sign in _BROWSERS if sign in sent), "")
    system = next((name for name, sign in _SYSTEMS if re.search(rf"\b{sign}\b", sent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown browser")


def masked(address: str | None) -> str:
    """The network an address is in: `203.0.113.x`, or the first half of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if ip.version == 4:
        return ".".join(str(ip).split(".")[:3]) + ".x"
    return ":".join(ip.exploded.split(":")[:4]) + "::"
