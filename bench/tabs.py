"""What open tabs cost everybody else, with a real web and worker process on SQLite. Prints JSON.

From Trigger Now by the API to COMPLETED recorded, with a source and a writer that answer at once: without and
with 20 tabs that poll as pages do (dashboard, jobs, and a run that goes on all the time, so that dashboards
poll often), at the pages' own intervals, each with the stamp of its last answer. The two take turns. The tabs
are another process's threads; the last rounds have tabs of Chromium, where it is installed.
"""

import contextlib
import html
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import requests
from playwright.sync_api import Response, sync_playwright

from tasks.queue import worker_command
from tests.plugins.browser import ARGUMENTS
from tests.standins.stack import ROOT, Api, Stack, until

TABS, LIMIT = 20, 1.2
ROUNDS = int(os.environ.get("BENCH_TAB_ROUNDS", "4"))
TRIGGERS = int(os.environ.get("BENCH_TAB_TRIGGERS", "15"))
"""In each round; a second apart, so that four rounds with tabs have them poll for a minute."""
REAL_ROUNDS = int(os.environ.get("BENCH_REAL_TAB_ROUNDS", "2"))
EMAIL, PASSWORD = "bench@example.com", "correct horse battery"
JOBS = 10
FRAGMENT = re.compile(r'<\w+ id="([^"]+)"[^>]*hx-get="([^"]+)" hx-trigger="every (\d+)s"')


class Instant(Stack):
    """Its worker has a source and a writer that answer at once (tests/standins/instant.py)."""

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            [word.replace("tasks.consumer", "tests.standins.instant") for word in worker_command()]
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Instant({"INSTANCE_PATH": name, "HELD_FOLDER": name}) as stack:
            stack.flask("user", "create", EMAIL, "--password-stdin", stdin=f"{PASSWORD}\n")
            api = Api(stack.url, stack.flask("token", "create", EMAIL))
            (folder / "Held").touch()
            held = _job(api, "Held")
            live = api("POST", "/api/cron/trigger", {"jobId": held}, status=202)["id"]
            jobs = [_job(api, f"Project {number}") for number in range(JOBS)]
            paths = _paths(api, jobs, f"/executions/{live}")
            _measure(api, jobs[0], 5)
            figures = {
                "limit_ratio": LIMIT,
                **_rounds(api, jobs[0], partial(_opened, "threads", stack.url, *paths), ROUNDS),
            }
            if REAL_ROUNDS and (chromium := shutil.which("chromium")):
                figures["chromium"] = _rounds(
                    api, jobs[0], partial(_opened, "chromium", chromium, stack.url, *paths), REAL_ROUNDS
                )
            (folder / "Held").unlink()
    print(json.dumps(figures, indent=2))


def _job(api: Api, name: str) -> str:
    about = {"sourceType": "GITHUB", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"}
    project = api("POST", "/api/projects", {"name": name, **about}, status=201)["id"]
    api("POST", f"/api/projects/{project}/platforms", {"type": "DEVTO"}, status=201)
    job = {"projectId": project, "type": "GENERATE_CONTENT", "name": name, "frequency": "DAILY"}
    when = {"timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"}, "notify": "NONE"}
    return str(api("POST", "/api/cron/schedule", job | when, status=201)["id"])


def _paths(api: Api, jobs: list[str], live: str) -> list[str]:
    """Eight dashboards, eight jobs, and four times the run."""
    found = {job["id"]: job["projectId"] for job in api("GET", "/api/cron/schedules")}
    pages = [f"/projects/{found[job]}/cron/{job}" for job in jobs[:8]]
    return ["/dashboard"] * 8 + pages + [live] * 4


def _rounds(api: Api, job: str, tabs: Callable[[], Any], rounds: int) -> dict[str, Any]:
    without: list[float] = []
    among: list[float] = []
    told: dict[str, int] = {}
    for _ in range(rounds):
        without += _measure(api, job, TRIGGERS)
        with tabs() as said:
            among += _measure(api, job, TRIGGERS)
        for key, value in said.items():
            told[key] = told.get(key, 0) + value
    medians = [round(statistics.median(waits), 1) for waits in (without, among)]
    figures: dict[str, Any] = {
        "triggers": len(among),
        "alone_ms_median": medians[0],
        "among_tabs_ms_median": medians[1],
        "ratio": round(medians[1] / medians[0], 2),
    }
    if told:
        figures |= told | {"bytes_per_poll": round(told["bytes"] / max(told["polls"], 1))}
    return figures


def _measure(api: Api, job: str, count: int) -> list[float]:
    """Milliseconds from the click to what the worker recorded as the end."""
    return [_trigger(api, job) for _ in range(count)]


def _trigger(api: Api, job: str) -> float:
    time.sleep(1)
    clicked = time.time()
    execution = api("POST", "/api/cron/trigger", {"jobId": job}, status=202)["id"]

    def ended() -> Any:
        found = api("GET", f"/api/executions/{execution}")
        return found if found["status"] == "COMPLETED" else None

    done = until(ended, 30, "finished run")
    return (datetime.fromisoformat(done["completedAt"]).timestamp() - clicked) * 1000


@contextlib.contextmanager
def _opened(kind: str, *arguments: str) -> Iterator[dict[str, int]]:
    """A process whose tabs are open while the body runs; what they told is there afterwards."""
    command = [sys.executable, __file__, kind, *arguments]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdin is not None
    assert child.stdout is not None
    told: dict[str, int] = {}
    try:
        assert child.stdout.readline() == "open\n"
        yield told
        child.stdin.close()
        told |= json.loads(child.stdout.readline())
    finally:
        child.kill()
        child.wait()


def _signed_in(url: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    page = session.get(f"{url}/login", timeout=20).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "email": EMAIL, "password": PASSWORD}
    assert session.post(f"{url}/login", data=form, timeout=20).status_code == 200
    return session


class _Tab:
    """Every fragment of a page that polls, and what its answers weighed."""

    def __init__(self, url: str, cookies: Any, path: str) -> None:
        self.url, self.session = url, requests.Session()
        self.session.trust_env = False
        self.session.cookies.update(cookies)
        self.polls = self.unchanged = self.bytes = 0
        self.stamps: dict[str, str] = {}
        body = self.session.get(url + path, timeout=20).text
        self.fragments: dict[str, tuple[str, int]] = {}
        self.due: dict[str, float] = {}
        self._read(body)

    def _read(self, body: str) -> None:
        for name, path, seconds in FRAGMENT.findall(body):
            self.fragments[name] = html.unescape(path), int(seconds)
            self.due.setdefault(name, time.monotonic() + int(seconds))

    def run(self, closing: threading.Event) -> None:
        while not closing.wait(max(0.0, min(self.due.values()) - time.monotonic())):
            name = min(self.due, key=lambda one: self.due[one])
            self._poll(name)
            self.due[name] = time.monotonic() + self.fragments[name][1]

    def _poll(self, name: str) -> None:
        headers = {"HX-Request": "true", "X-Live": "1"}
        if name in self.stamps:
            headers["X-Glance"] = self.stamps[name]
        answer = self.session.get(self.url + self.fragments[name][0], headers=headers, timeout=20)
        assert answer.status_code in (200, 204), answer.status_code
        self.polls, self.bytes = self.polls + 1, self.bytes + len(answer.content)
        self.unchanged += answer.status_code == 204
        if stamp := answer.headers.get("X-Glance"):
            self.stamps[name] = stamp
        self._read(answer.text)


def _be_threads(url: str, *paths: str) -> None:
    cookies = _signed_in(url).cookies
    tabs = [_Tab(url, cookies, path) for path in paths]
    closing = threading.Event()
    threads = [threading.Thread(target=tab.run, args=(closing,)) for tab in tabs]
    for thread in threads:
        thread.start()
    print("open", flush=True)
    sys.stdin.read()
    closing.set()
    for thread in threads:
        thread.join()
    sums = {name: sum(getattr(tab, name) for tab in tabs) for name in ("polls", "unchanged", "bytes")}
    print(json.dumps(sums), flush=True)


def _be_chromium(chromium: str, url: str, *paths: str) -> None:
    cookies = [{"name": c.name, "value": c.value, "url": url} for c in _signed_in(url).cookies]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context()
        context.add_cookies(cookies)  # type: ignore[arg-type]
        sums = {"polls": 0, "unchanged": 0, "bytes": 0}
        for path in paths:
            context.new_page().goto(url + path)
        context.on("response", lambda answer: _count(answer, sums))
        print("open", flush=True)
        closing = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), closing.set()), daemon=True).start()
        while not closing.is_set():
            context.pages[0].wait_for_timeout(200)  # meanwhile what the tabs do is counted
        print(json.dumps(sums), flush=True)
        browser.close()


def _count(answer: Response, sums: dict[str, int]) -> None:
    if answer.request.headers.get("x-live"):
        sums["polls"] += 1
        sums["unchanged"] += answer.status == 204
        sums["bytes"] += int(answer.headers.get("content-length", "0"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        {"threads": _be_threads, "chromium": _be_chromium}[sys.argv[1]](*sys.argv[2:])
    else:
        main()
