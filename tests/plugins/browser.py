"""A real Chromium.

A page that logs an error, breaks the Content-Security-Policy or leaves this machine fails its test.
"""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.plugins.requirement import missing

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing("Chromium is not installed")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One per module: while it lives this thread has a running event loop, which other tests must not see."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def console() -> list[str]:
    """What the browser complained of; a test that is about an error looks at it and calls `clear()`."""
    return []


@pytest.fixture
def page(browser: Browser, console: list[str]) -> Iterator[Page]:
    """A fresh page with its own cookies; ends with the check that `console` is empty."""
    context = browser.new_context(locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(10_000)

    def stay_here(route: Route) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
        else:
            console.append(f"left this machine: {route.request.url}")
            route.abort()

    context.route("**/*", stay_here)
    page = context.new_page()
    # Chromium reports what the policy blocked as errors in the console, too.
    page.on("console", lambda said: console.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield page
    context.close()
    assert console == []


def mark(page: Page) -> None:
    """From here on `stayed` tells whether the page was loaded anew.

    Waits until its scripts have run: a click before that sends the plain form.
    """
    page.wait_for_load_state("load")
    page.evaluate("window.stayed = true")


def stayed(page: Page) -> bool:
    """Whether the page that `mark` saw is still there."""
    return page.evaluate("window.stayed") is True
