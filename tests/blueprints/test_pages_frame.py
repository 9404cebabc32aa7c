"""What is around every page: the theme, the keyboard's page, the design's, and the question in a dialog."""

import pytest

from tests.blueprints.pages import Visitor, change, text


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.mark.parametrize(
    ("theme", "attribute"), [("auto", ""), ("light", ' data-theme="light"'), ("dark", ' data-theme="dark"')]
)
def test_the_page_wears_the_theme_that_its_user_chose(visitor, rows, user, theme, attribute):
    change(rows, user, theme=theme)
    assert f'<html lang="en"{attribute}>' in visitor.get("/dashboard").get_data(as_text=True)


def test_a_strangers_page_follows_the_browser(app):
    assert '<html lang="en">' in Visitor(app).get("/login").get_data(as_text=True)


def test_the_shortcuts_are_a_page_and_a_dialog(app, visitor):
    page = Visitor(app).get("/keyboard")
    assert "g then d the dashboard" in text(page)
    dialog = visitor.get("/keyboard", htmx=True).get_data(as_text=True)
    assert "<h1>Keyboard</h1>" in dialog
    assert "<html" not in dialog
    assert 'href="/keyboard" data-dialog' in visitor.get("/dashboard").get_data(as_text=True)


def test_the_design_is_shown_in_development_only(app, visitor, monkeypatch):
    assert visitor.get("/design").status_code == 404
    shown = app.extensions["repocast"].model_copy(update={"design_page": True})
    monkeypatch.setitem(app.extensions, "repocast", shown)
    page = visitor.get("/design")
    assert page.status_code == 200
    assert "The sentence of truth" in text(page)


def test_a_question_is_a_page_and_a_dialog(visitor, rows, user):
    job = rows.job(rows.project(user))
    path = f"/projects/{job.project_id}/cron/{job.id}"
    for what in ("disable", "delete"):
        whole = visitor.get(f"{path}/{what}").get_data(as_text=True)
        alone = visitor.get(f"{path}/{what}", htmx=True).get_data(as_text=True)
        assert "<html" in whole
        assert "<html" not in alone
        assert 'name="csrf_token"' in alone
        assert "data-close" in alone
        assert f"{path}/{what}" in visitor.get(path).get_data(as_text=True)


def test_what_keeps_itself_fresh_is_told_that_one_is_signed_out(app):
    answer = app.test_client().get("/notifications/badge", headers={"HX-Request": "true", "X-Live": "1"})
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "signed-out")
    assert "HX-Redirect" not in answer.headers
    other = app.test_client().get("/notifications/badge", headers={"HX-Request": "true"})
    assert "/login" in other.headers["HX-Redirect"]
