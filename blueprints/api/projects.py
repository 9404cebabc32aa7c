"""Projects and their platforms."""

from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from blueprints import access, bodies, connection, present, shapes
from blueprints.api.frame import answer, api
from blueprints.api.operation import operation
from blueprints.api.reading import ID, PageQuery, find, page, raise_absent, read_body, read_query
from blueprints.extensions import db
from blueprints.inputs import read_platform, read_project
from blueprints.pages_cost import spending_json
from models import Platform, Project
from pipeline import projects


@api.get("/projects")
@operation("List projects", answer=shapes.ProjectView, many=True, query=PageQuery)
def list_projects() -> Response:
    mine = select(Project).where(Project.user_id == current_user.id)
    rows, following = page(mine, Project, read_query(PageQuery))
    return answer([present.project(row) for row in rows], count=len(rows), nextCursor=following)


@api.post("/projects")
@operation("Create a project", answer=shapes.ProjectView, body=bodies.ProjectBody, status=201)
def create_project() -> Response:
    values = read_project(read_body(), partial=False, git_root=access.settings().git_root)
    row = projects.create(db.session(), current_user.id, values, access.secret_box())
    db.session.commit()
    return answer(present.project(row), 201)


@api.get("/projects/<project_id>")
@operation("Read a project", answer=shapes.ProjectView)
def read_one_project(project_id: str) -> Response:
    row = find(Project, project_id)
    return answer(present.project(row, spending_json(row)))


@api.patch("/projects/<project_id>")
@operation("Change a project", answer=shapes.ProjectView, body=bodies.ProjectEdit, errors=(409,))
def edit_project(project_id: str) -> Response:
    row = find(Project, project_id)
    git_root = access.settings().git_root
    values = read_project(read_body(), partial=True, git_root=git_root, current=row)
    projects.edit(db.session(), row, values, access.secret_box())
    db.session.commit()
    return answer(present.project(row))


@api.delete("/projects/<project_id>")
@operation("Delete a project with all that is in it", answer=shapes.DeletedView, errors=(409,))
def delete_project(project_id: str) -> Response:
    projects.delete(db.session(), find(Project, project_id))
    db.session.commit()
    return answer({"id": project_id})


@api.post("/projects/<project_id>/test")
@operation("Test the connection to a project's repository", answer=shapes.ConnectionView, errors=(429,))
@connection.limited
def test_project(project_id: str) -> Response:
    """Ten seconds at most. 200 also when it does not work: the sentence says why, and what helps."""
    return answer(present.connection(connection.look(find(Project, project_id))))


@api.get("/projects/<project_id>/platforms")
@operation("List a project's platforms", answer=shapes.PlatformView, many=True)
def list_platforms(project_id: str) -> Response:
    """Three at most, one of each type: a single page."""
    rows = find(Project, project_id).platforms
    return answer([present.platform(row) for row in rows], count=len(rows), nextCursor=None)


@api.post("/projects/<project_id>/platforms")
@operation("Add a platform", answer=shapes.PlatformView, body=bodies.PlatformBody, status=201, errors=(409,))
def create_platform(project_id: str) -> Response:
    project = find(Project, project_id)
    values = read_platform(read_body(), partial=False)
    return answer(
        present.platform(projects.add_platform(db.session(), project, values, access.secret_box())), 201
    )


@api.patch("/platforms/<platform_id>")
@operation("Change a platform", answer=shapes.PlatformView, body=bodies.PlatformEdit, errors=(409,))
def edit_platform(platform_id: str) -> Response:
    row = _find_platform(platform_id)
    values = read_platform(read_body(), partial=True, current=row)
    projects.edit_platform(db.session(), row, values, access.secret_box())
    db.session.commit()
    return answer(present.platform(row))


@api.delete("/platforms/<platform_id>")
@operation("Delete a platform; drafts for it stay", answer=shapes.DeletedView, errors=(409,))
def delete_platform(platform_id: str) -> Response:
    projects.delete_platform(db.session(), _find_platform(platform_id))
    db.session.commit()
    return answer({"id": platform_id})


def _find_platform(platform_id: str) -> Platform:
    """A platform is its project's owner's."""
    mine = select(Platform).join(Project).where(Project.user_id == current_user.id)
    row = db.session.scalar(mine.where(Platform.id == platform_id)) if ID.fullmatch(platform_id) else None
    return row or raise_absent("platform")
