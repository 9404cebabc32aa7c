"""Drafts, to read and to take along."""

from flask import make_response
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import present, shapes
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import PageQuery, find, page, read_query
from models import Draft, Execution


class DraftQuery(PageQuery):
    execution_id: str | None = None


@api.get("/drafts")
@operation(
    "List drafts, of one execution or of all",
    answer=shapes.DraftView,
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
@operation("Read a draft", answer=shapes.DraftView)
def read_draft(draft_id: str) -> Response:
    return answer(present.draft(find(Draft, draft_id)))


@api.get("/drafts/<draft_id>/export")
@operation("Take a draft along: Markdown with front matter, or LinkedIn's plain text", text=True)
def export_draft(draft_id: str) -> Response:
    row = find(Draft, draft_id)
    file = present.export(row)
    headers = {
        "Content-Type": f"{file.mime}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{row.id}.{file.ending}"',
    }
    return make_response(file.text, 200, headers)
