"""The worker with hearts that beat and lapse within seconds, and a clock that a test can step.

`python -m huey.bin.huey_consumer tests.standins.hasty.huey`. The file that CLOCK_FILE names holds the seconds
by which the clock is off; Huey's own clock stays right. The times stand to each other as the product's do;
they are set in every module that took them over by value.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lib import clock
from pipeline import hold, housekeeping
from tasks import worker

LOOK, BEAT, GAP, GLANCE = 0.1, 1.0, 1.0, 2.0
LAPSE = timedelta(seconds=4)

worker.LOOK = LOOK
hold.BEAT, hold.LAPSE = BEAT, LAPSE
housekeeping.GAP, housekeeping.GLANCE, housekeeping.LAPSE = GAP, GLANCE, LAPSE  # type: ignore[attr-defined]


def stepping(file: Path) -> None:
    """Make the product's clock that of the file."""
    clock.now = lambda: datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))


if named := os.environ.get("CLOCK_FILE"):
    stepping(Path(named))

from tasks.consumer import huey  # noqa: E402, F401  (after the names are set)
