"""The link of a mail shows a page; only its button approves, once, and exactly that version."""

from urllib.parse import urlsplit

import pytest

from lib.links import APPROVAL_LASTS, Links
from models import Draft
from pipeline import drafts
from tests.blueprints.pages import Visitor, text


@pytest.fixture
def draft(rows, clock) -> Draft:
    execution = rows.execution(rows.job(rows.project(rows.user(), name="awesome-lib")))
    return rows.draft(execution, "DEVTO", content="A <b>post</b>.", tags=["webdev"])


@pytest.fixture
def visitor(app) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(app)


@pytest.fixture
def link(settings, draft) -> str:
    made = urlsplit(Links(settings.base_url, settings.secret_key.get_secret_value()).approval(draft.id, 1))
    return f"{made.path}?{made.query}"


def press(visitor: Visitor, link: str):
    return visitor.post("/approve", {"token": link.partition("token=")[2]})


def state(rows, draft) -> str:
    return rows.get(Draft, draft.id).state


def test_looking_approves_nothing(visitor, rows, draft, link):
    for _ in range(2):
        page = visitor.get(link)
        assert page.status_code == 200
        assert "Approve this Dev.to post?" in text(page)
        assert "A <b>post</b>." in text(page)
        assert page.get_data(as_text=True).count("<button") == 1
    visitor._client.head(link)
    assert state(rows, draft) == "DRAFT"


def test_its_button_approves_once(visitor, rows, draft, link):
    answer = press(visitor, link)
    said = visitor.follow(answer)
    assert "Approved. Thank you." in said
    assert "Version 1 was approved just now." in said
    assert state(rows, draft) == "APPROVED"
    again = press(visitor, link)
    assert (again.status_code, "was approved" in text(again)) == (409, True)
    assert "<button" not in visitor.get(link).get_data(as_text=True)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s, d: drafts.edit(s, d, 1, {"content": "New."}), "at version 2 now"),
        (lambda s, d: drafts.reject(s, d), "Version 1 was rejected just now."),
        (lambda s, d: (drafts.edit(s, d, 1, {"content": "New."}), drafts.approve(s, d)), "it told of 1"),
        (lambda s, d: s.delete(s.get(Draft, d)) or s.commit(), "deleted meanwhile"),
    ],
)
def test_what_came_meanwhile_is_said_instead(visitor, rows, sessions, draft, link, act, said):
    with sessions() as session:
        act(session, draft.id)
    before = rows.get(Draft, draft.id)
    page, pressed = visitor.get(link), press(visitor, link)
    assert said in text(page)
    assert "<button" not in page.get_data(as_text=True)
    assert (pressed.status_code, said in text(pressed)) == (409 if before else 410, True)
    after = rows.get(Draft, draft.id)
    assert (before and before.state) == (after and after.state)


def test_what_its_platform_will_not_take_is_not_approved_by_mail_either(visitor, rows, draft, link, sessions):
    with sessions() as session:
        session.get_one(Draft, draft.id).title = "x" * 200
        session.commit()
    page = visitor.get(link)
    assert "Dev.to would not take it as it is" in text(page)
    assert press(visitor, link).status_code == 409
    assert state(rows, draft) == "DRAFT"


def test_an_old_link(visitor, rows, draft, link, clock):
    clock.advance(APPROVAL_LASTS.total_seconds() + 1)
    for answer in (visitor.get(link), press(visitor, link)):
        assert (answer.status_code, "14 days" in text(answer)) == (410, True)
    assert state(rows, draft) == "DRAFT"


@pytest.mark.parametrize("path", ["/approve", "/approve?token=x", "/approve?token=%00", "/approve?token[]=1"])
def test_a_broken_link(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code in (400, 404)
    assert "A title for" not in text(answer)


def test_the_address_stays_between_the_mail_and_us(visitor, link):
    for answer in (visitor.get(link), press(visitor, link)):
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Cache-Control"] == "no-store"
    body = visitor.get(link).get_data(as_text=True)
    assert "http://" not in body.replace("http://127.0.0.1", "")
    assert "https://" not in body


def test_the_button_needs_its_token_from_the_page(visitor, rows, draft, link):
    sent = {"token": link.partition("token=")[2]}
    assert visitor.post("/approve", sent, token="wrong").status_code == 400
    assert state(rows, draft) == "DRAFT"


def test_it_works_over_https_with_the_origin_as_referrer(app, rows, draft, link):
    """There the check of forms wants a referrer, of which the policy leaves the origin."""
    client = app.test_client()
    page = client.get(link, base_url="https://localhost").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = {"token": link.partition("token=")[2], "csrf_token": token}
    origin = {"Referer": "https://localhost/"}
    assert client.post("/approve", data=sent, headers=origin, base_url="https://localhost").status_code == 303
    assert state(rows, draft) == "APPROVED"
