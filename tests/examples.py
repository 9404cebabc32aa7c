"""The posts in docs/examples: what the template writer says of recorded weeks. `make examples` writes them.

The recorded activity itself stays where it is, beside the checkout; a post tells it in the writer's words.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from models.values import Activity, Brief, Digest, PlatformType, Post
from pipeline.digest import digest
from platforms import PLATFORMS
from sources.github import GitHub
from tests import shared
from tests.standins.github import GitHubStandIn, parse
from writers.template import TemplateWriter

FOLDER = shared.ROOT / "docs" / "examples"
FILES: dict[PlatformType, str] = {"HASHNODE": "hashnode.md", "DEVTO": "devto.md", "LINKEDIN": "linkedin.txt"}
PROJECTS = {"flask": "Flask", "healthchecks": "Healthchecks", "huey": "Huey"}
"""How those who make it write the repository's name, as they would name their project here."""


@dataclass(frozen=True)
class Week:
    """One recorded activity. `slug` names its folder; `cadence` is how often its job would tell."""

    slug: str
    project: str
    cadence: str
    activity: Activity

    @property
    def digest(self) -> Digest:
        return digest(self.activity, cadence=self.cadence, zone=ZoneInfo("UTC"))

    def brief(self, kind: PlatformType) -> Brief:
        return Brief(self.digest, PLATFORMS[kind].rules, self.project)

    def post(self, kind: PlatformType) -> Post:
        return TemplateWriter().write(self.brief(kind))


def weeks(data: Path) -> Iterator[Week]:
    """Every file of activity, read through GitHub's source as a run would read it."""
    for file in sorted((data / "activity").glob("*.json")):
        owner, name, *_ = file.stem.split("__")
        raw = json.loads(file.read_text())
        cadence = "daily" if file.stem.endswith("__seed") else "weekly"
        yield Week(f"{owner}__{name}", PROJECTS.get(name, name), cadence, _scanned(raw))


def _scanned(raw: dict[str, Any]) -> Activity:
    owner, name = raw["repository"]["full_name"].split("/")
    window = raw["_meta"]["window"]
    with GitHubStandIn(raw, server_time=parse(window["to"])) as github:
        return GitHub(github.url, owner, name).scan(parse(window["from"]))


def shown(kind: PlatformType, post: Post) -> str:
    """A post as its file: title, subtitle and tags stand around the text, which is what is published."""
    if kind == "LINKEDIN":
        return f"{post.content}\n"
    parts = [f"# {post.title}", f"*{post.subtitle}*" if post.subtitle else "", post.content]
    tags = f"Tags: {', '.join(post.tags)}" if post.tags else ""
    return "\n\n".join(part for part in (*parts, tags) if part) + "\n"


def made(data: Path) -> dict[Path, str]:
    """All files and what they should hold."""
    return {
        FOLDER / week.slug / name: shown(kind, week.post(kind))
        for week in weeks(data)
        for kind, name in FILES.items()
    }


def main() -> int:
    """Write them; the exit code."""
    data = shared.data()
    if data is None:
        print(f"examples: {shared.ABSENT}.", file=sys.stderr)
        return 1
    for path, text in made(data).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(shared.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
