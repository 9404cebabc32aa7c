"""Nothing in a repository is missed and nothing is told twice, whatever happens to it and to the scans."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from models.values import Activity
from pipeline.scan import WindowPlan
from tests.sources.github_histories import PAGES, History, Reader, direct
from tests.standins.github_world import LiveStandIn

SEED = int(os.environ.get("REPOCAST_SEED", "0"))
"""One seed alone, to see a failure again: REPOCAST_SEED=123."""
FIRST = 1
QUICK, OVER_HTTP, MANY = 40, 6, 2_400
BATCH = 120


class Field:
    """Where histories are played; page sizes go round."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def without_sockets(self) -> Callable[[LiveStandIn], str]:
        servers: dict[str, LiveStandIn] = {}
        self.monkeypatch.setattr("lib.http.Client._exchange", direct(servers))
        # One after another: a seed is the same story each time.
        self.monkeypatch.setattr("sources.github_api.CONCURRENT", 1)
        self.monkeypatch.setattr(LiveStandIn, "url", "http://github.test")

        def serve(server: LiveStandIn) -> str:
            servers["github.test"] = server
            return server.url

        return serve

    def history(self, seed: int, serve: Callable[[LiveStandIn], str]) -> History:
        page = PAGES[seed % len(PAGES)]
        self.monkeypatch.setattr("sources.github_commits.PER_PAGE", page)
        self.monkeypatch.setattr(
            "sources.github._PER_PAGE", dict.fromkeys(("commits", "issues", "pulls", "releases"), str(page))
        )
        return History(seed, serve, lambda now: self.monkeypatch.setattr("lib.clock.now", now))

    def play(self, seed: int, serve: Callable[[LiveStandIn], str]) -> History:
        history = self.history(seed, serve)
        if faults := history.run():
            story = "\n".join([*history.log, *faults])
            pytest.fail(f"REPOCAST_SEED={seed}:\n{story}", pytrace=False)
        return history


@pytest.fixture
def field(monkeypatch: pytest.MonkeyPatch) -> Field:
    return Field(monkeypatch)


def seeds(first: int, count: int) -> range | list[int]:
    return [SEED] if SEED else range(first, first + count)


def counted(tally, history: History) -> None:
    tally(
        "github",
        histories=1,
        scans=history.counts["scans"],
        items_told=history.counts["items"],
        failures_met=history.counts["failures"],
        unchanged=history.counts["unchanged"],
        carried=history.counts["carried"],
    )


def test_each_thing_once(field, tally):
    serve = field.without_sockets()
    for seed in seeds(FIRST, QUICK):
        counted(tally, field.play(seed, serve))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("batch", range(MANY // BATCH))
def test_each_thing_once_in_many_histories(field, tally, batch):
    serve = field.without_sockets()
    for seed in seeds(10_000 + batch * BATCH, BATCH):
        counted(tally, field.play(seed, serve))


@pytest.fixture
def serve() -> Iterator[Callable[[LiveStandIn], str]]:
    running: list[LiveStandIn] = []

    def start(server: LiveStandIn) -> str:
        running.append(server)
        server.start()
        return server.url

    yield start
    for server in running:
        server.stop()


@pytest.mark.loopback
def test_each_thing_once_over_http(field, serve, tally):
    for seed in seeds(500, OVER_HTTP):
        counted(tally, field.play(seed, serve))


# The account itself: it must notice


@pytest.mark.parametrize("fault", ["told twice", "never told"])
def test_the_account_notices(field, monkeypatch, fault):
    """A job that forgets what it told, and a source that loses the newest commit of each window."""
    if fault == "told twice":
        monkeypatch.setattr(Reader, "_told_before", lambda reader, keys: set())
    else:
        scan = Reader.scan

        def loses(reader: Reader, url: str, plan: WindowPlan) -> Activity:
            activity = scan(reader, url, plan)
            return replace(activity, commits=activity.commits[1:])

        monkeypatch.setattr(Reader, "scan", loses)
    serve = field.without_sockets()
    found = [fault in " ".join(field.history(seed, serve).run()) for seed in range(1, 21)]
    assert sum(found) > 5
