"""Secrets at rest: Fernet with several keys. The first key encrypts, every key decrypts.

`cryptography` is imported with the first secret: it costs 8 MB, and many instances hold none.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from lib.codes import Code
from lib.errors import OutsideError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class SecretError(OutsideError):
    """A stored secret cannot be read with the keys at hand."""


class SecretBox:
    """Encrypts and decrypts short texts.

    `keys`: url-safe base64 Fernet keys, the encrypting one first.
    """

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self._keys])

    def seal(self, text: str) -> str:
        """The encrypted form of `text`."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again. Raises SecretError when no key fits."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretError(
                "A stored secret cannot be read: ENCRYPTION_KEYS lacks the key it was stored with. "
                "Enter the secret again.",
                permanent=True,
                code=Code.SECRET_UNREADABLE,
            ) from None
