"""A project's webhook: turn it on, or off."""

from werkzeug.wrappers import Response

from blueprints import access, shapes
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import find
from blueprints.extensions import db
from blueprints.github_events import EVENTS
from blueprints.project_webhook import payload_url
from models import Project
from pipeline import webhook


class WebhookView(shapes.View):
    """What to enter at GitHub. `secret` is shown this once."""

    url: str
    secret: str
    events: list[str]


@api.post("/projects/<project_id>/webhook")
@operation(
    "Turn a project's webhook on, or replace its secret",
    answer=WebhookView,
    status=201,
    errors=(409,),
)
def turn_webhook_on(project_id: str) -> Response:
    """The one answer that shows the secret. 409 for a local repository."""
    row = find(Project, project_id)
    secret = webhook.turn_on(db.session(), row, access.secret_box())
    db.session.commit()
    return answer({"url": payload_url(row.id), "secret": secret, "events": list(EVENTS)}, 201)


@api.delete("/projects/<project_id>/webhook")
@operation("Turn a project's webhook off", answer=shapes.DeletedView)
def turn_webhook_off(project_id: str) -> Response:
    webhook.turn_off(db.session(), find(Project, project_id))
    db.session.commit()
    return answer({"id": project_id})
