"""One mail on its way out, against a real SMTP server and each way such a server fails."""

import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from lib.settings import Settings
from models.notification import EmailDelivery
from pipeline.outbox import MailError
from tasks.mailer import make_sender
from tests.standins.mail import Mailbox, html_of, text_of

TEXT = "Job: Ünïcode ✅\n\n[View Execution Details]\nhttps://repocast.example/executions/exec_1\n"


@pytest.fixture
def mail():
    return EmailDelivery(
        id="mail_abc",
        recipient="user@example.com",
        subject="✅ Daily Content Generation completed successfully",
        text=TEXT,
        html="<p>Job: Ünïcode ✅</p>",
        created_at=datetime(2025, 10, 3, 9, 0, 18, tzinfo=UTC),
    )


@pytest.fixture
def mailbox():
    with Mailbox() as mailbox:
        yield mailbox


def by_smtp(port, timeout=5.0, **more):
    settings = Settings(
        mail_server="127.0.0.1", mail_port=port, mail_default_sender="R <r@cast.example>", **more
    )
    return make_sender(settings, timeout)


@pytest.mark.loopback
def test_the_server_gets_one_whole_message_for_one_recipient(mailbox, mail):
    by_smtp(mailbox.port)(mail)

    [message] = mailbox.messages
    assert mailbox.envelopes == [("r@cast.example", ["user@example.com"])]
    assert message["subject"] == "✅ Daily Content Generation completed successfully"
    assert (message["to"], message["from"]) == ("user@example.com", "R <r@cast.example>")
    assert message["message-id"] == "<mail_abc@cast.example>"
    assert message["date"].datetime == mail.created_at
    assert message["auto-submitted"] == "auto-generated"
    assert text_of(message) == TEXT
    assert html_of(message).strip() == "<p>Job: Ünïcode ✅</p>"


@pytest.mark.loopback
def test_a_mail_sent_twice_is_the_same_mail(mailbox, mail):
    send = by_smtp(mailbox.port)
    send(mail)
    send(mail)

    assert len({message["message-id"] for message in mailbox.messages}) == 1
    assert mailbox.conversations == 2


@pytest.mark.loopback
def test_lines_that_smtp_would_not_take_arrive_whole(mailbox, mail):
    mail.html = "<p>" + "✅ long " * 500 + "</p>"
    by_smtp(mailbox.port)(mail)

    assert html_of(mailbox.messages[0]).strip() == mail.html


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("switch", "permanent", "sentence"),
    [
        (
            lambda box: box.refuse("user@example.com"),
            True,
            "The mail server refused the recipient: 550 5.1.1 No such person here",
        ),
        (
            lambda box: box.delay(),
            False,
            "The mail server refused the recipient: 451 4.7.1 Come back later",
        ),
        (
            lambda box: box.reject(),
            True,
            "The mail server refused the message: 554 5.6.0 Not this message",
        ),
        (lambda box: box.hang_up(), False, "The mail server {server} closed the connection"),
    ],
    ids=["550", "451", "554", "hang up"],
)
def test_what_the_server_refuses(mailbox, mail, switch, permanent, sentence):
    switch(mailbox)
    with pytest.raises(MailError) as raised:
        by_smtp(mailbox.port)(mail)

    assert raised.value.permanent is permanent
    assert raised.value.message == sentence.format(server=f"127.0.0.1:{mailbox.port}")
    assert mailbox.messages == []
    mailbox.heal()
    by_smtp(mailbox.port)(mail)
    assert len(mailbox.messages) == 1


@pytest.mark.loopback
def test_a_silent_server_does_not_hold_the_worker(mailbox, mail):
    mailbox.fall_silent()
    begun = time.monotonic()
    with pytest.raises(MailError) as raised:
        by_smtp(mailbox.port, timeout=0.3)(mail)

    assert time.monotonic() - begun < 5
    assert raised.value.permanent is False
    assert raised.value.message == f"The mail server 127.0.0.1:{mailbox.port} did not answer within 0.3 s"


@pytest.mark.loopback
def test_a_server_that_is_down_may_come_back(mail):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(MailError) as raised:
        by_smtp(port)(mail)

    assert raised.value.permanent is False
    assert raised.value.message == f"The mail server 127.0.0.1:{port} cannot be reached"


@pytest.mark.loopback
def test_a_password_is_not_sent_to_a_server_without_tls_or_sign_in(mailbox, mail):
    for more in ({"mail_use_tls": True}, {"mail_username": "me", "mail_password": "secret"}):
        with pytest.raises(MailError) as raised:
            by_smtp(mailbox.port, **more)(mail)
        assert raised.value.permanent is False
        assert "secret" not in raised.value.message
    assert mailbox.messages == []


def test_a_line_break_in_the_subject_never_leaves_the_house(mail, tmp_path):
    mail.subject = "✅ done\nBcc: everyone@example.com"
    for settings in (Settings(mail_server="127.0.0.1"), Settings(instance_path=tmp_path)):
        with pytest.raises(MailError) as raised:
            make_sender(settings)(mail)
        assert raised.value.permanent is True
    assert list(tmp_path.rglob("*.eml")) == []


def test_without_a_server_the_mail_is_a_file(mail, tmp_path):
    send = make_sender(Settings(instance_path=tmp_path))
    send(mail)
    send(mail)

    [file] = (tmp_path / "outbox").iterdir()
    assert file.name == "20251003T090018Z-mail_abc.eml"
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["subject"] == "✅ Daily Content Generation completed successfully"
    assert text_of(message) == TEXT
    assert message["message-id"] == "<mail_abc@localhost>"


def test_an_outbox_that_cannot_be_written_is_tried_again(mail, tmp_path):
    (tmp_path / "outbox").write_text("a file where the folder should be")
    with pytest.raises(MailError) as raised:
        make_sender(Settings(instance_path=tmp_path))(mail)

    assert raised.value.permanent is False
    assert raised.value.message == "The mail could not be written to the outbox folder: File exists"


def test_an_idle_worker_does_not_load_flask_mail():
    code = (
        "import sys; from tasks.mailer import make_sender; from lib.settings import Settings;"
        "make_sender(Settings(mail_server='mail.example')); print('flask_mail' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.loopback
def test_a_mail_about_an_event_can_be_unsubscribed_from_with_one_click(mailbox, mail):
    mail.user_id, mail.event = "user_1", "success"
    by_smtp(mailbox.port, base_url="https://cast.example", secret_key="s" * 32)(mail)

    [message] = mailbox.messages
    assert message["list-unsubscribe"].startswith("<https://cast.example/unsubscribe?token=")
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
