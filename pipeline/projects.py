"""What a person may do to a project and to its platforms: create, edit, delete. Secrets are sealed here."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, inspect, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from lib import clock
from lib.secrets import SecretBox
from models import Execution, GivenBack, HeldBack, Job, Platform, Project, Told
from models.values import Seen, Status
from pipeline.control import ConflictError
from pipeline.jobs import lock_all
from pipeline.record import cancel
from platforms import NAMES

PROJECT_FIELDS = frozenset(
    {
        *("name", "description", "source_type", "github_repo_owner", "github_repo_name", "github_branch"),
        *("github_token", "git_path", "voice", "withhold", "bots", "budget"),
    }
)
PLATFORM_FIELDS = frozenset({"type", "is_connected", "settings", "credentials"})
_NAMES = ("github_repo_owner", "github_repo_name")
_LEARNED_WITH = ("source_type", "github_repo_owner", "github_repo_name", "github_token")


def create(session: Session, user_id: str, chosen: Mapping[str, Any], box: SecretBox) -> Project:
    """A new project from some of `PROJECT_FIELDS`; `github_token` is sealed with `box`. Does not commit."""
    project = Project(user_id=user_id)
    _assign_project(project, chosen, box)
    session.add(project)
    session.flush()
    return project


def edit(session: Session, project: Project, changes: Mapping[str, Any], box: SecretBox) -> None:
    """Change some of `PROJECT_FIELDS`. Does not commit.

    Another repository or branch makes the next run of every job a first run, and cancels the executions that
    have begun on the old one: what they scanned must neither be told nor move the cursor.
    """
    before = _place(project)
    with session.no_autoflush:  # a run that ends locks its execution first, and so must this
        _assign_project(project, changes, box)
        if _place(project) != before:
            lock_all(session, project.id)
            _start_over(session, project)
    session.flush()


def trial(project: Project | None, changes: Mapping[str, Any], box: SecretBox) -> Project:
    """The project as it would be, stored nowhere: `project`, or a new one, with some of `PROJECT_FIELDS`."""
    copied = inspect(Project).column_attrs.keys() if project is not None else []
    tried = Project(**{name: getattr(project, name) for name in copied})
    _assign_project(tried, changes, box)
    if project is not None and _place(tried) != _place(project):
        tried.github_id = None
    return tried


def saw(session: Session | Connection, project: Project, seen: Seen, *, whole: bool = False) -> None:
    """Keep what a scan or a look learned of the repository and of the token, unless the project got another
    repository or token meanwhile. A repository that was renamed is renamed here. Does not commit.

    What names no end of the token changes none, for not each answer names it; only a `whole` look does.
    """
    ends = seen.token_expires
    values: dict[str, Any] = {"github_id": func.coalesce(Project.github_id, seen.id)}
    if seen.budget is not None:
        left = {"limit": seen.budget.limit, "remaining": seen.budget.remaining}
        values["github_budget"] = left | {"reset": clock.iso(seen.budget.reset), "at": clock.iso(clock.now())}
    elif whole:
        values["github_budget"] = None
    if ends is not None or whole:
        same = Project.token_expires_at.is_not_distinct_from(ends)
        values |= {"token_expires_at": ends, "token_warned": case((same, Project.token_warned), else_=None)}
    if seen.full_name.lower() != project.repository.lower():
        owner, _, name = seen.full_name.partition("/")
        values |= {"github_repo_owner": owner, "github_repo_name": name, "github_former": project.repository}
    session.execute(
        update(Project)
        .where(Project.id == project.id, *(_unchanged(project, name) for name in _LEARNED_WITH))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def delete(session: Session, project: Project) -> None:
    """Delete the project with its platforms, jobs, executions and drafts. Does not commit."""
    lock_all(session, project.id)
    session.delete(project)
    session.flush()


def add_platform(session: Session, project: Project, chosen: Mapping[str, Any], box: SecretBox) -> Platform:
    """One more platform, of `PLATFORM_FIELDS`; commits. Raises ConflictError for a second of a type."""
    platform = Platform(project_id=project.id)
    _assign_platform(platform, chosen, box)
    session.add(platform)
    name = NAMES[platform.type]
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise ConflictError(f"This project has {name} already: change that platform instead.") from None
    return platform


def edit_platform(session: Session, platform: Platform, changes: Mapping[str, Any], box: SecretBox) -> None:
    """Change some of `PLATFORM_FIELDS`. Does not commit."""
    _assign_platform(platform, changes, box)
    session.flush()


def delete_platform(session: Session, platform: Platform) -> None:
    """Delete the platform and take it out of its project's jobs; drafts for it stay. Does not commit.

    A job that chose this platform alone keeps an empty choice, not all platforms: its runs fail, saying that
    it has no platform, until its owner chooses again.
    """
    for job in session.scalars(select(Job).where(Job.project_id == platform.project_id)):
        if job.platform_ids is not None:
            job.platform_ids = [one for one in job.platform_ids if one != platform.id]
    session.delete(platform)
    session.flush()


def _assign_project(project: Project, changes: Mapping[str, Any], box: SecretBox) -> None:
    for name, value in _current(project, _known(changes, PROJECT_FIELDS)).items():
        setattr(project, name, box.seal(value) if name == "github_token" and value is not None else value)
    if "budget" in changes:
        project.budget_short = None
    if "github_token" in changes:
        project.github_budget = project.token_expires_at = project.token_warned = None


def _assign_platform(platform: Platform, changes: Mapping[str, Any], box: SecretBox) -> None:
    for name, value in _known(changes, PLATFORM_FIELDS).items():
        sealed = name == "credentials" and value is not None
        setattr(platform, name, box.seal(json.dumps(value)) if sealed else value)


def _known(changes: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    for name in changes.keys() - names:
        raise KeyError(name)
    return changes


def _unchanged(project: Project, name: str) -> ColumnElement[bool]:
    column: InstrumentedAttribute[Any] = getattr(Project, name)
    return column.is_not_distinct_from(getattr(project, name))


def _current(project: Project, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the repository's name from before GitHub renamed it: whoever still sends that one, such as a
    form that was opened before, means no other repository."""
    place = {name: changes.get(name, getattr(project, name)) for name in _NAMES}
    sent = f"{place['github_repo_owner']}/{place['github_repo_name']}"
    if not project.github_former or sent.lower() != project.github_former.lower():
        return changes
    return {name: value for name, value in changes.items() if name not in _NAMES}


def _place(project: Project) -> tuple[str | None, ...]:
    """Where the activity comes from. GitHub's names ignore case; the other kind's fields do not count."""
    if project.source_type == "GIT":
        return "GIT", project.git_path, project.github_branch
    owner, name = project.github_repo_owner or "", project.github_repo_name or ""
    return "GITHUB", owner.lower(), name.lower(), project.github_branch


def _start_over(session: Session, project: Project) -> None:
    jobs = select(Job.id).where(Job.project_id == project.id)
    begun = (Status.RUNNING, Status.RETRYING)
    of_the_old = Execution.job_id.in_(jobs) & Execution.status.in_(begun)
    cancel(session, of_the_old, "The project's repository was changed.")
    for table in (Told, HeldBack, GivenBack):
        session.execute(delete_rows(table).where(table.job_id.in_(jobs)))
    session.execute(
        update(Job)
        .where(Job.project_id == project.id)
        .values(cursor_floor=None, cursor_until=None, cursor_head=None, cursor_etag=None, cursor_read=None)
        .values(carried_since=None, push_since=None, push_at=None)
    )
    project.last_synced_at = project.github_id = project.github_former = None
    if project.source_type == "GIT":  # which sends none
        project.webhook_secret = None
