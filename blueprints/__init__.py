"""HTTP in: pages for people, JSON for programs."""

from blueprints import (
    approval,
    auth,
    dashboard,
    drafts,
    executions,
    help,
    jobs,
    notifications,
    pages_frame,
    project_platforms,
    project_webhook,
    projects,
    settings,
    webhooks,
)
from blueprints.api import api
from blueprints.health import health

BLUEPRINTS = (
    api,
    health,
    pages_frame.bp,
    help.bp,
    auth.bp,
    dashboard.bp,
    projects.bp,
    project_platforms.bp,
    project_webhook.bp,
    jobs.bp,
    executions.bp,
    drafts.bp,
    approval.bp,
    notifications.bp,
    settings.bp,
    webhooks.bp,
)
