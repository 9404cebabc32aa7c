"""The named places at which a worker can be made to die: the one table of the chaos test.

A stage is a kind of transaction, known by the statements that it ran, whichever function ran them: before its
COMMIT and after it are two boundaries. The others lie around what a worker says to the outside and to the
queue.
"""

import re
from collections.abc import Iterable

STAGES = {
    "tick": ("INSERT INTO pulse ",),
    "claim": ("UPDATE job SET next_run_at=|INSERT INTO execution ",),
    "begin": ("INSERT INTO attempt ",),
    "recovery": (r"UPDATE execution SET .*\brecoveries=", "UPDATE attempt SET "),
    "record": (r"UPDATE job SET .*\brun_count=",),
    "failure": (r"UPDATE execution SET .*\bnext_retry_at=", "UPDATE attempt SET "),
    "scan": (r"UPDATE execution SET .*\bwindow_since=",),
    "post": ("UPDATE step SET ",),
    "lease": (r"UPDATE email_delivery SET .*\battempts=.* WHERE ",),
    "mail": ("UPDATE email_delivery SET ",),
}
"""A transaction is of the first stage all of whose patterns begin statements that it ran."""

COMMITS = tuple(f"{when} the commit of {stage}" for stage in STAGES for when in ("before", "after"))
OUTSIDE = (
    "a bell was taken",
    "the scan answered",
    "the model answered",
    "before a mail is rung",
    "before a mail is sent",
    "the mail server said yes",
)
ALL = (*COMMITS, *OUTSIDE)

_PATTERNS = {stage: [re.compile(p, re.DOTALL) for p in patterns] for stage, patterns in STAGES.items()}


def stage_of(statements: Iterable[str]) -> str | None:
    """The stage of a transaction that ran these."""
    ran = list(statements)
    for stage, patterns in _PATTERNS.items():
        if all(any(pattern.match(statement) for statement in ran) for pattern in patterns):
            return stage
    return None
