"""Ids of our own: `<prefix>_<20 lower-case letters and digits>` (103 random bits)."""

import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits


def new(prefix: str) -> str:
    """A fresh id, for example `exec_` and twenty characters."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(20))
