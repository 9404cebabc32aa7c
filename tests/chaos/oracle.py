"""What must hold when all is quiet again, read from the rows and from what the outside saw."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models import LIVE, Attempt, Draft, EmailDelivery, Execution, Job, Notification, Step, Told
from models.values import Status
from tests.chaos.stream import MINUTELY
from tests.chaos.world import Call, newest

COUNTED = (Status.COMPLETED, Status.FAILED, Status.TIMEOUT)
LOCKED = timedelta(seconds=5)
"""How long the row of an end may wait for a lock; the end's instant is taken before."""
AWAKE = timedelta(seconds=2)
ENDED = (*COUNTED, Status.CANCELLED, Status.SKIPPED)


NEAR = timedelta(seconds=3)
"""How far ahead a slot is given at most, and a little."""


def unrest(engine: Engine) -> str:
    """What still has to be done, in words; empty when all is quiet."""
    now = datetime.now(UTC)
    with Session(engine) as session:
        session.connection(execution_options={"readonly": True})
        live = session.execute(
            select(Execution.status, func.count())
            .where(Execution.status.in_(LIVE))
            .group_by(Execution.status)
        )
        found = {str(status): count for status, count in live}
        # One that is given a moment ahead is due when the rows are judged.
        found["due"] = session.scalar(select(func.count()).where(Job.next_run_at <= now + NEAR)) or 0
        pending = select(func.count()).where(EmailDelivery.status == "PENDING")
        found["mails"] = session.scalar(pending) or 0
    return ", ".join(f"{count} {what}" for what, count in found.items() if count)


@dataclass
class Rows:
    """All rows at the end."""

    jobs: dict[str, Job]
    executions: Sequence[Execution]
    attempts: dict[str, list[Attempt]]
    steps: dict[str, list[Step]]
    drafts: dict[str, list[Draft]]
    notifications: Sequence[Notification]
    mails: Sequence[EmailDelivery]
    told: set[tuple[str, str]]

    @classmethod
    def read(cls, engine: Engine) -> "Rows":
        with Session(engine) as session:
            session.connection(execution_options={"readonly": True})
            return cls(
                {job.id: job for job in session.scalars(select(Job))},
                session.scalars(select(Execution).order_by(Execution.completed_at)).all(),
                _by_execution(session.scalars(select(Attempt).order_by(Attempt.number))),
                _by_execution(session.scalars(select(Step))),
                _by_execution(session.scalars(select(Draft))),
                session.scalars(select(Notification)).all(),
                session.scalars(select(EmailDelivery)).all(),
                {(told.job_id, told.key) for told in session.scalars(select(Told))},
            )

    def of_job(self, job_id: str) -> list[Execution]:
        return [execution for execution in self.executions if execution.job_id == job_id]


def _by_execution(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for row in rows:
        found[row.execution_id].append(row)
    return found


def ends(rows: Rows) -> Iterator[str]:
    """Every execution ended, by attempts that follow one another, one of them at most with success."""
    for one in rows.executions:
        attempts = rows.attempts.get(one.id, [])
        if one.status not in ENDED or one.completed_at is None:
            yield f"{one.id} is {one.status}"
        if [a.number for a in attempts] != list(range(1, one.attempt + 1)):
            yield f"{one.id} has attempts {[a.number for a in attempts]} and counts {one.attempt}"
        if any(a.status == Status.RUNNING or a.completed_at is None for a in attempts):
            yield f"{one.id} has an open attempt"
        won = [a.number for a in attempts if a.status == Status.COMPLETED]
        if won != ([one.attempt] if one.status == Status.COMPLETED else []):
            yield f"{one.id} is {one.status} and its attempts {won} succeeded"
        if (
            len([a for a in attempts if a.status in (Status.FAILED, Status.TIMEOUT)]) != one.failures
            or len([a for a in attempts if a.status == Status.CANCELLED]) < one.recoveries
        ):
            yield f"{one.id} counts {one.failures} failures and {one.recoveries} deaths: {_told(attempts)}"
        if attempts and abs((one.duration or 0) - sum(a.duration or 0 for a in attempts)) > len(attempts):
            yield f"{one.id} took {one.duration} ms, its attempts {_told(attempts)}"
        if any(step.status == Status.RUNNING for step in rows.steps.get(one.id, [])):
            yield f"{one.id} has an open step"


def _told(attempts: list[Attempt]) -> list[tuple[str, int | None]]:
    return [(attempt.status, attempt.duration) for attempt in attempts]


def slots(rows: Rows, given: dict[str, list[datetime]], first: dict[str, datetime]) -> Iterator[str]:
    """Each slot that came due has its one execution, or stands in the missed ones of a SKIPPED row."""
    for job_id, job in rows.jobs.items():
        expected = given.get(job_id) or list(_minutes(first.get(job_id), job.next_run_at))
        found = {one.scheduled_for: one for one in rows.of_job(job_id) if one.scheduled_for}
        if len(found) != sum(1 for one in rows.of_job(job_id) if one.scheduled_for):
            yield f"{job_id} has two executions for a slot"
        covered = set()
        for one in found.values():
            if one.missed:
                since, until = (datetime.fromisoformat(one.missed[key]) for key in ("from", "to"))
                gap = [slot for slot in expected if since <= slot <= until]
                covered |= set(gap)
                if len(gap) != one.missed["count"] or any(s in found and found[s] is not one for s in gap):
                    yield f"{one.id} says {one.missed}, and these were missed: {gap}"
            elif one.status == Status.SKIPPED and not _overlapped(one, rows.of_job(job_id)):
                yield f"{one.id} was skipped, and nothing was in its way"
        for slot in expected:
            if slot not in found and slot not in covered:
                yield f"{job_id} lost its slot {slot}"
        if strange := set(found) - set(expected):
            yield f"{job_id} ran slots that it never had: {strange}"


def _minutes(slot: datetime | None, end: datetime | None) -> Iterator[datetime]:
    while slot and end and slot < end:
        yield slot
        slot = MINUTELY.next_after(slot)


def _overlapped(skipped: Execution, others: list[Execution]) -> bool:
    at = skipped.completed_at or datetime.min.replace(tzinfo=UTC)
    return any(
        other.created_at <= at <= (other.completed_at or at) + LOCKED
        for other in others
        if other.id != skipped.id and other.status != Status.SKIPPED
    )


def statistics(rows: Rows) -> Iterator[str]:
    """A job's counters and times are those of its executions."""
    for job in rows.jobs.values():
        counted = [one for one in rows.of_job(job.id) if one.status in COUNTED]
        good = [one for one in counted if one.status == Status.COMPLETED]
        bad = [one for one in counted if one.status != Status.COMPLETED]
        moving = [one for one in good if one.moves_cursor]
        expected = {
            "run_count": len(counted),
            "success_count": len(good),
            "failure_count": len(bad),
            "total_duration": sum(one.duration or 0 for one in good),
            "last_run_at": counted[-1].started_at if counted else None,
            "last_success": good[-1].started_at if good else None,
            "last_failure": bad[-1].completed_at if bad else None,
            "failures_in_row": len(list(takewhile(bad.__contains__, reversed(counted)))),
            "cursor_until": moving[-1].window_until if moving else None,
        }
        for name, value in expected.items():
            if getattr(job, name) != value:
                yield f"{job.id}.{name} is {getattr(job, name)}, its executions say {value}"


def results(rows: Rows) -> Iterator[str]:
    """One scan and one post per platform; one draft per post of a run that succeeded, none of another."""
    tellers: dict[tuple[str, str], str] = {}
    for one in rows.executions:
        done = [step for step in rows.steps.get(one.id, []) if step.status == Status.COMPLETED]
        kinds = Counter((s.name, s.platform_id) for s in done)
        if any(count > 1 for count in kinds.values()):
            yield f"{one.id} did steps twice: {kinds}"
        posts = sorted(s.platform_id for s in done if s.name == "write")
        drafts = sorted(draft.platform_id for draft in rows.drafts.get(one.id, []))
        if drafts != (posts if one.status == Status.COMPLETED else []):
            yield f"{one.id} is {one.status}, wrote {posts} and has drafts {drafts}"
        if one.status != Status.COMPLETED:
            continue
        if (one.items_success, one.items_processed) != (len(posts), len(posts) + one.items_failed):
            yield f"{one.id} counts {one.items_success} of {one.items_processed} and wrote {len(posts)}"
        for key in _keys(done):
            if (one.job_id, key) not in rows.told:
                yield f"{one.id} told {key} and did not remember it"
            if teller := tellers.get((one.job_id, key)):
                yield f"{one.id} told {key} again after {teller}"
            tellers[one.job_id, key] = one.id


def _keys(steps: list[Step]) -> list[str]:
    return [commit["sha"] for step in steps if step.name == "scan" for commit in step.result["commits"]]


def calls(rows: Rows, log: Sequence[Call], went_on: Sequence[datetime], late: list[Call]) -> Iterator[str]:
    """No model was asked for a post that was stored, nor for a scan that was not.

    Apart, in `late`, stand the calls that a worker was about to make when it was stopped: it makes them when
    it goes on, before it can see that its run was taken.
    """
    scanned, stored = {}, {}
    for one in rows.executions:
        for step in rows.steps.get(one.id, []):
            if step.status == Status.COMPLETED and step.name == "scan":
                scanned[newest(str(step.result["commits"]))] = one.id
            elif step.status == Status.COMPLETED and step.name == "write":
                stored[one.id, step.platform_type] = step.completed_at
    answered = Counter()
    for call in log:
        key = scanned.get(call.number), call.platform
        if key[0] is None:
            yield f"a call about a scan that was not stored: {call}"
        elif key in stored and call.at > stored[key] and any(t <= call.at <= t + AWAKE for t in went_on):
            late.append(call)
            continue
        elif key in stored and call.at > stored[key]:
            yield f"a call for a post of {key[0]} that was stored at {stored[key]}: {call}"
        answered[key] += call.answered
    for (execution_id, platform), times in answered.items():
        if times > len(rows.attempts.get(execution_id or "", [])):
            yield f"{execution_id} asked the model {times} times for {platform}"


def mails(rows: Rows, arrived: Counter[str], in_doubt: Counter[str]) -> Iterator[str]:
    """One notification and one mail per told execution; each mail arrived once, or once more where a worker
    was killed between the server's answer and the row."""
    told = sorted(one.id for one in rows.executions if one.status in COUNTED and one.outcome != "NO_ACTIVITY")
    for what, found in (("notifications", rows.notifications), ("mails", rows.mails)):
        if sorted(row.execution_id or "" for row in found) != told:
            difference = Counter(row.execution_id for row in found)
            difference.subtract(told)
            yield f"{what} are not those of the executions: { {k: n for k, n in difference.items() if n} }"
    for mail in rows.mails:
        times = arrived.pop(mail.id, 0)
        if mail.status != "SENT" or not 1 <= times <= 1 + in_doubt[mail.id]:
            doubts = in_doubt[mail.id]
            yield f"{mail.id} is {mail.status}, arrived {times} times and was in doubt {doubts} times"
    if arrived:
        yield f"mails without a row arrived: {dict(arrived)}"


def running(engine: Engine) -> dict[str, int]:
    """The attempts under way, by their executions."""
    with Session(engine) as session:
        session.connection(execution_options={"readonly": True})
        rows = session.execute(
            select(Execution.id, Execution.attempt).where(Execution.status == Status.RUNNING)
        )
        return {row.id: row.attempt for row in rows}


def live(engine: Engine) -> Sequence[Any]:
    """For the message when it never gets quiet."""
    columns = (
        Execution.id,
        Execution.status,
        Execution.attempt,
        Execution.heartbeat_at,
        Execution.next_retry_at,
    )
    with Session(engine) as session:
        session.connection(execution_options={"readonly": True})
        return session.execute(select(*columns).where(Execution.status.in_(LIVE)).limit(10)).all()
