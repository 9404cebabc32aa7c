"""Tells an outside monitor that the scheduler ticks: when the pings stop, the monitor speaks up."""

import logging

from lib.errors import OutsideError

log = logging.getLogger(__name__)
SECONDS = 5.0
"""How long the monitor may take, to be reached and to answer."""


def ping(url: str) -> None:
    """GET the operator's HEALTHCHECK_URL. A monitor that cannot be reached is logged and changes nothing."""
    from lib.http import Client, Limits  # with requests it weighs 5 MB, which most workers do without

    limits = Limits(connect=SECONDS, read=SECONDS, total=2 * SECONDS, size=64 * 1024, pool=1)
    try:
        with Client("HEALTHCHECK_URL", OutsideError, limits=limits) as client:
            status = client.get(url).status
    except OutsideError as error:
        log.warning("The outside monitor was not told of this tick: %s", error.message)
        return
    if status >= 400:
        log.warning("The outside monitor was not told of this tick: it answered %d", status)
