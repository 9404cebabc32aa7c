"""Where the recorded data lies: kept beside the checkout and not in it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ABSENT = "the recorded data (shared/data beside the checkout, or under REPOCAST_SHARED) is absent"


def data() -> Path | None:
    """The folder, or None where it is absent."""
    folder = Path(os.environ.get("REPOCAST_SHARED") or ROOT.parent / "shared") / "data"
    return folder if folder.is_dir() else None
