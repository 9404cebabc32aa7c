"""What a project's page says of its token and of GitHub's limit, and what a look found."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from blueprints import view
from blueprints.view import Mark, Moment
from lib import clock
from models import Project
from sources.check import Checked

SOON = timedelta(days=14)
_SOON = Mark("warn", "Expires soon", "warn")
_OVER = Mark("bad", "Expired", "bad")
_SPENT = Mark("warn", "Used up", "warn")


@dataclass(frozen=True, slots=True)
class Tested:
    """What a look found: the notice's icon and tone, and its sentence."""

    icon: str
    tone: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What GitHub's limit left at `at`. `is_over`: its hour has ended, so that nothing is known of this
    one."""

    limit: str
    remaining: str
    reset: Moment
    at: Moment
    is_over: bool
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Connection:
    token: str
    expires: Moment | None
    mark: Mark | None
    allowance: Allowance | None


def tested(checked: Checked) -> Tested:
    return Tested("ok", "ok", checked.sentence) if checked.works else refused(checked.sentence)


def refused(sentence: str) -> Tested:
    return Tested("bad", "bad", sentence)


def connection(project: Project, *, has_common_token: bool) -> Connection:
    """`has_common_token`: the instance has a token for projects without their own."""
    end = project.token_expires_at
    left = end - clock.now() if end else None
    mark = None if left is None or left > SOON else _SOON if left > timedelta() else _OVER
    if project.github_token:
        used = "Stored, never shown"
    elif has_common_token:
        used = "None of its own: this instance's is used"
    else:
        used = "None: public repositories, at a low rate limit"
    return Connection(used, view.dated(end, "UTC") if end else None, mark, _allowance(project.github_budget))


def _allowance(found: dict[str, Any] | None) -> Allowance | None:
    if found is None:
        return None
    reset, at = clock.parse_iso(found["reset"]), clock.parse_iso(found["at"])
    is_over = reset <= clock.now()
    mark = _SPENT if found["remaining"] == 0 and not is_over else None
    return Allowance(
        f"{found['limit']:,}",
        f"{found['remaining']:,}",
        view.dated(reset, "UTC"),
        view.dated(at, "UTC"),
        is_over,
        mark,
    )
