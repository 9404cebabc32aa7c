"""What a delivery of GitHub's webhook says: which repository it is about, and whether it concerns what posts
tell.

Pure functions over payloads whose shape nobody has checked ("Webhook events and payloads", docs.github.com,
2026-11-23).
"""

from typing import Any, Protocol

EVENTS = ("push", "pull_request", "issues", "release")
"""Those to choose at GitHub."""
BRANCH = "refs/heads/"
Payload = dict[str, Any]


class Place(Protocol):
    """The project's repository and branch."""

    github_id: int | None
    github_repo_owner: str | None
    github_repo_name: str | None
    github_branch: str | None


def stranger(payload: Payload, project: Place) -> str | None:
    """What is wrong with the payload's repository, or None where it is the project's.

    GitHub's own id decides where it is known: it outlives names, and another repository may get an old one.
    """
    told = _inner(payload, "repository")
    name, ours = str(told.get("full_name") or ""), f"{project.github_repo_owner}/{project.github_repo_name}"
    if not name:
        return "The delivery names no repository."
    same_name = name.lower() == ours.lower()
    if project.github_id is not None and told.get("id") is not None:
        if told["id"] == project.github_id:
            return None
        other = "another repository of that name" if same_name else f"{name:.150}"
        return f"The delivery is about {other}; this project reads {ours}."
    return None if same_name else f"The delivery is about {name:.150}; this project reads {ours}."


def why_not(event: str, payload: Payload, project: Place) -> str | None:
    """Why the event starts nothing, or None where it concerns what a post may tell."""
    if event == "push":
        return _push(payload, _branch(payload, project))
    if event == "pull_request":
        return _pull(payload, _branch(payload, project))
    if event == "issues":
        return None if payload.get("action") == "closed" else "only a closed issue is told"
    if event == "release":
        return None if payload.get("action") == "published" else "a release is told when it is published"
    return f"the event {event:.40} tells nothing that a post could: choose {', '.join(EVENTS)}"


def _branch(payload: Payload, project: Place) -> str:
    """The branch that the project watches."""
    repository = _inner(payload, "repository")
    return project.github_branch or str(
        repository.get("default_branch") or repository.get("master_branch") or ""
    )


def _push(payload: Payload, branch: str) -> str | None:
    """A created branch is a push like any other, and so is a forced one. A tag is none, also when it is
    created: releases are told when they are published, with an event of their own."""
    ref = str(payload.get("ref") or "")
    if not ref.startswith(BRANCH):
        return "only pushes to a branch are told, and releases when they are published"
    pushed = ref.removeprefix(BRANCH)
    if pushed != branch:
        return f"the push went to {pushed:.100}, and the project reads {branch:.100}"
    return "the branch was deleted" if payload.get("deleted") is True else None


def _pull(payload: Payload, branch: str) -> str | None:
    pull = _inner(payload, "pull_request")
    if payload.get("action") != "closed" or pull.get("merged") is not True:
        return "only a merged pull request is told"
    into = str(_inner(pull, "base").get("ref") or "")
    return None if into == branch else f"it was merged into {into:.100}, and the project reads {branch:.100}"


def _inner(payload: Payload, name: str) -> Payload:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}
