"""What each refusal says: the cause, and the one thing that helps. Statuses, headers and codes decide."""

import json
from typing import Any

import pytest

from lib.errors import helped, parted
from lib.http import Answer
from sources.github_errors import (
    GitHubError,
    Unreached,
    elsewhere,
    no_branch,
    odd_shape,
    other_repository,
    refusal,
    repository_of,
)
from sources.github_headers import budget, permission_words, token_expiry, wanted_permissions

CLASSIC, FINE = "ghp_secret", "github_pat_secret"
DATE = {"date": "Fri, 03 Oct 2025 09:00:00 GMT"}
URL = "https://api.github.com/repos/octo/lib/commits"


def answer(status: int, body: Any = None, url: str = URL, **headers: str) -> Answer:
    body = {"message": "Said"} if body is None else body
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, DATE | named, raw, url)


def told(given: Answer, token: str | None = FINE) -> tuple[str, str]:
    happened, remedy = parted(refusal(given, token).message)
    assert remedy
    return happened.removeprefix("GitHub API error: "), remedy


@pytest.mark.parametrize(
    ("given", "token", "code"),
    [
        (answer(400), FINE, "source_address"),
        (answer(401), FINE, "token_refused"),
        (answer(401), None, "token_missing"),
        (answer(403), FINE, "access_denied"),
        (answer(403), None, "token_missing"),
        (answer(403, retry_after="60"), FINE, "rate_limited"),
        (answer(403, {"message": "No", "block": {"reason": "tos"}}), FINE, "repository_blocked"),
        (answer(404), FINE, "repository_gone"),
        (answer(418), FINE, "source_address"),
        (answer(422), FINE, "repository_gone"),
        (answer(429), None, "rate_limited"),
        (answer(451), FINE, "repository_blocked"),
        (answer(503), FINE, "source_unreachable"),
    ],
)
def test_every_refusal_has_a_name(given, token, code):
    assert refusal(given, token).code == code


def test_so_has_what_is_no_refusal():
    errors = [no_branch("main"), other_repository("a/b"), elsewhere(), odd_shape(), Unreached("Gone")]
    named = ["branch_gone", "repository_other", "source_address", "source_address", "source_unreachable"]
    assert [error.code for error in errors] == named
    assert Unreached("Odd", permanent=True).code == "source_address"


def test_the_walkthroughs_words_stand_alone_in_front():
    given = answer(401, {"message": "Bad credentials"})
    assert told(given)[0] == "Bad credentials"
    assert told(given, None) == (
        "Bad credentials",
        "this server wants a token: enter one in the project's settings",
    )


@pytest.mark.parametrize(
    ("header", "lacks", "add"),
    [
        ("issues=read", "issues=read", "Issues: Read-only"),
        (
            "pull_requests=read; contents=read",
            "pull_requests=read or contents=read",
            "Pull requests: Read-only or Contents: Read-only",
        ),
        (
            "contents=read,metadata=write",
            "contents=read,metadata=write",
            "Contents: Read-only and Metadata: Read and write",
        ),
    ],
)
def test_the_permission_that_is_missing(header, lacks, add):
    given = answer(403, x_accepted_github_permissions=header)
    assert told(given) == (f"Said. The token lacks {lacks}.", f"add {add} to the token on GitHub")


@pytest.mark.parametrize("header", ["", "?", "<b>=read", "contents=all", "=;,=;"])
def test_a_permission_header_that_names_none(header):
    given = answer(403, x_accepted_github_permissions=header)
    assert wanted_permissions(given) == ()
    assert "give it read access" in told(given)[1]


def test_the_scope_that_is_missing():
    given = answer(403, x_oauth_scopes="public_repo, read:org", x_accepted_oauth_scopes="repo")
    assert told(given, CLASSIC)[0] == "Said. The token lacks the scope repo."
    enough = answer(403, x_oauth_scopes="repo", x_accepted_oauth_scopes="repo")
    assert told(enough, CLASSIC)[0] == "Said"


@pytest.mark.parametrize(
    ("header", "who"),
    [
        ("required; url=https://github.com/orgs/octo-org/sso?authorization_request=AZSC", "octo-org"),
        ("required", "The organization"),
        ("required; url=javascript:alert(1)", "The organization"),
    ],
)
def test_single_sign_on(header, who):
    happened, remedy = told(answer(403, x_github_sso=header, x_accepted_github_permissions="contents=read"))
    assert happened == f"Said. {who} wants single sign-on, and this token was not authorized for it."
    assert "Configure SSO" in remedy
    assert "AZSC" not in happened + remedy


def test_part_of_the_results_is_no_demand_for_single_sign_on():
    assert "single sign-on" not in told(answer(403, x_github_sso="partial-results; organizations=1"))[0]


@pytest.mark.parametrize(
    ("url", "token", "headers", "happened"),
    [
        (URL, FINE, {}, "Said. Either octo/lib does not exist, or the token may not see it."),
        (URL, None, {}, "Said. Either octo/lib does not exist, or it is private."),
        (
            URL,
            CLASSIC,
            {"x_oauth_scopes": "read:org"},
            "Said. Either octo/lib does not exist, or it is private: without the scope repo this token sees"
            " public repositories alone.",
        ),
        (
            URL,
            CLASSIC,
            {"x_oauth_scopes": "repo"},
            "Said. Either octo/lib does not exist, or the token may not see it.",
        ),
        (
            "https://api.github.com/repositories/7/commits",
            FINE,
            {},
            "Said. Either the repository does not exist, or the token may not see it.",
        ),
    ],
)
def test_absent_or_hidden(url, token, headers, happened):
    assert told(answer(404, url=url, **headers), token)[0] == happened


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "octo/lib"),
        ("https://ghe.example/api/v3/repos/a/b", "a/b"),
        ("https://ghe.example/api/v3/repos/a%20x/b", None),
        ("https://api.github.com/user", None),
        ("https://api.github.com/repos/a", None),
    ],
)
def test_the_repository_of_an_address(url, name):
    assert repository_of(url) == name


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://github.com/github/dmca/blob/master/2021/04/x.md", True),
        ("http://github.com/github/dmca", False),
        ("https://evil.example/dmca", False),
        ("https://github.com.evil.example/dmca", False),
        ("javascript:alert(1)", False),
        ("https://[", False),
        ("https://github.com/" + "x" * 300, False),
        (7, False),
        (None, False),
    ],
)
def test_the_notice_of_a_block(url, shown):
    given = answer(
        451, {"message": "Repository access blocked", "block": {"reason": "dmca", "html_url": url}}
    )
    happened, remedy = told(given)
    where = f" ({url})" if shown else ""
    assert happened == f"Repository access blocked. GitHub blocked it by law{where}."
    assert "only GitHub can lift this" in remedy
    assert refusal(given).permanent


@pytest.mark.parametrize("body", [{"block": "dmca"}, {"block": None}, [], b"<html>"])
def test_a_block_without_its_reason(body):
    assert "blocked it by law" in told(answer(451, body))[0]


@pytest.mark.parametrize(
    ("headers", "token", "wait", "happened"),
    [
        (
            {"x_ratelimit_remaining": "0", "x_ratelimit_limit": "5000", "x_ratelimit_reset": "1759483500"},
            FINE,
            1502,
            "Said. All 5,000 requests of this hour are used up until 09:25 UTC.",
        ),
        (
            {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1759569900"},
            FINE,
            87902,
            "Said. All requests of this hour are used up until 4 October 2025, 09:25 UTC.",
        ),
        (
            {"retry_after": "90"},
            FINE,
            90,
            "Said. GitHub wants a pause until 09:01:30 UTC, because too much was asked at once.",
        ),
        (
            {"retry_after": "Fri, 03 Oct 2025 09:10:00 GMT"},
            FINE,
            600,
            "Said. GitHub wants a pause until 09:10 UTC, because too much was asked at once.",
        ),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
def test_limits_name_their_end(status, headers, token, wait, happened):
    given = answer(status, **headers)
    assert told(given, token)[0] == happened
    assert refusal(given, token).retry_after == wait


def test_a_limit_without_a_token_says_that_one_helps():
    given = answer(403, x_ratelimit_remaining="0", x_ratelimit_limit="60", x_ratelimit_reset="1759483500")
    assert told(given, None)[1].startswith("enter a token in the project's settings, which allows 5,000")
    assert "a limit of its own" in told(given, FINE)[1]


def test_a_limit_far_beyond_the_calendar():
    given = answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="99999999999")
    assert "until 16 November 5138" in told(given)[0]
    late = answer(403, retry_after="999999999", **{"date": "Fri, 31 Dec 9999 09:00:00 GMT"})
    assert "until further notice" in told(late)[0]


@pytest.mark.parametrize(
    ("errors", "named"),
    [
        ([{"field": "sha", "code": "invalid"}], "sha (invalid)"),
        ([{"field": "sha"}, {"field": "until", "code": "missing"}], "sha (invalid) and until (missing)"),
        (["x", {"field": 7}, {}], "a value"),
        ("odd", "a value"),
        (None, "a value"),
    ],
)
def test_values_that_are_refused(errors, named):
    given = answer(422, {"message": "Validation Failed", "errors": errors})
    assert told(given)[0] == f"Validation Failed. It does not take {named}."
    assert refusal(given).permanent


@pytest.mark.parametrize(
    ("url", "whom"),
    [(URL, "www.githubstatus.com"), ("https://ghe.example/api/v3/repos/a/b", "whoever runs ghe.example")],
)
@pytest.mark.parametrize("body", [b"<html>", {"message": "Server Error"}, [], {}])
def test_whom_to_ask_when_the_server_is_in_trouble(url, whom, body):
    happened, remedy = told(answer(502, body, url))
    assert "The server is in trouble (HTTP 502)." in happened
    assert remedy.endswith(f"ask {whom}")


@pytest.mark.parametrize("status", [204, 304, 307, 405, 406, 410, 415, 418])
def test_every_other_status_has_its_remedy(status):
    assert told(answer(status, {}))[0].startswith(f"HTTP {status}")


def test_words_never_decide():
    """A message that speaks of limits makes none, and one that does not hides none."""
    assert refusal(answer(403, {"message": "API rate limit exceeded, retry later"}), FINE).retry_after is None
    assert refusal(answer(403, {"message": "No access"}, gh_limited_by="x"), FINE).retry_after == 60


@pytest.mark.parametrize(
    "message", ["a – b", "x" * 400, "\x1b[31mred\x00\nnext", 7, None, "", "github_pat_secret"]
)
def test_what_github_says_is_quoted_clean_and_short(message):
    happened, _ = told(answer(403, {"message": message}))
    assert len(happened) <= 200
    assert happened.isprintable()
    assert happened
    assert " – " not in happened
    assert FINE not in happened


@pytest.mark.parametrize(
    "error",
    [
        no_branch("x\n" * 300),
        other_repository("a/b"),
        elsewhere(),
        odd_shape(),
        Unreached("GitHub API error: x"),
    ],
)
def test_our_own_sentences(error: GitHubError):
    happened, remedy = parted(error.message)
    assert happened.startswith("GitHub API error: ")
    assert remedy
    assert error.message.isprintable()
    assert len(error.message) < 500


def test_a_sentence_comes_apart_where_it_was_put_together():
    assert parted(helped("a – b", "c")) == ("a - b", "c")
    assert parted("no remedy known") == ("no remedy known", None)


def test_permissions_as_the_tokens_page_names_them():
    assert permission_words("pull_requests=read") == "Pull requests: Read-only"


# Headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_ratelimit_limit": "5000"},
        {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "-1", "x_ratelimit_reset": "1"},
        {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "1", "x_ratelimit_reset": "9" * 5000},
        {"x_ratelimit_limit": "0", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "1"},
        {
            "x_ratelimit_limit": "30",
            "x_ratelimit_remaining": "1",
            "x_ratelimit_reset": "1",
            "x_ratelimit_resource": "search",
        },
    ],
)
def test_no_budget(headers):
    assert budget(answer(200, **headers)) is None


@pytest.mark.parametrize("text", ["", "never", "2026-02-30 00:00:00 UTC", "0001-01-01 00:00:00 +1400", "UTC"])
def test_no_end_of_a_token(text):
    assert token_expiry(answer(200, github_authentication_token_expiration=text)) is None
