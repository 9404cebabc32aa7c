"""Ids of our own: `<prefix>_<20 lower-case letters and digits>` (103 random bits)."""

import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 20
_COUNT = len(_ALPHABET) ** _LENGTH


def new(prefix: str) -> str:
    """A fresh id, for example `exec_` and twenty characters."""
    number, characters = secrets.randbelow(_COUNT), []
    for _ in range(_LENGTH):  # one draw for all: twenty were a tenth of what a run costs
        number, rest = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[rest])
    return f"{prefix}_{''.join(characters)}"
