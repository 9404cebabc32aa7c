"""How a mail leaves the house: by SMTP, or as a file in the outbox folder where no server is set.

Flask-Mail is imported with the first mail: an idle worker does not pay for it.
"""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.charset import QP, Charset
from email.utils import parseaddr
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from lib.links import Links
from lib.settings import Settings
from models.notification import EmailDelivery
from pipeline.letters import UNSUBSCRIBE
from pipeline.outbox import MailError
from pipeline.wishes import STOPPABLE

if TYPE_CHECKING:
    from flask import Flask
    from flask_mail import Connection, Message

TIMEOUT = 20.0
"""Seconds for each step of the conversation: the dozen steps of one mail end within the delivery's lease."""
LONGEST_LINE = 900
"""Octets of a line above which the text is folded by its encoding; SMTP takes 998 (RFC 5321, 4.5.3.1.6)."""


def make_sender(settings: Settings, timeout: float = TIMEOUT) -> Callable[[EmailDelivery], None]:
    """What `pipeline.outbox.deliver` is handed: a function that sends one mail or raises MailError.

    Permanent is only what the server says for good (5xx) about this recipient or this message: a refused
    sign-in or sender is the installation's fault, and can be mended while the mail waits. `timeout`: seconds.
    """
    app = cache(lambda: _app(settings))

    def send(mail: EmailDelivery) -> None:
        with app().app_context():
            message = _message(mail, settings.mail_default_sender, _stopping(mail, settings))
            if message.has_bad_headers():
                raise MailError("The mail has a line break in its addresses or subject", permanent=True)
            if settings.mail_server is None:
                _to_outbox(settings, mail, message)
            else:
                _by_smtp(settings, message, app(), timeout)

    return send


def _app(settings: Settings) -> "Flask":
    """Flask-Mail asks for an application; this one has nothing but the mail settings."""
    from flask import Flask
    from flask_mail import Mail

    app = Flask("tasks.mailer", static_folder=None)
    password = settings.mail_password
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username,
        MAIL_PASSWORD=password.get_secret_value() if password else None,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_DEBUG=False,  # or FLASK_DEBUG would print the conversation, password included
    )
    Mail(app)
    return app


def _message(mail: EmailDelivery, sender: str, stop: str | None) -> "Message":
    """One recipient, text and HTML. Its id is the row's: a mail sent twice is known as the same one. `stop`:
    the address that stops such mails, for its text and for the mail program's own button (RFC 8058)."""
    from flask_mail import Message

    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: no out-of-office replies, please
    text, html = mail.text, mail.html
    if stop is not None:
        text, html = text.replace(UNSUBSCRIBE, stop), html.replace(UNSUBSCRIBE, stop)
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    charset = Charset("utf-8")
    if any(len(line.encode()) > LONGEST_LINE for part in (text, html) for line in part.split("\n")):
        charset.body_encoding = QP
    message = Message(
        subject=mail.subject,
        recipients=[mail.recipient],
        body=text,
        html=html,
        sender=sender,
        date=mail.created_at.timestamp(),
        charset=cast(str, charset),  # its type says str; what it hands on to takes both
        extra_headers=headers,
    )
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message.msgId = f"<{mail.id}@{domain}>"
    return message


def _stopping(mail: EmailDelivery, settings: Settings) -> str | None:
    """Where its reader can stop such mails; None where that cannot be."""
    if mail.event not in STOPPABLE:
        return None
    return Links(settings.base_url, settings.secret_key.get_secret_value()).unsubscribe(
        mail.user_id, mail.event
    )


def _to_outbox(settings: Settings, mail: EmailDelivery, message: "Message") -> None:
    """Whole or not at all: it is written under another name and then takes its own."""
    outbox = settings.instance_path / "outbox"
    name = f"{mail.created_at:%Y%m%dT%H%M%SZ}-{mail.id}.eml"
    draft = outbox / f".{name}.part"
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(message.as_bytes())
        draft.replace(outbox / name)
    except OSError as error:
        raise MailError(f"The mail could not be written to the outbox folder: {error.strerror}") from error


def _by_smtp(settings: Settings, message: "Message", app: "Flask", timeout: float) -> None:
    try:
        with _connection(timeout)(app.extensions["mail"]) as connection:
            connection.send(message)
    except OSError as error:  # every error of smtplib is one
        raise _told_by(error, f"{settings.mail_server}:{settings.mail_port}", timeout) from error


@cache
def _connection(timeout: float) -> "type[Connection]":
    """Flask-Mail's connection, which by itself waits for ever and trusts any certificate."""
    from flask_mail import Connection

    class Bounded(Connection):
        def configure_host(self) -> smtplib.SMTP:
            place, trusted = (self.mail.server, self.mail.port), ssl.create_default_context()
            if self.mail.use_ssl:
                host: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=timeout, context=trusted)
            else:
                host = smtplib.SMTP(*place, timeout=timeout)
            try:
                if self.mail.use_tls:
                    host.starttls(context=trusted)
                if self.mail.username and self.mail.password:
                    host.login(self.mail.username, self.mail.password)
            except OSError:
                host.close()
                raise
            return host

        def __exit__(self, kind: Any, *_: object) -> None:
            """After the server's yes a failing goodbye changes nothing; after an error none is said."""
            if self.host is not None and kind is not None:
                self.host.close()
            elif self.host is not None:
                with suppress(OSError):
                    self.host.quit()

    return Bounded


def _told_by(error: OSError, server: str, timeout: float) -> MailError:
    """The error by its class and code. smtplib hides a time-out in the context of a lost connection."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return MailError(f"The mail server refused the recipient: {_said(code, text)}", permanent=code >= 500)
    if isinstance(error, smtplib.SMTPDataError):
        said = _said(error.smtp_code, error.smtp_error)
        return MailError(f"The mail server refused the message: {said}", permanent=error.smtp_code >= 500)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return MailError(f"The mail server refused the sign-in: {_said(error.smtp_code, error.smtp_error)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return MailError(f"The mail server answered: {_said(error.smtp_code, error.smtp_error)}")
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return MailError(f"The mail server {server} did not answer within {timeout:g} s")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return MailError(f"The mail server {server} closed the connection")
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return MailError(
            f"The mail server {server} offers no secure connection or sign-in that can be trusted"
        )
    return MailError(f"The mail server {server} cannot be reached")


def _said(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"[:300]
