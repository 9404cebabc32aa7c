"""Real processes: when one ends, or the supervisor does, none is left."""

import json
import os
import signal
import subprocess
import sys

from tests.standins.stack import ROOT, until

SLEEPER = "import os,sys,time; open(sys.argv[1],'w').write(str(os.getpid())); time.sleep(60)"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0] != "Z"


def supervised(tmp_path, *extra):
    commands = [[sys.executable, "-c", SLEEPER, str(tmp_path / name)] for name in ("a", "b")]
    process = subprocess.Popen(
        [sys.executable, "-m", "lib.supervise", json.dumps([*commands, *extra])],
        cwd=ROOT,
        start_new_session=True,
    )
    files = [tmp_path / "a", tmp_path / "b"]
    until(lambda: all(f.exists() and f.read_text() for f in files), 10, "two children")
    return process, [int(f.read_text()) for f in files]


def test_a_signal_ends_all(tmp_path):
    process, pids = supervised(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not any(map(alive, pids))


def test_the_death_of_one_ends_the_others_and_is_told(tmp_path, capfd):
    process, pids = supervised(tmp_path)
    os.kill(pids[0], signal.SIGKILL)
    assert process.wait(10) != 0
    assert not any(map(alive, pids))
    assert "ended with -9, so everything ends: start it again." in capfd.readouterr().err


def test_killing_the_supervisor_leaves_none(tmp_path):
    process, pids = supervised(tmp_path)
    process.kill()
    process.wait(10)
    until(lambda: not any(map(alive, pids)), 10, "end of the children")
