"""The contract of a writer: one brief in, one post out, WriterError for all that fails."""

from typing import Protocol

from lib.errors import OutsideError
from models.values import Brief, Post


class WriterError(OutsideError):
    """The post could not be written."""


class Writer(Protocol):
    """Writes one post. Safe to call from several threads at once."""

    def prepare(self) -> None:
        """Get ready, while the scan still waits for its answers; costs nothing the second time."""
        ...

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform. Raises WriterError."""
        ...
