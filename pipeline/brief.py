"""What one writer is handed for one post: the digest, the platform's rules, the project's voice."""

from collections.abc import Iterable
from typing import Any

from models import Platform, Project
from models.values import Brief, Digest, Voice
from platforms import PLATFORMS


def brief_for(shown: Digest, project: Project, platform: Platform) -> Brief:
    """The brief for one of the project's platforms."""
    return Brief(shown, PLATFORMS[platform.type].rules, project.name, voice_of(project.voice))


def voice_of(stored: dict[str, Any]) -> Voice:
    """The voice as its row has it: texts, and lists of texts; what else stands there is no part of it."""
    texts = {name: str(stored.get(name) or "") for name in ("audience", "tone", "language", "instructions")}
    return Voice(**texts, examples=_texts(stored.get("examples")), banned=_texts(stored.get("banned")))


def _texts(stored: Any) -> tuple[str, ...]:
    listed: Iterable[Any] = stored if isinstance(stored, list) else ()
    return tuple(str(one) for one in listed if str(one).strip())
