"""The one place that reads the wall clock. Call it as `clock.now()`, so that a test can freeze it."""

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def iso(instant: datetime | None) -> str | None:
    """UTC with milliseconds and `Z`, as the API shows instants; None stays None."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat("T", "milliseconds")[:23] + "Z"


def parse_iso(text: str) -> datetime:
    """Read an ISO 8601 instant; one without an offset is taken as UTC.

    Raises ValueError for anything else.
    """
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
