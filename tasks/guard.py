"""A worker's threads outlive whatever one of their turns meets."""

import logging
from collections.abc import Callable
from typing import TypeVar

from models.base import may_pass, said

log = logging.getLogger(__name__)
T = TypeVar("T")


def guarded(turn: Callable[[], T], consequence: str) -> T | None:
    """One turn of a thread; what it raises is logged with what comes of it, and None is the answer.

    Nothing is lost by going on: what the turn had to do stands in the rows and is looked at again.
    """
    try:
        return turn()
    except Exception as error:
        if may_pass(error):
            log.warning("The database is away (%s). %s", said(error), consequence)
        else:
            log.exception("%s", consequence)
        return None
