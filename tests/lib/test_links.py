"""Links that approve: whole, in time and for this alone, or not at all."""

from urllib.parse import parse_qs, urlsplit

import pytest

from lib.links import APPROVAL_LASTS, BrokenLinkError, ExpiredLinkError, Links

LINKS = Links("https://repocast.example", "secret")


def token(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


def test_a_link_stands_for_one_version_of_one_draft(clock):
    url = LINKS.approval("draft_1", 3)
    assert url.startswith("https://repocast.example/approve?token=")
    assert LINKS.approvable(token(url)) == ("draft_1", 3)


def test_a_link_ends(clock):
    made = token(LINKS.approval("draft_1", 3))
    clock.advance(APPROVAL_LASTS.total_seconds())
    assert LINKS.approvable(made) == ("draft_1", 3)
    clock.advance(1)
    with pytest.raises(ExpiredLinkError):
        LINKS.approvable(made)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t + "a", lambda _: "", str.upper]
)
def test_a_link_that_is_not_whole(clock, spoil):
    with pytest.raises(BrokenLinkError):
        LINKS.approvable(spoil(token(LINKS.approval("draft_1", 3))))


def test_a_link_of_another_house_or_for_another_purpose(clock):
    from itsdangerous import URLSafeTimedSerializer

    with pytest.raises(BrokenLinkError):
        LINKS.approvable(token(Links("https://repocast.example", "other").approval("draft_1", 3)))
    with pytest.raises(BrokenLinkError):
        LINKS.approvable(URLSafeTimedSerializer("secret", salt="session").dumps(["draft_1", 3]))
