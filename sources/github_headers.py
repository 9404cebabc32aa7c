"""What GitHub tells in headers beside its answers: the budget left, what a token may do, and until when.

Header names from docs.github.com/rest (rate limits; authenticating; permissions required for fine-grained
tokens), formats from recorded answers, both read 2026-11-23.
"""

import re
from datetime import UTC, datetime, timedelta

from lib import clock
from lib.http import Answer
from models.values import Budget

# For some fine-grained tokens GitHub sends the present time as their end (google/go-github issue 3708): a
# token that ends so soon is told by its refusal early enough.
EXPIRY_AHEAD = timedelta(minutes=5)

_NUMBER = re.compile("[0-9]{1,11}")

_SCOPE = re.compile(r"[a-z_]+(?::[a-z_]+)?")
_PERMISSION = re.compile(r"([a-z_]+)=(read|write|admin)")
_LEVELS = {"read": "Read-only", "write": "Read and write", "admin": "Admin"}


def budget(answer: Answer) -> Budget | None:
    """What the primary limit leaves; None where there is none (an Enterprise Server has none by default) and
    for headers that are no numbers."""
    found = [answer.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if answer.headers.get("x-ratelimit-resource", "core") != "core":
        return None
    if not all(_NUMBER.fullmatch(text) for text in found):
        return None
    limit, remaining, reset = map(int, found)
    return Budget(limit, remaining, datetime.fromtimestamp(reset, UTC)) if limit else None


def token_expiry(answer: Answer) -> datetime | None:
    """When the token that was sent ends, in UTC; None for one that does not, and for what is no instant. Two
    formats were seen: `2026-02-06 07:42:23 +0100` and `2025-03-09 23:53:12 UTC`."""
    text = answer.headers.get("github-authentication-token-expiration", "").strip()
    try:
        found = datetime.strptime(re.sub(r" UTC$", " +0000", text), "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found - (answer.date or clock.now()) > EXPIRY_AHEAD else None


def scopes(answer: Answer) -> frozenset[str] | None:
    """What a classic token may do (`repo`, `read:org`); None for every other kind, which sends no such
    header."""
    return _scopes(answer.headers.get("x-oauth-scopes"))


def wanted_scopes(answer: Answer) -> frozenset[str]:
    """The scopes any one of which would do for this request."""
    return _scopes(answer.headers.get("x-accepted-oauth-scopes")) or frozenset()


def _scopes(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    return frozenset(name for name in re.split(r"[,\s]+", text) if _SCOPE.fullmatch(name))


def wanted_permissions(answer: Answer) -> tuple[tuple[str, ...], ...]:
    """The sets of permissions any one of which would do: `contents=read; pull_requests=read,metadata=read`
    gives (("contents=read",), ("pull_requests=read", "metadata=read"))."""
    header = answer.headers.get("x-accepted-github-permissions", "")[:500]
    sets = (tuple(m[0] for m in _PERMISSION.finditer(part)) for part in header.split(";"))
    return tuple(one for one in sets if one)


def permission_words(permission: str) -> str:
    """`pull_requests=read` as the token's page on GitHub has it: `Pull requests: Read-only`."""
    name, _, level = permission.partition("=")
    return f"{name.replace('_', ' ').capitalize()}: {_LEVELS[level]}"
