"""What one writer is handed for one post: the digest, the platform's rules, the project's voice, the titles
that are used up."""

from collections.abc import Collection, Iterable
from typing import Any

from lib import zones
from models import Job, Platform, Project
from models.values import Activity, Brief, Digest, Key, Voice
from pipeline.digest import digest
from platforms import PLATFORMS
from writers.base import Writer
from writers.disclosure import MadeBy, default


def digest_for(activity: Activity, job: Job, project: Project, told: Collection[Key]) -> Digest:
    """The activity as the job's writers are shown it. `told`: which keys of `joining.asked` earlier runs of
    the job told."""
    return digest(
        activity,
        cadence=job.frequency.lower(),
        zone=zones.zone(job.timezone),
        bots=project.bots or (),
        told=told,
    )


def brief_for(
    shown: Digest,
    project: Project,
    platform: Platform,
    made_by: MadeBy,
    earlier_titles: tuple[str, ...] = (),
) -> Brief:
    """The brief for one of the project's platforms. `made_by`: who is going to write; `earlier_titles`: see
    `pipeline.earlier`."""
    return Brief(
        shown,
        PLATFORMS[platform.type].rules,
        project.name,
        voice_of(project.voice),
        earlier_titles,
        disclosure=disclosure_of(platform, made_by),
    )


def maker(writer: Writer) -> MadeBy:
    """What a post of this writer is made by."""
    from writers.template import TemplateWriter  # the web process does without: 8 MB with the ledger

    return "TEMPLATE" if isinstance(writer, TemplateWriter) else "MODEL"


def disclosure_of(platform: Platform, made_by: MadeBy) -> str:
    """What its posts say of machine help: the owner's words (none at all where they are empty), else the
    default."""
    chosen = platform.settings.get("disclosure")
    return chosen if isinstance(chosen, str) else default(platform.type, made_by)


def voice_of(stored: dict[str, Any]) -> Voice:
    """The voice as its row has it: texts, and lists of texts; what else stands there is no part of it."""
    texts = {name: str(stored.get(name) or "") for name in ("audience", "tone", "language", "instructions")}
    return Voice(**texts, examples=_texts(stored.get("examples")), banned=_texts(stored.get("banned")))


def _texts(stored: Any) -> tuple[str, ...]:
    listed: Iterable[Any] = stored if isinstance(stored, list) else ()
    return tuple(str(one) for one in listed if str(one).strip())
