"""What rejected posts gave back, on its way into the posts that tell it again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, delete, select, tuple_
from sqlalchemy.orm import Session

from lib.words import plural
from models import Draft, GivenBack, Step
from models.base import table
from models.values import ACTIVITY, Activity, Held, Key, Status, Window
from pipeline.keeping import from_rows
from pipeline.privacy import with_items

_given = table(GivenBack)
AT_ONCE = 400
"""Keys in one statement: SQLite once took 999 values at most."""
Given = Mapping[str, Activity]
"""By platform id, in the lists of an activity whose window begins where theirs did."""


def written_from(session: Session, draft: Draft) -> Activity | None:
    """All that a draft's digest was made of, as it was stored: what its execution read, and what was given
    back to its platform then. None where that is not kept any more."""
    done = select(Step).where(Step.execution_id == draft.execution_id, Step.status == Status.COMPLETED)
    steps = [step for step in session.scalars(done.order_by(Step.id)) if step.result is not None]
    scans = [step.result for step in steps if step.name == "scan"]
    if not scans:
        return None
    activity: Activity = ACTIVITY.validate_python(scans[-1])
    for step in steps:
        if step.name == "write" and step.platform_id == draft.platform_id and step.result:
            return merged(activity, read(step.result))
    return activity


def merged(activity: Activity, given: Activity | None) -> Activity:
    """With what was given back in its lists, newest first, and a window that begins where theirs began."""
    if given is None:
        return activity
    whole = with_items(activity, Held(given.commits, given.pulls, given.issues))
    there = {release.key for release in activity.releases}
    releases = [*activity.releases, *(one for one in given.releases if one.key not in there)]
    return replace(
        whole,
        releases=tuple(sorted(releases, key=lambda release: release.published_at, reverse=True)),
        window=replace(activity.window, since=min(activity.window.since, given.window.since)),
    )


def waiting(session: Session, job_id: str) -> dict[str, Activity]:
    """What is given back to the job and not told yet."""
    columns = (_given.c.platform_id, _given.c.kind, _given.c.item, _given.c.since)
    rows = session.execute(select(*columns).where(_given.c.job_id == job_id)).all()
    found = {}
    for platform_id in {row.platform_id for row in rows}:
        own = [row for row in rows if row.platform_id == platform_id]
        since = min(row.since for row in own)
        held = from_rows(own)
        found[platform_id] = Activity(
            "", Window(since, since), None, held.commits, held.pulls, held.issues, held.releases
        )
    return found


def stored(given: Activity | None) -> dict[str, object]:
    """What the step of a post keeps of what was given back to it, for `read`."""
    return {} if given is None else {"given": ACTIVITY.dump_python(given, mode="json")}


def read(result: Mapping[str, object]) -> Activity | None:
    """What was given back to the post of a step with this result."""
    found: Activity | None = ACTIVITY.validate_python(result["given"]) if "given" in result else None
    return found


def settle(connection: Connection, job_id: str, told: Mapping[str, Iterable[Key]]) -> None:
    """Forget what posts have told by now, by platform id: exactly that, for more may have been given back
    meanwhile. In the caller's transaction, which has the job locked."""
    for platform_id, keys in told.items():
        names = sorted(keys)
        this = (_given.c.job_id == job_id) & (_given.c.platform_id == platform_id)
        for start in range(0, len(names), AT_ONCE):
            which = tuple_(_given.c.kind, _given.c.key).in_(names[start : start + AT_ONCE])
            connection.execute(delete(_given).where(this, which))


def counted(count: int) -> str:
    """`2 items given back`."""
    return f"{plural(count, 'item')} given back"
