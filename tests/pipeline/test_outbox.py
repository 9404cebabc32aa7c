"""How a mail leaves the outbox: once, on time, and again and again until it is taken or given up."""

import logging
from datetime import timedelta

import pytest

from models.notification import EmailDelivery
from models.user import User
from pipeline.outbox import MailError, deliver, due_mails


@pytest.fixture
def owner(session, clock):
    session.add(User(id="user_123", email="user@example.com", password_hash="x"))
    session.commit()


@pytest.fixture
def mail(session, owner):
    """A mail in the outbox, detached, so that reading it holds no lock."""
    mail = EmailDelivery(
        user_id="user_123", recipient="user@example.com", subject="✅ Done", text="Done", html="d"
    )
    session.add(mail)
    session.commit()
    session.refresh(mail)
    session.expunge(mail)
    session.commit()
    return mail


def row(session, mail_id):
    session.expire_all()
    found = session.get_one(EmailDelivery, mail_id)
    session.expunge(found)
    session.commit()
    return found


def never(mail):
    raise AssertionError("not to be sent")


def refuse(*, permanent):
    def send(mail):
        raise MailError("The mail server refused the recipient: 550 No", permanent=permanent)

    return send


def test_a_mail_is_sent_once(session, mail, clock):
    sent = []
    deliver(session, mail.id, lambda m: sent.append((m.recipient, m.subject, m.attempts)))
    deliver(session, mail.id, never)

    found = row(session, mail.id)
    assert sent == [("user@example.com", "✅ Done", 1)]
    assert (found.status, found.sent_at, found.error, found.attempts) == ("SENT", clock.now(), None, 1)


def test_no_transaction_is_open_while_the_server_takes_its_time(session, mail):
    seen = []
    deliver(session, mail.id, lambda m: seen.append((m.text, session.in_transaction())))

    assert seen == [("Done", False)]


def test_a_mail_in_delivery_is_not_due_until_its_lease_ends(sessions, session, mail, clock):
    def meanwhile(_):
        with sessions() as other:
            assert due_mails(other, clock.now(), 10) == []
            deliver(other, mail.id, never)

    deliver(session, mail.id, meanwhile)
    assert row(session, mail.id).status == "SENT"


def test_a_delivery_whose_worker_died_is_taken_up_again(sessions, session, mail, clock):
    class Killed(BaseException):
        pass

    def die(_):
        raise Killed

    with pytest.raises(Killed), sessions() as worker:
        deliver(worker, mail.id, die)
    clock.advance(299)
    deliver(session, mail.id, never)
    clock.advance(1)
    assert due_mails(session, clock.now(), 10) == [mail.id]
    session.commit()
    deliver(session, mail.id, lambda m: None)
    assert (row(session, mail.id).status, row(session, mail.id).attempts) == ("SENT", 2)


def test_a_worker_that_lost_its_lease_writes_nothing(sessions, session, mail, clock):
    def too_slow(_):
        clock.advance(301)
        with sessions() as other:
            deliver(other, mail.id, lambda m: None)
        raise MailError("The mail server closed the connection")

    deliver(session, mail.id, too_slow)
    found = row(session, mail.id)
    assert (found.status, found.attempts, found.error) == ("SENT", 2, None)


def test_a_permanent_refusal_fails_at_once(session, mail, clock):
    deliver(session, mail.id, refuse(permanent=True))

    found = row(session, mail.id)
    assert (found.status, found.error) == ("FAILED", "The mail server refused the recipient: 550 No")
    assert due_mails(session, clock.now() + timedelta(days=9), 10) == []


def test_passing_failures_wait_longer_and_longer_for_three_days(session, mail, clock):
    waits = []
    while (found := row(session, mail.id)).status == "PENDING":
        clock.move_to(max(found.next_try_at, clock.now()))
        deliver(session, mail.id, refuse(permanent=False))
        after = row(session, mail.id)
        waits.append((after.next_try_at - clock.now()).total_seconds() / 60)

    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert max(waits[:-1]) == 60
    found = row(session, mail.id)
    assert clock.now() == found.created_at + timedelta(days=3)
    assert found.status == "FAILED"
    assert found.error == "The mail server refused the recipient: 550 No"


def test_the_unexpected_is_logged_and_tried_again(session, mail, clock, caplog):
    def broken(_):
        raise ZeroDivisionError("oops")

    with caplog.at_level(logging.WARNING):
        deliver(session, mail.id, broken)

    found = row(session, mail.id)
    assert (found.status, found.next_try_at) == ("PENDING", clock.now() + timedelta(minutes=1))
    assert found.error == "Unexpected error: ZeroDivisionError: oops"
    assert "ZeroDivisionError" in caplog.text


def test_an_unknown_mail_is_no_error(session):
    deliver(session, "mail_gone", never)


@pytest.mark.parametrize("many", [1, 3, 40])
def test_due_mails_come_oldest_first_up_to_the_limit(session, owner, clock, queries, many):
    for number in range(many):
        session.add(
            EmailDelivery(
                id=f"mail_{number:02}",
                user_id="user_123",
                recipient="a@example.com",
                subject="s",
                text="t",
                html="h",
                next_try_at=clock.now() - timedelta(seconds=number),
            )
        )
    session.commit()
    queries.clear()
    found = due_mails(session, clock.now(), 25)

    assert found == [f"mail_{number:02}" for number in reversed(range(many))][:25]
    assert len([q for q in queries if "SELECT" in q]) == 1
