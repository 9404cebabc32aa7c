"""The dashboard in a real browser: searching, pressing a button, one poll for all cards, bars by keyboard."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import EMAIL, audit, register
from tests.plugins.browser import mark, stayed
from tests.standins.stack import Stack

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(120)]


@pytest.fixture
def stack(database_url, tmp_path):
    environ = {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": database_url}
    with Stack(environ, workers=0) as stack:
        yield stack


def two_jobs(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.account(EMAIL)}"}

    def made(path: str, **body: object) -> str:
        answer = requests.post(f"{stack.url}/api/{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    source = {"sourceType": "GITHUB", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"}
    project = made("projects", name="Awesome", **source)
    for name in ("Alpha", "Beta"):
        made(
            "cron/schedule",
            projectId=project,
            type="GENERATE_CONTENT",
            name=name,
            frequency="DAILY",
            timeConfig={},
        )


def test_a_person_finds_triggers_and_watches(stack: Stack, page: Page):
    register(page, stack)
    two_jobs(stack)
    page.goto(f"{stack.url}/dashboard")
    cards = page.locator("[data-item]")
    expect(cards).to_have_count(2)
    page.locator("[data-search]").fill("alp")
    expect(cards).to_have_count(1)
    expect(page).to_have_url(f"{stack.url}/dashboard?q=alp&sort=name")
    page.get_by_role("button", name="Trigger Now: Alpha").click()
    expect(cards).to_have_attribute("data-state", "QUEUED")
    expect(page.locator("#pulse")).to_have_attribute("hx-trigger", "every 2s")
    expect(page.locator("#truth")).to_contain_text("1 queued")
    expect(page.locator(".bars a.run")).to_have_count(1)
    audit(page)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{stack.url}/dashboard")
    expect(cards).to_have_count(2)
    audit(page)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"{stack.url}/dashboard?q=alp")
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator(".joblist [data-item]")).to_have_count(1)
    audit(page)


def test_a_poll_brings_along_what_the_answer_before_told(stack: Stack, page: Page):
    register(page, stack)
    two_jobs(stack)
    page.goto(f"{stack.url}/dashboard")
    mark(page)
    told = ""
    for _ in range(2):
        with page.expect_response("**/dashboard/changes**") as answer:
            page.evaluate("htmx.trigger('#pulse', 'every')")
        assert answer.value.status == 204
        assert answer.value.request.headers.get("x-glance", "") == told
        told = answer.value.headers["x-glance"]
    assert stayed(page)
