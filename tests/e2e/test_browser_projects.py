"""A project in a real browser, with JavaScript and without: its form, platforms, webhook and end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.test_browser_account import Person, people
from tests.standins.stack import Stack

__all__ = ["people"]
pytestmark = [pytest.mark.loopback, pytest.mark.timeout(240)]

VOICE = {
    "audience": "People who run it",
    "tone": "Dry",
    "instructions": "Say how to upgrade.",
    "banned": "blazing",
}
PRIVATE = {"withholdWords": "Project Zebra\nACME", "withholdPaths": "docs/internal/**"}


@pytest.fixture
def environ(blank_database_url, tmp_path) -> dict[str, str]:
    return {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": blank_database_url}


@pytest.fixture
def stack(environ) -> Iterator[Stack]:
    with Stack(environ, workers=0) as stack:
        yield stack


def unfolded(one: Locator) -> Locator:
    for folded in one.locator("xpath=ancestor::details[not(@open)]").all():
        folded.locator("summary").first.click()
    return one


def fill(person: Person, **fields: str) -> None:
    for name, text in fields.items():
        unfolded(person.page.locator(f'main [name="{name}"]').first).fill(text)


def stands(person: Person, **fields: str) -> None:
    for name, text in fields.items():
        expect(person.page.locator(f'main [name="{name}"]').first).to_have_value(text)


def ask(person: Person, link: str, title: str) -> Locator:
    """Follow a link to a question: a dialog over the page, or a page of its own."""
    person.page.wait_for_load_state("load")
    person.page.get_by_role("link", name=link, exact=True).click()
    heading = person.page.get_by_role("heading", name=title)
    expect(heading).to_be_visible()
    expect(person.page.get_by_role("dialog")).to_have_count(1 if person.scripted else 0)
    return person.page.get_by_role("dialog") if person.scripted else person.page.locator("main")


def test_the_form(people):
    one = people()
    one.register()
    one.go("/projects/new")
    wrong = {"name": "", "githubRepoOwner": "user/name", "monthlyBudget": "a lot", "bots": "b" * 101}
    typed = VOICE | PRIVATE | {"description": "A library <b>& more", "githubRepoName": "awesome-lib"}
    fill(one, **wrong, **typed)
    one.page.get_by_label("LinkedIn").uncheck()
    one.press("Connect")
    for name in wrong:
        expect(one.page.locator(f"#e-{name}")).to_be_visible()
    one.sees("Nothing was saved: please correct the 4 fields marked below.")
    stands(one, **wrong, **typed)
    expect(one.page.get_by_label("LinkedIn")).not_to_be_checked()
    right = {"name": "My Lib", "githubRepoOwner": "username", "monthlyBudget": "7", "bots": "our-bot"}
    fill(one, **right)
    one.press("Connect")
    one.sees("“My Lib” is connected. Now schedule its first job.")
    one.sees("A library <b>& more")
    expect(one.page.locator("section", has=one.page.locator("#voice"))).to_contain_text("Say how to upgrade.")
    expect(one.page.get_by_role("button", name="Connect LinkedIn")).to_be_visible()

    one.page.get_by_role("link", name="Edit", exact=True).click()
    stands(one, **right, **typed)
    fill(one, name="", monthlyBudget="")
    one.press("Save")
    expect(one.page.locator("#e-name")).to_be_visible()
    fill(one, name="Their Lib", tone="Warm")
    one.press("Save")
    one.sees("“Their Lib” is saved.")
    one.page.get_by_role("link", name="Edit", exact=True).click()
    stands(one, monthlyBudget="", tone="Warm", **PRIVATE)


def test_platforms_webhook_and_the_end(people):
    one = people()
    one.register()
    one.go("/projects/new")
    fill(one, name="My Lib", githubRepoOwner="username", githubRepoName="awesome-lib")
    one.press("Connect")
    one.sees("“My Lib” is connected.")
    _platform(one)
    _webhook(one)
    question = ask(one, "Delete", "Delete “My Lib”?")
    expect(question).to_contain_text("0 jobs, 0 executions")
    question.get_by_role("link", name="Keep it").click()
    expect(one.page.get_by_role("heading", name="My Lib", exact=True)).to_be_visible()
    ask(one, "Delete", "Delete “My Lib”?").get_by_role("button", name="Delete the project").click()
    one.sees("“My Lib” is deleted.")
    expect(one.page).to_have_url(f"{one.stack.url}/dashboard")


def _platform(one: Person) -> None:
    devto = one.page.locator("#platforms ~ .rows > li", has_text="Dev.to")
    fill(one, apiKey="nö key")
    devto.get_by_role("button", name="Store", exact=True).click()
    one.sees("Must have letters, digits and signs of ASCII only, and no spaces.")
    fill(one, apiKey="a-key")
    devto.get_by_role("button", name="Store", exact=True).click()
    expect(devto).to_contain_text("Connected, credentials stored.")
    assert "a-key" not in one.page.content()

    words = devto.get_by_label("Last paragraph of each post")
    unfolded(words).fill("w" * 301)
    devto.get_by_role("button", name="Save", exact=True).click()
    expect(one.page.locator("#e-disclosure")).to_be_visible()
    expect(words).to_have_value("w" * 301)
    words.fill("A machine helped.")
    devto.get_by_role("button", name="Save", exact=True).click()
    one.sees("Dev.to ends its posts with your own words.")
    expect(unfolded(words)).to_have_value("A machine helped.")
    devto.get_by_role("button", name="Back to the default").click()
    one.sees("Dev.to ends its posts with the default sentence.")

    devto.get_by_role("button", name="Disconnect: Dev.to").click()
    expect(devto).to_contain_text("Disconnected: no posts are written for it.")
    devto.get_by_role("button", name="Connect: Dev.to").click()
    expect(devto).to_contain_text("Connected, credentials stored.")
    question = ask(one, "Delete Dev.to", "Delete Dev.to from “My Lib”?")
    question.get_by_role("button", name="Delete Dev.to").click()
    expect(devto).to_contain_text("Not used.")
    devto.get_by_role("button", name="Connect Dev.to").click()
    expect(devto).to_contain_text("Connected: drafts are written.")


def _webhook(one: Person) -> None:
    def secret() -> str:
        expect(one.page.get_by_role("heading", name="Enter this at GitHub")).to_be_visible()
        return (
            one.page.locator("dt", has_text="Secret").locator("xpath=following-sibling::dd[1]").inner_text()
        )

    one.press("Turn on: Webhook")
    first = secret()
    one.page.get_by_role("link", name="Done: to the project").click()
    one.sees("On, but no job starts on a push yet")
    assert first not in one.page.content()
    one.page.get_by_role("link", name="Replace the secret").click()
    one.press("Replace the secret")
    assert secret() != first
    one.page.get_by_role("link", name="Done: to the project").click()
    ask(one, "Turn off the webhook", "Turn the webhook of “My Lib” off?").get_by_role(
        "button", name="Turn it off"
    ).click()
    one.sees("The webhook is off. Delete it at GitHub, too.")
    expect(one.page.get_by_role("button", name="Turn on: Webhook")).to_be_visible()
