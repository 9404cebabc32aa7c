"""HTTP in: pages for people, JSON for programs."""

BLUEPRINTS = ()
