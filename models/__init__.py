"""The rows. Importing this package registers every table."""

from models.base import Base
from models.draft import (
    DRAFT_MOVES,
    ORDER_MOVES,
    Draft,
    DraftState,
    DraftVersion,
    Ordered,
    Regeneration,
    unfinished,
)
from models.execution import LIVE, MOVES, Attempt, Execution, Step, origins, unended
from models.job import GivenBack, HeldBack, Job, Told
from models.notification import DigestEntry, EmailDelivery, Notification, Pulse
from models.project import Platform, Project, WebhookDelivery
from models.spend import Spend
from models.user import AccountLink, ApiToken, User, UserSession

__all__ = [
    "DRAFT_MOVES",
    "LIVE",
    "MOVES",
    "ORDER_MOVES",
    "AccountLink",
    "ApiToken",
    "Attempt",
    "Base",
    "DigestEntry",
    "Draft",
    "DraftState",
    "DraftVersion",
    "EmailDelivery",
    "Execution",
    "GivenBack",
    "HeldBack",
    "Job",
    "Notification",
    "Ordered",
    "Platform",
    "Project",
    "Pulse",
    "Regeneration",
    "Spend",
    "Step",
    "Told",
    "User",
    "UserSession",
    "WebhookDelivery",
    "origins",
    "unended",
    "unfinished",
]
