"""Runs several commands as one: when one ends, or a signal comes, all end.

`python -m lib.supervise '[["cmd", "arg"], …]'`
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

PATIENCE = 35.0
"""Seconds that a child has to end after SIGTERM; longer than the worker's own graceful stop of 30."""
_PR_SET_PDEATHSIG = 1


def start(command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; on Linux it gets SIGTERM when its parent dies in any way."""
    return subprocess.Popen(command, env=env, start_new_session=True, preexec_fn=_die_with_parent)


def stop(children: Sequence[subprocess.Popen[bytes]], patience: float = PATIENCE) -> None:
    """SIGTERM to all, wait up to `patience` seconds, then SIGKILL to whatever is left of each one's group."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + patience
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        _kill_group(child)


def run(commands: Sequence[Sequence[str]]) -> int:
    """Run all until one ends or SIGINT or SIGTERM comes; the first one's exit code, 0 after a signal."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: asked.append(got))
    children = [start(command) for command in commands]
    try:
        while not asked and all(child.poll() is None for child in children):
            time.sleep(0.1)
        return 0 if asked else _told(commands, children)
    finally:
        stop(children)


def _told(commands: Sequence[Sequence[str]], children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Say which one ended, and that the others end with it; its exit code, never 0."""
    for command, child in zip(commands, children, strict=True):
        if child.returncode is not None:
            name = " ".join(command[1:3])
            said = f"`{name}` ended with {child.returncode}, so everything ends: start it again."
            print(said, file=sys.stderr, flush=True)
            return child.returncode or 1
    return 1


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    sys.exit(run(json.loads(sys.argv[1])))
