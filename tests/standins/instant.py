"""The worker with a source and a writer that answer at once: what is left is the product's own time.

`python -m huey.bin.huey_consumer tests.standins.instant.huey`. Where HELD_FOLDER is set, nothing is written
for a project while a file of its name lies there.
"""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from lib import clock
from lib.links import Links
from models import Job, Project
from models.values import Activity, Brief, Commit, Person, Post, Usage, Window
from pipeline.tariff import Tariff
from tasks.consumer import huey, settings  # noqa: F401
from tasks.worker import current
from tests.standins.crowd import bare  # noqa: F401  (importing it registers the task)

HELD_FOLDER = os.environ.get("HELD_FOLDER")


class InstantSource:
    """One fresh commit in every window."""

    def scan(self, since: datetime, **_more: Any) -> Activity:
        until = clock.now()
        fresh = Commit(f"{until:%H%M%S%f}", "Add TypeScript support", Person("John Doe"), until)
        return Activity("username/awesome-lib", Window(since, until, None, fresh.sha), commits=(fresh,))

    def contains(self, _tag: str, _sha: str) -> bool:
        return False


class InstantWriter:
    """Posts as short as they can be."""

    def prepare(self) -> None:
        """Always ready."""

    def estimate(self, _brief: Brief) -> Usage | None:
        return Usage("instant", 1000, 500)

    def write(self, brief: Brief) -> Post:
        while HELD_FOLDER and Path(HELD_FOLDER, brief.project).exists():
            time.sleep(0.05)
        plain = brief.rules.type == "LINKEDIN"
        content = f"What happened, for {brief.rules.name}: {brief.digest.summary}."
        return Post(
            "" if plain else "An update", content, () if plain else ("python",), Usage("instant", 10, 5)
        )


class InstantAdapters:
    """In the place of `pipeline.adapters.Adapters`."""

    base_url = settings.base_url
    patience = 0.0
    tariff = Tariff("instant")
    writer = InstantWriter()

    def source(self, _project: Project) -> InstantSource:
        return InstantSource()

    def approval(self, draft_id: str, version: int) -> str:
        return Links(self.base_url, settings.secret_key.get_secret_value()).approval(draft_id, version)

    def writer_for(self, _job: Job) -> InstantWriter:
        return self.writer


current().adapters = InstantAdapters()  # type: ignore[assignment]
