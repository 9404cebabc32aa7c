"""What GitHub's refusals mean: one sentence with cause and remedy each, whether waiting helps, how long.

Status, headers and codes decide, never a message's words. Rules from docs.github.com/rest (rate limits,
troubleshooting, authenticating), read 2026-11-23.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from lib import clock, words
from lib.codes import Code
from lib.errors import helped
from lib.http import Answer
from sources.base import SourceError
from sources.github_codes import code_of
from sources.github_headers import permission_words, scopes, wanted_permissions, wanted_scopes

SERVICE = "GitHub API"
# Seconds after a reset before the next call: the two clocks tick at different moments.
RESET_MARGIN = 2.0
# Seconds to wait after a secondary limit that names no time: "at least one minute".
SECONDARY_WAIT = 60.0
MESSAGE_MAX = 200

_PERMANENT = (400, 422, 451)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class GitHubError(SourceError):
    """GitHub refused. `status`: its HTTP status, None when no answer came."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
        code: Code | None = None,
    ) -> None:
        super().__init__(message, permanent=permanent, retry_after=retry_after, code=code)
        self.status = status


class Unreached(GitHubError):
    """No whole answer came, or one that is not GitHub's: what `lib.http.Client` raises for this service."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        remedy = (
            "check the address in GITHUB_API_URL, and the token"
            if permanent
            else "it is often mended within minutes; if it stays, check that this server reaches the address"
            " in GITHUB_API_URL"
        )
        code = Code.SOURCE_ADDRESS if permanent else Code.SOURCE_UNREACHABLE
        super().__init__(helped(message, remedy), permanent=permanent, code=code)


def refusal(answer: Answer, token: str | None = None) -> GitHubError:
    """The error that an answer other than 200 stands for: GitHub's words where it has some, then what they
    mean where that is not plain, then what helps.

    `token` is blotted out of them. Permanent: bad parameters and repositories blocked by law. Tokens and
    access (401, 403, 404) are often mended within minutes.
    """
    wait = _wait(answer)
    quoted = _quoted(answer, token)
    cause, remedy = _limited(answer, token, wait) if wait is not None else _refused(answer, token)
    happened = f"{SERVICE} error: {quoted}"
    if cause:
        happened += f"{'' if quoted.endswith(('.', '!', '?', '…')) else '.'} {cause}"
    return GitHubError(
        helped(happened, remedy),
        permanent=answer.status in _PERMANENT,
        retry_after=wait,
        status=answer.status,
        code=code_of(
            answer.status,
            has_token=token is not None,
            is_limit=wait is not None,
            is_blocked=isinstance(_body(answer).get("block"), dict),
        ),
    )


def no_branch(branch: str) -> GitHubError:
    """The chosen branch is not there (any more); it may be pushed again."""
    return GitHubError(
        helped(
            f"{SERVICE} error: there is no branch {clean(branch)}",
            "choose another branch in the project's settings, or leave it empty for the default branch",
        ),
        status=404,
        code=Code.BRANCH_GONE,
    )


def other_repository(full_name: str) -> GitHubError:
    """The name leads to another repository than the one that was connected: nobody's work may be told as
    another's."""
    return GitHubError(
        helped(
            f"{SERVICE} error: {clean(full_name)} is another repository than the one that was connected under"
            " this name",
            "enter the new name of yours in the project's settings; if this is the right one, connect it as a"
            " new project",
        ),
        permanent=True,
        status=404,
        code=Code.REPOSITORY_OTHER,
    )


def elsewhere() -> GitHubError:
    """A page's link names another server, to which a token must not travel."""
    return GitHubError(
        helped(
            f"{SERVICE} error: the next page is on another server, which was not asked",
            "check GITHUB_API_URL: it must be the address that the server calls itself by",
        ),
        code=Code.SOURCE_ADDRESS,
    )


def odd_shape() -> GitHubError:
    """JSON that is not what GitHub describes; it may pass."""
    return GitHubError(
        helped(
            f"{SERVICE} error: an answer of unknown shape",
            "if it stays, check that GITHUB_API_URL is a GitHub API's address: an Enterprise Server's ends in"
            " /api/v3",
        ),
        code=Code.SOURCE_ADDRESS,
    )


def clean(text: str) -> str:
    """One line without control characters, at most MESSAGE_MAX long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MESSAGE_MAX else line[: MESSAGE_MAX - 1] + "…"


def _quoted(answer: Answer, token: str | None) -> str:
    """GitHub's message; the bare status where a JSON answer has none, and what came instead of JSON."""
    try:
        answer.json()
    except ValueError:
        return f"HTTP {answer.status} without a JSON answer"
    text = _member(answer, "message")
    return clean(text.replace(token, "…") if token else text) or f"HTTP {answer.status}"


def _member(answer: Answer, name: str) -> str:
    """A text member of the answer's body, empty when there is none."""
    value = _body(answer).get(name)
    return value if isinstance(value, str) else ""


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refused(answer: Answer, token: str | None) -> tuple[str, str]:
    """What an answer means that names no time, and what helps."""
    status = answer.status
    if isinstance(_body(answer).get("block"), dict):
        return _blocked(answer)
    if status >= 500:
        return _in_trouble(answer)
    meanings = {
        400: _malformed,
        401: _unknown_token,
        403: _forbidden,
        404: _hidden,
        409: _empty,
        410: _switched_off,
        422: _invalid,
        451: _blocked,
    }
    if status in meanings:
        return meanings[status](answer, token)
    return "", "it is tried again; if it stays, check that GITHUB_API_URL is a GitHub API's address"


def _malformed(_answer: Answer, _token: str | None) -> tuple[str, str]:
    return (
        "The server does not understand the request.",
        "check GITHUB_API_URL: an Enterprise Server's address ends in /api/v3, and a very old one must be"
        " updated",
    )


def _unknown_token(_answer: Answer, token: str | None) -> tuple[str, str]:
    if token is None:
        return "", "this server wants a token: enter one in the project's settings"
    # No sentence of ours between: the product's walkthrough fixes how this error begins.
    return "", (
        "the token is wrong, expired or revoked, and GitHub takes no such token even for a public repository:"
        " enter a new one in the project's settings"
    )


def _forbidden(answer: Answer, token: str | None) -> tuple[str, str]:
    if answer.headers.get("x-github-sso", "").startswith("required"):
        return _single_sign_on(answer)
    if token is None:
        return "", "enter a token that may read the repository in the project's settings"
    if wanted := wanted_permissions(answer):
        named = " or ".join(words.listed([permission_words(one) for one in some]) for some in wanted)
        lacks = " or ".join(",".join(some) for some in wanted)
        return f"The token lacks {lacks}.", f"add {named} to the token on GitHub"
    has, wants = scopes(answer), wanted_scopes(answer)
    if has is not None and wants and not has & wants:
        return (
            f"The token lacks the scope {' or '.join(sorted(wants))}.",
            "add it to the token on GitHub, or enter another token in the project's settings",
        )
    return "", (
        "the token's account may not do this: give it read access to the repository, or enter another token"
        " in the project's settings"
    )


def _single_sign_on(answer: Answer) -> tuple[str, str]:
    # The link in the header is good for an hour only; mails and pages are read later.
    found = re.search(r"/orgs/([A-Za-z0-9-]{1,39})/", answer.headers["x-github-sso"])
    return (
        f"{found[1] if found else 'The organization'} wants single sign-on, and this token was not authorized"
        " for it.",
        "on GitHub, under Settings, Developer settings, Personal access tokens, press “Configure SSO” beside"
        " the token and authorize it",
    )


def _hidden(answer: Answer, token: str | None) -> tuple[str, str]:
    name = repository_of(answer.url) or "the repository"
    if token is None:
        return (
            f"Either {name} does not exist, or it is private.",
            "check owner and name; for a private repository, enter a token in the project's settings",
        )
    has = scopes(answer)
    if has is not None and "repo" not in has and not token.startswith("github_pat_"):
        return (
            f"Either {name} does not exist, or it is private: without the scope repo this token sees public"
            " repositories alone.",
            "check owner and name; for a private repository, add the scope repo to the token on GitHub",
        )
    return (
        f"Either {name} does not exist, or the token may not see it.",
        "check owner and name; if they are right, give the token access to this repository (a fine-grained"
        " token sees only its resource owner's repositories)",
    )


def _empty(_answer: Answer, _token: str | None) -> tuple[str, str]:
    return "Nothing is in it yet.", "push a first commit"


def _switched_off(_answer: Answer, _token: str | None) -> tuple[str, str]:
    return (
        "It is switched off or was deleted.",
        "switch it on in the repository's settings on GitHub if posts are to tell of it",
    )


def _invalid(answer: Answer, _token: str | None) -> tuple[str, str]:
    """Validation names fields and codes."""
    errors = _body(answer).get("errors")
    named = [
        f"{one['field']} ({one.get('code', 'invalid')})"
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, dict) and isinstance(one.get("field"), str)
    ]
    cause = f"It does not take {clean(words.listed(named[:5]))}." if named else "It does not take a value."
    return cause, "check the project's repository and branch"


def _blocked(answer: Answer, _token: str | None = None) -> tuple[str, str]:
    block = _body(answer).get("block")
    block = block if isinstance(block, dict) else {}
    by_law = answer.status == 451
    notice = _notice(block.get("html_url"), answer.url)
    cause = "GitHub blocked it by law" if by_law else "GitHub blocked it for breaking its terms of service"
    return (
        f"{cause}{f' ({notice})' if notice else ''}.",
        "only GitHub can lift this, when the repository's owner asks; until then, disable its jobs or connect"
        " another repository",
    )


def _notice(url: object, asked: str) -> str | None:
    """The page that gives the reason: on the same site only, for people will follow it."""
    if not isinstance(url, str) or len(url) > MESSAGE_MAX or not url.isascii() or not url.isprintable():
        return None
    try:
        page, api = urlsplit(url), urlsplit(asked)
    except ValueError:
        return None
    ours = {"github.com", (api.hostname or "").removeprefix("api.")}
    return url if page.scheme == "https" and page.hostname in ours and " " not in url else None


def _in_trouble(answer: Answer) -> tuple[str, str]:
    host = urlsplit(answer.url).hostname or ""
    at = "www.githubstatus.com" if host == "api.github.com" else f"whoever runs {clean(host)}"
    return (
        f"The server is in trouble (HTTP {answer.status}).",
        f"this mostly passes by itself; if it stays, ask {at}",
    )


def _limited(answer: Answer, token: str | None, wait: float) -> tuple[str, str]:
    now = answer.date or clock.now()
    until = _instant(wait, now)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        limit = answer.headers.get("x-ratelimit-limit", "")
        allowed = f"All {int(limit):,} requests" if re.fullmatch("[0-9]{1,9}", limit) else "All requests"
        cause = f"{allowed} of this hour are used up until {until}."
        if token is None:
            return (
                cause,
                "enter a token in the project's settings, which allows 5,000; runs wait by themselves",
            )
        return cause, "runs wait by themselves; a token of an account of its own has a limit of its own"
    return (
        f"GitHub wants a pause until {until}, because too much was asked at once.",
        "runs wait by themselves; if it comes often, let jobs with the same token start at different minutes",
    )


def _instant(wait: float, now: datetime) -> str:
    try:
        end = (now + timedelta(seconds=wait)).astimezone(UTC)
    except OverflowError:
        return "further notice"
    if wait < 120:
        return f"{end:%H:%M:%S} UTC"
    return f"{end:%H:%M} UTC" if wait < 12 * 3600 else f"{words.day(end)}, {end:%H:%M} UTC"


def repository_of(url: str) -> str | None:
    """`owner/name` out of an API address, None where it has none."""
    parts = unquote(urlsplit(url).path).split("/")
    for at, part in enumerate(parts[:-2]):
        if part == "repos":
            named = parts[at + 1 : at + 3]
            return "/".join(named) if all(map(_NAME.fullmatch, named)) else None
    return None


def _wait(answer: Answer) -> float | None:
    """Seconds until a rate limit ends, None when this is none; asked in the order that GitHub's docs give."""
    if answer.status not in (403, 429):
        return None
    if answer.retry_after is not None:
        return answer.retry_after
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        named = re.fullmatch("[0-9]{1,11}", reset)
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
