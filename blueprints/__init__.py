"""HTTP in: pages for people, JSON for programs."""

from blueprints import (
    approval,
    auth,
    dashboard,
    drafts,
    executions,
    help,
    job_slots,
    jobs,
    mailed,
    notifications,
    own_data,
    pages_frame,
    project_platforms,
    project_webhook,
    projects,
    security,
    settings,
    unsubscribe,
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
    job_slots.bp,
    executions.bp,
    drafts.bp,
    approval.bp,
    notifications.bp,
    settings.bp,
    security.bp,
    own_data.bp,
    mailed.bp,
    unsubscribe.bp,
    webhooks.bp,
)
