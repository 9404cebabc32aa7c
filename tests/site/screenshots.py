"""Write a PNG of every page in each of its states: `python -m tests.site.screenshots [folder]`.

At each width and in each theme, with a sheet of all of them (`index-<width>-<theme>.html`) for a quick look.
"""

import html
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.plugins.browser import ARGUMENTS
from tests.site import looking
from tests.site.served import serving

WIDTHS = {360: 740, 768: 1024, 1400: 900}
THEMES = ("light", "dark")
FOLDER = Path("instance/screenshots")
_SHEET = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body {{ display: flex; flex-wrap: wrap; gap: 1rem; font: 13px sans-serif }}
figure {{ margin: 0; width: 300px }} img {{ width: 100%; border: 1px solid #999 }}</style>
{figures}"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place)) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        pages = {who: context.new_page() for who, context in looking.contexts(browser, served).items()}
        for state in served.site.states:
            page = pages[state.who]
            looking.visit(page, served, state)
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)
                    file = folder / f"{state.name}-{width}-{theme}.png"
                    page.screenshot(path=file, full_page=True, animations="disabled")
        browser.close()
        _sheets(folder, [state.name for state in served.site.states])


def _sheets(folder: Path, names: list[str]) -> None:
    for width in WIDTHS:
        for theme in THEMES:
            figures = "\n".join(
                f'<figure><a href="{file}"><img src="{file}" alt="" loading="lazy"></a>'
                f"<figcaption>{html.escape(name)}</figcaption></figure>"
                for name in names
                for file in [f"{name}-{width}-{theme}.png"]
            )
            sheet = _SHEET.format(title=f"{width} px, {theme}", figures=figures)
            (folder / f"index-{width}-{theme}.html").write_text(sheet)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
