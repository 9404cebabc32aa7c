"""The project's own list of bots: one name a line in the form, a list in the API."""

import pytest

from models import Project
from tests.blueprints.pages import Visitor, beside, text

FORM = {
    "name": "Lib",
    "sourceType": "GITHUB",
    "githubRepoOwner": "username",
    "githubRepoName": "awesome-lib",
}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


def test_one_bot_a_line(visitor, rows, user):
    project = rows.project(user)
    edit = f"/projects/{project.id}/edit"
    visitor.follow(visitor.post(edit, FORM | {"bots": " @our-bot \r\n\r\nOUR-BOT\r\nBuild Machine\r\n"}))
    assert rows.get(Project, project.id).bots == ["our-bot", "Build Machine"]
    assert "our-bot Build Machine" in text(visitor.get(edit))
    visitor.follow(visitor.post(edit, FORM))  # a form without the field leaves the list alone
    assert rows.get(Project, project.id).bots == ["our-bot", "Build Machine"]
    visitor.follow(visitor.post(edit, FORM | {"bots": " "}))
    assert rows.get(Project, project.id).bots == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("@", "A bot needs a login or a name."),
        ("b" * 101, "too long: a login or name has at most 100 characters."),
        ("\n".join(f"bot{n}" for n in range(101)), "Must have at most 100 entries; it has 101."),
    ],
)
def test_a_wrong_list_is_kept_as_typed(visitor, rows, typed, said):
    answer = visitor.post("/projects/new", FORM | {"bots": typed})
    assert answer.status_code == 422
    assert said in beside(answer, "bots")
    assert typed.split("\n")[-1] in text(answer)
    assert rows.all(Project) == []


def test_the_api_reads_and_writes_the_list(api, rows, user):
    path = f"/api/projects/{rows.project(user).id}"
    assert api.get(path).get_json()["data"]["bots"] == []
    changed = api.patch(path, {"bots": ["@our-bot", "Our-Bot", "ci"]}).get_json()["data"]
    assert changed["bots"] == ["our-bot", "ci"]
    assert api.patch(path, {"name": "Other"}).get_json()["data"]["bots"] == ["our-bot", "ci"]
    refused = api.patch(path, {"bots": ["ok", ""]})
    assert refused.status_code == 400
    assert [one["field"] for one in refused.get_json()["details"]] == ["bots.1"]
