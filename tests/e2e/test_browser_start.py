"""The first minutes, counted: from /register to the first finished run in few clicks and fields."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.e2e.test_browser import EMAIL, PASSWORD, audit, repository, workerless
from tests.e2e.test_browser import register as register_plainly
from tests.e2e.test_browser import stack as stack
from tests.plugins.browser import mark, stayed
from tests.standins.stack import Stack

__all__ = ["repository", "stack", "workerless"]
pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
MOST_CLICKS, MOST_FIELDS = 12, 6


@pytest.fixture
def environ(database_url, tmp_path, repository) -> dict[str, str]:
    """What stands for GitHub answers nobody."""
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "GIT_ROOT": str(repository.parent),
        "GITHUB_API_URL": "http://127.0.0.1:9",
    }


@dataclass
class Hand:
    """All that a person does goes through here, and is counted."""

    page: Page
    clicks: int = 0
    fields: int = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name))

    def type(self, label: str, text: str) -> None:
        self.fields += 1
        self.page.get_by_label(label, exact=True).fill(text)


def step(page: Page, name: str) -> None:
    """That one comes next, and the page's scripts have run."""
    expect(page.locator("[aria-current=step] h2")).to_have_text(name)
    page.wait_for_load_state("load")


def register(hand: Hand, stack: Stack) -> None:
    hand.page.goto(f"{stack.url}/register")
    hand.type("Email", EMAIL)
    hand.type("Password", PASSWORD)
    hand.press("Create account")
    step(hand.page, "Repository")


def choose(hand: Hand) -> None:
    """Platforms and schedule, as they are proposed."""
    step(hand.page, "Platforms")
    hand.press("Continue")
    step(hand.page, "Schedule")
    expect(hand.page.locator("#words")).to_contain_text("Every weekday at 9:00 AM")
    hand.press("Schedule it")
    step(hand.page, "First run")


def run(hand: Hand, name: str, wait: Callable[[], None]) -> None:
    """The button, and the execution's page until it has ended."""
    hand.press(name)
    hand.page.wait_for_url("**/executions/*")
    wait()


def finish(hand: Hand) -> None:
    hand.follow("Back to the first steps")
    expect(hand.page.get_by_text("All four steps are done: your first posts wait")).to_be_visible()
    expect(hand.page.get_by_role("link", name="Review the drafts")).to_be_visible()
    assert hand.clicks <= MOST_CLICKS
    assert hand.fields <= MOST_FIELDS


def test_from_registering_to_the_first_posts(stack: Stack, page: Page, repository: Path):
    hand = Hand(page)
    ended = page.locator("#execution[data-state=COMPLETED]")
    register(hand, stack)
    hand.type("Repository", str(repository))
    mark(page)
    hand.press("Test connection")
    expect(page.locator("#tested")).to_contain_text("Works: 2 commits on main")
    assert stayed(page)
    hand.press("Connect")
    choose(hand)
    run(hand, "Show what would be said", lambda: expect(ended).to_be_visible(timeout=60_000))
    expect(page.get_by_text("This is a dry run")).to_be_visible()
    expect(page.get_by_text("Add TypeScript support").first).to_be_visible()
    hand.follow("Back to the first steps")
    expect(page.get_by_text("3 posts would be written from 2 commits")).to_be_visible()
    run(hand, "Run it now", lambda: expect(ended).to_be_visible(timeout=60_000))
    finish(hand)
    assert (hand.clicks, hand.fields) == (9, 3)
    hand.follow("Review the drafts")
    expect(page.get_by_text("Waits for review").first).to_be_visible()


def test_without_javascript_too(browser, stack: Stack, repository: Path):
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    hand = Hand(context.new_page())

    def wait() -> None:
        for _ in range(100):
            if hand.page.locator("#execution[data-state=COMPLETED]").count():
                return
            hand.page.wait_for_timeout(200)
            hand.page.reload()
        raise AssertionError(hand.page.locator("main").inner_text())

    register(hand, stack)
    hand.type("Repository", str(repository))
    with context.expect_page() as opened:
        hand.press("Test connection")
    expect(opened.value.locator("#tested")).to_contain_text("Works: 2 commits on main")
    opened.value.close()
    hand.press("Connect")
    choose(hand)
    run(hand, "Show what would be said", wait)
    hand.follow("Back to the first steps")
    run(hand, "Run it now", wait)
    finish(hand)
    context.close()


def rows(stack: Stack, *paths: str) -> list[int]:
    """How many the account has of each."""
    headers = {"Authorization": f"Bearer {stack.account(EMAIL)}"}
    answers: list[Any] = [
        requests.get(f"{stack.url}/api/{one}", headers=headers, timeout=30) for one in paths
    ]
    return [len(answer.json()["data"]) for answer in answers]


def test_what_is_wrong_is_said_in_place_and_nothing_typed_is_lost(
    workerless: Stack, page: Page, repository: Path, console: list[str]
):
    register_plainly(page, workerless)
    mark(page)
    field, token = page.get_by_label("Repository", exact=True), page.get_by_label("Access token")
    field.fill("https://gitlab.com/a/b")
    page.get_by_text("It is private").click()
    token.fill("ghp_typed")
    page.get_by_role("button", name="Connect", exact=True).click()
    said = page.locator("#tested")
    expect(said).to_contain_text("Repository: gitlab.com cannot be read")
    field.fill(str(repository.parent))
    field.press("Enter")
    expect(said).to_contain_text("is not a git repository")
    assert (field.input_value(), token.input_value()) == (str(repository.parent), "ghp_typed")
    assert stayed(page)
    assert all("422" in line for line in console)
    console.clear()
    field.fill("https://github.com/nobody/gone")
    token.fill("")
    page.route("**/start/repository", lambda route: route.fulfill(status=500, body=""), times=1)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Something broke on our side")).to_be_visible()
    assert field.input_value() == "https://github.com/nobody/gone"
    console.clear()


def test_a_repository_that_cannot_be_read_is_connected_anyway(workerless: Stack, page: Page, console):
    register_plainly(page, workerless)
    page.wait_for_load_state("load")
    page.get_by_label("Repository", exact=True).fill("nobody/gone")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Connect it anyway").click()
    step(page, "Platforms")
    expect(page.get_by_text("nobody/gone")).to_be_visible()
    assert all("422" in line for line in console)
    console.clear()


def test_clicking_twice_and_two_tabs_make_one_of_each(workerless: Stack, page: Page, repository: Path):
    register_plainly(page, workerless)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(f"{workerless.url}/start")
        tab.get_by_label("Repository", exact=True).fill(str(repository))
    page.get_by_role("button", name="Connect", exact=True).dblclick()
    step(page, "Platforms")
    other.get_by_role("button", name="Connect", exact=True).click()
    step(other, "Platforms")
    page.get_by_role("button", name="Continue").dblclick()
    step(page, "Schedule")
    other.get_by_role("button", name="Continue").click()
    step(other, "Schedule")
    page.get_by_role("button", name="Schedule it").dblclick()
    step(page, "First run")
    other.get_by_role("button", name="Schedule it").click()
    step(other, "First run")
    page.get_by_role("button", name="Run it now").dblclick()
    page.wait_for_url("**/executions/*")
    other.get_by_role("button", name="Run it now").click()
    other.wait_for_url(page.url)
    assert rows(workerless, "projects", "cron/schedules", "cron/executions") == [1, 1, 1]


def test_the_schedule_is_shown_as_it_is_chosen_and_the_run_is_followed(
    workerless: Stack, page: Page, repository: Path
):
    page.set_viewport_size({"width": 360, "height": 740})
    register_plainly(page, workerless)
    audit(page)
    page.get_by_label("Repository", exact=True).fill(str(repository))
    page.get_by_role("button", name="Connect", exact=True).click()
    step(page, "Platforms")
    page.get_by_role("button", name="Continue").click()
    step(page, "Schedule")
    mark(page)
    page.get_by_label("Every Friday").check()
    expect(page.locator("#words")).to_have_text("Every Friday at 5:00 PM UTC.")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(page.locator("#words")).to_have_text("Every Friday at 5:00 PM Asia/Tokyo.")
    page.get_by_label("Time zone").fill("Mars")
    page.get_by_label("Time zone").press("Tab")
    expect(page.locator("#preview")).to_contain_text("There is no time zone 'Mars'")
    assert page.get_by_label("Every Friday").is_checked()
    assert stayed(page)
    audit(page)
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_role("button", name="Schedule it").click()
    step(page, "First run")
    page.get_by_role("button", name="Show what would be said").click()
    page.wait_for_url("**/executions/*")
    page.get_by_role("link", name="Back to the first steps").click()
    expect(page.get_by_text("It waits for a free worker")).to_be_visible()
    mark(page)
    workerless.start_worker()
    expect(page.get_by_text("3 posts would be written from 2 commits")).to_be_visible(timeout=60_000)
    assert stayed(page), "the page was loaded anew"
    audit(page)
