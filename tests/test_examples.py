"""The posts in docs/examples: current, within their platforms' limits, no sentence without a source."""

from pathlib import Path

import pytest

from models.values import WINDOW
from platforms import PLATFORMS
from tests import examples, shared
from tests.examples import FILES, FOLDER, Week
from writers import ledger
from writers.template import manuscript
from writers.template_story import Story

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Week]:
    return list(examples.weeks(shared_data))


def test_each_activity_has_its_three_posts_and_they_are_current(shared_data: Path) -> None:
    wanted = examples.made(shared_data)
    stored = {path for path in FOLDER.rglob("*") if path.is_file() and path.name != "README.md"}
    assert stored == set(wanted), "run make examples"
    assert len(wanted) == 3 * len(list((shared_data / "activity").glob("*.json")))
    changed = [path.relative_to(FOLDER) for path, text in wanted.items() if path.read_text("utf-8") != text]
    assert changed == [], "run make examples, and read what it changed"


@pytest.mark.parametrize("kind", FILES)
def test_an_example_meets_its_platforms_limits(recorded: list[Week], kind) -> None:
    for week in recorded:
        assert PLATFORMS[kind].check(week.post(kind)) == []


@pytest.mark.parametrize("kind", FILES)
def test_no_sentence_of_an_example_is_without_a_source(recorded: list[Week], kind) -> None:
    for week in recorded:
        post = week.post(kind)
        known = {source.ref for source in post.sources} | {WINDOW}
        assert post.claims
        assert all(claim.refs and known.issuperset(claim.refs) for claim in post.claims)
        assert post.remarks == ()


@pytest.mark.parametrize("kind", FILES)
def test_the_ledger_finds_nothing_in_an_example(recorded: list[Week], kind) -> None:
    for week in recorded:
        brief = week.brief(kind)
        assert ledger.audit(brief, manuscript(Story(brief))).findings == ()


def test_without_the_recorded_data_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("REPOCAST_SHARED", str(tmp_path))
    assert examples.main() == 1
    assert shared.ABSENT in capsys.readouterr().err
