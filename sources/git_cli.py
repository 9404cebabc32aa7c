"""The `git` command line, read-only and deaf: no hooks, no pager, no network, no program of a repository."""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from lib.codes import Code
from sources.base import SourceError

TIMEOUT = 60.0
"""Seconds one call of git may take."""

OUTPUT_MAX = 16 * 1024 * 1024
"""Bytes one call of git may print."""

LIST_MAX = 64 * 1024 * 1024
"""The same for a list of ids, which is read line by line."""

_TROUBLE = re.compile(rb"^(?:fatal|error):", re.M)

# A hostile `.git/config` shall not run programs, reach out or change what is printed.
_CONFIG = (
    "safe.directory=*",
    "advice.graftFileDeprecated=false",
    "core.bigFileThreshold=16m",  # longer files are not compared, which would take their size in memory
    "core.quotePath=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "diff.orderFile=/dev/null",
    "mailmap.file=/dev/null",
    "log.showSignature=false",
)
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what is missing, by a command of its choice
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
}


class TooMuch(SourceError):
    """One call of git printed more than it may."""

    code = Code.GIT_FAILED


class Late(SourceError):
    """One call of git took longer than TIMEOUT."""

    code = Code.GIT_FAILED


class Failed(SourceError):
    """Git ended with an error. `is_no`: it is but its answer to a question."""

    code = Code.GIT_FAILED

    def __init__(self, message: str, *, is_no: bool) -> None:
        super().__init__(message)
        self.is_no = is_no


class Git:
    """Calls git on one repository.

    `git_dir`: its `.git` folder, or the bare repository itself. `name`: what errors call it. Every method
    raises SourceError: for good when git cannot be started, possibly passing when a call fails or exceeds
    TIMEOUT.
    """

    def __init__(self, git_dir: Path, name: str) -> None:
        self._git_dir = git_dir
        self._name = name

    def text(self, *arguments: str) -> str:
        """What git prints, stripped."""
        return readable(self.raw(*arguments)).strip()

    def maybe(self, *arguments: str) -> str | None:
        """The same, None when git fails; for questions that may be answered so."""
        try:
            return self.text(*arguments)
        except Failed:
            return None

    def answer(self, *arguments: str) -> str | None:
        """What git prints, None when it says no (exit status 1 without an error); raises what is neither."""
        try:
            return self.text(*arguments)
        except Failed as error:
            if not error.is_no:
                raise
            return None

    def asks(self, *arguments: str) -> bool:
        """Whether git says yes; as `answer`."""
        return self.answer(*arguments) is not None

    def commit(self, name: str) -> str | None:
        """The id of the commit of this name (a whole id, `refs/tags/v1^{commit}`), None where none is."""
        sha, _, kind = readable(self.raw("cat-file", "--batch-check", lines=[name])).partition(" ")
        return sha if kind.startswith("commit ") else None

    def raw(self, *arguments: str, lines: Iterable[str] = (), most: int | None = None) -> bytes:
        """What git prints, at most `most` bytes (OUTPUT_MAX); `lines` are its standard input."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaint:
            given.write("".join(f"{line}\n" for line in lines).encode())
            given.seek(0)
            try:
                process = subprocess.Popen(
                    self._command(arguments),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=complaint,
                    cwd=self._git_dir,
                    env=_ENVIRONMENT | {"PATH": os.environ.get("PATH", os.defpath)},
                )
            except OSError as error:
                sentence = f"git could not be started: {error.strerror}."
                raise SourceError(sentence, permanent=True, code=Code.GIT_FAILED) from None
            output = self._read(process, OUTPUT_MAX if most is None else most)
            if process.returncode:
                complaint.seek(0)
                said, code = complaint.read(4096), process.returncode
                sentence = f"Git could not read {self._name}: {_reason(said)}."
                raise Failed(sentence, is_no=code == 1 and not _TROUBLE.search(said))
            return output

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        settings = [part for pair in _CONFIG for part in ("-c", pair)]
        # The work tree is never read. Named, it cannot be a folder that the configuration chooses, or ours.
        places = [f"--git-dir={self._git_dir}", f"--work-tree={self._git_dir}"]
        return ["git", *places, "--no-pager", *settings, *arguments]

    def _read(self, process: subprocess.Popen[bytes], most: int) -> bytes:
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(TIMEOUT, stop)
        timer.start()
        try:
            with process:
                assert process.stdout is not None  # noqa: S101 - a pipe was asked for
                output = process.stdout.read(most + 1)
                if len(output) > most:
                    process.kill()
        finally:
            timer.cancel()
        if late.is_set():
            raise Late(f"Git took longer than {TIMEOUT:g} seconds to read {self._name}.")
        if len(output) > most:
            raise TooMuch(f"{self._name} has more to read than {most // 1024**2} MiB at a time.")
        return output


def readable(raw: bytes) -> str:
    """UTF-8; what is not is taken as Latin-1, which reads everything."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _reason(complaint: bytes) -> str:
    lines = readable(complaint).strip().splitlines() or ["it gave no reason"]
    return re.sub(r"^(fatal|error): ", "", lines[-1]).rstrip(".")[:200]
