"""A draft in a real browser, with real web and worker processes and a model behind HTTP: edited, saved by
itself, written anew, compared, approved and taken along."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import EMAIL, PASSWORD, audit, repository  # noqa: F401 - a fixture
from tests.plugins.browser import mark, stayed
from tests.standins.llm import RATE_LIMIT, LlmStandIn
from tests.standins.stack import Api, Stack, until

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(240)]
# A test names `stack` before `page`: the page must close while its server is still there.

HOSTILE = """# <script>document.title = "taken"</script>

<img src="https://evil.example/pixel.png"> ![pixel](https://evil.example/p.png) ![x](//evil.example/x.png)
<style>body { display: none }</style><iframe src="https://evil.example"></iframe><svg onload="alert(1)"></svg>
[press](javascript:alert(1)) <a href="#" onclick="alert(1)">me</a> <base href="https://evil.example/">
"""


@pytest.fixture
def llm() -> Iterator[LlmStandIn]:
    model = LlmStandIn()
    model.start()
    yield model
    model.stop()


@pytest.fixture
def environ(database_url, tmp_path, repository: Path, llm: LlmStandIn) -> dict[str, str]:  # noqa: F811
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "GIT_ROOT": str(repository.parent),
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": llm.base_url,
        "OPENAI_MODEL": "stand-in",
    }


@pytest.fixture
def stack(environ):
    with Stack(environ) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Api:
    return Api(stack.url, stack.account(EMAIL, PASSWORD))


@pytest.fixture
def draft(api: Api, repository: Path) -> dict[str, Any]:  # noqa: F811
    """Dev.to's, of a run that was triggered by a program."""
    made = {"name": "awesome-lib", "sourceType": "GIT", "gitPath": str(repository)}
    project = api("POST", "/api/projects", made, 201)
    api("POST", f"/api/projects/{project['id']}/platforms", {"type": "DEVTO"}, 201)
    daily = {"frequency": "DAILY", "timeConfig": {"hour": 9}}
    job = api("POST", "/api/cron/schedule", {"projectId": project["id"], "name": "Daily", **daily}, 201)
    execution = api("POST", "/api/cron/trigger", {"jobId": job["id"]}, 202)

    def done() -> bool:
        return api("GET", f"/api/executions/{execution['id']}")["status"] == "COMPLETED"

    until(done, 60, "end of the run")
    return api("GET", f"/api/drafts?executionId={execution['id']}")[0]


def sign_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/login")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def test_from_a_draft_to_an_approved_post(stack: Stack, page: Page, api: Api, llm: LlmStandIn, draft):
    at = f"/api/drafts/{draft['id']}"
    sign_in(page, stack)
    page.get_by_role("link", name="Drafts", exact=True).click()
    page.get_by_role("link", name=draft["title"]).click()
    expect(page.get_by_text("Waits for review")).to_be_visible()

    # Edited: counted at once, saved in a moment, without the page being loaded anew.
    mark(page)
    title = page.get_by_label("Title", exact=True)
    title.fill("x" * 129)
    expect(page.locator("[data-count=title]")).to_have_class("bad")
    expect(page.locator("[data-count=title]")).to_contain_text("129 of 128")
    expect(page.locator("#saved")).to_contain_text("Saved as version 2")
    expect(page.locator("#notes")).to_contain_text("Dev.to will not take it as it is")
    title.fill("A better title")
    text = page.get_by_label("Text", exact=True)
    text.press("Control+End")
    text.press_sequentially(" I like it.")
    expect(page.locator("#preview")).to_contain_text("I like it.")
    expect(page.locator("#notes")).not_to_contain_text("will not take it")
    expect(title).to_have_value("A better title")
    expect(page.locator("#preview .post-title")).to_contain_text("A better title")
    assert stayed(page)
    saved = api("GET", at)
    assert (saved["title"], saved["content"].endswith("I like it.")) == ("A better title", True)

    # Written anew: the first try does not succeed, the second brings another text, which is shown by itself.
    asked = llm.calls["DEVTO"]
    llm.fail_platform("DEVTO", RATE_LIMIT, times=1)
    llm.say("DEVTO", tags=["opensource"])
    page.get_by_label("What should be different?").fill("Shorter, please.")
    page.get_by_role("button", name="Write anew").click()
    expect(page.locator("#order")).to_contain_text("You asked: “Shorter, please.”")
    expect(page.locator("#preview .tags")).to_have_text("#opensource", timeout=60_000)
    expect(page.locator("#order")).to_contain_text("is the new text")
    expect(page.locator("#order")).not_to_have_attribute("hx-trigger", "every 2s")
    expect(page.locator("#preview")).not_to_contain_text("I like it.")
    # The try that was refused; and as many as the first text took, which has a commit's markup sent back.
    assert llm.calls["DEVTO"] == asked + 1 + asked
    anew = api("GET", at)
    assert anew["regeneration"]["status"] == "COMPLETED"

    # Compared with what was typed, and that restored.
    page.locator("#versions li").nth(1).get_by_role("link", name="Compare").click()
    expect(page.locator(".diff del").filter(has_text="I like it")).to_be_visible()
    expect(page.locator("section[aria-label=Tags] del").filter(has_text="devlog")).to_be_visible()
    page.get_by_role("button", name="Restore version").click()
    expect(page.locator("#preview")).to_contain_text("I like it.")

    # Approved, and taken along.
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".truth")).to_contain_text("was approved")
    assert api("GET", at)["state"] == "APPROVED"
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == "a-better-title.md"
    file = Path(download.value.path()).read_text()
    assert file.startswith('---\ntitle: "A better title"\n')
    assert file.rstrip().endswith("I like it.")


def test_typing_survives_a_change_from_elsewhere(stack: Stack, page: Page, api: Api, console, draft):
    at = f"/api/drafts/{draft['id']}"
    sign_in(page, stack)
    page.goto(f"{stack.url}/drafts/{draft['id']}")
    page.wait_for_function("window.htmx")
    api("PATCH", at, {"version": 1, "content": "Theirs."})
    text = page.get_by_label("Text", exact=True)
    text.fill("Mine.")
    expect(page.locator("#saved")).to_contain_text("changed elsewhere")
    expect(text).to_have_value("Mine.")
    assert api("GET", at)["content"] == "Theirs."
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.locator("#preview")).to_contain_text("Mine.")
    assert api("GET", at)["content"] == "Mine."
    assert all("409" in line for line in console)
    console.clear()


def test_whatever_the_text_the_preview_runs_and_loads_nothing(stack: Stack, page: Page, api: Api, draft):
    """The page fixture fails on whatever leaves this machine or breaks the policy."""
    api(
        "PATCH",
        f"/api/drafts/{draft['id']}",
        {"version": 1, "content": HOSTILE, "title": HOSTILE.partition("\n")[0]},
    )
    sign_in(page, stack)
    page.goto(f"{stack.url}/drafts/{draft['id']}")
    page.wait_for_load_state("networkidle")
    assert (
        page.locator("#preview")
        .locator("script, style, img, iframe, svg, link, base, [style], [onclick]")
        .count()
        == 0
    )
    assert page.title() != "taken"
    hrefs = page.locator("#shown a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert all(href.startswith(("https:", "http:", "#")) for href in hrefs)
    expect(page.locator("#preview")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_review_is_accessible_and_fits_a_small_screen(browser, stack: Stack, api: Api, draft, scheme):
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 740}, timezone_id="UTC"
    )
    page = context.new_page()
    sign_in(page, stack)
    api(
        "PATCH",
        f"/api/drafts/{draft['id']}",
        {"version": 1, "content": "Long" * 50 + " `code` [l](https://a.b/c)"},
    )
    for path in ("", f"/{draft['id']}", f"/{draft['id']}/compare"):
        page.goto(f"{stack.url}/drafts{path}")
        audit(page)
    context.close()


def test_without_javascript_too(browser, stack: Stack, api: Api, draft):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, stack)
    page.goto(f"{stack.url}/drafts/{draft['id']}")
    page.get_by_label("Title", exact=True).fill("Typed by hand")
    page.get_by_label("Title", exact=True).press("Enter")  # saves; it must not approve
    expect(page.get_by_role("heading", name="Typed by hand")).to_be_visible()
    expect(page.get_by_text("Waits for review")).to_be_visible()
    page.get_by_role("button", name="Write anew").click()
    for _ in range(100):
        if page.locator("#order").get_by_text("is the new text").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.locator("#order")).to_contain_text("is the new text")
    page.get_by_role("button", name="Restore version 2").click()
    expect(page.get_by_role("heading", name="Typed by hand")).to_be_visible()
    page.get_by_role("button", name="Reject").click()
    expect(page.locator(".truth")).to_contain_text("You rejected it")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("#top").get_by_text("Waits for review")).to_be_visible()
    context.close()
