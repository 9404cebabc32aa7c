"""What a scan of GitHub costs: requests, seconds at 200 ms a request, and memory. Prints JSON.

The stand-in serves a branch on which nothing is new, 100, 1,000 or 5,000 commits since the last scan, each
with a file. `rounds` is the time in requests that wait for one another. Memory is the peak of a fresh process
above what it held before the scan, in MiB (resident set, from /proc); the stand-in has one of its own.
"""

import json
import multiprocessing
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sources.base import Caps, Known
from sources.github import GitHub

LATENCY = 0.2
NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
LAST = NOW - timedelta(days=1)
CAPS = Caps(commits=10_000)
SPAWN = multiprocessing.get_context("spawn")


def main() -> None:
    figures: dict[str, Any] = {"latency_ms": LATENCY * 1000}
    with _served(1) as url:
        figures["unchanged"] = _apart(_scan_again, url)
        figures["nothing_new"] = _apart(_scan, url)
    for count in (100, 1_000, 5_000):
        with _served(count + 1) as url:
            figures[f"{count}_commits"] = _apart(_scan, url)
    print(json.dumps(figures, indent=2))


def _apart(act: Callable[[str], dict[str, Any]], url: str) -> dict[str, Any]:
    """In a fresh process, whose memory no earlier scan has widened."""
    with SPAWN.Pool(1) as pool:
        return pool.apply(act, (url,))


def _scan_again(url: str) -> dict[str, Any]:
    seen = _source(url).scan(LAST, base=_sha(1)).seen
    assert seen is not None, "a whole scan describes the repository"
    return _scan(url, Known(seen.id, seen.etag))


def _source(url: str) -> GitHub:
    return GitHub(url, "username", "awesome-lib", token="ghp_bench", caps=CAPS)


def _scan(url: str, known: Known | None = None) -> dict[str, Any]:
    with _peak() as memory:
        began = time.perf_counter()
        activity = _source(url).scan(LAST, base=_sha(1), known=known)
        took = time.perf_counter() - began
    return {
        "requests": activity.requests,
        "seconds": round(took, 2),
        "rounds": round(took / LATENCY, 1),
        "commits": len(activity.commits),
        "peak_mib_above_idle": round(memory[0], 1),
    }


@contextmanager
def _peak() -> Iterator[list[float]]:
    """The most that this process held above what it holds now, looked at every 5 ms."""
    before, done, most = _resident(), threading.Event(), [0.0]

    def look() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], _resident() - before)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        done.set()
        watcher.join()


def _resident() -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def _served(commits: int) -> Iterator[str]:
    """The address of a stand-in with so many commits, the first of which the last scan saw."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs, commits))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def _serve(pipe: Connection, commits: int) -> None:
    from tests.standins.github import GitHubStandIn, Repository

    made = Repository()
    step = timedelta(seconds=80_000 / commits)
    for number in range(1, commits + 1):
        message = f"Change number {number}\n\n" + "Why it was needed, in some words. " * 10
        made.commit(_sha(number), LAST + number * step, message, files=(f"src/part{number % 50}.py",))
    with GitHubStandIn(made.data, server_time=NOW, latency=LATENCY) as server:
        pipe.send(server.url)
        pipe.recv()


def _sha(number: int) -> str:
    return f"{number:040x}"


if __name__ == "__main__":
    main()
