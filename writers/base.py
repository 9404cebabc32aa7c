"""The contract of a writer: one brief in, one post out, WriterError for all that fails."""

from typing import Protocol

from lib.errors import OutsideError
from models.values import Brief, Post, Usage


class WriterError(OutsideError):
    """The post could not be written. `usage` is what asking for it cost nevertheless, None where nobody told:
    no tokens at all where the server refused the request by its status."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message, permanent=permanent, retry_after=retry_after)
        self.usage = usage


class Writer(Protocol):
    """Writes one post. Safe to call from several threads at once."""

    def prepare(self) -> None:
        """Get ready, while the scan still waits for its answers; costs nothing the second time."""
        ...

    def estimate(self, brief: Brief) -> Usage | None:
        """At most so many tokens the post for the brief takes; None where writing it costs nothing."""
        ...

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform. Raises WriterError."""
        ...
