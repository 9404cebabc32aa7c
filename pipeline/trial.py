"""A message that its reader asked for, to see whether mails arrive."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lib import clock
from models import EmailDelivery, User
from pipeline.bells import Bell
from pipeline.letters import post_mail

EVENT = "test"
MOST_AN_HOUR = 3
HOUR = timedelta(hours=1)


class TooManyError(Exception):
    """There were enough of them. `again` is when the next one can be asked for."""

    def __init__(self, again: datetime) -> None:
        super().__init__("There were enough test messages in the last hour.")
        self.again = again


class UnverifiedError(Exception):
    """The address was not shown to be its owner's."""


def send(session: Session, user: User, base_url: str) -> Bell:
    """Add a test message to the user's address; the caller commits and rings. Raises UnverifiedError, or
    TooManyError after MOST_AN_HOUR in an hour. `base_url`: where people reach the app, without a slash at its
    end."""
    if user.verified_at is None:
        raise UnverifiedError
    now = clock.now()
    mine = select(EmailDelivery.created_at).where(
        EmailDelivery.user_id == user.id, EmailDelivery.event == EVENT, EmailDelivery.created_at > now - HOUR
    )
    # The user's row is locked: of two requests at once the second counts the first one's.
    session.execute(select(User.id).where(User.id == user.id).with_for_update())
    lately = sorted(session.scalars(mine))
    if len(lately) >= MOST_AN_HOUR:
        raise TooManyError(lately[-MOST_AN_HOUR] + HOUR)
    mail = post_mail(
        session,
        user,
        "test_message",
        event=EVENT,
        title="Mails from Repocast arrive",
        email=user.email,
        link=f"{base_url}/notifications/preferences",
        preferences=f"{base_url}/notifications/preferences",
    )
    return Bell("deliver", mail.id)
