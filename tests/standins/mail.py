"""A real SMTP server on 127.0.0.1 with a switch for each way a mail server fails."""

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Patient(SMTP):
    """Says nothing at all while its mailbox is silent."""

    def __init__(self, mailbox: "Mailbox", *args: Any, **options: Any) -> None:
        super().__init__(mailbox, *args, **options)
        self._mailbox = mailbox

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._mailbox.transports.append(transport)
        super().connection_made(transport)

    async def push(self, status: Any) -> None:
        if self._mailbox.silent:
            await asyncio.sleep(3600)
        await super().push(status)


class _Door(Controller):
    def factory(self) -> SMTP:
        return _Patient(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        """The base class waits for a greeting here, which a silent mailbox never gives."""
        with socket.create_connection((self.hostname, self.port), timeout=5):
            pass


class Mailbox:
    """Use as a context manager. `messages` are the mails taken, parsed; `envelopes` (sender, recipients).

    Switches, each in force until `heal()`: `refuse(address)` answers 550 to it, `delay()` 451 to everyone,
    `reject()` 554 to every message, `hang_up()` closes the connection when a mail begins, `fall_silent()`
    never answers again.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.conversations = 0
        self.transports: list[Any] = []
        self.heal()

    def heal(self) -> None:
        self.refused: set[str] = set()
        self.delaying = self.rejecting = self.hanging_up = self.silent = False

    def refuse(self, address: str) -> None:
        self.refused.add(address)

    def delay(self) -> None:
        self.delaying = True

    def reject(self) -> None:
        self.rejecting = True

    def hang_up(self) -> None:
        self.hanging_up = True

    def fall_silent(self) -> None:
        self.silent = True

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.conversations += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hanging_up:
            server.transport.abort()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 No such person here"
        if self.delaying:
            return "451 4.7.1 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.rejecting:
            return "554 5.6.0 Not this message"
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos)))
        return "250 Taken"

    def start(self) -> "Mailbox":
        with socket.socket() as probe:  # the controller cannot be asked for any free port
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._door = _Door(self, hostname="127.0.0.1", port=self.port)
        self._door.start()
        return self

    def stop(self) -> None:
        for transport in self.transports:
            self._door.loop.call_soon_threadsafe(transport.abort)
        self._door.stop()

    def __enter__(self) -> "Mailbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def text_of(message: EmailMessage) -> str:
    """The plain text part."""
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    """The HTML part."""
    return _part(message, "html")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, f"the mail has no {kind} part"
    return str(part.get_content()).replace("\r\n", "\n")
