"""A real repository, made with fixed dates and names."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.values import Activity
from sources.base import Caps
from sources.git import LOCAL_CAPS, LocalGit

START = datetime(2025, 10, 2, 9, tzinfo=UTC)
END = datetime(2025, 10, 3, 9, tzinfo=UTC)  # where the frozen clock stands
JOHN = ("John Doe", "john@example.org")


class Repo:
    """A repository that commits at the hours it is told, counted from START."""

    def __init__(self, path: Path, *flags: str) -> None:
        self.path = path
        self.git("init", "-q", "-b", "main", *flags, str(path), at=None)

    def git(
        self,
        *arguments: str,
        at: float | None = 0,
        by: tuple[str, str] = JOHN,
        committer: tuple[str, str] | None = None,
        given: bytes | None = None,
    ) -> str:
        date = (START + timedelta(hours=at or 0)).isoformat()
        who = {"AUTHOR": by, "COMMITTER": committer or by}
        names = {f"GIT_{role}_NAME": one[0] for role, one in who.items()}
        mails = {f"GIT_{role}_EMAIL": one[1] for role, one in who.items()}
        result = subprocess.run(
            ["git", *([] if at is None else ["-C", str(self.path)]), *arguments],
            env=os.environ
            | names
            | mails
            | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
            | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            check=True,
            capture_output=True,
            input=given,
        )
        return result.stdout.decode().strip()

    def commit(
        self, message: str | bytes, at: float, files: dict[str, str | bytes] | None = None, **who
    ) -> str:
        for name, text in (files or {f"file-{at}": message}).items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        self.git("add", "-A", at=at)
        raw = message.encode() if isinstance(message, str) else message
        self.git("commit", "-q", "-F", "-", "--cleanup=verbatim", at=at, given=raw, **who)
        return self.git("rev-parse", "HEAD")

    def scan(
        self, since: datetime = START, branch: str | None = None, caps: Caps = LOCAL_CAPS, **more
    ) -> Activity:
        return LocalGit(self.path, root=self.path.parent, branch=branch, caps=caps).scan(since, **more)


def titles(activity: Activity) -> list[str]:
    return [commit.title for commit in activity.commits]
