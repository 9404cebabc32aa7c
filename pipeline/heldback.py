"""Security fixes that a job keeps from one run to another until a release carries them: nothing that could be
told is lost, and nothing is told before its time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, select, tuple_
from sqlalchemy.orm import Session

from lib.words import plural
from models import HeldBack
from models.base import reading, table, upsert
from models.values import Activity, Held, Key, Release
from pipeline.belonging import Belonging, items
from pipeline.keeping import as_rows, from_rows
from pipeline.privacy import Wishes, only, sift, with_items
from sources.base import SourceError

Contains = Callable[[str, str], bool]
"""`sources.base.Source.contains`."""
Aside = Callable[[], Held]

_held = table(HeldBack)
AT_ONCE = 400
"""Keys in one statement: SQLite once took 999 values at most."""
ASK_MAX = 30
"""Questions of one scan whether a release carries a commit: half of what GitHub answers in an hour to those
without a token (docs.github.com, Rate limits for the REST API, seen 2026-11-23)."""
EARLIER = timedelta(days=1)
"""How much older than a fix a release may seem that carries it, because clocks differ."""
LEFT_MAX = 10
"""Releases that are kept for another try."""


def sifted(activity: Activity, wishes: Wishes, aside: Aside, contains: Contains) -> Activity:
    """`activity` as it may be told: without what must not be (`privacy.sift`), and with what the job kept
    until a release carried it: one of the activity's, or one that an earlier run could not ask of.

    `aside`: what the job keeps; `contains`: whether a release has a commit. `held` is then what is to be kept
    from now on in addition, with all releases still to be asked of. A source that does not answer fails
    nothing: `cuts` says so, the fixes stay held, and the same releases are asked of at the next scan that
    reads anything. Raises what `aside` raises.
    """
    if activity.unchanged:
        return activity
    kept = aside()
    if not activity.has_activity and not kept.releases:
        return activity
    found = sift(activity, wishes.words, wishes.paths, kept)
    asking = _Asking([*found.releases, *kept.releases], contains)
    released = asking.carried(found)
    before = {item.key for item in items(kept)}
    told = with_items(found, only(found.held, released))
    new = {item.key for item in items(found.held)} - released - before
    withheld = (one for one in told.withheld if one.reason != "security" or (one.kind, one.key) in new)
    held = replace(only(found.held, new), releases=asking.left)
    return replace(told, held=held, withheld=tuple(withheld), cuts=(*told.cuts, *asking.cuts()))


class _Asking:
    """Asks which of the held items these releases carry, newest release first, and no more than `ASK_MAX`
    questions: a scan is not to spend an hour's budget on them."""

    def __init__(self, releases: Iterable[Release], contains: Contains) -> None:
        once = {release.key: release for release in releases}
        self._releases = sorted(once.values(), key=lambda release: release.published_at, reverse=True)
        self._contains = contains
        self._asked = 0
        self._failure: SourceError | None = None
        self._unasked: set[Key] = set()

    def carried(self, found: Activity) -> set[Key]:
        """Of what `found` holds: commits by descent, pull requests by their merge or squash commit, with all
        that it brought; issues with what closed them. What has no commit here is taken by date."""
        held = found.held
        if not self._releases:
            return set()
        belonging = Belonging(replace(found, commits=held.commits, pulls=held.pulls, issues=held.issues))
        latest = found.window.until
        carried: set[Key] = set()
        in_pulls: set[Key] = set()
        for pull in held.pulls:
            commits = belonging.commits_of(pull)
            merge = pull.merge_sha or next((commit.sha for commit in commits), None)
            in_pulls |= {one.key for one in commits}
            at = min(pull.merged_at, latest)
            if self._has(pull.key, merge, at) if merge else self._is_later(pull.merged_at):
                carried |= {pull.key, *(one.key for one in commits)}
        for commit in held.commits:
            # A clock that went wrong may have dated it in the future.
            if commit.key not in in_pulls and self._has(commit.key, commit.sha, min(commit.date, latest)):
                carried.add(commit.key)
        for issue in held.issues:
            closers = belonging.closers_of(issue)
            if any(one.key in carried for one in closers) if closers else self._is_later(issue.closed_at):
                carried.add(issue.key)
        return carried

    @property
    def left(self) -> tuple[Release, ...]:
        """The newest releases of which to ask again, bare, because a question failed that may be answered
        later. Where it never will be, and beyond `ASK_MAX`, the fixes wait for another release, which as a
        rule carries them as well."""
        if self._failure is None or self._failure.permanent:
            return ()
        return tuple(Release(one.tag, "", one.published_at) for one in self._releases[:LEFT_MAX])

    def cuts(self) -> Iterator[str]:
        """Why some of the held items were not asked of."""
        if not self._unasked:
            return
        whole = plural(len(self._unasked), "held security fix", "items of held security fixes")
        if self._failure is None:
            yield (
                f"No more than {ASK_MAX} questions are asked at once whether a release carries a fix: "
                f"{whole} had to wait for the next release."
            )
        else:
            when = (
                "with the next release" if self._failure.permanent else "at the next run that reads anything"
            )
            yield (
                f"Whether a release carries {whole} could not be asked, so they stay held and are asked of "
                f"again {when}: {self._failure.message}"
            )

    def _has(self, key: Key, sha: str, at: datetime) -> bool:
        """Whether one of them has the commit, as far as may be asked; none that is older than `at`."""
        for release in self._releases:
            if release.published_at < at - EARLIER:
                return False
            if self._failure is not None or self._asked == ASK_MAX:
                self._unasked.add(key)
                return False
            self._asked += 1
            try:
                if self._contains(release.tag, sha):
                    return True
            except SourceError as failure:
                self._failure = failure
                self._unasked.add(key)
                return False
        return False

    def _is_later(self, at: datetime) -> bool:
        return self._releases[0].published_at >= at


def kept(session: Session, job_id: str) -> Held:
    """What the job keeps."""
    return from_rows(session.execute(select(_held.c.kind, _held.c.item).where(_held.c.job_id == job_id)))


def kept_elsewhere(engine: Engine, job_id: str, patiently: Callable[[Callable[[], Held]], Held]) -> Held:
    """As `kept`, in a session of its own, because a scan runs in a thread of its own; `patiently` asks again
    while the database is away."""

    def once() -> Held:
        with Session(engine) as session, reading(session):
            return kept(session, job_id)

    return patiently(once)


def settle(connection: Connection, job_id: str, activity: Activity, at: datetime, *, keeps: bool) -> None:
    """Keep what the activity holds, and let go of what it tells or leaves out for good, in the caller's
    transaction: the final one of a run that moves the cursor. `keeps`: the job kept something when the run
    began; nobody else adds to that, as a job has one live run."""
    if rows := as_rows((*items(activity.held), *activity.held.releases), job_id=job_id, at=at):
        connection.execute(upsert(connection, HeldBack).on_conflict_do_nothing(), rows)
    if activity.unchanged or not keeps:
        return
    kept_keys = connection.execute(select(_held.c.kind, _held.c.key).where(_held.c.job_id == job_id)).all()
    dealt_with = {*activity.keys(), *((one.kind, one.key) for one in activity.withheld)}
    stays = {item.key for item in (*items(activity.held), *activity.held.releases)}
    # A release was asked of by now, unless `held` names it again.
    done = {(kind, key) for kind, key in kept_keys if kind == "release" or (kind, key) in dealt_with} - stays
    _let_go(connection, job_id, sorted(done))


def _let_go(connection: Connection, job_id: str, keys: list[Key]) -> None:
    for start in range(0, len(keys), AT_ONCE):
        which = tuple_(_held.c.kind, _held.c.key).in_(keys[start : start + AT_ONCE])
        connection.execute(delete(_held).where(_held.c.job_id == job_id, which))
