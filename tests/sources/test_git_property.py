"""Random histories in real repositories, scanned at random moments with failures in between: whatever a scan
could see is told exactly once."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.git_histories import play

COUNTED = ("scans", "failures", "carried", "commits", "pulls", "issues", "releases")


def play_all(folder: Path, seeds: range, clock) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in seeds:
        here = folder / str(seed)
        try:
            counts += play(here, seed, clock.move_to)
        except Exception as error:
            raise AssertionError(f"History {seed} (tests.sources.git_histories.play): {error!r}") from error
        shutil.rmtree(here)
    return counts


def test_random_histories_are_told_exactly_once(tmp_path: Path, clock) -> None:
    counts = play_all(tmp_path, range(25), clock)
    assert all(counts[name] > 10 for name in COUNTED), counts


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("part", range(4))
def test_thousands_of_random_histories(tmp_path: Path, clock, part: int, tally: Callable[..., None]) -> None:
    seeds = range(1_000 + 500 * part, 1_500 + 500 * part)
    counts = play_all(tmp_path, seeds, clock)
    tally("local git", histories=len(seeds), **{name: counts[name] for name in COUNTED})
