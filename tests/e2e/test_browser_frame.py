"""The page's frame in a real browser: what keeps itself fresh, dialogs, shortcuts, and two tabs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import connect, environ, register, repository, schedule, workerless
from tests.plugins.browser import mark, stayed
from tests.standins.stack import Stack

__all__ = ["environ", "repository", "workerless"]
pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
HIDE = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s})"


def poll(page: Page) -> None:
    page.wait_for_function("window.htmx")
    page.evaluate("htmx.trigger('#badge', 'every')")


def test_polls_stop_while_hidden_and_come_back_at_once(workerless: Stack, page: Page, console: list[str]):
    register(page, workerless)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/badge" in request.url else None)
    page.evaluate(HIDE % "true")
    poll(page)
    assert asked == []
    page.evaluate(HIDE % "false")
    with page.expect_request("**/notifications/badge**"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    # A server that fails is said once, and asked again without anybody's help.
    broken = {"on": True}
    page.route(
        "**/notifications/badge**",
        lambda route: route.fulfill(status=500, body="") if broken["on"] else route.continue_(),
    )
    poll(page)
    banner = page.locator("#lost")
    expect(banner).to_contain_text("Repocast does not answer")
    broken["on"] = False
    expect(page.get_by_text("Connected again.")).to_be_visible()
    expect(banner).to_be_empty()
    assert all("500" in line for line in console)
    console.clear()

    # Signed out meanwhile: the page stays, and the link leads back to it.
    page.goto(f"{workerless.url}/settings")
    page.get_by_label("Name of a new token").fill("half-typed")
    page.context.clear_cookies()
    poll(page)
    expect(banner).to_contain_text("You are signed out")
    expect(page.get_by_label("Name of a new token")).to_have_value("half-typed")
    assert page.get_by_role("link", name="Sign in again").get_attribute("href") == "/login?next=%2Fsettings"


def test_dialogs_shortcuts_and_two_tabs(workerless: Stack, page: Page, repository: Path, console: list[str]):
    register(page, workerless)
    connect(page, repository)
    schedule(page)
    job = page.url
    page.bring_to_front()
    page.wait_for_load_state("load")

    # The list of shortcuts, by key; it closes by Escape, and the focus is where it was.
    page.get_by_role("link", name="Edit").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Edit")).to_be_focused()

    # A question: kept, then answered, without leaving the page.
    mark(page)
    page.get_by_role("link", name="Disable").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Daily Content Generation")
    question.get_by_role("link", name="Keep").click()
    expect(question).to_be_hidden()
    page.get_by_role("link", name="Disable").click()
    refusal = "<h1>Not yet</h1><form method='post'><button>Disable</button></form>"
    headers = {"Content-Type": "text/html"}
    page.route("**/disable*", lambda route: route.fulfill(status=422, body=refusal, headers=headers), times=1)
    question.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("dialog", name="Not yet")).to_be_visible()
    assert all("422" in line for line in console)
    console.clear()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Disable").click()
    question.get_by_role("button", name="Disable").click()
    expect(question).to_be_hidden()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    assert stayed(page)

    # A fragment that comes anew leaves the focus where it was.
    page.get_by_role("button", name="Enable").click()
    page.get_by_role("link", name="Trigger Now").click()
    question.get_by_role("button", name="Run it now").click()
    expect(question).to_be_hidden()
    live = page.locator("#job[hx-trigger]")
    expect(live).to_be_visible()
    page.get_by_role("link", name="Edit").focus()
    live.evaluate("(one) => one.setAttribute('hx-get', location.pathname)")
    with page.expect_response(lambda answer: answer.url == job and answer.status == 200):
        live.evaluate("(one) => htmx.trigger(one, 'every')")
    expect(live).not_to_have_attribute("hx-get", job.removeprefix(workerless.url))
    expect(page.get_by_role("link", name="Edit")).to_be_focused()

    # The account's menu, by keyboard alone.
    menu = page.get_by_text("Account", exact=True)
    menu.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()

    # Off to other parts by two keys; typing is left alone.
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_url("**/dashboard")
    expect(page.get_by_role("link", name="Daily Content Generation", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="Daily Content Generation", exact=True)).to_be_focused()
    page.keyboard.press("e")
    page.wait_for_url("**/edit")
    page.get_by_label("Name", exact=True).press("g")
    page.get_by_label("Name", exact=True).press("d")
    assert page.url.endswith("/edit")
    page.goto(f"{workerless.url}/keyboard")
    page.get_by_label("Use these shortcuts").uncheck()
    page.get_by_role("heading", name="Keyboard").click()
    page.keyboard.press("g")
    page.keyboard.press("d")
    assert page.url.endswith("/keyboard")
    page.get_by_label("Use these shortcuts").check()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    # What is done in one tab is asked for in the other at once.
    other = page.context.new_page()
    other.goto(f"{workerless.url}/notifications")
    other.wait_for_function("window.htmx")
    page.goto(job)
    with other.expect_request("**/notifications/badge**"):
        page.get_by_role("link", name="Disable").click()
        page.get_by_role("button", name="Disable").click()
