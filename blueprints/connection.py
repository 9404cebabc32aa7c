"""One look at a project's repository, for pages and for the API; what it learns is kept on the project."""

from typing import Any

from flask_limiter.util import get_remote_address
from flask_login import current_user

from blueprints import inputs
from blueprints.access import secret_box, settings
from blueprints.extensions import db, limiter
from lib.secrets import SecretError
from models import Project
from pipeline import projects
from pipeline.adapters import Adapters
from sources.check import Checked

# What a form says of the repository; a look needs no name and no voice.
_FIELDS = frozenset(
    ("sourceType", "githubRepoOwner", "githubRepoName", "githubBranch", "githubToken", "gitPath")
)
_LABELS = {
    "githubRepoOwner": "Owner",
    "githubRepoName": "Repository",
    "githubBranch": "Branch",
    "githubToken": "Access token",
    "gitPath": "Folder",
}


def _who() -> str:
    return current_user.id if current_user.is_authenticated else get_remote_address()


# Each look keeps one of the few threads waiting, and spends the token's budget.
limited = limiter.shared_limit("10 per minute", scope="connection", key_func=_who)


def look(project: Project) -> Checked:
    """Whether its repository can be read. Ends the transaction first, for the outside is waited for; commits
    what was learned."""
    db.session.commit()
    try:
        checked = Adapters(settings(), secret_box()).check(project)
    except SecretError as error:
        return Checked(False, error.message)
    if checked.seen is not None:
        projects.saw(db.session(), project, checked.seen, whole=True)
        db.session.commit()
    return checked


def look_at_typed(project: Project | None, body: dict[str, Any]) -> Checked:
    """The same for a form that is not saved; `body` as `inputs.project_form` reads it. Raises InputError,
    worded for people."""
    about = {name: value for name, value in body.items() if name in _FIELDS}
    try:
        values = inputs.read_project(
            about if project else about | {"name": "-"},
            partial=project is not None,
            git_root=settings().git_root,
            current=project,
        )
    except inputs.InputError as error:
        named = [(_LABELS.get(one["field"], one["field"]), one["message"]) for one in error.details]
        raise inputs.InputError([inputs.detail(name, message) for name, message in named]) from None
    return look(projects.trial(project, values, secret_box()))
