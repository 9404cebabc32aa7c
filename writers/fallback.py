"""A writer that has another one for what it cannot write for good."""

from dataclasses import replace

from models.values import Brief, Post, Usage
from writers.base import Writer, WriterError
from writers.disclosure import by_template


class FallbackWriter:
    """Writes with `first`, and with `second` where that fails for good: its own failures that may pass are
    raised, for waiting helps them."""

    def __init__(self, first: Writer, second: Writer) -> None:
        self._first, self._second = first, second

    def prepare(self) -> None:
        """Get both ready."""
        self._first.prepare()
        self._second.prepare()

    def estimate(self, brief: Brief) -> Usage | None:
        """That of `first`; what comes second costs nothing."""
        return self._first.estimate(brief)

    def write(self, brief: Brief) -> Post:
        """The post for the brief's platform; where `second` wrote it, `remarks` say so, and `spent` is what
        the failure of `first` cost. Raises WriterError."""
        try:
            return self._first.write(brief)
        except WriterError as error:
            if not error.permanent:
                raise
            post = self._second.write(by_template(brief))
            why = f"The model failed for good, so the template writer wrote this post: {error.message}"
            return replace(post, remarks=(why, *post.remarks), spent=error.usage, fell_back=True)
