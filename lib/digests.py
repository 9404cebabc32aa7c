"""What is stored of a secret that is handed out once."""

import hashlib


def digest(token: str) -> str:
    """It is random and long, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()
