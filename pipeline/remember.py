"""What came of a run, and what of it no later run of the job tells again."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, update

from lib import clock
from models import Execution, Project, Told
from models.base import table, upsert
from models.values import Activity, Key, Outcome
from pipeline import givenback, heldback
from pipeline.write import Written

# Built once: building a statement costs more than running it.
_project = table(Project)
_SYNCED = (
    update(_project)
    .where(
        _project.c.id == bindparam("project"),
        _project.c.last_synced_at.is_(None) | (_project.c.last_synced_at < bindparam("until")),
    )
    .values(last_synced_at=bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a run: what it read and wrote; `given` is what had been given back to the platforms, by
    their ids, `keeps` whether the job kept something back when the run began, and `too_little` why what it
    read is carried over instead of told."""

    activity: Activity
    results: Sequence[Written]
    given: givenback.Given
    keeps: bool
    too_little: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What COMPLETED means here."""
        if not self.results:
            return Outcome.NOT_SIGNIFICANT if self.too_little else Outcome.NO_ACTIVITY
        return Outcome.PARTIAL if any(result.failure for result in self.results) else Outcome.SUCCESS

    @property
    def told(self) -> dict[str, list[Key]]:
        """What of `given` the posts tell, by platform id."""
        written = {result.platform_id for result in self.results if result.post is not None}
        return {one: activity.keys() for one, activity in self.given.items() if one in written}


def remember(connection: Connection, execution: Execution, ending: Ending) -> None:
    """Keep what this run tells, so that no later run of the job tells it again, in the caller's transaction:
    the final one.

    What is carried over is none of it: the next run reads it again, held security fixes included. Only what
    stood there before a job's first window has been passed for good.
    """
    if not execution.moves_cursor:
        return
    activity, at = ending.activity, clock.now()
    connection.execute(_SYNCED, {"project": execution.project_id, "until": activity.window.until})
    if ending.outcome == Outcome.NOT_SIGNIFICANT:
        keys = {key for key in activity.passed if key[0] == "release"}
    else:
        # What was withheld is dealt with as well: for good, or kept until its release.
        keys = {*activity.keys(), *((one.kind, one.key) for one in activity.withheld)}
    if keys:
        rows = [
            {"job_id": execution.job_id, "kind": kind, "key": key, "at": at} for kind, key in sorted(keys)
        ]
        connection.execute(upsert(connection, Told).on_conflict_do_nothing(), rows)
    if ending.outcome != Outcome.NOT_SIGNIFICANT:
        heldback.settle(connection, execution.job_id, activity, at, keeps=ending.keeps)
