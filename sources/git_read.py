"""Reads many commits within caps, and keeps account of what the caps cut."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lib.words import plural
from sources.base import Caps
from sources.git_cli import LIST_MAX, Failed, Git, Late, TooMuch
from sources.git_log import COMMIT_FLAGS, FILE_FLAGS, PATH_FLAGS, SILENT_FLAGS, Logged, commits

BATCH = 500
"""Commits read in one call."""


class Reader:
    """Reads commits of the branch that leads to `head`."""

    def __init__(self, git: Git, head: str, caps: Caps) -> None:
        self._git = git
        self._head = head
        self._caps = caps
        # Names are mapped as the branch itself says, not as HEAD or the work tree do.
        self._mailmap: tuple[str, ...] = ("-c", f"mailmap.blob={head}:.mailmap")
        self._flags: tuple[str, ...] = FILE_FLAGS
        self._unlisted = self._unread = self._shortened = self._crowded = 0

    def read(self, shas: Sequence[str]) -> Iterator[Logged]:
        """The commits in that order, the first `details` of them with files.

        A shallow clone's first ones seem to add every file: they get none. What cannot be had (too many
        files, objects that a partial clone lacks) is left out and accounted for. Raises SourceError.
        """
        root = self._shallow_roots() if shas else set()
        for start, end, detailed in _spans(len(shas), self._caps.details):
            for one in self._batch(shas[start:end], self._flags if detailed else ()):
                bare = one.commit.sha in root
                yield replace(one, commit=replace(one.commit, files=(), more_files=0)) if bare else one

    def cuts(self) -> Iterator[str]:
        """Sentences about what was left out so far."""
        caps = self._caps
        if self._unlisted:
            yield f"The files of {plural(self._unlisted, 'commit')} could not be read, or not counted."
        if self._crowded:
            more = f"{plural(self._crowded, 'commit')} changed more"
            yield f"At most {caps.files:,} files of a commit were listed; {more}, the rest is counted."
        if self._shortened:
            messages = f"The messages of {plural(self._shortened, 'commit')}"
            yield f"{messages} were cut after {caps.text:,} characters."
        if self._unread:
            yield f"The messages of {plural(self._unread, 'commit')} were too long to be read."

    def _batch(self, shas: Sequence[str], flags: tuple[str, ...]) -> Iterator[Logged]:
        try:
            output = self._log(COMMIT_FLAGS, flags, shas)
        except TooMuch:
            if len(shas) > 1:
                half = len(shas) // 2
                yield from self._batch(shas[:half], flags)
                yield from self._batch(shas[half:], flags)
            elif flags:
                self._unlisted += 1
                yield from self._batch(shas, ())
            else:
                self._unread += 1
                yield from commits(self._log(SILENT_FLAGS, (), shas), self._caps)
            return
        except (Failed, Late) as error:
            if self._mailmap and not self._git.maybe("cat-file", "-t", f"{self._head}:.mailmap"):
                self._mailmap = ()  # a partial clone may not have it
                yield from self._batch(shas, flags)
                return
            if not flags:
                raise
            # The first step down leaves the counts out, the second the files.
            less = PATH_FLAGS if flags is FILE_FLAGS and isinstance(error, Failed) else ()
            if flags is FILE_FLAGS:
                self._unlisted += len(shas)
            if isinstance(error, Late):
                self._flags = ()
            yield from self._batch(shas, less)
            return
        for one in commits(output, self._caps):
            self._shortened += one.is_cut
            self._crowded += one.commit.more_files > 0
            yield one

    def _log(self, fields: tuple[str, ...], flags: tuple[str, ...], shas: Sequence[str]) -> bytes:
        return self._git.raw(*self._mailmap, "log", *fields, *flags, lines=shas)

    def _shallow_roots(self) -> set[str]:
        if self._git.text("rev-parse", "--is-shallow-repository") != "true":
            return set()
        listed = self._git.raw("rev-list", "--max-parents=0", self._head, most=LIST_MAX)
        return set(listed.decode().split())


def _spans(count: int, detailed: int) -> Iterator[tuple[int, int, bool]]:
    """Batches as (start, end, whether with files)."""
    start = 0
    while start < count:
        edge = detailed if start < detailed else count
        end = min(start + BATCH, edge, count)
        yield start, end, start < detailed
        start = end
