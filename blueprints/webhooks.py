"""Where GitHub delivers: nobody is signed in, the signature is all the proof there is.

Whoever cannot sign learns nothing, not even whether there is such a project: all are refused alike, after the
same work.
"""

import hmac
import json
import logging
import re
import secrets
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO, Any
from urllib.parse import parse_qs

from flask import Blueprint, jsonify, make_response, request
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from blueprints.access import secret_box
from blueprints.errors import api_error
from blueprints.extensions import db, limiter
from blueprints.github_events import stranger, why_not
from lib import clock
from lib.secrets import SecretBox, SecretError
from lib.words import plural
from models import Project
from models.base import reading, table
from pipeline import pushes

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")
log = logging.getLogger(__name__)
LARGEST = 25 * 1024 * 1024
"""GitHub delivers nothing larger than 25 MB ("Webhook events and payloads", docs.github.com, 2026-11-23)."""
CHUNK, IN_MEMORY = 64 * 1024, 512 * 1024
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
REFUSALS = "120 per minute"
"""For each address. It slows nobody down who can sign: GitHub's addresses are everybody's, and whoever has
GitHub deliver forgeries from there must not keep the right ones away."""
REFUSED = (
    "Not accepted: no project has a webhook here, or the signature does not fit its secret. Enter the secret"
    " at GitHub that the project's page showed, or replace it there."
)
_ID = re.compile(r"[a-z]{1,10}_[a-z0-9]{1,40}")
_EVENT, _GUID = re.compile(r"[a-z_]{1,40}"), re.compile(r"[A-Za-z0-9-]{1,64}")
_large = Lock()
_project = table(Project).c
# Built once: building a statement costs more than running it.
_WANTED = select(
    *(_project.id, _project.source_type, _project.webhook_secret),
    *(_project.github_id, _project.github_repo_owner, _project.github_repo_name, _project.github_branch),
).where(_project.id == bindparam("wanted"))


@bp.post("/github/<project_id>")
def github(project_id: str) -> Response:
    """One delivery: 202, and in a while a run; 200 for a ping."""
    request.max_content_length = LARGEST
    if request.mimetype not in (JSON, FORM):
        return api_error(415, "Choose the content type application/json for the webhook at GitHub.")
    stream = request.stream  # refuses a length that is too large before anything else is done
    project, secret = _look_up(project_id)
    with SpooledTemporaryFile(IN_MEMORY) as body:
        signature = _receive(stream, secret, body)
        given = request.headers.get("X-Hub-Signature-256", "")
        signed = hmac.compare_digest(signature.encode(), given.encode())
        if project is None or not signed:
            return _refuse()
        return _take(project, body)


def _look_up(project_id: str) -> tuple[Any, bytes]:
    """The project, and the secret to check with: for one that has none it is a secret that nobody knows. No
    transaction stays open while the body comes."""
    known = project_id if _ID.fullmatch(project_id) else ""
    with reading(db.session()):
        project = db.session.connection().execute(_WANTED, {"wanted": known}).one_or_none()
    if project is not None and (project.source_type != "GITHUB" or project.webhook_secret is None):
        project = None
    sealed = project.webhook_secret if project is not None else _decoy(secret_box())
    try:
        return project, secret_box().open(sealed).encode()
    except SecretError as error:
        log.warning("The webhook of %s accepts nothing: %s", known, error.message)
        return None, secrets.token_bytes()


@lru_cache(maxsize=1)
def _decoy(box: SecretBox) -> str:
    return box.seal(secrets.token_urlsafe(32))


def _receive(stream: IO[bytes], secret: bytes, body: IO[bytes]) -> str:
    """The signature that the body should have, made while it comes in. Beyond IN_MEMORY it is kept on disk:
    until it is known that the right one signed, a request costs no more memory than that."""
    digest = hmac.new(secret, digestmod="sha256")
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        body.write(chunk)
    return f"sha256={digest.hexdigest()}"


@limiter.limit(REFUSALS)
def _refuse() -> Response:
    return api_error(403, REFUSED)


def _take(project: Any, body: IO[bytes]) -> Response:
    event, guid = (request.headers.get(f"X-GitHub-{name}", "") for name in ("Event", "Delivery"))
    if not _EVENT.fullmatch(event) or not _GUID.fullmatch(guid):
        return api_error(
            422, "The headers X-GitHub-Event and X-GitHub-Delivery are needed, as GitHub sends them."
        )
    payload = _read(body)
    if payload is None:
        return api_error(422, "The payload is no JSON object, alone or in the form field “payload”.")
    pinged = event == "ping"
    wrong = stranger(payload, project) if not pinged or "repository" in payload else None
    if wrong:  # and not remembered: once this is mended at one end, it may be delivered again
        return api_error(422, wrong)
    ignored = None if pinged else why_not(event, payload, project)
    concerns = not pinged and ignored is None
    try:
        noted = pushes.note(db.session(), project.id, guid, event, concerns=concerns)
    except IntegrityError:  # the project was deleted just now
        db.session.rollback()
        return _refuse()
    if pinged:
        return _answer(200, "The webhook works. Jobs that start on a push do so from now on.")
    return _answer(202, _said(noted, ignored))


def _read(body: IO[bytes]) -> dict[str, Any] | None:
    """The payload, or None. The whole of it is read, as GitHub promises no order of keys; a large one, which
    takes a multiple of its size for a moment, only one at a time."""
    large = body.tell() > IN_MEMORY
    body.seek(0)
    if not large:
        return _parse(body.read())
    with _large:
        return _parse(body.read())


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        if request.mimetype == FORM:
            raw = parse_qs(raw.decode(), max_num_fields=8)["payload"][0].encode()
        found = json.loads(raw)
    except (ValueError, KeyError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _said(noted: pushes.Noted, ignored: str | None) -> str:
    if not noted.is_new:
        return "Delivered before: nothing further starts."
    if ignored is not None:
        return f"Ignored: {ignored}."
    if noted.at is None:
        return "Accepted, but no job of this project starts on a push: switch it on in the job's settings."
    verb = "runs" if noted.jobs == 1 else "run"
    return f"Accepted: {plural(noted.jobs, 'job')} {verb} at {clock.iso(noted.at)} unless more comes."


def _answer(status: int, message: str) -> Response:
    return make_response(jsonify({"success": True, "message": message}), status)


@bp.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    return api_error(413, "Too large: GitHub delivers 25 MB at most.")
