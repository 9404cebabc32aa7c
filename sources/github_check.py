"""One look at a GitHub repository: whether runs can read it, what the token lacks, and when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from lib import clock, words
from lib.errors import helped
from lib.http import Answer, Limits
from models.values import Seen
from sources.check import Checked
from sources.github_api import Api, known_shape
from sources.github_errors import GitHubError, clean, no_branch, other_repository, refusal
from sources.github_headers import permission_words, wanted_permissions

# Somebody waits at a page: two rounds of calls, ten seconds together, and no second try.
LIMITS = Limits(connect=3.0, read=5.0, total=5.0)
WARNED_AHEAD = timedelta(days=14)

_NOTHING_THERE = (409, 410)
_REFUSED = (401, 403, 404)


@dataclass(frozen=True, slots=True)
class _Need:
    """A list that runs read. `permission`: what GitHub's documentation asks for, for refusals that do not
    say."""

    name: str
    words: str
    permission: str
    params: Mapping[str, str]


_NEEDS = (
    _Need("commits", "commits", "contents=read", {}),
    _Need("pulls", "merged pull requests", "pull_requests=read", {"state": "closed"}),
    _Need("issues", "closed issues", "issues=read", {"state": "closed"}),
    _Need("releases", "releases", "contents=read", {}),
)
_Found = Answer | GitHubError


def check(
    api_url: str,
    owner: str,
    name: str,
    *,
    branch: str | None = None,
    token: str | None = None,
    known_id: int | None = None,
    limits: Limits = LIMITS,
) -> Checked:
    """Ask for the repository, then for one item of each list that a run reads, and for whose token it is.

    `api_url`, `branch`, `token`: as for `sources.github.GitHub`. `known_id`: the repository's id when it was
    read before. Six requests at most, and one more for a server that does not know the API's version. Raises
    nothing: what fails is the sentence.
    """
    path = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
    with Api(api_url.rstrip("/"), token, limits) as api:
        try:
            about = api.read(api.ask(path))
            with known_shape():
                seen = Seen(int(about["id"]), str(about["full_name"]))
                main = branch or str(about["default_branch"])
            if known_id not in (None, seen.id):
                raise other_repository(seen.full_name)
            found = _ask(api, path, main, has_token=token is not None)
            lacks = _judge(found, branch, token)
        except GitHubError as error:
            return Checked(False, error.message)
        seen = replace(seen, budget=api.budget, token_expires=api.token_expires)
    if lacks:
        return Checked(False, _lacking(lacks), tuple(dict.fromkeys(lacks.values())), seen)
    return Checked(True, _works(about, f"{owner}/{name}", seen, found, token), (), seen)


def _ask(api: Api, path: str, branch: str, *, has_token: bool) -> dict[str, _Found]:
    """All at once; what one of them is refused says nothing about the others."""
    asked = {
        need.name: partial(
            _answer,
            *(api, f"{path}/{need.name}"),
            {**need.params, **({"sha": branch} if need.name == "commits" else {}), "per_page": "1"},
        )
        for need in _NEEDS
    }
    if has_token:
        asked["user"] = partial(_answer, api, "/user", {})
    return dict(zip(asked, api.together(list(asked.values())), strict=True))


def _answer(api: Api, path: str, params: Mapping[str, str]) -> _Found:
    try:
        return api.ask(path, params)
    except GitHubError as error:
        return error


def _judge(found: Mapping[str, _Found], branch: str | None, token: str | None) -> dict[str, str]:
    """The permission that each list lacks. Raises GitHubError for every other failure."""
    lacks: dict[str, str] = {}
    for need in _NEEDS:
        answer = found[need.name]
        if isinstance(answer, GitHubError):
            raise answer
        if answer.status == 200 or answer.status in _NOTHING_THERE:
            continue
        if need.name == "commits" and answer.status == 404:
            # The repository itself was shown: what is not there is the branch.
            raise no_branch(branch) if branch else refusal(answer, token)
        error = refusal(answer, token)
        if token is None or answer.status not in _REFUSED or error.retry_after is not None:
            raise error
        if "x-github-sso" in answer.headers or answer.status == 401:
            raise error
        wanted = wanted_permissions(answer)
        ours = [some for some in wanted if need.permission in some]
        lacks[need.words] = ",".join((ours or wanted or ((need.permission,),))[0])
    return lacks


def _lacking(lacks: Mapping[str, str]) -> str:
    """`The token lacks issues=read: closed issues cannot be read, and runs fail – add Issues: Read-only`."""
    wanted = list(dict.fromkeys(lacks.values()))
    named = [permission_words(one) for several in wanted for one in several.split(",")]
    return helped(
        f"The token lacks {words.listed(wanted)}: {words.listed(list(lacks))} cannot be read, and runs fail",
        f"add {words.listed(named)} to the token on GitHub",
    )


def _works(about: Any, asked: str, seen: Seen, found: Mapping[str, _Found], token: str | None) -> str:
    kind = "private" if about.get("private") else "public"
    login = _login(found.get("user"))
    by = f" as {login}" if login else "" if token else " without a token"
    parts = [f"Works: {clean(seen.full_name)} ({kind}) can be read{by}"]
    if seen.full_name.lower() != asked.lower():
        parts.append(f"it was called {asked} before")
    commits = found["commits"]
    if isinstance(commits, Answer) and commits.status in _NOTHING_THERE:
        parts.append("it has no commits yet")
    if about.get("archived"):
        parts.append("it is archived, so nothing new will happen in it")
    if token:
        parts.append(expiry_words(seen.token_expires, clock.now()))
    elif seen.budget:
        parts.append(f"a token would raise GitHub's limit of {seen.budget.limit:,} requests an hour to 5,000")
    return f"{'; '.join(parts)}."


def expiry_words(end: datetime | None, now: datetime) -> str:
    """`the token expires on 3 March 2027 (in 100 days)`, by the calendar of UTC."""
    if end is None:
        return "GitHub names no day on which the token expires"
    day = words.day(end.astimezone(UTC))
    if end <= now:
        return f"the token expired on {day}"
    told = f"the token expires on {day} ({words.days_ahead(end, now)})"
    return f"{told}: make a new one in time" if end - now <= WARNED_AHEAD else told


def _login(answer: _Found | None) -> str | None:
    """Whose token it is. An app's token belongs to nobody and is refused here."""
    if not isinstance(answer, Answer) or answer.status != 200:
        return None
    try:
        login = answer.json().get("login")
    except (ValueError, AttributeError):
        return None
    return clean(login) if isinstance(login, str) and login else None
