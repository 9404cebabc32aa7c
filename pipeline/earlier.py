"""The titles of a job's latest posts, which a new one does not repeat."""

from collections.abc import Sequence

from sqlalchemy import Connection, Subquery, bindparam, case, func, select, union_all

from models import Draft
from models.base import table
from platforms import PLATFORMS

TITLES = 20
"""How many are kept in mind, for each platform."""
LINE = 300
"""Characters of a post without a title of which its first line is taken."""

_draft = table(Draft)


def _latest(number: int) -> Subquery:
    """The job's latest drafts for one platform: the end of an index."""
    title = case((_draft.c.title != "", _draft.c.title), else_=func.substr(_draft.c.content, 1, LINE))
    return (
        select(_draft.c.platform_id, title.label("title"), _draft.c.created_at, _draft.c.id)
        .where(_draft.c.job_id == bindparam("job"), _draft.c.platform_id == bindparam(f"on{number}"))
        .order_by(_draft.c.created_at.desc(), _draft.c.id.desc())
        .limit(TITLES)
        .subquery()
    )


# Built once: building a statement costs more than running it. It is one question for as many platforms as a
# project can have; an absent one is NULL and finds nothing.
_LATEST = union_all(*(select(_latest(number)) for number in range(len(PLATFORMS))))


def earlier_titles(
    connection: Connection, job_id: str, platform_ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The titles of the job's last 20 drafts for each of these platforms, rejected ones included, newest
    first. A post without a title, as LinkedIn's are, goes by its first line. One query.

    `platform_ids`: at most as many as there are types of platforms.
    """
    asked: dict[str, str | None] = {f"on{number}": None for number in range(len(PLATFORMS))}
    asked |= {f"on{number}": platform_id for number, platform_id in enumerate(platform_ids)}
    rows = connection.execute(_LATEST, asked | {"job": job_id}).all()
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True):
        found.setdefault(row.platform_id, []).append(row.title.strip().partition("\n")[0].strip())
    return {platform_id: tuple(filter(None, titles)) for platform_id, titles in found.items()}
