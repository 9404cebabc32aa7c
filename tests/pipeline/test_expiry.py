"""Tokens that end soon are announced 14, 7 and 1 days ahead, once each."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import EmailDelivery, Notification, Project, User
from pipeline import expiry

BASE = "https://repocast.example"
END = datetime(2025, 10, 31, 9, tzinfo=UTC)
"""Four weeks after the frozen clock."""


@pytest.fixture
def owner(session, clock) -> User:
    return add_user(session, "owner@example.com")


def add_user(session, email: str) -> User:
    user = User(email=email, password_hash="x", verified_at=datetime.now(UTC))
    session.add(user)
    session.commit()
    return user


def add_project(session, owner: User, name: str = "My Lib", **values) -> Project:
    given = {
        "github_token": "sealed",
        "token_expires_at": END,
        "github_repo_owner": "o",
        "github_repo_name": "r",
    }
    project = Project(user_id=owner.id, name=name, **given | values)
    session.add(project)
    session.commit()
    return project


def announced(session, clock, before_end: timedelta | None = None) -> list[str]:
    """The subjects of the mails that one look at that time makes; an hour after the last one at least."""
    known = set(session.scalars(select(EmailDelivery.id)))
    session.commit()
    clock.move_to(END - before_end) if before_end is not None else clock.advance(3601)
    bells = expiry.announce(session, BASE)
    mails = [m for m in session.scalars(select(EmailDelivery)) if m.id not in known]
    session.commit()
    assert {("deliver", mail.id) for mail in mails} == {(bell.kind, bell.id) for bell in bells}
    return [mail.subject for mail in mails]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


def test_each_threshold_once(session, clock, owner):
    add_project(session, owner)
    told = {}
    for hours in range(24 * 20, -30, -6):
        if subjects := announced(session, clock, timedelta(hours=hours)):
            told[hours] = subjects
    assert told == {
        24 * 14: ["🔑 The GitHub token of My Lib expires in 14 days"],
        24 * 7: ["🔑 The GitHub token of My Lib expires in 7 days"],
        24: ["🔑 The GitHub token of My Lib expires tomorrow"],
    }
    assert count(session, Notification) == 3


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (days(15), []),
        (days(14), ["in 14 days"]),
        (days(9), ["in 9 days"]),
        (days(5), ["in 5 days"]),
        (days(1), ["tomorrow"]),
        (timedelta(hours=3), ["today"]),
        (timedelta(0), []),
        (-days(1), []),
    ],
)
def test_an_instance_that_was_off_sends_one_mail(session, clock, owner, at, said):
    add_project(session, owner)
    assert announced(session, clock, at) == [f"🔑 The GitHub token of My Lib expires {when}" for when in said]
    assert announced(session, clock) == []


def test_what_is_told(session, clock, owner):
    project = add_project(session, owner)
    announced(session, clock, days(7))
    mail = session.scalars(select(EmailDelivery)).one()
    assert (mail.recipient, mail.user_id, mail.execution_id) == ("owner@example.com", owner.id, None)
    happens = (
        "The GitHub token that reads My Lib expires on 31 October 2025 at 09:00 UTC."
        " From then on its runs fail."
    )
    helps = "Make a new token on GitHub and enter it in the project's settings."
    assert mail.text == (
        f"What will happen:\n{happens}\n\nWhat helps:\n{helps}\n\n"
        f"[Enter a new token]\n{BASE}/projects/{project.id}/edit\n"
        "\n--\nSent by Repocast, because a token that your project reads with ends soon.\n"
        f"Choose what is mailed to you: {BASE}/notifications/preferences\n"
        "Unsubscribe from these mails: https://unsubscribe.invalid/\n"
    )
    assert happens in mail.html
    assert f'href="{BASE}/projects/{project.id}/edit"' in mail.html
    assert "Duration" not in mail.html
    note = session.scalars(select(Notification)).one()
    assert (note.type, note.title) == ("TOKEN_EXPIRES", "The GitHub token of My Lib expires in 7 days")
    assert (note.message, note.link) == (f"{happens} {helps}", f"/projects/{project.id}/edit")


def test_a_name_is_text(session, clock, owner):
    add_project(session, owner, "<b>Lib</b>\nBcc: x")
    (subject,) = announced(session, clock, days(7))
    assert "\n" not in subject
    assert "<b>Lib" not in session.scalars(select(EmailDelivery)).one().html


@pytest.mark.parametrize("number", [1, 3, 9])
def test_projects_that_share_a_token_are_told_of_together(session, clock, owner, number):
    for at in range(number):
        add_project(session, owner, f"Lib {at}", created_at=END - days(60 - at))
    (subject,) = announced(session, clock, days(14))
    mail = session.scalars(select(EmailDelivery)).one()
    if number == 1:
        assert "Projects:" not in mail.text
        return
    assert subject == f"🔑 The GitHub token of {number} projects expires in 14 days"
    assert all(f"- Lib {at}\n" in mail.text for at in range(number))
    named = "Lib 0, Lib 1 and Lib 2" if number == 3 else "Lib 0, Lib 1, Lib 2, Lib 3, Lib 4 and 4 more"
    assert f"that reads {named} expires" in mail.text
    assert f"]\n{BASE}/dashboard\n\n--\n" in mail.text
    assert set(session.scalars(select(Project.token_warned))) == {14}


def test_each_owner_and_each_end_is_told_apart(session, clock, owner):
    add_project(session, owner, "A")
    add_project(session, owner, "B", token_expires_at=END + timedelta(hours=1))
    add_project(session, add_user(session, "other@example.com"), "C")
    announced(session, clock, days(7))
    told = [(m.recipient, m.subject[3:].split()[4]) for m in session.scalars(select(EmailDelivery))]
    assert sorted(told) == [
        ("other@example.com", "C"),
        ("owner@example.com", "A"),
        ("owner@example.com", "B"),
    ]


def test_a_token_of_the_instance_names_who_can_help(session, clock, owner):
    add_project(session, owner, github_token=None)
    announced(session, clock, days(1))
    assert "whoever runs it must set a new GITHUB_TOKEN" in session.scalars(select(EmailDelivery)).one().text


def test_local_repositories_and_tokens_without_end_are_left_alone(session, clock, owner):
    add_project(session, owner, source_type="GIT", git_path="lib")
    add_project(session, owner, token_expires_at=None)
    assert announced(session, clock, days(7)) == []


def test_one_look_an_hour(session, clock, owner, queries):
    clock.move_to(END - days(7))
    assert expiry.announce(session, BASE) == []
    add_project(session, owner)
    clock.advance(3599)
    queries.clear()
    assert expiry.announce(session, BASE) == []
    assert not any("FROM project" in statement for statement in queries)
    clock.advance(2)
    assert len(expiry.announce(session, BASE)) == 1


def test_many_projects_cost_one_look(session, clock, owner, queries):
    for at in range(30):
        add_project(session, owner, f"Lib {at}")
    clock.move_to(END - days(7))
    queries.clear()
    expiry.announce(session, BASE)
    assert sum("project" in statement.lower() for statement in queries) == 2


def test_workers_that_look_at_once_tell_once(session, sessions, clock, owner, monkeypatch):
    """Even where the hour's lock does not hold, the row has one winner."""
    for at in range(3):
        add_project(session, owner, f"Lib {at}", token_expires_at=END + timedelta(minutes=at))
    clock.move_to(END - days(7))
    monkeypatch.setattr("pipeline.expiry.first_this_hour", lambda *_: True)
    start = threading.Barrier(6)
    told: list[int] = []

    def look() -> None:
        with sessions() as own:
            start.wait(10)
            told.append(len(expiry.announce(own, BASE)))

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(told) == 3
    assert (count(session, EmailDelivery), count(session, Notification)) == (3, 3)


def test_a_token_that_was_changed_meanwhile_is_not_announced(session, sessions, clock, owner):
    project = add_project(session, owner)
    clock.move_to(END - days(7))
    with sessions() as other:
        other.get_one(Project, project.id).token_expires_at = END + days(90)
        other.commit()
    with sessions() as own, own.begin():
        ending = expiry._Ending(owner.id, END, True)
        assert expiry._tell(own, ending, [project.id], clock.now(), BASE) == []
    assert count(session, EmailDelivery) == 0
