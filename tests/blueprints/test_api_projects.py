import json
import subprocess

import pytest

from models import Job, Platform, Project
from tests.blueprints.conftest import fields, statements

GITHUB = {
    "name": "My Open Source Library",
    "githubRepoOwner": "username",
    "githubRepoName": "awesome-lib",
}

BAD_PROJECTS = [
    ({"name": "x" * 256}, "name", "Must have at most 255 characters."),
    ({"name": "  "}, "name", "Must not be empty."),
    ({"name": "a\nb"}, "name", "Must not have line breaks or other control characters."),
    ({"name": "\ud800"}, "name", "Must be text in valid Unicode."),
    ({"name": 5}, "name", "Must be text."),
    ({"description": "x" * 2001}, "description", "Must have at most 2000 characters."),
    (
        {"githubRepoName": "username/awesome-lib"},
        "githubRepoName",
        "Must be the name alone, without a slash: the owner has a field of its own.",
    ),
    ({"githubRepoName": ".."}, "githubRepoName", None),
    ({"githubRepoName": "awesome-lib.git"}, "githubRepoName", None),
    ({"githubRepoOwner": "user name"}, "githubRepoOwner", None),
    ({"githubRepoOwner": None}, "githubRepoOwner", "Is needed for GitHub."),
    ({"githubBranch": "my branch"}, "githubBranch", None),
    ({"githubBranch": "--upload-pack=x"}, "githubBranch", None),
    ({"githubBranch": "a..b"}, "githubBranch", None),
    ({"githubToken": "t" * 501}, "githubToken", "Must have at most 500 characters."),
    ({"githubToken": "tökén"}, "githubToken", None),
    ({"sourceType": "SVN"}, "sourceType", "Must be GITHUB or GIT."),
    ({"sourceType": "GIT"}, "gitPath", "Is needed for a local repository: the path of its folder."),
    ({"voice": {"tone": "x" * 1001}}, "voice.tone", "Must have at most 1000 characters."),
    ({"voice": {"humour": "dry"}}, "voice.humour", None),
    (
        {"voice": {"instructions": "Be\x07brief"}},
        "voice.instructions",
        "Must not have control characters other than line breaks and tabs.",
    ),
    ({"voice": {"examples": "A post"}}, "voice.examples", "Must be a list."),
    ({"voice": {"examples": [None]}}, "voice.examples.0", "Must be text."),
    ({"voice": {"examples": ["a", "b", "c", "d"]}}, "voice.examples", "Must have at most 3 posts; it has 4."),
    (
        {"voice": {"examples": ["a", "x" * 5001]}},
        "voice.examples.1",
        "Must have at most 5,000 characters; it has 5,001: take a part of the post.",
    ),
    ({"voice": {"banned": ["ok", " "]}}, "voice.banned.1", "A phrase must not be empty."),
    ({"voice": {"banned": ["a\nb"]}}, "voice.banned.0", None),
    (
        {"voice": {"banned": ["x" * 101]}},
        "voice.banned.0",
        "“" + "x" * 29 + "…” is too long: a phrase has at most 100 characters.",
    ),
    (
        {"voice": {"banned": [f"phrase {n}" for n in range(51)]}},
        "voice.banned",
        "Must have at most 50 phrases; it has 51.",
    ),
    ({"withhold": ["falcon"]}, "withhold", "Must be an object."),
    ({"withhold": {"words": "falcon"}}, "withhold.words", "Must be a list."),
    ({"withhold": {"words": [7]}}, "withhold.words.0", "Must be text."),
    (
        {"withhold": {"words": ["falcon", "x"]}},
        "withhold.words.1",
        "“x” is too short: a word needs at least 2 characters.",
    ),
    ({"withhold": {"words": ["x" * 101]}}, "withhold.words.0", None),
    ({"withhold": {"words": ["a\nb"]}}, "withhold.words.0", None),
    (
        {"withhold": {"words": [f"word {n}" for n in range(101)]}},
        "withhold.words",
        "Must have at most 100 entries; it has 101.",
    ),
    ({"withhold": {"paths": ["# a comment"]}}, "withhold.paths.0", None),
    ({"withhold": {"paths": ["a["]}}, "withhold.paths.0", None),
    ({"withhold": {"paths": ["x" * 201]}}, "withhold.paths.0", None),
    ({"repo": "x"}, "repo", "Is an unknown field: check its spelling or leave it out."),
]
BAD_PLATFORMS = [
    ({}, ["type"]),
    ({"type": "MEDIUM"}, ["type"]),
    ({"type": "DEVTO", "isConnected": "yes"}, ["isConnected"]),
    ({"type": "DEVTO", "isConnected": 1}, ["isConnected"]),
    ({"type": "DEVTO", "settings": []}, ["settings"]),
    ({"type": "DEVTO", "settings": {"x": "y" * 4096}}, ["settings"]),
    ({"type": "DEVTO", "settings": "x"}, ["settings"]),
    ({"type": "DEVTO", "settings": {"disclosure": 5}}, ["settings.disclosure"]),
    ({"type": "DEVTO", "settings": {"disclosure": "x" * 301}}, ["settings.disclosure"]),
    ({"type": "DEVTO", "settings": {"disclosure": "two\nparagraphs"}}, ["settings.disclosure"]),
    ({"type": "DEVTO", "settings": {"disclosure": "made by {{ me }}"}}, ["settings.disclosure"]),
    ({"type": "LINKEDIN", "settings": {"disclosure": "made **by** me"}}, ["settings.disclosure"]),
    ({"type": "DEVTO", "credentials": {}}, ["credentials.apiKey"]),
    ({"type": "DEVTO", "credentials": {"apiKey": ""}}, ["credentials.apiKey"]),
    ({"type": "DEVTO", "credentials": "k3y"}, ["credentials"]),
    ({"type": "HASHNODE", "credentials": {"token": "t"}}, ["credentials.publicationId"]),
    ({"type": "LINKEDIN", "credentials": {"accessToken": "a b"}}, ["credentials.accessToken"]),
    (
        {"type": "LINKEDIN", "credentials": {"apiKey": "a"}},
        ["credentials.accessToken", "credentials.apiKey"],
    ),
]
BAD_PAGES = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("limit=ten", "limit"),
    ("limit=1.5", "limit"),
    ("cursor=nonsense", "cursor"),
    ("cursor=", "cursor"),
    ("cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHxwcm9qX2E=", "cursor"),
]


def test_create_shows_all_but_the_token(api, rows, app):
    sent = GITHUB | {
        "description": "A library",
        "githubBranch": "main",
        "githubToken": "ghp_secret",
        "voice": {"tone": "dry"},
    }
    response = api.post("/api/projects", sent)
    assert response.status_code == 201
    body = response.get_json()
    assert body["success"] is True
    project = body["data"]
    assert project.pop("id").startswith("proj_")
    assert project == {
        "name": "My Open Source Library",
        "description": "A library",
        "sourceType": "GITHUB",
        "githubRepoOwner": "username",
        "githubRepoName": "awesome-lib",
        "githubBranch": "main",
        "hasToken": True,
        "hasWebhook": False,
        "githubBudget": None,
        "tokenExpiresAt": None,
        "gitPath": None,
        "voice": {"tone": "dry"},
        "bots": [],
        "withhold": {"words": [], "paths": []},
        "lastSyncedAt": None,
        "createdAt": "2025-10-03T09:00:00.000Z",
    }
    stored = rows.all(Project)[0]
    assert "ghp_secret" not in stored.github_token
    assert app.extensions["secret_box"].open(stored.github_token) == "ghp_secret"


def test_read_edit_and_delete(api, rows, user):
    project = rows.project(user)
    path = f"/api/projects/{project.id}"
    assert api.get(path).get_json()["data"]["name"] == "My Open Source Library"
    changed = api.patch(path, {"name": " Renamed ", "voice": {"audience": "admins"}}).get_json()["data"]
    assert (changed["name"], changed["voice"], changed["githubRepoName"]) == (
        "Renamed",
        {"audience": "admins"},
        "awesome-lib",
    )
    assert api.patch(path, {"voice": {"tone": "dry"}}).get_json()["data"]["voice"] == {
        "audience": "admins",
        "tone": "dry",
    }
    assert api.delete(path).get_json() == {"success": True, "data": {"id": project.id}}
    assert api.get(path).status_code == 404
    assert rows.all(Project) == []


def test_a_voice_is_kept_whole_and_changed_part_by_part(api):
    voice = {
        "audience": "Developers",
        "tone": "Dry",
        "language": "English",
        "instructions": "Be brief.\nSay how to upgrade.",
        "examples": ["x" * 5000, "Second\npost", "Third"],
        "banned": [f"phrase {n}" for n in range(50)],
    }
    project = api.post("/api/projects", GITHUB | {"voice": voice}).get_json()["data"]
    assert project["voice"] == voice
    path = f"/api/projects/{project['id']}"
    sent = {"examples": ["", " One\r\npost "], "banned": ["🚀", "Synergy ", "synergy"]}
    assert api.patch(path, {"voice": sent}).get_json()["data"]["voice"] == voice | {
        "examples": ["One\npost"],
        "banned": ["🚀", "Synergy"],
    }
    api.patch(path, {"voice": {"examples": [], "banned": []}})
    assert api.get(path).get_json()["data"]["voice"] == voice | {"examples": [], "banned": []}


def test_what_to_withhold_is_changed_part_by_part(api):
    sent = GITHUB | {"withhold": {"words": [" Falcon ", "Falcon", "Project X"], "paths": ["*.pem"]}}
    project = api.post("/api/projects", sent).get_json()["data"]
    assert project["withhold"] == {"words": ["Falcon", "Project X"], "paths": ["*.pem"]}
    path = f"/api/projects/{project['id']}"
    changed = api.patch(path, {"withhold": {"paths": ["docs/internal/**", "!docs/internal/README.md"]}})
    assert changed.get_json()["data"]["withhold"] == {
        "words": ["Falcon", "Project X"],
        "paths": ["docs/internal/**", "!docs/internal/README.md"],
    }
    api.patch(path, {"withhold": {"words": [], "paths": []}})
    assert api.get(path).get_json()["data"]["withhold"] == {"words": [], "paths": []}


def test_a_token_is_removed_by_null_and_kept_by_silence(api, rows, user):
    project = api.post("/api/projects", GITHUB | {"githubToken": "t0ken"}).get_json()["data"]
    path = f"/api/projects/{project['id']}"
    assert api.patch(path, {"name": "Other"}).get_json()["data"]["hasToken"] is True
    assert api.patch(path, {"githubToken": None}).get_json()["data"]["hasToken"] is False


def test_bad_fields_are_named_and_nothing_is_stored(api, rows):
    for change, field, message in BAD_PROJECTS:
        response = api.post("/api/projects", GITHUB | change)
        assert (response.status_code, fields(response)) == (400, [field]), change
        assert response.get_json()["error"].startswith(f"{field}: ")
        assert message is None or response.get_json()["details"][0]["message"] == message
    assert rows.all(Project) == []


def test_all_mistakes_are_told_at_once(api):
    response = api.post("/api/projects", {"githubRepoName": "a/b", "githubBranch": 1})
    assert sorted(fields(response)) == ["githubBranch", "githubRepoName", "name"]
    assert response.get_json()["error"] == "Please correct name, githubRepoName and githubBranch."


def test_a_bad_edit_changes_nothing(api, rows, user):
    project = rows.project(user)
    response = api.patch(f"/api/projects/{project.id}", {"name": "New", "githubRepoName": "a/b"})
    assert fields(response) == ["githubRepoName"]
    assert rows.get(Project, project.id).name == "My Open Source Library"


class TestLocalRepository:
    @pytest.fixture
    def environ(self, environ, tmp_path):
        (tmp_path / "repos").mkdir()
        return environ | {"GIT_ROOT": str(tmp_path / "repos")}

    @pytest.fixture
    def repository(self, tmp_path, environ):
        folder = tmp_path / "repos" / "mine"
        subprocess.run(["git", "init", "-q", folder], check=True)
        return folder

    def test_one_under_the_root_is_taken(self, api, repository):
        response = api.post(
            "/api/projects", {"name": "Local", "sourceType": "GIT", "gitPath": str(repository)}
        )
        assert response.status_code == 201
        assert response.get_json()["data"]["gitPath"] == str(repository)

    @pytest.mark.parametrize("place", ["outside", "dots", "link", "absent"])
    def test_any_other_is_refused(self, api, rows, repository, tmp_path, place):
        outside = tmp_path / "elsewhere"
        subprocess.run(["git", "init", "-q", outside], check=True)
        (tmp_path / "repos" / "link").symlink_to(outside)
        paths = {
            "outside": outside,
            "dots": f"{tmp_path}/repos/../elsewhere",
            "link": tmp_path / "repos" / "link",
            "absent": tmp_path / "repos" / "absent",
        }
        body = {"name": "Local", "sourceType": "GIT", "gitPath": str(paths[place])}
        response = api.post("/api/projects", body)
        assert response.status_code == 400
        assert fields(response) == ["gitPath"]
        assert rows.all(Project) == []

    def test_a_switch_to_git_needs_a_path(self, api, rows, user, repository):
        project = rows.project(user)
        path = f"/api/projects/{project.id}"
        assert fields(api.patch(path, {"sourceType": "GIT"})) == ["gitPath"]
        changed = api.patch(path, {"sourceType": "GIT", "gitPath": str(repository)})
        assert changed.get_json()["data"]["sourceType"] == "GIT"


def test_without_a_root_local_repositories_are_refused(api, rows):
    response = api.post("/api/projects", {"name": "Local", "sourceType": "GIT", "gitPath": "/etc"})
    assert response.status_code == 400
    assert fields(response) == ["gitPath"]
    assert "GIT_ROOT" in response.get_json()["error"]
    assert rows.all(Project) == []


def test_another_repository_makes_the_next_run_a_first_run(api, rows, user, clock):
    project = rows.project(user, last_synced_at=clock.now())
    job = rows.job(project, cursor_floor=clock.now(), cursor_until=clock.now(), cursor_head="abc")
    api.patch(f"/api/projects/{project.id}", {"githubRepoName": "other"})
    stored = rows.get(Job, job.id)
    assert (stored.cursor_floor, stored.cursor_until, stored.cursor_head) == (None, None, None)


@pytest.mark.parametrize("count", [1, 3, 25])
def test_the_list_pages_with_a_fixed_number_of_queries(api, rows, user, queries, count):
    made = [rows.project(user, name=f"Project {n}").id for n in range(count)]
    rows.project(rows.user())
    api.get("/api/projects")
    queries.clear()
    body = api.get("/api/projects?limit=100").get_json()
    assert [project["id"] for project in body["data"]] == made[::-1]
    assert (body["count"], body["nextCursor"]) == (count, None)
    assert statements(queries) == 3


def test_pages_follow_one_another(api, rows, user):
    made = [rows.project(user).id for _ in range(5)]
    seen, cursor = [], ""
    while True:
        body = api.get(f"/api/projects?limit=2{cursor}").get_json()
        assert body["count"] == len(body["data"])
        seen += [project["id"] for project in body["data"]]
        if body["nextCursor"] is None:
            break
        cursor = f"&cursor={body['nextCursor']}"
    assert seen == made[::-1]


def test_rows_of_one_instant_are_paged_by_id(api, rows, user, clock):
    made = sorted((rows.project(user, created_at=clock.now()).id for _ in range(3)), reverse=True)
    first = api.get("/api/projects?limit=2").get_json()
    second = api.get(f"/api/projects?limit=2&cursor={first['nextCursor']}").get_json()
    assert [project["id"] for project in first["data"] + second["data"]] == made


def test_a_bad_page_is_refused(api):
    for query, field in BAD_PAGES:
        response = api.get(f"/api/projects?{query}")
        assert (response.status_code, fields(response)) == (400, [field]), query


class TestPlatforms:
    def test_create_and_list(self, api, rows, user, app):
        project = rows.project(user)
        path = f"/api/projects/{project.id}/platforms"
        body = {"type": "DEVTO", "credentials": {"apiKey": "k3y"}, "settings": {"canonical": True}}
        response = api.post(path, body)
        assert response.status_code == 201
        shown = response.get_json()["data"]
        stored = rows.get(Platform, shown["id"])
        assert shown == {
            "id": stored.id,
            "projectId": project.id,
            "type": "DEVTO",
            "isConnected": True,
            "settings": {"canonical": True},
            "canPublish": True,
            "createdAt": "2025-10-03T09:00:00.000Z",
        }
        assert json.loads(app.extensions["secret_box"].open(stored.credentials)) == {"apiKey": "k3y"}
        assert api.get(path).get_json() == {
            "success": True,
            "data": [shown],
            "count": 1,
            "nextCursor": None,
        }

    def test_a_second_of_the_same_type_is_refused(self, api, rows, user):
        project = rows.project(user)
        rows.platform(project, "DEVTO")
        response = api.post(f"/api/projects/{project.id}/platforms", {"type": "DEVTO"})
        assert response.status_code == 409
        assert (
            response.get_json()["error"] == "This project has Dev.to already: change that platform instead."
        )
        assert len(rows.all(Platform)) == 1

    def test_bad_fields_are_named(self, api, rows, user):
        path = f"/api/projects/{rows.project(user).id}/platforms"
        for body, expected in BAD_PLATFORMS:
            response = api.post(path, body)
            assert (response.status_code, fields(response)) == (400, expected), body
        assert rows.all(Platform) == []

    def test_edit(self, api, rows, user):
        platform = rows.platform(rows.project(user), "HASHNODE")
        path = f"/api/platforms/{platform.id}"
        changed = api.patch(path, {"isConnected": False, "credentials": {"token": "t", "publicationId": "p"}})
        assert changed.status_code == 200
        assert (changed.get_json()["data"]["isConnected"], changed.get_json()["data"]["canPublish"]) == (
            False,
            True,
        )
        assert api.patch(path, {"credentials": None}).get_json()["data"]["canPublish"] is False
        assert fields(api.patch(path, {"type": "DEVTO"})) == ["type"]
        assert fields(api.patch(path, {"credentials": {"apiKey": "x"}}))[0] == "credentials.token"

    def test_a_disclosure_is_set_switched_off_and_taken_back(self, api, rows, user):
        platform = rows.platform(rows.project(user), "DEVTO", settings={"canonical": True})
        path = f"/api/platforms/{platform.id}"

        def change(**settings):
            return api.patch(path, {"settings": settings}).get_json()["data"]["settings"]

        assert change(disclosure=" Written with help. ") == {
            "canonical": True,
            "disclosure": "Written with help.",
        }
        assert change(canonical=False) == {"canonical": False, "disclosure": "Written with help."}
        assert change(disclosure="") == {"canonical": False, "disclosure": ""}
        assert change(disclosure=None) == {"canonical": False}
        response = api.patch(path, {"settings": {"disclosure": "x" * 301}})
        assert response.get_json()["details"] == [
            {"field": "settings.disclosure", "message": "Must have at most 300 characters; it has 301."}
        ]
        assert rows.get(Platform, platform.id).settings == {"canonical": False}

    def test_delete_takes_it_out_of_the_jobs(self, api, rows, user):
        project = rows.project(user)
        devto, hashnode = rows.platform(project, "DEVTO"), rows.platform(project, "HASHNODE")
        both = rows.job(project, platform_ids=[devto.id, hashnode.id])
        alone = rows.job(project, platform_ids=[devto.id])
        every = rows.job(project)
        execution = rows.execution(both)
        draft = rows.draft(execution, "DEVTO", platform_id=devto.id)
        assert api.delete(f"/api/platforms/{devto.id}").status_code == 200
        assert [rows.get(Job, job.id).platform_ids for job in (both, alone, every)] == [
            [hashnode.id],
            [],
            None,
        ]
        assert api.get(f"/api/drafts/{draft.id}").get_json()["data"]["platformId"] is None


def test_others_see_nothing(api, stranger, rows, user):
    project = rows.project(user)
    platform = rows.platform(project, "DEVTO")
    assert stranger.get("/api/projects").get_json()["data"] == []
    for path in (f"/api/projects/{project.id}", f"/api/platforms/{platform.id}"):
        for call in (stranger.delete(path), stranger.patch(path, {"name": "Mine"})):
            assert call.status_code == 404
            assert call.get_json()["error"].endswith("or it is not yours.")
    assert stranger.get(f"/api/projects/{project.id}").status_code == 404
    assert stranger.get(f"/api/projects/{project.id}/platforms").status_code == 404
    assert stranger.post(f"/api/projects/{project.id}/platforms", {"type": "LINKEDIN"}).status_code == 404
    assert len(rows.all(Platform)) == 1


def test_an_odd_id_is_absent(api):
    for odd in ("%00", "proj_" + "x" * 500, "a'b", "%F0%9F%98%80"):
        assert api.get(f"/api/projects/{odd}").status_code == 404
        assert api.delete(f"/api/platforms/{odd}").status_code == 404
