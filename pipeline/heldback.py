"""Security fixes that a job keeps from one run to another until a release carries them: nothing that could be
told is lost, and nothing is told before its time."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, delete, select, tuple_
from sqlalchemy.orm import Session

from models import HeldBack
from models.base import reading, table, upsert
from models.values import Activity, Commit, Held, Issue, Key, PullRequest, Release
from pipeline.belonging import Belonging, items
from pipeline.privacy import Wishes, only, sift, with_items

Contains = Callable[[str, str], bool]
"""`sources.base.Source.contains`."""
Aside = Callable[[], Held]

_COMMIT, _PULL, _ISSUE = TypeAdapter(Commit), TypeAdapter(PullRequest), TypeAdapter(Issue)
_ITEMS: dict[str, TypeAdapter[Any]] = {"commit": _COMMIT, "pull": _PULL, "issue": _ISSUE}
_held = table(HeldBack)
AT_ONCE = 400
"""Keys in one statement: SQLite once took 999 values at most."""


def sifted(activity: Activity, wishes: Wishes, aside: Aside, contains: Contains) -> Activity:
    """`activity` as it may be told: without what must not be (`privacy.sift`), and with what the job kept
    until one of the activity's releases carried it.

    `aside`: what the job keeps; `contains`: whether a release has a commit. `held` is then what is to be kept
    from now on in addition. Raises what these two raise.
    """
    if not activity.has_activity:
        return activity
    kept = aside()
    found = sift(activity, wishes.words, wishes.paths, kept)
    released = carried(found.held, activity.releases, contains)
    before = {item.key for item in items(kept)}
    told = with_items(found, only(found.held, released))
    new = {item.key for item in items(found.held)} - released - before
    withheld = (one for one in told.withheld if one.reason != "security" or (one.kind, one.key) in new)
    return replace(told, held=only(found.held, new), withheld=tuple(withheld))


def carried(held: Held, releases: Collection[Release], contains: Contains) -> set[Key]:
    """Which of the held items one of these releases carries.

    Commits by descent, pull requests by their merge or squash commit, with all that it brought; issues with
    what closed them. What has no commit here is taken by date. Raises what `contains` raises.
    """
    if not releases:
        return set()
    belonging = Belonging(held)
    found: set[Key] = set()

    def has(sha: str) -> bool:
        return any(contains(release.tag, sha) for release in releases)

    def is_later(at: datetime) -> bool:
        return any(release.published_at >= at for release in releases)

    in_pulls: set[Key] = set()
    for pull in held.pulls:
        commits = belonging.commits_of(pull)
        merge = pull.merge_sha or next((commit.sha for commit in commits), None)
        in_pulls |= {one.key for one in commits}
        if has(merge) if merge else is_later(pull.merged_at):
            found |= {pull.key, *(one.key for one in commits)}
    found |= {one.key for one in held.commits if one.key not in in_pulls and has(one.sha)}
    for issue in held.issues:
        closers = belonging.closers_of(issue)
        if any(one.key in found for one in closers) if closers else is_later(issue.closed_at):
            found.add(issue.key)
    return found


def kept(session: Session, job_id: str) -> Held:
    """What the job keeps."""
    rows = session.execute(select(_held.c.kind, _held.c.item).where(_held.c.job_id == job_id)).all()

    def of(kind: str, adapter: TypeAdapter[Any]) -> tuple[Any, ...]:
        return tuple(adapter.validate_python(row.item) for row in rows if row.kind == kind)

    return Held(of("commit", _COMMIT), of("pull", _PULL), of("issue", _ISSUE))


def kept_elsewhere(engine: Engine, job_id: str, patiently: Callable[[Callable[[], Held]], Held]) -> Held:
    """As `kept`, in a session of its own, because a scan runs in a thread of its own; `patiently` asks again
    while the database is away."""

    def once() -> Held:
        with Session(engine) as session, reading(session):
            return kept(session, job_id)

    return patiently(once)


def settle(connection: Connection, job_id: str, activity: Activity, at: datetime) -> None:
    """Keep what the activity holds, and let go of what it tells or leaves out for good, in the caller's
    transaction: the final one of a run that moves the cursor."""
    rows = [
        {"job_id": job_id, "kind": kind, "key": name, "item": _ITEMS[kind].dump_python(item, mode="json")}
        for item in items(activity.held)
        for kind, name in (item.key,)
    ]
    if rows:
        connection.execute(
            upsert(connection, HeldBack).on_conflict_do_nothing(), [row | {"at": at} for row in rows]
        )
    # Only a release brings kept items back, and only a word or a path ends their stay otherwise.
    if activity.releases or activity.withheld:
        stays = {item.key for item in items(activity.held)}
        done = {*activity.keys(), *((one.kind, one.key) for one in activity.withheld)} - stays
        _let_go(connection, job_id, sorted(done))


def _let_go(connection: Connection, job_id: str, keys: list[Key]) -> None:
    for start in range(0, len(keys), AT_ONCE):
        which = tuple_(_held.c.kind, _held.c.key).in_(keys[start : start + AT_ONCE])
        connection.execute(delete(_held).where(_held.c.job_id == job_id, which))
