"""JSON for programs. Importing this package registers every call."""

from blueprints.api import drafts, executions, notifications, openapi, projects, schedules, webhooks
from blueprints.api.frame import api

__all__ = ["api", "drafts", "executions", "notifications", "openapi", "projects", "schedules", "webhooks"]
