"""A project's webhook as its owner sees it: turn it on, see what to enter at GitHub, replace it, turn it
off."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, render_template, url_for
from flask_login import login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from blueprints import htmx, view
from blueprints.access import owned, secret_box, settings
from blueprints.extensions import db
from blueprints.view import Moment
from lib.words import plural
from models import Job, Project, WebhookDelivery
from pipeline import webhook
from pipeline.control import ConflictError

bp = Blueprint("project_webhook", __name__, url_prefix="/projects/<project_id>/webhook")
Answer = Response | str | tuple[str, int]
EVENTS = (
    ("Pushes", "push"),
    ("Pull requests", "pull_request"),
    ("Issues", "issues"),
    ("Releases", "release"),
)
"""As GitHub's page calls them, and as its API does."""


@dataclass(frozen=True, slots=True)
class Section:
    """What the project's page says of its webhook. `local`: why there can be none; `truth`: what it does."""

    is_on: bool
    local: str
    truth: str
    address: str
    at_github: str | None
    unreachable: str
    last: Moment | None
    last_event: str


def payload_url(project_id: str) -> str:
    """Where GitHub delivers to."""
    return settings().base_url + url_for("webhooks.github", project_id=project_id)


def section(project: Project) -> Section:
    """Two queries where it is on, else none."""
    is_on = project.source_type == "GITHUB" and project.webhook_secret is not None
    last = _last(project) if is_on else None
    return Section(
        is_on=is_on,
        local=webhook.LOCAL if project.source_type != "GITHUB" else "",
        truth=_truth(project) if is_on else "",
        address=payload_url(project.id),
        at_github=_at_github(settings().github_api_url, project),
        unreachable=_unreachable(settings().base_url),
        last=view.past(last.received_at, "UTC", named=True) if last else None,
        last_event=last.event.replace("_", " ") if last else "",
    )


def _last(project: Project) -> WebhookDelivery | None:
    query = select(WebhookDelivery).where(WebhookDelivery.project_id == project.id)
    return db.session.scalar(query.order_by(WebhookDelivery.received_at.desc()).limit(1))


def _truth(project: Project) -> str:
    listening = select(func.count()).where(Job.project_id == project.id, Job.run_on_push)
    count = db.session.scalar(listening) or 0
    if not count:
        return "On, but no job starts on a push yet: switch it on in a job's settings."
    return f"On: a push starts {plural(count, 'job')} after ten quiet minutes."


def _at_github(api_url: str, project: Project) -> str | None:
    """The page at which the repository's webhooks are added, where the API's address tells its host: as
    github.com, Enterprise Server and Enterprise Cloud name their APIs."""
    parts = urlsplit(api_url)
    host = parts.netloc
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    elif parts.path != "/api/v3":
        return None
    return f"{parts.scheme}://{host}/{project.repository}/settings/hooks/new"


def _unreachable(base_url: str) -> str:
    """A sentence where nobody outside this machine or network can open our address."""
    host = urlsplit(base_url).hostname or ""
    try:
        is_ours = ip_address(host).is_private
    except ValueError:
        is_ours = "." not in host or host.endswith((".localhost", ".local", ".internal"))
    if not is_ours:
        return ""
    return (
        f"GitHub cannot reach {base_url} from outside. Whoever runs this instance can set BASE_URL to an"
        " address that GitHub can open; until then jobs run on their schedules alone."
    )


@bp.get("")
@login_required
def ask_replace(project_id: str) -> Answer:
    project = owned(Project, project_id)
    if project.webhook_secret is None:
        return htmx.go(_url(project))
    return htmx.page(
        "confirm.html",
        "dialog",
        question=f"Replace the webhook's secret of “{project.name}”?",
        truth="The new secret is shown once.",
        consequences=[
            "Deliveries signed with the present secret are refused from then on, until you enter the new one"
            " at GitHub.",
            "Nothing in the repository is lost by that: the next scheduled run covers it.",
        ],
        button="Replace the secret",
        keep="Keep it",
        danger=False,
        back=_url(project),
    )


@bp.post("")
@login_required
def turn_on(project_id: str) -> Answer:
    """Shows the secret, in this one answer: a redirect would have to keep it somewhere."""
    project = owned(Project, project_id)
    try:
        secret = webhook.turn_on(db.session(), project, secret_box())
    except ConflictError as error:
        return htmx.go(_url(project), error.message)
    db.session.commit()
    shown = section(project)
    return render_template(
        "projects/webhook.html", project=project, webhook=shown, secret=secret, events=EVENTS
    )


@bp.get("/off")
@login_required
def ask_off(project_id: str) -> Answer:
    project = owned(Project, project_id)
    return htmx.page(
        "confirm.html",
        "dialog",
        question=f"Turn the webhook of “{project.name}” off?",
        truth="Its jobs go on running on their schedules.",
        consequences=[
            "Its secret is deleted, and whatever GitHub still delivers is refused.",
            "No run starts because of pushes any more, also not of those already delivered.",
            "At GitHub the webhook stays until you delete it there.",
        ],
        button="Turn it off",
        keep="Keep it",
        danger=False,
        back=_url(project),
    )


@bp.post("/off")
@login_required
def turn_off(project_id: str) -> Answer:
    project = owned(Project, project_id)
    webhook.turn_off(db.session(), project)
    db.session.commit()
    return htmx.go(_url(project), "The webhook is off. Delete it at GitHub, too.")


def _url(project: Project) -> str:
    return url_for("projects.show", project_id=project.id)
