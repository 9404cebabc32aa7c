"""The error that every boundary raises, and how an error is written down."""

import traceback
from pathlib import Path

from lib.codes import Code

_ROOT = Path(__file__).resolve().parent.parent


class OutsideError(Exception):
    """Something beyond our walls failed.

    `permanent`: waiting cannot mend it. `retry_after`: seconds until the other side wants to be asked again,
    None when it named no time. `code`: what the failure is called; a class whose errors are all alike sets it
    for them. All are set where the error is made, by status and code; nobody reads the text.
    """

    code: Code | None = None

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        code: Code | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
        if code is not None:
            self.code = code


HELPS = " – "
"""Between what happened and what helps, where one sentence says both."""


def helped(happened: str, remedy: str) -> str:
    """One sentence with its cause before its remedy. A dash in the cause becomes another one, so that
    `parted` finds the right place."""
    return f"{happened.replace(HELPS, ' - ')}{HELPS}{remedy}"


def parted(text: str) -> tuple[str, str | None]:
    """What happened, and what helps where the sentence says it; the opposite of `helped`."""
    happened, found, remedy = text.partition(HELPS)
    return happened, remedy if found else None


def sentence(error: BaseException) -> str:
    """What a person reads. An error of ours speaks for itself; any other is named by its class."""
    if isinstance(error, OutsideError):
        return error.message
    return f"Unexpected error: {type(error).__name__}: {error}"[:500]


def code_of(error: BaseException) -> Code | None:
    """What the failure is called; None for one of ours that was given no name."""
    return error.code if isinstance(error, OutsideError) else Code.UNEXPECTED


def stack_trace(error: BaseException) -> str:
    """`Error: <sentence>` and the frames, innermost last; paths are relative to the application's folder."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"Error: {sentence(error)}"]
    for frame in frames:
        path = Path(frame.filename)
        shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
        lines.append(f"    at {frame.name} ({shown}:{frame.lineno})")
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        lines.append(f"Caused by: {type(cause).__name__}")
    return "\n".join(lines)
