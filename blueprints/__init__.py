"""HTTP in: pages for people, JSON for programs."""

from blueprints.api import api
from blueprints.health import health

BLUEPRINTS = (
    api,
    health,
)
