"""Drafts: read, edit, decide, write anew, take along."""

from flask import make_response
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import bodies_draft, present, shapes_draft
from blueprints.access import tariff
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import PageQuery, find, page, read_body, read_optional, read_query
from blueprints.errors import api_error
from blueprints.extensions import db
from blueprints.inputs import detail, parse
from models import Draft, Execution
from pipeline import drafts, regenerate, versions
from pipeline.drafts import DraftConflictError
from pipeline.giveback import give_back
from tasks.queue import ring


class DraftQuery(PageQuery):
    execution_id: str | None = None


@api.errorhandler(DraftConflictError)
def refuse_draft(error: DraftConflictError) -> Response:
    """The draft as it stands is shown as `data`."""
    shown = None if error.draft is None else _detail(error.draft)
    db.session.rollback()
    return api_error(409, error.message, [detail("checks", one) for one in error.broken], data=shown)


@api.get("/drafts")
@operation(
    "List drafts, of one execution or of all",
    answer=shapes_draft.DraftView,
    many=True,
    query=DraftQuery,
    errors=(404,),
)
def list_drafts() -> Response:
    asked = read_query(DraftQuery)
    chosen = select(Draft).where(Draft.user_id == current_user.id)
    if asked.execution_id is not None:
        execution = find(Execution, asked.execution_id, "executionId")
        chosen = chosen.where(Draft.execution_id == execution.id)
    rows, following = page(chosen, Draft, asked)
    return answer([present.draft(row) for row in rows], count=len(rows), nextCursor=following)


@api.get("/drafts/<draft_id>")
@operation(
    "Read a draft, what its sentences rest on, and how writing it anew stands",
    answer=shapes_draft.DraftDetailView,
)
def read_draft(draft_id: str) -> Response:
    return answer(_detail(find(Draft, draft_id)))


@api.patch("/drafts/<draft_id>")
@operation(
    "Edit a draft that waits for review",
    answer=shapes_draft.DraftDetailView,
    body=bodies_draft.DraftEdit,
    errors=(409,),
)
def edit_draft(draft_id: str) -> Response:
    asked = parse(bodies_draft.DraftEdit, read_body()).model_dump(exclude_unset=True)
    version = asked.pop("version")
    if "tags" in asked:
        asked["tags"] = tuple(asked["tags"])
    return answer(_detail(drafts.edit(db.session(), find(Draft, draft_id).id, version, asked)))


@api.post("/drafts/<draft_id>/approve")
@operation(
    "Approve a draft, once",
    answer=shapes_draft.DraftDetailView,
    body=bodies_draft.DecisionBody,
    may_be_empty=True,
    errors=(409,),
)
def approve_draft(draft_id: str) -> Response:
    asked = parse(bodies_draft.DecisionBody, read_optional())
    return answer(_detail(drafts.approve(db.session(), find(Draft, draft_id).id, asked.version)))


@api.post("/drafts/<draft_id>/reject")
@operation(
    "Reject a draft, once",
    answer=shapes_draft.DraftDetailView,
    body=bodies_draft.DecisionBody,
    may_be_empty=True,
    errors=(409,),
)
def reject_draft(draft_id: str) -> Response:
    asked = parse(bodies_draft.DecisionBody, read_optional())
    return answer(_detail(drafts.reject(db.session(), find(Draft, draft_id).id, asked.version)))


@api.post("/drafts/<draft_id>/reopen")
@operation(
    "Let an approved or rejected draft wait for review again",
    answer=shapes_draft.DraftDetailView,
    errors=(409,),
)
def reopen_draft(draft_id: str) -> Response:
    return answer(_detail(drafts.reopen(db.session(), find(Draft, draft_id).id)))


@api.post("/drafts/<draft_id>/regenerate")
@operation(
    "Have a draft written anew; the text comes as its next version",
    answer=shapes_draft.DraftDetailView,
    body=bodies_draft.RegenerateBody,
    may_be_empty=True,
    status=202,
    errors=(409,),
)
def regenerate_draft(draft_id: str) -> Response:
    asked = parse(bodies_draft.RegenerateBody, read_optional())
    row = find(Draft, draft_id)
    _, bells = regenerate.order(db.session(), row.id, asked.instruction, asked.version, tariff())
    ring(bells)
    return answer(_detail(row), 202)


@api.post("/drafts/<draft_id>/regenerate/cancel")
@operation("Call off writing a draft anew", answer=shapes_draft.DraftDetailView, errors=(409,))
def cancel_regeneration(draft_id: str) -> Response:
    row = find(Draft, draft_id)
    regenerate.cancel(db.session(), row.id)
    return answer(_detail(row))


@api.post("/drafts/<draft_id>/give-back")
@operation(
    "Give what a rejected draft told back to its job, whose next run tells it again",
    answer=shapes_draft.GivenBackView,
    errors=(409,),
)
def give_back_draft(draft_id: str) -> Response:
    row_id = find(Draft, draft_id).id
    db.session.rollback()  # the job is locked first
    items = give_back(db.session(), row_id)
    db.session.commit()
    return answer({"items": items})


@api.get("/drafts/<draft_id>/versions")
@operation("List a draft's versions, newest first", answer=shapes_draft.VersionView, many=True)
def list_versions(draft_id: str) -> Response:
    rows = versions.all_of(db.session(), find(Draft, draft_id))
    return answer([present.version(row) for row in rows], count=len(rows), nextCursor=None)


@api.post("/drafts/<draft_id>/restore")
@operation(
    "Make an earlier version a draft's text again",
    answer=shapes_draft.DraftDetailView,
    body=bodies_draft.RestoreBody,
    errors=(409,),
)
def restore_draft(draft_id: str) -> Response:
    asked = parse(bodies_draft.RestoreBody, read_body())
    return answer(
        _detail(drafts.restore(db.session(), find(Draft, draft_id).id, asked.version, asked.number))
    )


@api.get("/drafts/<draft_id>/export")
@operation("Take a draft along: Markdown with front matter, or LinkedIn's plain text", text=True)
def export_draft(draft_id: str) -> Response:
    row = find(Draft, draft_id)
    file = present.export(row)
    return make_response(file.text, 200, present.file_headers(row, file))


def _detail(row: Draft) -> dict[str, object]:
    return present.draft_detail(row, regenerate.latest(db.session(), row.id))
