import pytest

from tests.blueprints.conftest import fields, statements


@pytest.fixture
def execution(rows, user):
    return rows.execution(rows.job(rows.project(user)))


def test_a_draft_whole(api, rows, execution):
    draft = rows.draft(execution, "DEVTO", checks=["Dev.to takes four tags at most."])
    shown = api.get(f"/api/drafts/{draft.id}").get_json()["data"]
    assert shown.pop("createdAt").startswith("2025-10-02T10:30:")
    assert shown == {
        "id": draft.id,
        "executionId": execution.id,
        "platformId": None,
        "platformType": "DEVTO",
        "state": "DRAFT",
        "title": "A title for DEVTO",
        "content": "A post for DEVTO",
        "tags": ["webdev"],
        "version": 1,
        "checks": ["Dev.to takes four tags at most."],
        "usage": None,
    }


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_list_has_a_fixed_number_of_queries(api, rows, execution, queries, count):
    made = [rows.draft(execution, "DEVTO").id for _ in range(count)]
    rows.draft(rows.execution(rows.job(rows.project(rows.user()))), "DEVTO")
    api.get("/api/projects")
    queries.clear()
    body = api.get("/api/drafts?limit=100").get_json()
    assert [draft["id"] for draft in body["data"]] == made[::-1]
    assert body["count"] == count
    assert statements(queries) == 3


def test_of_one_execution(api, rows, execution, user):
    rows.draft(rows.execution(rows.job(rows.project(user))), "DEVTO")
    draft = rows.draft(execution, "DEVTO")
    body = api.get(f"/api/drafts?executionId={execution.id}").get_json()
    assert [shown["id"] for shown in body["data"]] == [draft.id]


def test_export_is_markdown_with_front_matter(api, rows, execution):
    title = 'Types: "strict"\n---\nevil: true'
    draft = rows.draft(execution, "HASHNODE", title=title, content="# Täglich\n", tags=["webdev", "types"])
    response = api.get(f"/api/drafts/{draft.id}/export")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{draft.id}.md"'
    assert response.get_data(as_text=True) == (
        '---\ntitle: "Types: \\"strict\\"\\n---\\nevil: true"\ntags: "webdev, types"\npublished: false\n---\n'
        "\n# Täglich\n"
    )


def test_export_for_linkedin_is_plain_text(api, rows, execution):
    draft = rows.draft(execution, "LINKEDIN", title="", content="Exciting progress 🚀", tags=[])
    response = api.get(f"/api/drafts/{draft.id}/export")
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.get_data(as_text=True) == "Exciting progress 🚀"


def test_others_see_nothing(stranger, rows, execution):
    draft = rows.draft(execution, "DEVTO")
    assert stranger.get("/api/drafts").get_json()["data"] == []
    assert stranger.get(f"/api/drafts/{draft.id}").status_code == 404
    assert stranger.get(f"/api/drafts/{draft.id}/export").status_code == 404
    response = stranger.get(f"/api/drafts?executionId={execution.id}")
    assert (response.status_code, fields(response)) == (404, ["executionId"])
