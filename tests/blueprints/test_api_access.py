"""Who is let in, and what a body must be."""

import pytest

from models import ApiToken, Project
from tests.blueprints.conftest import Api, fields
from tests.blueprints.pages import sign_in

PROJECT = {"name": "Lib", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"}


class TestTokens:
    def test_none_at_all(self, app, rows):
        nobody = Api(app, None)
        for call in (nobody.get("/api/projects"), nobody.post("/api/projects", PROJECT)):
            assert call.status_code == 401
            assert call.get_json()["error"] == "Sign in, or send a token."
            assert call.headers["WWW-Authenticate"] == "Bearer"
        assert rows.all(Project) == []

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic dXNlcjpwYXNz", "nonsense"])
    def test_one_that_does_not_exist(self, app, rows, header):
        stranger = Api(app, None)
        for method in ("GET", "POST"):
            call = stranger(method, "/api/projects", headers={"Authorization": header}, json=PROJECT)
            assert call.status_code == 401
            assert call.get_json()["error"] == "The token is unknown or was revoked."
        assert rows.all(Project) == []

    def test_one_that_only_reads(self, app, rows, user):
        reader = Api(app, rows.token(user, can_write=False))
        project = rows.project(user)
        assert reader.get("/api/projects").status_code == 200
        writes = [
            reader.post("/api/projects", PROJECT),
            reader.patch(f"/api/projects/{project.id}", {"name": "New"}),
            reader.delete(f"/api/projects/{project.id}"),
            reader.post("/api/cron/preview", {}),
            reader.post("/api/notifications/read-all"),
        ]
        assert [call.status_code for call in writes] == [403] * 5
        assert writes[0].get_json()["error"] == "This token may only read: use one that may write."
        assert [stored.name for stored in rows.all(Project)] == ["My Open Source Library"]

    def test_its_use_is_noted_once_a_minute(self, api, rows, clock):
        noted = []
        for seconds in (0, 30, 31, 30):
            clock.advance(seconds)
            assert api.get("/api/projects").status_code == 200
            noted.append(rows.all(ApiToken)[0].last_used_at == clock.now())
        assert noted == [True, False, True, False]

    def test_a_write_notes_it_too(self, api, rows, clock):
        assert api.post("/api/projects", PROJECT).status_code == 201
        assert rows.all(ApiToken)[0].last_used_at == clock.now()
        assert len(rows.all(Project)) == 1

    def test_it_opens_the_api_alone(self, app, rows, user):
        headers = {"Authorization": f"Bearer {rows.token(user)}"}
        response = app.test_client().get("/dashboard", headers=headers)
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/login")


class TestSession:
    @pytest.fixture
    def browser(self, app, user):
        """A client with a session cookie, as after signing in."""
        client = Api(app, None)
        sign_in(app, client._client, user)
        return client

    def test_reads(self, browser, rows, user):
        project = rows.project(user)
        assert browser.get("/api/projects").get_json()["data"][0]["id"] == project.id

    def test_writes_need_the_csrf_token(self, browser, rows):
        response = browser.post("/api/projects", PROJECT)
        assert response.status_code == 400
        assert "X-CSRFToken" in response.get_json()["error"]
        assert rows.all(Project) == []

    def test_writes_with_the_csrf_token(self, app, browser, rows):
        from flask import g, session
        from flask_wtf.csrf import generate_csrf

        with app.test_request_context():
            token = generate_csrf()
            raw = session["csrf_token"]
            g.pop("csrf_token", None)
        with browser._client.session_transaction() as stored:
            stored["csrf_token"] = raw
        response = browser.post("/api/projects", PROJECT, headers={"X-CSRFToken": token})
        assert response.status_code == 201
        assert len(rows.all(Project)) == 1

    def test_a_bad_token_is_not_helped_by_a_cookie(self, browser):
        response = browser.get("/api/projects", headers={"Authorization": "Bearer nonsense"})
        assert response.status_code == 401


class TestBody:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "nonsense",
            '{"name": NaN}',
            '{"a": 1,}',
            "\xff",
            "[" * 100_000,
            '{"a": ' + "9" * 5000 + "}",
        ],
        ids=["empty", "open", "word", "NaN", "comma", "latin", "deep", "long number"],
    )
    def test_what_is_no_json(self, api, rows, text):
        response = api("POST", "/api/projects", data=text.encode("latin-1"), content_type="application/json")
        assert (response.status_code, fields(response)) == (400, [""])
        assert response.get_json()["error"].startswith("The body is ")
        assert rows.all(Project) == []

    def test_an_infinite_number_in_free_json(self, api, rows, user):
        path = f"/api/projects/{rows.project(user).id}/platforms"
        body = b'{"type": "DEVTO", "settings": {"x": 1e999}}'
        response = api("POST", path, data=body, content_type="application/json")
        assert (response.status_code, fields(response)) == (400, ["settings"])

    @pytest.mark.parametrize("text", ["[]", '"text"', "5", "null", "true"])
    def test_what_is_no_object(self, api, text):
        response = api("POST", "/api/projects", data=text, content_type="application/json")
        assert response.status_code == 400
        assert response.get_json()["error"] == "The body must be a JSON object, in curly brackets."

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
    )
    def test_another_type(self, api, rows, kind):
        response = api("POST", "/api/projects", data='{"name": "x"}', content_type=kind)
        assert response.status_code == 415
        assert "application/json" in response.get_json()["error"]
        assert rows.all(Project) == []

    def test_too_long(self, api, rows):
        text = '{"name": "' + "x" * 1024 * 1024 + '"}'
        for kind in ("application/json", "text/plain"):
            response = api("POST", "/api/projects", data=text, content_type=kind)
            assert response.status_code == 413
            assert fields(response) == []
        assert rows.all(Project) == []

    def test_a_charset_is_no_other_type(self, api):
        kind = "application/json; charset=utf-8"
        response = api("POST", "/api/cron/preview", data=b"{}", content_type=kind)
        assert response.status_code == 400


def test_an_address_that_is_none(api):
    response = api._client.get("/api/nothing", headers=api._headers)
    assert (response.status_code, response.get_json()["success"]) == (404, False)


def test_a_method_that_is_none(api):
    response = api._client.put("/api/projects", headers=api._headers)
    assert (response.status_code, response.get_json()["success"]) == (405, False)
    assert "GET" in response.headers["Allow"]
