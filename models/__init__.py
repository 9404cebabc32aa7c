"""The rows. Importing this package registers every table."""

from models.base import Base
from models.draft import Draft, DraftVersion, Regeneration
from models.execution import LIVE, MOVES, Attempt, Execution, Step, origins, unended
from models.job import GivenBack, HeldBack, Job, Told
from models.notification import EmailDelivery, Notification, Pulse
from models.project import Platform, Project, WebhookDelivery
from models.spend import Spend
from models.user import ApiToken, User

__all__ = [
    "LIVE",
    "MOVES",
    "ApiToken",
    "Attempt",
    "Base",
    "Draft",
    "DraftVersion",
    "EmailDelivery",
    "Execution",
    "GivenBack",
    "HeldBack",
    "Job",
    "Notification",
    "Platform",
    "Project",
    "Pulse",
    "Regeneration",
    "Spend",
    "Step",
    "Told",
    "User",
    "WebhookDelivery",
    "origins",
    "unended",
]
