"""The last line of a run: `12 passed, 0 failed`, or `12 passed, 0 failed, 4 skipped`; errors are failures."""

import pytest


class ClosingLine:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self):
        """Outermost, so that pytest's own summary has been printed by the time we go on."""
        result = yield
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        counts = {outcome: len(reports) for outcome, reports in reporter.stats.items()}
        failed = counts.get("failed", 0) + counts.get("error", 0)
        skipped = counts.get("skipped", 0) + counts.get("xfailed", 0)
        line = f"{counts.get('passed', 0)} passed, {failed} failed"
        reporter.ensure_newline()
        reporter.write_line(line + f", {skipped} skipped" if skipped else line)
        return result


def pytest_configure(config: pytest.Config) -> None:
    on_xdist_worker = hasattr(config, "workerinput")
    if not on_xdist_worker and not config.option.collectonly:
        config.pluginmanager.register(ClosingLine(config))
