"""The page of an execution in a real browser, with real processes, GitHub and a model behind HTTP: watched
live from its queue to its end, failing and tried again, partly failing, its trace, its JSON, its receipt."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.security import generate_password_hash

from models import Job, User
from tests.e2e.test_browser import PASSWORD, audit
from tests.plugins.browser import mark, stayed
from tests.standins.github import error
from tests.standins.house import House
from tests.standins.llm import REFUSAL

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
# A test names `job` before `page`: the page must close while its server is still there.

SELECT = """one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""
BAD = error(401, "Bad credentials")


@pytest.fixture
def job(house: House) -> Iterator[Job]:
    """Nobody works on it yet; its owner can sign in."""
    house.start_web()
    made = house.job(max_retries=3, retry_delay=600)
    with house.sessions() as session:
        session.get_one(User, made.user_id).password_hash = generate_password_hash(PASSWORD)
        session.commit()
    house.await_web()
    return made


def sign_in(page: Page, house: House, job: Job) -> None:
    (owner,) = house.rows(User, id=job.user_id)
    page.goto(f"{house.url}/login")
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def look(page: Page, house: House, execution_id: str, part: str = "") -> None:
    page.goto(f"{house.url}/executions/{execution_id}{part}", wait_until="load")


def walk_to(page: Page, label: str) -> None:
    """By the Tab key, from the top of the page."""
    page.evaluate("document.activeElement.blur(), getSelection().removeAllRanges()")
    page.locator("#main").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == label:
            return
    raise AssertionError(f"{label} is not reached by the keyboard.")


def narrow(page: Page) -> None:
    """It fits a small screen, and is accessible there."""
    page.set_viewport_size({"width": 360, "height": 740})
    audit(page)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_watched_from_its_queue_to_its_end(house: House, job: Job, page: Page):
    house.llm.held = {"DEVTO", "LINKEDIN"}
    execution = house.trigger(job)
    sign_in(page, house, job)
    look(page, house, execution)
    mark(page)
    top, truth = page.locator("h1"), page.locator(".truth")
    expect(top).to_have_text("Queued")
    expect(truth).to_have_text("It waits for a free worker, then runs at once.")
    narrow(page)

    house.start_worker()
    expect(truth).to_have_text("It writes for Dev.to, LinkedIn.", timeout=30_000)
    hashnode = page.locator(".waterfall li", has_text="Write for Hashnode")
    expect(hashnode.locator(".mark")).to_have_text("Done")
    so_far = page.locator("[data-so-far]").first
    expect(so_far).to_contain_text("so far")
    before = so_far.text_content()
    expect(so_far).not_to_have_text(before)
    narrow(page)

    # What somebody has opened and selected stays, whatever comes.
    fold = page.locator("#read-1")
    was_open = fold.evaluate("one => one.open")
    fold.locator("summary").click()
    page.locator("#read p").first.evaluate(SELECT)
    selected = page.evaluate("String(getSelection())")
    assert "awesome-lib" in selected
    polls: list[int] = []
    page.on("response", lambda answer: polls.append(answer.status) if "?v=" in answer.url else None)
    house.llm.release()
    expect(top).to_have_text("Success", timeout=30_000)
    expect(truth).to_contain_text("3 posts written from")
    assert fold.evaluate("one => one.open") != was_open
    assert page.evaluate("String(getSelection())") == selected
    assert stayed(page)
    expect(page.locator("#execution")).not_to_have_attribute("hx-trigger", "every 2s")
    assert polls.count(200) <= 4, "most polls had nothing to tell"

    expect(page.locator("#execution .result")).to_have_count(3)
    page.get_by_text("The whole post for Dev.to").click()
    expect(page.get_by_label("Text of the Dev.to post")).to_be_visible()
    narrow(page)
    house.await_whole(execution)
    page.reload()
    expect(page.locator("#mails")).to_contain_text("Sent to")
    page.get_by_role("link", name="Open draft for Dev.to").click()
    expect(page.get_by_text("Waits for review")).to_be_visible()


def test_failing_waiting_tried_again_and_cancelled(house: House, job: Job, page: Page):
    github = house.world.github
    github.fail_always("/repos/", BAD)
    house.start_worker()
    execution = house.trigger(job)
    sign_in(page, house, job)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    look(page, house, execution)
    mark(page)
    top, notice = page.locator("h1"), page.locator("#execution > .notice")
    expect(top).to_have_text("Waiting to retry", timeout=30_000)
    expect(notice).to_contain_text("Bad credentials")
    expect(notice).to_contain_text("What helps:")
    expect(notice).to_contain_text("“Retry now” does not wait for it.")
    expect(notice.get_by_role("link", name="Enter a token")).to_have_attribute(
        "href", f"/projects/{job.project_id}/edit#f-githubToken"
    )
    narrow(page)

    # Its trace is folded, our own lines come first, and what is copied is the whole.
    trace = notice.locator("#fold-trace")
    expect(trace.locator("pre").first).not_to_be_visible()
    trace.get_by_text("Stack trace", exact=True).click()
    shown = trace.locator("pre").first.text_content().splitlines()
    assert shown[0].startswith("Error: GitHub API error: Bad credentials")
    assert "(sources/" in shown[1]
    trace.get_by_role("button", name="Copy the stack trace", exact=True).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert "Error: GitHub API error" in page.evaluate("navigator.clipboard.readText()")

    # By keyboard alone: the second attempt fails, too, and the trace stays open.
    walk_to(page, "Retry now")
    page.keyboard.press("Enter")
    expect(page.locator("#attempt-2")).to_contain_text("Failed", timeout=30_000)
    expect(top).to_have_text("Waiting to retry")
    expect(trace.locator("pre").first).to_be_visible()

    github.heal()
    page.get_by_role("button", name="Retry now").click()
    expect(top).to_have_text("Success", timeout=30_000)
    expect(page.locator("#attempt-3")).to_contain_text("Done")
    expect(notice).to_have_count(0)
    assert stayed(page)

    # Another one is cancelled while it waits; its dialog asks first.
    github.fail_always("/repos/", BAD)
    other = house.trigger(job)
    house.await_status(other, "RETRYING")
    look(page, house, other)
    mark(page)
    page.once("dialog", lambda asked: asked.dismiss())
    page.get_by_role("button", name="Cancel").click()
    expect(top).to_have_text("Waiting to retry")
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(top).to_have_text("Cancelled")
    expect(page.locator(".truth")).to_have_text("Cancelled by its owner.")
    expect(page.get_by_role("button", name="Retry now")).to_have_count(0)
    assert stayed(page)


def test_partly_failed_and_made_up_for_then_kept_as_files(house: House, job: Job, page: Page):
    house.llm.fail_platform("DEVTO", REFUSAL)
    house.start_worker()
    execution = house.trigger(job)
    house.await_status(execution)
    sign_in(page, house, job)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    look(page, house, execution)
    expect(page.locator("h1")).to_have_text("Partial")
    notice = page.locator("#execution > .notice")
    expect(notice).to_contain_text("Dev.to: The model refused to write this post")
    expect(notice.get_by_role("link", name="Choose another writer")).to_be_visible()
    narrow(page)
    house.llm.heal()
    page.get_by_role("button", name="Retry failed platforms").click()
    page.wait_for_url(lambda url: not url.endswith(execution))
    expect(page.locator("h1")).to_have_text("Success", timeout=30_000)
    expect(page.locator(".truth")).to_contain_text("1 post written")
    page.get_by_role("link", name="An earlier execution").click()
    page.wait_for_url(f"**/{execution}")

    page.get_by_role("link", name="Raw JSON").click()
    page.wait_for_load_state("load")
    raw = json.loads(page.locator("#json").text_content())
    assert [one["errorCode"] for one in raw["steps"] if one["error"]] == ["model_refused"]
    page.get_by_role("button", name="Copy the JSON").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == raw
    narrow(page)

    look(page, house, execution)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    assert download.value.suggested_filename == f"repocast-receipt-{execution}.json"
    kept = json.loads(Path(download.value.path()).read_text())
    assert kept["execution"]["id"] == execution
    assert len(kept["posts"]) == 2

    page.get_by_role("link", name="Receipt", exact=True).click()
    page.wait_for_load_state("load")
    narrow(page)
    page.evaluate("() => { window.print = () => { window.printed = true } }")
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).not_to_be_visible()
    expect(page.get_by_text("Dev.to got no post: The model refused")).to_be_visible()
    assert page.pdf().startswith(b"%PDF")


def test_without_javascript_too(house: House, job: Job, browser: Browser):
    house.world.github.fail_always("/repos/", BAD)
    house.start_worker()
    execution = house.trigger(job)
    house.await_status(execution, "RETRYING")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, house, job)
    look(page, house, execution)
    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("It is tried again.")).to_be_visible()
    house.until(lambda: house.row(execution).attempt == 2, 30, "second attempt")
    house.await_status(execution, "RETRYING")
    page.reload()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The execution is cancelled.")).to_be_visible()
    expect(page.locator("h1")).to_have_text("Cancelled")

    house.world.github.heal()
    house.llm.fail_platform("LINKEDIN", REFUSAL)
    partial = house.trigger(job)
    house.await_status(partial)
    house.llm.heal()
    look(page, house, partial)
    page.get_by_role("button", name="Retry failed platforms").click()
    made = page.url.rpartition("/")[2]
    assert made != partial
    house.await_status(made)
    page.reload()
    expect(page.locator("h1")).to_have_text("Success")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="Receipt", exact=True).click()
    expect(page.get_by_role("button", name="Print")).to_have_count(0)
    expect(page.get_by_role("link", name="Download", exact=True)).to_be_visible()
    context.close()
