"""What a real browser finds wrong with a page: by axe, and by its measures."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, Page

from tests.site.served import Served
from tests.site.states import State

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AUDIT = """tags => axe
    .run({runOnly: tags, resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})
    .then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))]))"""
_TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
# A row of links with one tab stop is walked by arrow keys.
_UNREACHABLE = """[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(one => !one.ariaHidden && one.checkVisibility())
    .filter(one => !one.disabled && one.type !== 'hidden' && one.tabIndex < 0)
    .filter(one => !one.parentElement.querySelector(':scope > [tabindex="0"], :scope > a:not([tabindex])'))
    .map(one => one.outerHTML.slice(0, 200))"""


def contexts(browser: Browser, served: Served) -> dict[str, BrowserContext]:
    """One per person who looks, signed in."""
    made = {}
    for who in ("", *served.site.users):
        context = browser.new_context(
            locale="en-GB", timezone_id="UTC", reduced_motion="reduce", color_scheme="light"
        )
        if who:
            context.add_cookies([served.cookie(who)])
        made[who] = context
    return made


def visit(page: Page, served: Served, state: State) -> None:
    """Go there, as a person does who fills in the form wrongly where the state is a form's."""
    if state.form is None:
        page.goto(served.url + state.path, wait_until="load")
    else:
        token = {"csrf_token": _token(page, served, state)}
        page.goto("about:blank")
        page.goto(f"{served.url}/healthz")
        page.evaluate(_SEND, [state.path, state.form | token])
        page.wait_for_url(f"**{state.path}", wait_until="load")
    if state.step is not None:
        state.step(page)


_SEND = """([action, fields]) => {
    const form = Object.assign(document.createElement('form'), {method: 'post', action});
    for (const [name, value] of Object.entries(fields))
        form.append(Object.assign(document.createElement('input'), {name, value}));
    document.documentElement.append(form);
    form.submit();
}"""


def _token(page: Page, served: Served, state: State) -> str:
    page.goto(served.url + state.path)
    return str(page.locator('[name="csrf_token"]').last.get_attribute("value"))


def faults(page: Page) -> list[Any]:
    """At the page's present width and colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[Any] = page.evaluate(_AUDIT, TAGS)
    found += [["unreachable by keyboard", one] for one in page.evaluate(_UNREACHABLE)]
    return found + too_wide(page)


def too_wide(page: Page) -> list[Any]:
    beyond = page.evaluate(_TOO_WIDE)
    return [["too wide by", beyond]] if beyond > 0 else []
