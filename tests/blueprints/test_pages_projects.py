"""Projects and platforms in the browser."""

import pytest

from tests.blueprints.pages import Visitor, beside, text, value

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
