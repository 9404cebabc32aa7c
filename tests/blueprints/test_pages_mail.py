"""What the execution's page says of its mail."""

from datetime import UTC, datetime, timedelta

import pytest

from models import EmailDelivery
from tests.blueprints.pages import Visitor, text

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)


@pytest.fixture
def execution(rows, user):
    return rows.execution(rows.job(rows.project(user)), outcome="SUCCESS", completed_at=NOW)


def page(app, rows, user, execution, **mail) -> str:
    given = {"recipient": "user@example.com", "subject": "s", "text": "t", "html": "h", "created_at": NOW}
    rows.add(EmailDelivery(user_id=user.id, execution_id=execution.id, **given | mail))
    return text(Visitor(app, user).get(f"/executions/{execution.id}"))


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({}, "Waiting to be sent to user@example.com"),
        (
            {"error": "Mail server: no answer", "next_try_at": NOW + timedelta(minutes=4)},
            "Not taken yet to user@example.com: Mail server: no answer Next try: Today at 9:04 AM UTC",
        ),
        (
            {"status": "SENT", "sent_at": NOW},
            "Saved as a file to user@example.com (no mail server is set) 3 Oct 2025, 9:00:00 AM UTC",
        ),
        (
            {"status": "FAILED", "error": "Mail server: 550 <b>unknown</b>"},
            "Not delivered to user@example.com: Mail server: 550 <b>unknown</b>",
        ),
    ],
    ids=["waiting", "delayed", "saved", "given up"],
)
def test_the_page_says_what_became_of_the_mail(app, clock, rows, user, execution, mail, said):
    assert said in page(app, rows, user, execution, **mail)


def test_without_a_mail_it_says_nothing(app, clock, rows, user, execution):
    assert " Mail " not in text(Visitor(app, user).get(f"/executions/{execution.id}"))


@pytest.fixture
def with_a_server(environ):
    environ["MAIL_SERVER"] = "127.0.0.1"


def test_with_a_server_it_was_sent(with_a_server, app, clock, rows, user, execution):
    said = page(app, rows, user, execution, status="SENT", sent_at=NOW)
    assert "Sent to user@example.com 3 Oct 2025, 9:00:00 AM UTC" in said
