"""The first minutes in a real browser, with real web and worker processes: from an empty account to posts."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.plugins.browser import mark, stayed
from tests.standins.stack import Stack

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
# A test names `stack` before `page`: the page must close while its server is still there.

EMAIL, PASSWORD = "maintainer@example.com", "correct horse"


@pytest.fixture
def repository(tmp_path) -> Path:
    """A small repository whose commits are of today."""
    folder = tmp_path / "repositories" / "awesome-lib"
    folder.mkdir(parents=True)

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Jane Smith", "-c", "user.email=jane@example.com"]
        subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for title in ("Add TypeScript support", "Fix <script>alert('build')</script> errors"):
        (folder / "file.ts").write_text(title)
        git("add", ".")
        git("commit", "-q", "-m", title)
    return folder


@pytest.fixture
def environ(database_url, tmp_path, repository) -> dict[str, str]:
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "GIT_ROOT": str(repository.parent),
    }


@pytest.fixture
def stack(environ):
    with Stack(environ) as stack:
        yield stack


@pytest.fixture
def workerless(environ):
    """Nobody ticks but the test."""
    with Stack(environ, workers=0) as stack:
        yield stack


def register(page: Page, stack: Stack) -> None:
    page.goto(stack.url)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()


def connect(page: Page, repository: Path) -> None:
    page.get_by_role("link", name="All settings").click()
    page.get_by_label("Name").fill("My Open Source Library")
    page.get_by_label("On this machine").check()
    page.get_by_label("Folder").fill(str(repository))
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Ready to write for 3 platforms")).to_be_visible()


def schedule(page: Page) -> None:
    page.get_by_role("link", name="New job").click()
    words = page.locator("#words")
    expect(words).to_have_text("Every day at 9:00 AM UTC.")
    page.get_by_label("Time", exact=True).fill("17:00")
    expect(words).to_have_text("Every day at 5:00 PM UTC.")
    page.get_by_label("Weekly").check()
    page.get_by_label("Fri").check()
    expect(words).to_have_text("Every Friday at 5:00 PM UTC.")
    page.get_by_label("Daily").check()
    page.get_by_role("button", name="Schedule the job").click()
    expect(page.get_by_role("heading", name="Daily Content Generation")).to_be_visible()


def test_from_an_empty_account_to_posts(stack: Stack, page: Page, repository: Path):
    register(page, stack)
    connect(page, repository)
    schedule(page)

    page.get_by_role("link", name="Dashboard").first.click()
    page.wait_for_url("**/dashboard")
    mark(page)
    card = page.locator("article.card")
    card.get_by_role("button", name="Trigger Now").click()
    expect(card.get_by_text("3/3 platforms")).to_be_visible(timeout=60_000)
    expect(card).to_have_attribute("data-state", "IDLE")
    expect(page.locator("#pulse")).to_have_attribute("hx-trigger", "every 30s")
    expect(card.get_by_text("100% (1/1)")).to_be_visible()
    expect(page.locator("#truth")).to_contain_text("1 job, next")
    assert stayed(page), "the page was loaded anew"

    card.get_by_role("link", name="3/3 platforms").click()
    expect(page.get_by_text("3 posts written from 2 commits")).to_be_visible()
    expect(page.get_by_text("Fix <script>alert('build')</script> errors").first).to_be_visible()
    expect(page.get_by_text("Write for LinkedIn")).to_be_visible()
    page.get_by_role("link", name="Open draft for Hashnode").click()
    expect(page.get_by_text("Waits for review")).to_be_visible()
    page.goto(f"{stack.url}/notifications")
    expect(page.get_by_text("Daily Content Generation completed successfully")).to_be_visible()
    expect(page.locator("#badge .count")).to_contain_text("1")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("All is read.")).to_be_visible()


def poll(page: Page) -> None:
    """As when the badge's time has come; a page that has just opened may not have run its scripts yet."""
    page.wait_for_function("window.htmx")
    page.evaluate("htmx.trigger('#badge', 'every')")


def test_a_lost_server_is_said_and_recovered_from(stack: Stack, page: Page, console: list[str]):
    register(page, stack)
    poll(page)
    page.context.set_offline(True)
    poll(page)
    expect(page.get_by_text("Repocast does not answer")).to_be_visible()
    page.context.set_offline(False)
    poll(page)
    expect(page.get_by_text("Connected again.")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in line or "Failed to fetch" in line for line in console)
    console.clear()


def test_the_schedulers_light_follows_it_without_a_reload(
    workerless: Stack, page: Page, environ: dict[str, str]
):
    page.set_viewport_size({"width": 360, "height": 740})
    register(page, workerless)
    light = page.locator("#scheduler")
    expect(light).to_contain_text("The scheduler has not ticked yet")
    page.goto(f"{workerless.url}/notifications")
    mark(page)
    for age, state, said in (
        (20, "ok", "Scheduler last ticked less"),
        (7200, "late", "ticked 2 h ago: no run"),
    ):
        tick(environ["DATABASE_URL"], age)
        poll(page)
        expect(light).to_have_attribute("data-state", state)
        expect(light).to_contain_text(said)
        expect(page.locator("#scheduler")).to_have_count(1)
        expect(page.locator("#badge")).to_have_attribute("aria-current", "page")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        below = light.bounding_box()["y"] > page.locator("main").bounding_box()["y"]
        assert below == (state == "ok"), "what is wrong stands at the top"
    assert stayed(page)


def tick(database_url: str, age: int) -> None:
    """As if the scheduler had ticked so many seconds ago, and not since."""
    from models import Pulse
    from models.base import make_engine

    engine = make_engine(database_url)
    with Session(engine) as session:
        session.merge(Pulse(name="tick", at=datetime.now(UTC) - timedelta(seconds=age)))
        session.commit()
    engine.dispose()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_small_screen(browser, stack: Stack, repository: Path, scheme):
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 740}, timezone_id="UTC"
    )
    page = context.new_page()
    register(page, stack)
    audit(page)
    connect(page, repository)
    audit(page)
    schedule(page)
    audit(page)
    page.get_by_role("link", name="Edit", exact=True).click()
    audit(page)
    page.go_back()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog", name="Delete “Daily Content Generation”?")).to_be_visible()
    audit(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Trigger Now").click()
    page.get_by_role("button", name="Run it now").click()
    expect(page.get_by_role("row").get_by_text("Success")).to_be_visible(timeout=60_000)
    audit(page)
    page.get_by_role("link", name="Success").click()
    audit(page)
    for path in ("/dashboard", "/drafts", "/notifications", "/settings"):
        page.goto(stack.url + path)
        audit(page)
    context.close()


def audit(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is too wide"


def test_without_javascript_too(browser, stack: Stack, repository: Path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    register(page, stack)
    connect(page, repository)
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Time", exact=True).fill("")
    page.get_by_role("button", name="Show next runs").click()
    expect(page.get_by_text("Time: Must be a time of day")).to_be_visible()
    page.get_by_role("button", name="Schedule the job").click()
    expect(page.locator("#e-time")).to_contain_text("such as 09:30")
    page.get_by_label("Time", exact=True).fill("06:00")
    page.get_by_role("button", name="Schedule the job").click()
    page.get_by_role("link", name="Trigger Now").click()
    page.get_by_role("button", name="Run it now").click()
    for _ in range(100):
        if page.get_by_text("100% (1/1)").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.get_by_text("100% (1/1)")).to_be_visible()
    page.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("It is disabled: it runs only when you trigger it.")).to_be_visible()
    context.close()
