"""What is typed on the way of an empty account, as the other forms read it: one field for a repository, and
schedules ready to choose."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from blueprints import forms, inputs, view
from blueprints.forms import Filled, Form
from platforms import NAMES

HOW = "Must be owner/name, such as octocat/hello-world, or the repository's address at GitHub."
_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/\s]+)[:/](?P<path>\S+)")
_HOSTED = re.compile(r"(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/(?P<path>[^/\s]+/\S+)")
_PARTS = {"githubRepoOwner": "The owner", "githubRepoName": "The repository's name"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A schedule ready to choose: its words, the name of the job that it makes, its fields of the form."""

    words: str
    name: str
    fields: Mapping[str, Any]


_WORKDAYS = ["1", "2", "3", "4", "5"]
PRESETS = {
    "WEEKDAYS": Preset(
        "Every weekday at 9:00 AM",
        "Weekday Content Generation",
        {"frequency": "WEEKLY", "dayOfWeek": _WORKDAYS, "hour": "9"},
    ),
    "FRIDAY": Preset(
        "Every Friday at 5:00 PM",
        "Weekly Content Generation",
        {"frequency": "WEEKLY", "dayOfWeek": ["5"], "hour": "17"},
    ),
    "DAILY": Preset("Every day at 9:00 AM", "Daily Content Generation", {"frequency": "DAILY", "hour": "9"}),
}


def read_repository(form: Form, git_root: Path | None, github_api_url: str) -> dict[str, Any]:
    """Values for a project; its name is the repository's. Raises InputError, which names the form's
    fields."""
    body = repository(form.get("repository", ""), github_api_url)
    if token := form.get("githubToken", "").strip():
        body["githubToken"] = token
    try:
        return inputs.read_project(body, partial=False, git_root=git_root)
    except inputs.InputError as error:
        raise inputs.InputError([_at_field(one) for one in error.details]) from None


def _at_field(one: dict[str, str]) -> dict[str, str]:
    """At the one field, saying which part of it is meant."""
    if one["field"] == "githubToken":
        return one
    part = _PARTS.get(one["field"])
    message = one["message"]
    return inputs.detail("repository", f"{part}: {message[:1].lower()}{message[1:]}" if part else message)


def repository(typed: str, github_api_url: str) -> dict[str, Any]:
    """The body of a project: `owner/name`, an address at GitHub, or a folder, which begins with `/` or has
    no slash at all. Raises InputError."""
    typed = typed.strip()
    if not typed:
        raise _refusal(f"Is needed. {HOW}")
    place = _address(typed)
    if place is not None:
        host, path = place
        if host not in _hosts(github_api_url):
            raise _refusal(f"{host[:100]} cannot be read: only repositories at GitHub can.")
        return _at_github(path)
    if typed.startswith(("/", "~", ".")) or "/" not in typed:
        return {"name": _folder_name(typed), "sourceType": "GIT", "gitPath": typed}
    return _at_github(typed)


def _address(typed: str) -> tuple[str, str] | None:
    """Host and path, where it is an address."""
    if found := _SSH.fullmatch(typed) or _HOSTED.fullmatch(typed):
        return found["host"].lower(), found["path"]
    if not re.match(r"(?:https?|git|ssh)://", typed, re.I):
        return None
    try:
        parts = urlsplit(typed)
        return (parts.hostname or "").lower(), parts.path
    except ValueError:
        raise _refusal(HOW) from None


def _hosts(github_api_url: str) -> set[str]:
    own = (urlsplit(github_api_url).hostname or "").lower()
    return {"github.com", "www.github.com", own, own.removeprefix("api.")}


def _at_github(path: str) -> dict[str, Any]:
    """Whatever page of the repository it is the address of."""
    owner, _, rest = path.strip("/").partition("/")
    name = re.split(r"[/?#]", rest)[0].removesuffix(".git")
    if not owner or not name:
        raise _refusal(HOW)
    return {"name": name, "sourceType": "GITHUB", "githubRepoOwner": owner, "githubRepoName": name}


def _folder_name(typed: str) -> str:
    return Path(typed).name.removesuffix(".git")[:255] or "repository"


def _refusal(message: str) -> inputs.InputError:
    return inputs.InputError([inputs.detail("repository", message)])


def read_platforms(form: Form) -> list[str]:
    """Types of platforms. Raises InputError."""
    chosen = [kind for kind in NAMES if kind in form.getlist("platforms")]
    if not chosen:
        said = "Choose at least one platform: a run writes one post for each."
        raise inputs.InputError([inputs.detail("platforms", said)])
    return chosen


def job_form(form: Form) -> Filled:
    """The chosen schedule as the flat form of a job, everything else as a new job has it. Raises
    InputError."""
    preset = PRESETS.get(form.get("preset", ""))
    if preset is None:
        raise inputs.InputError([inputs.detail("preset", "Choose one of these times.")])
    given = {"name": preset.name, "timezone": form.get("timezone", "").strip()}
    return Filled(forms.NEW_JOB | {"minute": "0"} | dict(preset.fields) | given)


def preset_words() -> list[tuple[str, str]]:
    return [(key, view.schedule(preset.words)) for key, preset in PRESETS.items()]


def read_days(form: Form) -> int | None:
    """How far the first run reads back; None leaves it at the date that the job has. Raises InputError."""
    chosen = form.get("firstRun", "")
    if chosen == "since":
        return None
    if chosen not in ("1", "7", "30"):
        raise inputs.InputError([inputs.detail("firstRun", "Choose how far the first run reads back.")])
    return int(chosen)
