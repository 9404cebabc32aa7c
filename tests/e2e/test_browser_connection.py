"""Testing a connection in a real browser: nothing typed is lost, with JavaScript and without."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import audit, register
from tests.plugins.browser import mark, stayed
from tests.standins.github import GitHubStandIn, awesome_lib
from tests.standins.stack import Stack

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(120)]

WORKS = "Works: username/awesome-lib (public) can be read as octo-maintainer"


@pytest.fixture
def github():
    with GitHubStandIn(awesome_lib()) as server:
        server.token_expires = f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d %H:%M:%S} UTC"
        yield server


@pytest.fixture
def environ(database_url, tmp_path, github) -> dict[str, str]:
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "GITHUB_API_URL": github.url,
    }


@pytest.fixture
def stack(environ):
    with Stack(environ, workers=0) as stack:
        yield stack


def fill(page: Page) -> None:
    page.get_by_role("link", name="All settings").click()
    page.get_by_label("Owner").fill("username")
    page.get_by_label("Repository").fill("awesome-lib")
    page.get_by_label("Access token").fill("ghp_typed")


def typed(page: Page) -> list[str]:
    return [page.get_by_label(name).input_value() for name in ("Owner", "Repository", "Access token")]


def test_in_place(stack: Stack, page: Page, github):
    page.set_viewport_size({"width": 360, "height": 740})
    register(page, stack)
    fill(page)
    page.get_by_label("Branch").fill("gone")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("there is no branch gone – choose another branch")
    page.get_by_label("Branch").fill("")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text(WORKS)
    assert typed(page) == ["username", "awesome-lib", "ghp_typed"]
    assert len(page.context.pages) == 1
    page.get_by_label("Name").fill("My Lib")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="My Lib")).to_be_visible()

    github.permissions = {"contents=read", "pull_requests=read"}
    mark(page)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("The token lacks issues=read")
    expect(page.locator("#repository")).to_contain_text("GitHub allows 4,")
    expect(page.locator("#repository")).to_contain_text("Expires soon")
    assert stayed(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript(browser, stack: Stack):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    register(page, stack)
    fill(page)
    with context.expect_page() as opened:
        page.get_by_role("button", name="Test connection").click()
    expect(opened.value.locator("#tested")).to_contain_text(WORKS)
    expect(opened.value.get_by_text("still stands in the tab before this one")).to_be_visible()
    assert typed(page) == ["username", "awesome-lib", "ghp_typed"]
    assert typed(opened.value) == ["username", "awesome-lib", ""]
    page.get_by_label("Name").fill("My Lib")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text(WORKS)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits(browser, stack: Stack, scheme):
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 740}, timezone_id="UTC"
    )
    page = context.new_page()
    register(page, stack)
    fill(page)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text(WORKS)
    audit(page)
    page.get_by_label("Name").fill("My Lib")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text(WORKS)
    audit(page)
    context.close()
