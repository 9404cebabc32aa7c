"""The last line of a run: `12 passed, 0 failed`, or `12 passed, 0 failed, 4 skipped`; errors are failures.

Before it stands what the tests counted, a line for each topic: `next-run cases compared: 203,412,
disagreements: 0`.
"""

from collections import Counter
from collections.abc import Callable

import pytest

COUNTS = pytest.StashKey[dict[str, Counter[str]]]()


def add(config: pytest.Config, topic: str, counts: dict[str, int]) -> None:
    config.stash[COUNTS].setdefault(topic, Counter()).update(counts)


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Counts for the closing lines, over all tests and workers.

    `tally("next-run", cases_compared=80, disagreements=0)`: the topic, then what to add to each number; lines
    show the topics by name, the numbers in the order in which they were first given.
    """
    return lambda topic, **counts: add(pytestconfig, topic, counts)


class ClosingLine:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        """A worker has finished; one that crashed leaves nothing."""
        for topic, counts in getattr(node, "workeroutput", {}).get("counts", {}).items():
            add(self.config, topic, counts)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self):
        """Outermost, so that pytest's own summary has been printed by the time we go on."""
        result = yield
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        for topic, counts in sorted(self.config.stash[COUNTS].items()):
            reporter.write_line(_counted(topic, counts))
        reporter.write_line(_outcomes(reporter.stats))
        return result


class WorkerCounts:
    """Takes the counts of a worker of pytest-xdist to where the lines are written."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_sessionfinish(self) -> None:
        counts = {topic: dict(numbers) for topic, numbers in self.config.stash[COUNTS].items()}
        self.config.workeroutput["counts"] = counts


def _counted(topic: str, counts: Counter[str]) -> str:
    numbers = (f"{name.replace('_', ' ')}: {number:,}" for name, number in counts.items())
    return f"{topic} {', '.join(numbers)}"


def _outcomes(stats: dict[str, list[object]]) -> str:
    counts = {outcome: len(reports) for outcome, reports in stats.items()}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    skipped = counts.get("skipped", 0) + counts.get("xfailed", 0)
    line = f"{counts.get('passed', 0)} passed, {failed} failed"
    return line + f", {skipped} skipped" if skipped else line


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COUNTS] = {}
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerCounts(config))
    elif not config.option.collectonly:
        config.pluginmanager.register(ClosingLine(config))
