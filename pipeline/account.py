"""An account's address, password and end: the links in mails that each do one thing once."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from lib import clock, ids
from lib.digests import digest
from models.execution import Execution
from models.user import AccountLink, User, UserSession
from pipeline import letters, record
from pipeline.bells import Bell

VERIFY, RESET = "VERIFY", "RESET"
LASTS = {VERIFY: timedelta(days=3), RESET: timedelta(hours=1)}
SESSION_LASTS = timedelta(days=365)
"""Since a browser was last seen."""
MOST_AN_HOUR = 3
"""Mails with a link of one kind that one account can cause in an hour."""


def ask_address(session: Session, user: User, base_url: str) -> Bell | None:
    """Mail the link that shows an address to be its owner's: the one that waits, else the present one. The
    caller commits and rings. None where there were enough such mails lately."""
    email = user.pending_email or user.email
    if _lately(session, user, VERIFY) >= MOST_AN_HOUR:
        return None
    mail = letters.post_mail(
        session,
        user,
        "verify_address",
        recipient=email,
        title="Confirm your address",
        link=f"{base_url}/verify/{_link(session, user, VERIFY, email)}",
        email=email,
    )
    return Bell("deliver", mail.id)


def change_address(session: Session, user: User, email: str, base_url: str) -> list[Bell] | None:
    """Have `email` take over once it is shown to be the user's, and tell the old one. The caller commits and
    rings. None, and nothing changed, where there were enough such mails lately."""
    before, user.pending_email = user.pending_email, email
    asked = ask_address(session, user, base_url)
    if asked is None:
        user.pending_email = before
        return None
    if user.verified_at is None:  # nothing but the link goes to an address that nobody showed to be theirs
        return [asked]
    told = letters.post_mail(
        session,
        user,
        "address_changes",
        title="Your address is about to change",
        link=f"{base_url}/settings",
        email=email,
    )
    return [asked, Bell("deliver", told.id)]


def confirm_address(session: Session, secret: str) -> User | None:
    """Spend the link; the caller commits. None where it is unknown, used, too old or of an address that was
    changed again. Raises IntegrityError where somebody else has the address by now."""
    link = _spend(session, VERIFY, secret)
    user = session.get(User, link.user_id) if link else None
    if link is None or user is None or link.email != (user.pending_email or user.email):
        return None
    user.email, user.pending_email, user.verified_at = link.email, None, clock.now()
    session.flush()
    _forget(session, user, VERIFY)
    # Links to a new password that went to the old address end with it.
    _forget(session, user, RESET)
    return user


def ask_reset(session: Session, email: str, base_url: str) -> Bell:
    """Mail the link to a new password, if there is such an account and it did not get enough of them lately.
    The caller commits and rings; it looks and takes as long where nothing is mailed."""
    user = session.scalar(select(User).where(User.email == email))
    forget_ended(session)  # takes the lock that writing takes
    if user is None or _lately(session, user, RESET) >= MOST_AN_HOUR:
        return Bell("deliver", ids.new("mail"))  # names no mail: who delivers finds nothing to do
    mail = letters.post_mail(
        session,
        user,
        "password_reset",
        title="Choose a new password",
        link=f"{base_url}/password/reset/{_link(session, user, RESET, user.email)}",
        email=user.email,
    )
    return Bell("deliver", mail.id)


def reset_address(session: Session, secret: str) -> str | None:
    """Whose password the link would change; None where it would not work any more."""
    return session.scalar(select(AccountLink.email).where(*_valid(RESET, secret, clock.now())))


def reset_password(session: Session, secret: str, password_hash: str) -> User | None:
    """Spend the link: all sessions, links and sign-in links end; the caller commits. None where the link is
    unknown, used or too old. Who could read the mail has the address."""
    link = _spend(session, RESET, secret)
    user = session.get(User, link.user_id) if link else None
    if user is None:
        return None
    user.password_hash, user.sign_in_digest = password_hash, None
    user.verified_at = user.verified_at or clock.now()
    _forget(session, user, RESET)
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    return user


def forget_resets(session: Session, user: User) -> None:
    """No link to a new password works any more; the caller commits."""
    _forget(session, user, RESET)


def forget_ended(session: Session) -> None:
    """Delete sessions and links that have ended; the caller commits. A link of the last hour stays: it counts
    among the mails of this hour."""
    now = clock.now()
    counts_no_more = AccountLink.created_at <= now - timedelta(hours=1)
    session.execute(delete(AccountLink).where(AccountLink.expires_at <= now, counts_no_more))
    session.execute(delete(UserSession).where(UserSession.last_seen_at <= now - SESSION_LASTS))


def close(session: Session, user: User) -> None:
    """End what runs, then remove the user with everything that is theirs; the caller commits."""
    record.cancel(session, Execution.user_id == user.id, "Cancelled because its owner's account was deleted.")
    session.flush()
    session.expunge_all()
    session.execute(delete(User).where(User.id == user.id))


def _link(session: Session, user: User, kind: str, email: str) -> str:
    secret, now = secrets.token_urlsafe(32), clock.now()
    row = AccountLink(
        digest=digest(secret), user_id=user.id, kind=kind, email=email, expires_at=now + LASTS[kind]
    )
    session.add(row)
    return secret


def _lately(session: Session, user: User, kind: str) -> int:
    return session.scalars(
        select(func.count())
        .select_from(AccountLink)
        .where(AccountLink.user_id == user.id, AccountLink.kind == kind)
        .where(AccountLink.created_at > clock.now() - timedelta(hours=1))
    ).one()


def _valid(kind: str, secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return AccountLink.digest == digest(secret), AccountLink.kind == kind, AccountLink.expires_at > now


def _spend(session: Session, kind: str, secret: str) -> AccountLink | None:
    """Of two that come at once, one gets it. It stays as a row that has ended, and so counts among the mails
    of this hour."""
    now = clock.now()
    return session.scalar(
        update(AccountLink)
        .where(*_valid(kind, secret, now))
        .values(expires_at=now)
        .returning(AccountLink)
        .execution_options(synchronize_session=False)
    )


def _forget(session: Session, user: User, kind: str) -> None:
    session.execute(
        update(AccountLink)
        .where(AccountLink.user_id == user.id, AccountLink.kind == kind)
        .values(expires_at=clock.now())
        .execution_options(synchronize_session=False)
    )
