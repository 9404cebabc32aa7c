"""Edit, decide, write anew: what a program may do to a draft, and what it is told where it may not."""

import pytest

from models import Draft, DraftVersion, Project, Regeneration, Told
from models.values import ACTIVITY, Activity, Commit, Person, Window
from tests.blueprints.conftest import BORN, fields
from tests.blueprints.pages import step


@pytest.fixture
def execution(rows, user):
    return rows.execution(rows.job(rows.project(user)))


@pytest.fixture
def draft(rows, execution):
    platform = rows.platform(rows.project(rows.user()), "DEVTO")
    step(rows, execution, "scan", status="COMPLETED", result={})
    return rows.draft(execution, "DEVTO", platform_id=platform.id)


def at(draft: Draft, action: str = "") -> str:
    return f"/api/drafts/{draft.id}{action and '/'}{action}"


def test_an_edit(api, draft, clock):
    response = api.patch(at(draft), {"version": 1, "title": " A better title ", "subtitle": "More"})
    shown = response.get_json()["data"]
    assert response.status_code == 200
    assert (shown["title"], shown["subtitle"], shown["version"]) == ("A better title", "More", 2)
    assert (shown["content"], shown["tags"]) == ("A post for DEVTO", ["webdev"])
    assert shown["updatedAt"] == "2025-10-03T09:00:00.000Z"
    assert shown["checks"] == []


def test_a_stale_edit_is_told_what_stands_there(api, draft):
    api.patch(at(draft), {"version": 1, "content": "First."})
    response = api.patch(at(draft), {"version": 1, "content": "Second."})
    body = response.get_json()
    assert (response.status_code, body["data"]["content"], body["data"]["version"]) == (409, "First.", 2)
    assert "version 2 now, not 1" in body["error"]


def test_checks_are_the_platforms_sentences_and_then_the_ledgers(api, rows, execution):
    draft = rows.draft(execution, "DEVTO", remarks=["One sentence was left out."])
    shown = api.patch(at(draft), {"version": 1, "tags": ["a", "b", "c", "d", "e"]}).get_json()["data"]
    assert shown["tags"] == ["a", "b", "c", "d", "e"]
    assert shown["checks"][-1] == "One sentence was left out."
    assert "4 tags" in shown["checks"][0]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["version"]),
        ({"version": 0}, ["version"]),
        ({"version": "1"}, ["version"]),
        ({"version": 1, "title": "two\nlines"}, ["title"]),
        ({"version": 1, "title": "x" * 501}, ["title"]),
        ({"version": 1, "content": "a\x00b"}, ["content"]),
        ({"version": 1, "content": None}, ["content"]),
        ({"version": 1, "tags": ["a", ""]}, ["tags.1"]),
        ({"version": 1, "tags": ["a"] * 51}, ["tags"]),
        ({"version": 1, "state": "APPROVED"}, ["state"]),
    ],
)
def test_what_cannot_be_kept_is_named(api, rows, draft, body, named):
    response = api.patch(at(draft), body)
    assert (response.status_code, fields(response)) == (400, named)
    assert rows.get(Draft, draft.id).version == 1


def test_lines_end_alike_wherever_they_come_from(api, draft):
    shown = api.patch(at(draft), {"version": 1, "content": "a\r\nb\rc\n"}).get_json()["data"]
    assert shown["content"] == "a\nb\nc\n"


def test_approve_reject_reopen(api, rows, draft):
    shown = api.post(at(draft, "approve")).get_json()["data"]
    assert (shown["state"], shown["decidedAt"]) == ("APPROVED", "2025-10-03T09:00:00.000Z")
    for action in ("approve", "reject", "regenerate"):
        response = api.post(at(draft, action))
        assert (response.status_code, response.get_json()["data"]["state"]) == (409, "APPROVED")
    assert api.patch(at(draft), {"version": 1, "content": "x"}).status_code == 409
    assert api.post(at(draft, "reopen")).get_json()["data"]["state"] == "DRAFT"
    assert api.post(at(draft, "reopen")).status_code == 409
    assert api.post(at(draft, "reject"), {"version": 1}).get_json()["data"]["state"] == "REJECTED"


def test_a_decision_about_another_version(api, rows, draft):
    for action in ("approve", "reject"):
        response = api.post(at(draft, action), {"version": 2})
        assert (response.status_code, rows.get(Draft, draft.id).state) == (409, "DRAFT")
        response = api.post(at(draft, action), {"version": True})
        assert (response.status_code, fields(response)) == (400, ["version"])


def test_what_breaks_a_limit_is_not_approved(api, rows, draft):
    api.patch(at(draft), {"version": 1, "tags": ["not-alphanumeric"]})
    response = api.post(at(draft, "approve"))
    assert (response.status_code, fields(response)) == (409, ["checks"])
    assert "not-alphanumeric" in response.get_json()["error"]
    assert rows.get(Draft, draft.id).state == "DRAFT"


def test_write_anew(api, rows, draft, bells):
    response = api.post(at(draft, "regenerate"), {"instruction": "Shorter, please.", "version": 1})
    order = response.get_json()["data"]["regeneration"]
    assert (response.status_code, order["status"], order["fromVersion"]) == (202, "QUEUED", 1)
    assert order["instruction"] == "Shorter, please."
    assert bells() == [("regenerate", (order["id"],))]
    response = api.post(at(draft, "regenerate"))
    assert response.status_code == 409
    assert response.get_json()["data"]["regeneration"]["id"] == order["id"]
    assert len(rows.all(Regeneration)) == 1
    response = api.post(at(draft, "regenerate/cancel"))
    assert response.get_json()["data"]["regeneration"]["status"] == "CANCELLED"
    assert api.post(at(draft, "regenerate/cancel")).status_code == 409


def test_write_anew_refuses_what_it_cannot_keep(api, draft):
    response = api.post(at(draft, "regenerate"), {"instruction": "x" * 2001})
    assert (response.status_code, fields(response)) == (400, ["instruction"])
    assert api.post(at(draft, "regenerate"), {"version": 7}).status_code == 409


def test_versions_and_back(api, rows, draft, clock):
    [only] = api.get(at(draft, "versions")).get_json()["data"]
    assert (only["number"], only["madeBy"], only["content"]) == (1, "TEMPLATE", "A post for DEVTO")
    assert rows.all(DraftVersion) == []
    api.patch(at(draft), {"version": 1, "content": "Mine."})
    listed = api.get(at(draft, "versions")).get_json()
    assert [(one["number"], one["madeBy"]) for one in listed["data"]] == [(2, "USER"), (1, "TEMPLATE")]
    shown = api.post(at(draft, "restore"), {"version": 2, "number": 1}).get_json()["data"]
    assert (shown["version"], shown["content"]) == (3, "A post for DEVTO")
    assert api.post(at(draft, "restore"), {"version": 3, "number": 9}).status_code == 409
    assert fields(api.post(at(draft, "restore"), {"version": 3})) == ["number"]


def test_what_a_rejected_draft_told_goes_back(api, rows, execution):
    read = Activity("o/n", Window(BORN, BORN), commits=(Commit("c1", "Faster", Person("Jane"), BORN),))
    step(rows, execution, "scan", status="COMPLETED", result=ACTIVITY.dump_python(read, mode="json"))
    rows.add(Told(job_id=execution.job_id, kind="commit", key="c1", at=BORN))
    platform = rows.platform(rows.get(Project, execution.project_id), "DEVTO")
    draft = rows.draft(execution, "DEVTO", platform_id=platform.id)
    assert api.post(at(draft, "give-back")).status_code == 409
    api.post(at(draft, "reject"))
    assert api.post(at(draft, "give-back")).get_json()["data"] == {"items": 1}
    assert api.post(at(draft, "give-back")).status_code == 409
    assert api.post(at(draft, "reopen")).status_code == 409


def test_what_the_sentences_rest_on(api, rows, execution):
    claims = [{"text": "It is faster.", "refs": ["PR42"]}]
    source = {"ref": "PR42", "kind": "pull", "title": "Make it faster", "url": None}
    draft = rows.draft(execution, "DEVTO", claims=claims, sources=[source])
    shown = api.get(at(draft)).get_json()["data"]
    assert (shown["claims"], shown["sources"], shown["regeneration"]) == (claims, [source], None)
    assert "claims" not in api.get("/api/drafts").get_json()["data"][0]


def test_what_a_model_used(api, rows, execution):
    usage = {"model": "gpt", "prompt_tokens": 10, "completion_tokens": None, "seconds": 1.5}
    draft = rows.draft(execution, "DEVTO", usage=usage)
    shown = api.get(at(draft)).get_json()["data"]["usage"]
    assert shown == {"model": "gpt", "promptTokens": 10, "completionTokens": None, "seconds": 1.5}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Größe & mehr: v2.0!", "groe-mehr-v2-0.md"),
        ("../../etc/passwd\r\nX: y", "etc-passwd-x-y.md"),
        ("日本語", None),
    ],
)
def test_a_file_has_a_name_that_every_system_takes(api, rows, execution, title, name):
    draft = rows.draft(execution, "HASHNODE", title=title)
    disposition = api.get(at(draft, "export")).headers["Content-Disposition"]
    assert disposition == f'attachment; filename="{name or draft.id + ".md"}"'


def test_others_change_nothing(stranger, rows, draft):
    actions = ("approve", "reject", "reopen", "regenerate", "regenerate/cancel", "give-back")
    answers = [stranger.post(at(draft, action)) for action in actions]
    answers.append(stranger.post(at(draft, "restore"), {"version": 1, "number": 1}))
    answers += [stranger.patch(at(draft), {"version": 1, "title": "x"}), stranger.get(at(draft, "versions"))]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert rows.get(Draft, draft.id).state == "DRAFT"


def test_a_token_that_may_only_read(app, rows, user, draft, clock):
    from tests.blueprints.conftest import Api

    reader = Api(app, rows.token(user, can_write=False))
    assert reader.post(at(draft, "approve")).status_code == 403
    assert reader.get(at(draft)).status_code == 200
