import re

import pytest

CALLS = {
    "/api/projects": "get post",
    "/api/projects/{project_id}": "get patch delete",
    "/api/projects/{project_id}/platforms": "get post",
    "/api/projects/{project_id}/webhook": "post delete",
    "/api/platforms/{platform_id}": "patch delete",
    "/api/cron/schedule": "post patch",
    "/api/cron/schedules": "get",
    "/api/cron/schedules/{job_id}": "get patch delete",
    "/api/cron/preview": "post",
    "/api/cron/trigger": "post",
    "/api/cron/executions": "get",
    "/api/executions/{execution_id}": "get",
    "/api/executions/{execution_id}/cancel": "post",
    "/api/executions/{execution_id}/retry": "post",
    "/api/drafts": "get",
    "/api/drafts/{draft_id}": "get",
    "/api/drafts/{draft_id}/export": "get",
    "/api/notifications": "get",
    "/api/notifications/{notification_id}/read": "post",
    "/api/notifications/read-all": "post",
    "/api/openapi.json": "get",
}


@pytest.fixture
def document(client):
    response = client.get("/api/openapi.json")
    assert response.status_code == 200
    return response.get_json()


def test_every_call_is_there(document):
    assert document["openapi"].startswith("3.1.")
    for path, methods in CALLS.items():
        assert set(methods.split()) <= set(document["paths"][path]), path


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    assert references
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)


def test_operation_ids_are_unique(document):
    ids = [call["operationId"] for path in document["paths"].values() for call in path.values()]
    assert len(ids) == len(set(ids))


def test_a_body_is_required_and_strict(document):
    call = document["paths"]["/api/cron/schedule"]["post"]
    assert call["requestBody"]["required"] is True
    reference = call["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"projectId", "name", "frequency", "timeConfig"}
    assert (
        schema["properties"]["maxRetries"] | {"minimum": 0, "maximum": 10, "default": 3}
        == (schema["properties"]["maxRetries"])
    )
    assert set(call["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "415", "503"}


def test_a_change_requires_nothing_and_has_no_defaults(document):
    schema = document["components"]["schemas"]["JobBodyEdit"]
    assert "required" not in schema
    assert "default" not in schema["properties"]["maxRetries"]


def test_what_is_in_the_path_and_the_query(document):
    call = document["paths"]["/api/cron/executions"]["get"]
    names = {parameter["name"]: parameter for parameter in call["parameters"]}
    assert set(names) == {"jobId", "status", "stats", "include", "limit", "cursor"}
    assert names["limit"]["schema"]["maximum"] == 100
    assert "RETRYING" in names["status"]["schema"]["enum"]
    path = document["paths"]["/api/drafts/{draft_id}"]["get"]["parameters"]
    assert path == [{"name": "draft_id", "in": "path", "required": True, "schema": {"type": "string"}}]


def test_an_answer_names_its_keys(document):
    schema = document["components"]["schemas"]["ExecutionView"]
    assert {"id", "jobId", "startedAt", "output", "stackTrace"} <= set(schema["required"])
    assert schema["properties"]["createdAt"] == {
        "format": "date-time",
        "title": "Createdat",
        "type": "string",
    }
