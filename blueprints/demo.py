"""`make demo`: the main job on this repository's own history, driven through the product's own API."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from lib import clock, supervise
from lib.settings import ROOT

EMAIL = "demo@example.com"
COMMITS = 20
PATIENCE = 120.0
"""Seconds that the run may take before the demo gives up."""
Json = dict[str, Any]


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def main() -> int:
    """Run the demo; its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job starts with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "5000")
    try:
        _need_history()
        _need_port(host, int(port))
        return _show(_fresh_environment(host, port))
    except (DemoError, ValueError, requests.RequestException) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _need_history() -> None:
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, check=False)
    if found.returncode or not (ROOT / ".git").exists():
        raise DemoError("It reads this repository's own git history: run it in a git clone with a commit.")


def _need_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(
                f"{host}:{port} cannot be used ({error.strerror}): choose another with PORT=5001."
            ) from None


def _fresh_environment(host: str, port: str) -> dict[str, str]:
    """An instance folder made anew, and none of the user's own settings: no key, no bill, no mail."""
    folder = ROOT / "instance" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    }
    return kept | {"HOST": host, "PORT": port, "INSTANCE_PATH": str(folder), "GIT_ROOT": str(ROOT.parent)}


def _show(env: dict[str, str]) -> int:
    print("Making a demo account and a fresh database ...", flush=True)
    _flask(env, "db", "upgrade")
    _flask(env, "user", "create", EMAIL, "--password-stdin", stdin=secrets.token_urlsafe(16))
    token = _flask(env, "token", "create", EMAIL)
    link = _flask(env, "user", "sign-in-link", EMAIL)
    served = supervise.start([sys.executable, "-m", "flask", "--app", "app", "serve"], env)
    try:
        api = Api(f"http://{env['HOST']}:{env['PORT']}", token, served)
        api.wait_until_up()
        execution = _run_job(api)
        _print_posts(execution)
        print(f"{execution['status']} {execution['itemsSuccess']}/{execution['itemsProcessed']}")
        print(f"Dashboard: {link}", flush=True)
        return served.wait()
    finally:
        supervise.stop([served])


def _flask(env: dict[str, str], *arguments: str, stdin: str = "") -> str:
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    done = subprocess.run(
        command, env=env, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DemoError(f"flask {' '.join(arguments[:2])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


class Api:
    """The product's JSON API, for one token."""

    def __init__(self, base: str, token: str, served: subprocess.Popen[bytes]) -> None:
        self._base, self._served = base, served
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = self._session.request(method, self._base + path, json=body, timeout=10)
        said = answer.json()
        if not said.get("success"):
            raise DemoError(f"{method} {path}: {said.get('error')} {said.get('details') or ''}")
        return said["data"]

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._served.poll() is not None:
                raise DemoError("The server stopped while it was starting; its messages stand above.")
            try:
                requests.get(self._base + "/healthz", timeout=2)
                return
            except requests.RequestException:  # not listening yet, or still starting
                time.sleep(0.1)
        raise DemoError("The server did not come up.")


def _run_job(api: Api) -> Json:
    project = api.call(
        "POST", "/api/projects", {"name": "Repocast", "sourceType": "GIT", "gitPath": str(ROOT)}
    )
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        api.call("POST", f"/api/projects/{project['id']}/platforms", {"type": kind})
    job = api.call(
        "POST",
        "/api/cron/schedule",
        {
            "projectId": project["id"],
            "type": "GENERATE_CONTENT",
            "name": "Daily Content Generation",
            "frequency": "DAILY",
            "timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"},
            "firstRun": {"since": _reach_back().isoformat()},
        },
    )
    print(f"Scheduled “{job['name']}” ({job['schedule']} {job['timezone']}); running it now ...", flush=True)
    execution = api.call("POST", "/api/cron/trigger", {"jobId": job["id"]})
    return _follow(api, execution["id"])


def _reach_back() -> datetime:
    """Far enough for the last twenty commits, and a week at least."""
    command = ["git", "-C", str(ROOT), "log", f"-{COMMITS}", "--format=%ct"]
    dates = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    oldest = datetime.fromtimestamp(min(map(int, dates)), UTC) - timedelta(minutes=1)
    return min(oldest, clock.now() - timedelta(days=7))


def _follow(api: Api, execution_id: str) -> Json:
    seen: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        execution: Json = api.call("GET", f"/api/executions/{execution_id}")
        for step in execution["steps"]:
            name = step["name"] + (f" {step['platformType']}" if step.get("platformType") else "")
            if step["completedAt"] and name not in seen:
                seen.add(name)
                print(f"  {step['status'].lower():<10} {name} ({step['duration']} ms)", flush=True)
        if execution["status"] not in ("QUEUED", "RUNNING"):
            return execution
        time.sleep(0.1)
    raise DemoError(f"The run did not end within {PATIENCE:.0f} s.")


def _print_posts(execution: Json) -> None:
    if execution["error"]:
        print(f"\n{execution['error']}")
    for result in (execution["output"] or {}).get("results", []):
        print(f"\n{'─' * 12} {result['platformType']} {'─' * 12}")
        content = result.get("content") or {}
        if content.get("title"):
            print(f"# {content['title']}\n")
        print(content.get("content") or result["error"])
        if content.get("tags"):
            print(f"\nTags: {', '.join(content['tags'])}")
    print(f"\n{'─' * 34}")


if __name__ == "__main__":
    sys.exit(main())
