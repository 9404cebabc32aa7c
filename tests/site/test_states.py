"""Every page in each of its states in a real browser: axe finds nothing, all fits, nothing is logged.

For every change each state is audited once at 360 px, its theme taken in turn, and measured at 1400 px and at
200 % zoom; the whole matrix runs with `make long`.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage

from tests.site import looking
from tests.site.served import Served, serving

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(600)]
SIZES = {360: {"width": 360, "height": 740}, 1400: {"width": 1400, "height": 900}}
ZOOMED = {"width": 640, "height": 450}
"""What 1280 x 900 px leave at 200 %."""
THEMES = ("light", "dark")
SHARES = 4
"""Into so many tests the states are dealt out, for processes that work side by side."""


@pytest.mark.parametrize("share", range(SHARES))
def test_every_state(browser: Browser, tmp_path: Path, share: int):
    with serving(tmp_path) as served:
        assert look(browser, served, share, whole=False) == []


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_every_state_at_every_width_in_every_theme(browser: Browser, tmp_path: Path, share: int):
    with serving(tmp_path) as served:
        assert look(browser, served, share, whole=True) == []


def look(browser: Browser, served: Served, share: int, *, whole: bool) -> list[Any]:
    """What is wrong with every fourth state, by name."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    pages = {who: context.new_page() for who, context in looking.contexts(browser, served).items()}
    for page in pages.values():
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
    wrong: list[Any] = []
    for number, state in enumerate(served.site.states[share::SHARES]):
        page = pages[state.who]
        page.set_viewport_size(SIZES[360])
        looking.visit(page, served, state)
        themes = THEMES if whole else (THEMES[(number + share) % 2],)
        for width in SIZES if whole else (360,):
            page.set_viewport_size(SIZES[width])
            for theme in themes:
                page.emulate_media(color_scheme=theme)
                wrong += [(state.name, width, theme, fault) for fault in looking.faults(page)]
        for size in (SIZES[1400], ZOOMED):
            page.set_viewport_size(size)
            wrong += [(state.name, size["width"], fault) for fault in looking.too_wide(page)]
        wrong += [(state.name, line) for line in said if not _refused(line, state.status)]
        said.clear()
    for page in pages.values():
        page.context.close()
    return wrong


def _refused(line: str, status: int) -> bool:
    """Chromium logs each page that is not a success."""
    said = "the server responded with a status of"
    return f"{said} 4" in line or f"{said} {status}" in line
