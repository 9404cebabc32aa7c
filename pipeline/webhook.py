"""What a project's owner may do about its webhook: turn it on, with a new secret each time, and off."""

import secrets

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lib.secrets import SecretBox
from models import Job, Project, WebhookDelivery
from pipeline.control import ConflictError
from pipeline.jobs import lock_all

SECRET_BYTES = 32
"""As many as the HMAC's own; GitHub asks for "a random string of text with high entropy" (docs.github.com,
"Validating webhook deliveries", 2026-11-23)."""
LOCAL = (
    "This project reads a local repository, which sends no webhook: its jobs run on their schedules. Only a"
    " project on GitHub can have one."
)


def turn_on(session: Session, project: Project, box: SecretBox) -> str:
    """A new secret, which replaces the one before; it is sealed with `box` and cannot be shown again. Does
    not commit. Raises ConflictError for a local repository.

    What was delivered under the old secret is forgotten, so that the page tells whether the new one works.
    """
    if project.source_type != "GITHUB":
        raise ConflictError(LOCAL)
    secret = secrets.token_hex(SECRET_BYTES)
    project.webhook_secret = box.seal(secret)
    session.flush()
    _forget(session, project)
    return secret


def turn_off(session: Session, project: Project) -> None:
    """No delivery is accepted any more, and no run starts because of earlier ones. Does not commit."""
    with session.no_autoflush:  # jobs are locked before their project is written, as everywhere
        lock_all(session, project.id)
        project.webhook_secret = None
    session.flush()
    waiting = update(Job).where(Job.project_id == project.id, Job.push_at.is_not(None))
    session.execute(waiting.values(push_since=None, push_at=None))
    _forget(session, project)


def _forget(session: Session, project: Project) -> None:
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.project_id == project.id))
