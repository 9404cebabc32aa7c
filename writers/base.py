"""The contract of a writer: one brief in, one post out, WriterError for all that fails."""

from typing import Protocol

from lib.codes import Code
from lib.errors import OutsideError
from models.values import Brief, Post, Usage


class WriterError(OutsideError):
    """The post could not be written. `usage` is what the failure cost, as far as the server told: no tokens
    at all where no model saw the request, None where nobody knows."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
        code: Code | None = None,
    ) -> None:
        super().__init__(message, permanent=permanent, retry_after=retry_after, code=code)
        self.usage = usage


class Writer(Protocol):
    """Writes one post. Safe to call from several threads at once."""

    def prepare(self) -> None:
        """Get ready, while the scan still waits for its answers; costs nothing the second time."""
        ...

    def estimate(self, brief: Brief) -> Usage | None:
        """The most that the brief's post is expected to cost, repair included; None where posts cost
        nothing."""
        ...

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform. Raises WriterError."""
        ...
