"""Projects and platforms in the browser."""

import re

import pytest

from tests.blueprints.pages import Visitor, area, beside, text, value

PROJECT = {
    "name": "Lib",
    "sourceType": "GITHUB",
    "githubRepoOwner": "username",
    "githubRepoName": "awesome-lib",
}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


def test_creating_a_project_connects_its_platforms_and_seals_its_token(visitor, rows):
    from models import Platform, Project

    form = PROJECT | {"githubToken": "ghp_secret", "platforms": ["DEVTO", "LINKEDIN"], "tone": "Dry"}
    page = visitor.follow(visitor.post("/projects/new", form))
    assert "Ready to write for 2 platforms" in page
    assert "Stored, never shown" in page
    project = rows.all(Project)[0]
    assert (project.name, project.repository, project.voice["tone"]) == ("Lib", "username/awesome-lib", "Dry")
    assert "ghp_secret" not in project.github_token
    assert sorted(platform.type for platform in rows.all(Platform)) == ["DEVTO", "LINKEDIN"]


def test_a_wrong_project_is_not_stored_and_nothing_typed_is_lost(visitor, rows):
    from models import Project

    answer = visitor.post("/projects/new", PROJECT | {"name": "", "githubRepoName": "user/lib"})
    assert answer.status_code == 422
    assert beside(answer, "name") == "Must not be empty."
    assert "without a slash" in beside(answer, "githubRepoName")
    assert value(answer, "githubRepoName") == "user/lib"
    assert value(answer, "githubRepoOwner") == "username"
    assert "Nothing was saved" in text(answer)
    assert rows.all(Project) == []


def test_a_local_folder_needs_git_root(visitor):
    answer = visitor.post("/projects/new", {"name": "Lib", "sourceType": "GIT", "gitPath": "/etc"})
    assert answer.status_code == 422
    assert beside(answer, "gitPath").endswith(".")


def test_editing_keeps_the_token_unless_told_otherwise(visitor, rows, user):
    project = rows.project(user, github_token="sealed")
    page = visitor.get(f"/projects/{project.id}/edit")
    assert value(page, "githubRepoOwner") == "username"
    assert "sealed" not in page.get_data(as_text=True)
    visitor.follow(visitor.post(f"/projects/{project.id}/edit", PROJECT | {"name": "New name"}))
    stored = rows.get(type(project), project.id)
    assert (stored.name, stored.github_token) == ("New name", "sealed")
    visitor.post(f"/projects/{project.id}/edit", PROJECT | {"removeToken": "on"})
    assert rows.get(type(project), project.id).github_token is None


VOICE = {
    "audience": "Developers",
    "tone": "Dry",
    "language": "English",
    "instructions": "Say how to upgrade.",
    "example1": "",
    "example2": "A post of mine",
    "example3": "Another one\r\nof two lines",
    "banned": "synergy\r\n\r\n🚀",
}


def test_a_voice_is_set_shown_and_set_again(visitor, rows):
    from models import Project

    page = visitor.follow(visitor.post("/projects/new", PROJECT | VOICE))
    project = rows.all(Project)[0]
    assert project.voice == {
        "audience": "Developers",
        "tone": "Dry",
        "language": "English",
        "instructions": "Say how to upgrade.",
        "examples": ["A post of mine", "Another one\nof two lines"],
        "banned": ["synergy", "🚀"],
    }
    for line in ("Readers Developers", "2 posts of 14 and 24 characters", "Never says “synergy” and “🚀”"):
        assert line in page
    form = visitor.get(f"/projects/{project.id}/edit")
    assert (value(form, "audience"), value(form, "language")) == ("Developers", "English")
    assert area(form, "instructions") == "Say how to upgrade."
    assert [area(form, f"example{number}") for number in (1, 2, 3)] == [
        "A post of mine",
        "Another one\nof two lines",
        "",
    ]
    assert area(form, "banned") == "synergy\n🚀"
    cleared = PROJECT | dict.fromkeys(VOICE, "")
    page = visitor.follow(visitor.post(f"/projects/{project.id}/edit", cleared))
    assert "Nothing is chosen" in page
    assert rows.get(Project, project.id).voice["examples"] == []


def test_a_wrong_voice_is_told_beside_its_field_and_not_lost(visitor, rows):
    from models import Project

    wrong = VOICE | {"example3": "x" * 5001, "banned": "fine\n" + "y" * 101}
    answer = visitor.post("/projects/new", PROJECT | wrong)
    assert answer.status_code == 422
    assert beside(answer, "example3").startswith("Must have at most 5,000 characters; it has 5,001")
    assert beside(answer, "example2") == beside(answer, "example1") == ""
    assert "has at most 100 characters" in beside(answer, "banned")
    assert (area(answer, "example2"), area(answer, "example3")) == ("A post of mine", "x" * 5001)
    assert area(answer, "banned") == "fine\n" + "y" * 101
    assert re.search(r"<details open>\s*<summary>How the posts should sound", answer.get_data(as_text=True))
    assert rows.all(Project) == []


def test_a_long_voice_is_shown_in_a_few_lines(visitor, rows, user):
    voice = {
        "instructions": "word " * 200,
        "banned": [f"phrase {n}" for n in range(8)],
        "examples": ["x" * 1500],
    }
    page = text(visitor.get(f"/projects/{rows.project(user, voice=voice).id}"))
    assert "word…" in page
    assert "word " * 60 not in page
    assert "1 post of 1,500 characters" in page
    assert "“phrase 4” and 3 other phrases" in page


def test_deleting_names_what_goes_with_it(visitor, rows, user):
    project = rows.project(user)
    rows.execution(rows.job(project))
    asked = visitor.get(f"/projects/{project.id}/delete")
    assert "1 job, 1 execution and all drafts" in text(asked)
    assert rows.get(type(project), project.id) is not None
    assert "is deleted" in visitor.follow(visitor.post(f"/projects/{project.id}/delete"))
    assert rows.get(type(project), project.id) is None


def test_platforms_connect_take_credentials_and_go(visitor, rows, user):
    from models import Platform

    project = rows.project(user)
    assert "No platform is connected" in text(visitor.get(f"/projects/{project.id}"))
    visitor.follow(visitor.post(f"/projects/{project.id}/platforms", {"type": "DEVTO"}))
    platform = rows.all(Platform)[0]
    path = f"/platforms/{platform.id}"
    page = visitor.follow(visitor.post(f"{path}/credentials", {"apiKey": "dev_secret"}))
    assert "credentials stored" in page
    stored = rows.get(Platform, platform.id)
    assert stored.is_connected
    assert "dev_secret" not in stored.credentials
    assert "no posts are written" in visitor.follow(visitor.post(f"{path}/disconnect"))
    visitor.post(f"{path}/connect")
    assert rows.get(Platform, platform.id).credentials == stored.credentials
    visitor.post(f"{path}/credentials", {"removeCredentials": "1"})
    assert rows.get(Platform, platform.id).credentials is None
    assert "stored credentials are deleted" in text(visitor.get(f"{path}/delete"))
    visitor.post(f"{path}/delete")
    assert rows.all(Platform) == []


TEMPLATES = "This update was put together by Repocast from the repository's activity, without an AI model."


def test_a_disclosure_is_shown_changed_switched_off_and_restored(visitor, rows, user):
    platform = rows.platform(rows.project(user), "DEVTO", settings={"canonical": True})
    page, path = f"/projects/{platform.project_id}", f"/platforms/{platform.id}/disclosure"

    def stored():
        return rows.get(type(platform), platform.id).settings

    def shown():
        answer = visitor.get(page)
        words = re.search(r"Disclosure on Dev.to ?: ([\w ]+?) Last", text(answer))[1]
        return words, area(answer, "disclosure")

    assert shown() == ("the default sentence", TEMPLATES)
    visitor.post(path, {"disclosure": TEMPLATES})
    assert stored() == {"canonical": True}, "the default that was sent back stays the default"
    assert "your own words" in visitor.follow(visitor.post(path, {"disclosure": " Made with help. "}))
    assert shown() == ("your own words", "Made with help.")
    assert "says nothing of machine help" in visitor.follow(visitor.post(path, {"disclosure": ""}))
    assert shown() == ("off", "")
    visitor.post(path, {"disclosure": "typed", "restore": "1"})
    assert stored() == {"canonical": True}


class TestWithAModel:
    @pytest.fixture
    def environ(self, environ):
        return environ | {"OPENAI_API_KEY": "key"}

    def test_a_model_is_disclosed(self, visitor, rows, user):
        platform = rows.platform(rows.project(user), "LINKEDIN")
        shown = area(visitor.get(f"/projects/{platform.project_id}"), "disclosure")
        assert shown == "This post was drafted by an AI model, with Repocast, from the repository's activity."


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        ("DEVTO", "Use {{ liquid }}", "Dev.to would execute"),
        ("DEVTO", "one\ntwo", "Must not have line breaks"),
        ("LINKEDIN", "**bold** words", "LinkedIn shows Markdown as it is typed"),
        ("HASHNODE", "x" * 301, "Must have at most 300 characters; it has 301."),
    ],
)
def test_a_wrong_disclosure_is_told_beside_it_and_not_lost(visitor, rows, user, kind, typed, said):
    project = rows.project(user)
    for other in ("HASHNODE", "DEVTO", "LINKEDIN"):
        if other != kind:
            rows.platform(project, other)
    platform = rows.platform(project, kind)
    answer = visitor.post(f"/platforms/{platform.id}/disclosure", {"disclosure": typed})
    assert answer.status_code == 422
    assert said in beside(answer, "disclosure")
    body = answer.get_data(as_text=True)
    assert body.count("<details open>") + len(re.findall(r"<details id=\"disclosure-\w+\" open>", body)) == 1
    assert f'<details id="disclosure-{kind}" open>' in body
    assert area(answer, "disclosure", f"f-{kind}-disclosure") == typed
    assert rows.get(type(platform), platform.id).settings == {}


def test_a_strangers_disclosure_is_absent(visitor, rows):
    platform = rows.platform(rows.project(rows.user()), "DEVTO")
    assert visitor.post(f"/platforms/{platform.id}/disclosure", {"disclosure": "x"}).status_code == 404
    assert rows.get(type(platform), platform.id).settings == {}


def test_half_credentials_are_refused_beside_their_field(visitor, rows, user):
    platform = rows.platform(rows.project(user), "HASHNODE")
    answer = visitor.post(f"/platforms/{platform.id}/credentials", {"token": "pat"})
    assert answer.status_code == 422
    assert beside(answer, "publicationId") == "Is needed."
    assert rows.get(type(platform), platform.id).credentials is None


def test_a_second_platform_of_a_kind_is_refused(visitor, rows, user):
    project = rows.project(user)
    rows.platform(project, "DEVTO")
    assert "has Dev.to already" in visitor.follow(
        visitor.post(f"/projects/{project.id}/platforms", {"type": "DEVTO"})
    )


def test_a_project_says_who_it_writes_for(visitor, rows, user):
    project = rows.project(user, name="<b>Bold</b>")
    rows.platform(project, "DEVTO")
    rows.platform(project, "LINKEDIN", is_connected=False)
    rows.job(project)
    page = visitor.get(f"/projects/{project.id}")
    assert "1 job writes for Dev.to." in text(page)
    assert "<b>Bold" not in page.get_data(as_text=True)
