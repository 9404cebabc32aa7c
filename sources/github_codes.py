"""What GitHub's refusals are called, by their status alone."""

from lib.codes import Code

_CODES = {
    400: Code.SOURCE_ADDRESS,
    401: Code.TOKEN_REFUSED,
    403: Code.ACCESS_DENIED,
    404: Code.REPOSITORY_GONE,
    422: Code.REPOSITORY_GONE,
    451: Code.REPOSITORY_BLOCKED,
}


def code_of(status: int, *, has_token: bool, is_limit: bool, is_blocked: bool) -> Code:
    """`is_limit`: it names a time after which it answers again. `is_blocked`: it says who took the repository
    down."""
    if is_limit:
        return Code.RATE_LIMITED
    if is_blocked:
        return Code.REPOSITORY_BLOCKED
    if status in (401, 403) and not has_token:
        return Code.TOKEN_MISSING
    return _CODES.get(status, Code.SOURCE_UNREACHABLE if status >= 500 else Code.SOURCE_ADDRESS)
