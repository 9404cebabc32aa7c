"""Secrets at rest: Fernet with several keys. The first key encrypts, every key decrypts."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from lib.errors import OutsideError


class SecretError(OutsideError):
    """A stored secret cannot be read with the keys at hand."""


class SecretBox:
    """Encrypts and decrypts short texts.

    `keys`: url-safe base64 Fernet keys, the encrypting one first.
    """

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        """The encrypted form of `text`."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again. Raises SecretError when no key fits."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretError(
                "A stored secret cannot be read: ENCRYPTION_KEYS lacks the key it was stored with. "
                "Enter the secret again.",
                permanent=True,
            ) from None
