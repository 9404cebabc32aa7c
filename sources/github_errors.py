"""What GitHub's refusals mean: one sentence each, whether waiting helps, and how long.

Rules from docs.github.com/rest (rate limits, troubleshooting), read 2026-11-23.
"""

import re
from datetime import UTC, datetime

from lib import clock
from lib.http import Answer
from sources.base import SourceError

SERVICE = "GitHub API"
# Seconds after a reset before the next call: the two clocks tick at different moments.
RESET_MARGIN = 2.0
# Seconds to wait after a secondary limit that names no time: "at least one minute".
SECONDARY_WAIT = 60.0
MESSAGE_MAX = 200

_PERMANENT = (400, 422, 451)


class GitHubError(SourceError):
    """GitHub refused. `status`: its HTTP status, None when no answer came."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, permanent=permanent, retry_after=retry_after)
        self.status = status


def refusal(answer: Answer, token: str | None = None) -> GitHubError:
    """The error that an answer other than 200 stands for, in GitHub's words where it has some.

    `token` is blotted out of them. Permanent: bad parameters and blocked repositories. Tokens and access
    (401, 403, 404) are often mended within minutes.
    """
    words = _words(answer)
    said = clean(words.replace(token, "…") if token else words)
    return GitHubError(
        f"{SERVICE} error: {said or f'HTTP {answer.status} without a JSON answer'}",
        permanent=answer.status in _PERMANENT,
        retry_after=_wait(answer),
        status=answer.status,
    )


def clean(text: str) -> str:
    """One line without control characters, at most MESSAGE_MAX long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MESSAGE_MAX else line[: MESSAGE_MAX - 1] + "…"


def _words(answer: Answer) -> str:
    """GitHub's message; the bare status where a JSON answer has none; nothing for any other answer."""
    try:
        answer.json()
    except ValueError:
        return ""
    return _member(answer, "message") or f"HTTP {answer.status}"


def _member(answer: Answer, name: str) -> str:
    """A text member of the answer's body, empty when there is none."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _wait(answer: Answer) -> float | None:
    """Seconds until a rate limit ends, None when this is none; asked in the order that GitHub's docs give."""
    if answer.status not in (403, 429):
        return None
    if answer.retry_after is not None:
        return answer.retry_after
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        named = re.fullmatch("[0-9]{1,12}", reset)
        return _until(int(reset), answer.date or clock.now()) if named else SECONDARY_WAIT
    # A secondary limit that names no time differs from a missing permission in this header and this link.
    limited = "gh-limited-by" in answer.headers or "rate-limit" in _member(answer, "documentation_url")
    if answer.status == 429 or limited:
        return SECONDARY_WAIT
    return None


def _until(reset: int, now: datetime) -> float:
    """From the server's own clock, so that ours may be wrong."""
    return max(0.0, reset - now.astimezone(UTC).timestamp()) + RESET_MARGIN


def rank(error: BaseException) -> tuple[int, float]:
    """The smallest is the most telling: a bug of ours, a bad token, the longest wait, a refusal, the rest."""
    if not isinstance(error, GitHubError):
        return (0, 0)
    if error.status == 401:
        return (1, 0)
    if error.retry_after is not None:
        return (2, -error.retry_after)
    return (3, 0) if error.status and error.status < 500 else (4, 0)


def odd_shape() -> GitHubError:
    """JSON that is not what GitHub describes; it may pass."""
    return GitHubError(f"{SERVICE} error: an answer of unknown shape")
