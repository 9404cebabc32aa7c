"""How a mail leaves the house: by SMTP, or as a file in the outbox folder where no server is set."""

import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import contextmanager, suppress
from email.charset import QP, Charset
from email.mime.text import MIMEText
from email.utils import parseaddr
from functools import cache
from typing import TYPE_CHECKING, Any

from lib.settings import Settings
from models.notification import EmailDelivery
from pipeline.notify import MailError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from flask_mail import Message

TIMEOUT = 20.0
"""Seconds for each step of the conversation. The dozen steps of one mail stay inside the delivery's lease."""
LONGEST_LINE = 900
"""Octets of a line above which a part is folded by its encoding; SMTP allows 998 (RFC 5321, 4.5.3.1.6)."""

Sender = Callable[[EmailDelivery], None]


def make_sender(settings: Settings, timeout: float = TIMEOUT) -> Sender:
    """What `pipeline.notify.deliver` is handed: a function that sends one mail or raises MailError.

    Permanent is only what the server says for good (5xx) about this recipient or this message. A refused sign-in or
    sender is the installation's fault and can be mended while the mail waits. `timeout`: seconds.
    """
    if settings.mail_server is None:
        return lambda mail: _to_file(settings, mail)
    return lambda mail: _by_smtp(settings, mail, timeout)


def _to_file(settings: Settings, mail: EmailDelivery) -> None:
    """Whole or not at all: it is written beside the outbox's files and then takes its name."""
    name = f"{mail.created_at:%Y%m%dT%H%M%SZ}-{mail.id}.eml"
    outbox = settings.instance_path / "outbox"
    draft = outbox / f".{name}.part"
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        with _flask_mail(settings, None):
            draft.write_bytes(_message(settings, mail).as_bytes())
        os.replace(draft, outbox / name)  # noqa: PTH105 - the call whose promise is atomicity
    except OSError as error:
        raise MailError(f"The mail could not be written to the outbox folder: {error.strerror}") from error
