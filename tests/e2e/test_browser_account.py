"""The account in a real browser, with JavaScript and without: from registering to the end of the account."""

import json
import re
import zipfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.plugins.browser import mark, stayed
from tests.standins.stack import Api, Stack, until

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(240)]

EMAIL, PASSWORD, NEW = "maintainer@example.com", "correct horse", "battery staple"


@pytest.fixture
def environ(database_url, tmp_path) -> dict[str, str]:
    return {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": database_url}


@pytest.fixture
def stack(environ) -> Iterator[Stack]:
    with Stack(environ) as stack:
        yield stack


class Person:
    """Somebody's browser, and what it complained of; `scripted`: whether it runs JavaScript."""

    def __init__(self, browser: Browser, stack: Stack, *, scripted: bool) -> None:
        self.stack, self.scripted = stack, scripted
        self.context: BrowserContext = browser.new_context(
            java_script_enabled=scripted, locale="en-GB", timezone_id="Europe/Berlin", accept_downloads=True
        )
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _note(self, message) -> None:
        refused = "the server responded with a status of 4" in message.text
        if message.type in ("error", "warning") and not refused:
            self.said.append(message.text)

    def go(self, path: str) -> None:
        self.page.goto(self.stack.url + path if path.startswith("/") else path)
        self.page.wait_for_load_state("load")

    def type(self, **fields: str) -> None:
        """Into the fields that are labelled so, _ for a space."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)

    def press(self, name: str) -> None:
        self.page.wait_for_load_state("load")
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def sees(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def register(self, email: str = EMAIL) -> None:
        self.go("/register")
        self.type(Email=email, Password=PASSWORD)
        self.press("Create account")
        self.sees("First steps")

    def sign_in(self, password: str) -> None:
        self.go("/login")
        self.type(Email=EMAIL, Password=password)
        self.press("Sign in")


@pytest.fixture(params=[True, False], ids=["scripted", "plain"])
def people(request, browser: Browser, stack: Stack) -> Iterator:
    """Makes persons; none of their browsers may have complained in the end."""
    made: list[Person] = []

    def person() -> Person:
        made.append(Person(browser, stack, scripted=request.param))
        return made[-1]

    yield person
    for one in made:
        one.context.close()
        assert one.said == []


def mailed(environ: dict[str, str], path: str, already: int = 0) -> str:
    """The link to `path` in the newest of the mails that have one, once there are more than `already`."""

    def found() -> list[str]:
        links = []
        for file in sorted(
            Path(environ["INSTANCE_PATH"]).glob("outbox/*.eml"), key=lambda one: one.stat().st_mtime_ns
        ):
            body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain",))
            links += re.findall(rf"^http\S*{path}/\S+", body.get_content(), flags=re.M)
        return links if len(links) > already else []

    return str(until(found, 30, f"mail with {path}")[-1])


def test_registering_and_confirming_the_address(people, environ):
    one = people()
    one.go("/register")
    one.type(Email=EMAIL, Password="password1")
    one.press("Create account")
    one.sees("Is one of the first that are guessed")
    expect(one.page.get_by_label("Email")).to_have_value(EMAIL)
    one.type(Password=PASSWORD)
    one.press("Create account")
    one.sees(f"We sent a link to {EMAIL}.")
    one.go(mailed(environ, "/verify"))
    one.press("Confirm address")
    one.sees(f"{EMAIL} is confirmed.")
    one.go("/settings#address")
    one.sees("Confirmed")
    zone = "Europe/Berlin" if one.scripted else "UTC"
    expect(one.page.get_by_label("Time zone")).to_have_value(zone)
    _profile(one)
    _another_address(one, environ)


def _profile(one: Person) -> None:
    """In place, or by a page of its own: what is wrong stands at its field, and the theme really changes."""
    paper = one.page.locator("body")
    before = paper.evaluate("one => getComputedStyle(one).backgroundColor")
    one.type(Time_zone="Mars/Olympus")
    if one.scripted:
        mark(one.page)
    one.press("Save profile")
    expect(one.page.locator("#e-timezone")).to_be_visible()
    expect(one.page.get_by_label("Time zone")).to_have_value("Mars/Olympus")
    assert not one.scripted or stayed(one.page)
    one.page.get_by_label("Your name").fill("Ada Lovelace")
    one.type(Time_zone="Asia/Tokyo")
    one.page.get_by_label("24 hours, 21:00").check()
    one.page.get_by_label("Dark", exact=True).check()
    one.press("Save profile")
    one.sees("Your settings are saved.")
    expect(one.page.get_by_label("Your name")).to_have_value("Ada Lovelace")
    assert paper.evaluate("one => getComputedStyle(one).backgroundColor") != before
    expect(one.page.locator("#sessions time").first).to_have_text(re.compile(r"\d\d:\d\d (JST|Asia)"))


def _another_address(one: Person, environ) -> None:
    one.page.get_by_text("Change the address", exact=True).click()
    one.page.get_by_label("New address").fill("other@example.com")
    one.page.locator("#f-emailPassword").fill("a guess")
    one.press("Send the link")
    expect(one.page.locator("#e-emailPassword")).to_be_visible()
    expect(one.page.get_by_label("New address")).to_have_value("other@example.com")
    one.page.locator("#f-emailPassword").fill(PASSWORD)
    one.press("Send the link")
    one.sees("other@example.com takes over once you follow the link")
    one.press("Keep the present address")
    one.sees(f"Your address stays {EMAIL}.")
    one.page.get_by_text("Change the address", exact=True).click()
    one.page.get_by_label("New address").fill("other@example.com")
    one.page.locator("#f-emailPassword").fill(PASSWORD)
    one.press("Send the link")
    one.sees("other@example.com takes over once you follow the link")
    one.go(mailed(environ, "/verify", already=2))
    one.press("Confirm address")
    one.sees("other@example.com is confirmed.")


def test_passwords_and_sessions(people, environ):
    one, other = people(), people()
    one.register()
    other.sign_in(PASSWORD)
    other.sees("No job yet")

    # End the other browser: its next step leads to the sign-in page, and back to where it was.
    one.go("/settings")
    expect(one.page.locator("#sessions li")).to_have_count(2)
    one.page.get_by_role("button", name=re.compile("^Sign out: ")).click()
    one.sees("That browser is signed out.")
    expect(one.page.locator("#sessions li")).to_have_count(1)
    other.page.get_by_role("link", name="Drafts").first.click()
    other.page.wait_for_url("**/login?next=**")
    other.type(Email=EMAIL, Password=PASSWORD)
    other.press("Sign in")
    other.page.wait_for_url("**/drafts")

    # A form that was open while the session ended: the answer says so, and nothing is changed.
    other.go("/settings")
    other.page.get_by_label("Your name").fill("half-typed")
    one.go("/settings")
    one.press("Sign out all others")
    one.sees("All other browsers are signed out.")
    other.press("Save profile")
    other.page.wait_for_url("**/login**")

    one.page.get_by_text("Change the password", exact=True).click()
    one.type(Present_password="a guess", New_password="short")
    one.press("Change password")
    expect(one.page.locator("#e-oldPassword")).to_be_visible()
    expect(one.page.locator("#e-newPassword")).to_contain_text("8 to 1000 characters")
    one.type(Present_password=PASSWORD, New_password=NEW)
    one.press("Change password")
    one.sees("Your password is changed")

    # Forgotten: the mail's link gives another one, once, and signs everybody out.
    other.go("/password/forgot")
    other.type(Email="nobody")
    other.page.get_by_role("button", name="Send the link").click()
    expect(other.page.locator("#e-email")).to_be_visible()
    other.type(Email=EMAIL)
    other.press("Send the link")
    other.sees("a link to a new password is on its way")
    link = mailed(environ, "/password/reset")
    other.go(link)
    other.type(New_password="letmein1")
    other.press("Change password")
    other.sees("Is one of the first that are guessed")
    other.type(New_password="another staple")
    other.press("Change password")
    other.sees("Your password is changed, and every browser is signed out.")
    one.go("/dashboard")
    one.page.wait_for_url("**/login**")
    other.go(link)
    other.sees("This link does not work any more")
    other.sign_in(NEW)
    other.sees("No account has this email and password")
    other.sign_in("another staple")
    other.sees("No job yet")
    other.go("/settings")
    other.press("Sign out")
    other.sees("You are signed out.")


def test_tokens_data_and_the_end(people, stack: Stack, tmp_path: Path):
    one = people()
    one.register()
    one.go("/settings")
    one.press("Create token")
    expect(one.page.locator("#e-name")).to_be_visible()
    one.page.get_by_label("Name of a new token").fill("A program of mine")
    one.page.get_by_label("Ends").select_option("In 30 days")
    one.press("Create token")
    secret = one.page.locator("#secret").inner_text()
    assert Api(stack.url, secret)("GET", "/api/projects") == []
    expect(one.page.get_by_role("button", name="Copy")).to_have_count(1 if one.scripted else 0)
    one.go("/settings")
    expect(one.page.locator("#secret")).to_have_count(0)
    assert secret not in one.page.content()
    expect(one.page.locator("#tokens li")).to_contain_text("ends")
    expect(one.page.locator("#tokens li")).not_to_contain_text("never used")
    one.page.get_by_role("button", name="Revoke: A program of mine").click()
    one.sees("The token “A program of mine” works no more.")
    assert Api(stack.url, secret).raw("GET", "/api/projects").status_code == 401

    with one.page.expect_download() as coming:
        one.page.get_by_role("link", name="Download your data").click()
    with zipfile.ZipFile(coming.value.path()) as archive:
        account = json.loads(archive.read("account.jsonl"))
    assert account["email"] == EMAIL

    one.page.get_by_role("link", name="Delete the account").click()
    one.sees("0 projects and 0 jobs are removed; nothing runs any more.")
    one.type(Your_password="a guess")
    one.press("Delete the account")
    expect(one.page.locator("#e-password")).to_be_visible()
    one.type(Your_password=PASSWORD)
    one.press("Delete the account")
    one.sees("Your account is deleted, with everything in it.")
    one.sign_in(PASSWORD)
    one.sees("No account has this email and password")
