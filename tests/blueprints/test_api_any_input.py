"""Whatever is sent, the answer is one that the description names, and a sentence of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blueprints import bodies, bodies_draft

ODD = ["DAILY", "CUSTOM", "GIT", "GITHUB", "DEVTO", "2025-01-01", "\x00", "\ud800", "UTC", "0 0 * * *"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(ODD)
)
INNER = [
    "hour",
    "minute",
    "timezone",
    "dayOfWeek",
    "dayOfMonth",
    "expression",
    "days",
    "since",
    "tone",
    "apiKey",
]
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3),
    max_leaves=6,
)
BODIES = (
    *(bodies.JobBody, bodies.ProjectBody, bodies.PlatformBody, bodies.TriggerBody),
    *(bodies_draft.DraftEdit, bodies_draft.RegenerateBody, bodies_draft.RestoreBody),
)
KEYS = [*sorted({field.alias for body in BODIES for field in body.model_fields.values()}), "unheardOf"]
LISTS = ["projects", "cron/schedules", "cron/executions", "drafts", "notifications"]
QUERY = ["limit", "cursor", "jobId", "stats", "status", "include", "executionId"]
MANY = settings(max_examples=1000, suppress_health_check=list(HealthCheck))


@pytest.fixture
def calls(rows, user):
    project = rows.project(user)
    platform, job = rows.platform(project, "DEVTO"), rows.job(project)
    draft = rows.draft(rows.execution(job), "DEVTO", platform_id=platform.id)
    at_draft = f"/api/drafts/{draft.id}"
    schedule = {"frequency": "DAILY", "timeConfig": {}}
    return [
        ("POST", "/api/projects", {"name": "a", "githubRepoOwner": "o", "githubRepoName": "n"}),
        ("PATCH", f"/api/projects/{project.id}", {}),
        ("PATCH", f"/api/platforms/{platform.id}", {}),
        ("POST", "/api/cron/schedule", {"projectId": project.id, "name": "n", **schedule}),
        ("PATCH", f"/api/cron/schedules/{job.id}", {}),
        ("PATCH", "/api/cron/schedule", {"jobId": job.id}),
        ("POST", "/api/cron/preview", schedule),
        ("POST", "/api/cron/trigger", {"jobId": job.id}),
        ("PATCH", at_draft, {"version": 1}),
        ("POST", f"{at_draft}/restore", {"version": 1, "number": 1}),
        *(("POST", f"{at_draft}/{action}", {}) for action in ("approve", "reject", "regenerate")),
    ]


@pytest.mark.long
def test_any_body(api, calls):
    @MANY
    @given(st.sampled_from(calls), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
    def send(call, changes):
        method, path, body = call
        data = json.dumps({**body, **changes})
        told(api(method, path, data=data, content_type="application/json"))

    send()


@pytest.mark.long
def test_any_query(api):
    values = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["1", "true", "MDAwMXww"])

    @MANY
    @given(st.sampled_from(LISTS), st.dictionaries(st.sampled_from(QUERY), values, max_size=3))
    def send(path, query):
        told(api.get(f"/api/{path}", query_string=query))

    send()


def told(response):
    if response.status_code >= 400:
        assert response.get_json()["error"].endswith(".")
        assert "Input should" not in response.get_data(as_text=True)
