"""What GitHub tells in headers about a token: what it may do, and what a request would have wanted.

Header names from docs.github.com/rest (authenticating; permissions required for fine-grained tokens), read
2026-11-23.
"""

import re

from lib.http import Answer

_SCOPE = re.compile(r"[a-z_]+(?::[a-z_]+)?")
_PERMISSION = re.compile(r"([a-z_]+)=(read|write|admin)")
_LEVELS = {"read": "Read-only", "write": "Read and write", "admin": "Admin"}


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
