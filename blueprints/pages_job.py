"""What the job's page, its form's preview and its confirmations show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import cast, func, null, select

from blueprints import inputs, pages_cards, view
from blueprints.extensions import db
from blueprints.forms import Form, errors_of
from blueprints.pages_cards import Card
from blueprints.pages_cost import Ahead, ahead
from blueprints.pages_history import History, history
from blueprints.view import Moment
from lib import clock
from lib.words import plural
from models import Draft, GivenBack, Job
from pipeline import givenback, schedule
from pipeline.jobs import schedule_of
from platforms import NAMES

NOTES = {
    "GAP": "Clocks go forward here: it runs right after the change.",
    "REPEATED": "Clocks go back here: it runs once, the first time.",
}
MISSED = {"RUN_ONCE": "One run makes up for all of them", "SKIP": "They are left out"}
TOLD = {
    "ALL": "Every result, by email and in the app",
    "PROBLEMS": "Problems only, by email and in the app",
    "NONE": "Nothing",
}

SIGNIFICANCE = {
    "NORMAL": "When there is news",
    "STRICT": "For great news only",
    "OFF": "After every run that finds anything",
}
NEWS = {
    "NORMAL": ": a release, a breaking change, a feature, a fix, or three smaller changes",
    "STRICT": ": a release, a breaking change, a feature, or three fixes",
    "OFF": "",
}
WRITERS = {
    "AUTO": "The model, or the template writer without a key",
    "TEMPLATE": "The template writer",
    "MODEL": "The model; without a key the run fails",
}

LABELS = {
    "frequency": "Runs",
    "dayOfWeek": "On",
    "dayOfMonth": "Day of the month",
    "expression": "Cron expression",
    "time": "Time",
    "timezone": "Time zone",
}
"""The fields of a schedule as its form calls them."""

FALLS_BACK = "; the template writer steps in where the model fails for good"


@dataclass(frozen=True, slots=True)
class Coming:
    """The sentence and the next runs of a typed schedule, or what is wrong with it."""

    words: str
    slots: tuple[tuple[Moment, str], ...] = ()
    warnings: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobPage:
    card: Card
    zone: str
    description: str
    repository: str
    truth: str
    coming: Coming
    history: History
    settings: tuple[tuple[str, str], ...]
    last_success: Moment | None
    last_failure: Moment | None
    draft_count: int
    push: Moment | None
    push_waits: bool
    given_back: tuple[str, ...]
    cost: Ahead
    left_out: Moment | None
    slot: str


def coming(form: Form) -> Coming:
    """By the function that will run them."""
    try:
        chosen = inputs.read_preview(inputs.schedule_form(form))
    except inputs.InputError as error:
        errors = errors_of(error)
        return Coming(
            "", complaints=tuple(f"{LABELS[name]}: {text}" for name, text in errors.items() if name in LABELS)
        )
    return coming_of(chosen)


def coming_of(chosen: schedule.Schedule, first: datetime | None = None) -> Coming:
    """From now on; from the slot `first` on where slots before it are left out."""
    after = clock.now()
    if first is not None:
        after = max(after, first - timedelta(microseconds=1))
    slots = tuple(
        (view.upcoming(slot.at, chosen.timezone), NOTES.get(slot.note or "", ""))
        for slot in schedule.preview(chosen, after)
    )
    return Coming(f"{view.schedule(chosen.words())}.", slots, tuple(chosen.warnings()))


def page(job: Job, asked: Mapping[str, str]) -> JobPage:
    """`asked`: the URL's arguments, which choose a part of the history."""
    card = pages_cards.card(job, is_drawn=False)
    chosen = schedule_of(job)
    drafts, given_back = counts(job)
    return JobPage(
        card=card,
        zone=job.timezone,
        description=job.description,
        repository=job.project.repository,
        truth=_truth(card),
        coming=coming_of(chosen, job.next_run_at)
        if job.next_run_at
        else Coming(f"{view.schedule(chosen.words())}."),
        history=history(job, asked),
        settings=_settings(job),
        last_success=view.past(job.last_success, job.timezone, named=True) if job.last_success else None,
        last_failure=view.past(job.last_failure, job.timezone, named=True) if job.last_failure else None,
        draft_count=drafts,
        push=view.dated(job.push_at, job.timezone) if job.push_at else None,
        given_back=given_back,
        push_waits=card.is_live and job.push_at is not None and job.push_at <= clock.now(),
        cost=ahead(job),
        left_out=_left_out(job),
        slot=clock.iso(job.next_run_at) or "",
    )


def _left_out(job: Job) -> Moment | None:
    """The slot that its owner left out, until it has passed."""
    if job.skipped_until is None or job.skipped_until <= clock.now():
        return None
    return view.dated(job.skipped_until, job.timezone)


def _truth(card: Card) -> str:
    if card.state == "RUNNING":
        return "It is running now; this page follows it."
    if card.state == "QUEUED":
        return "It waits for a free worker, then runs at once."
    if card.state == "RETRYING":
        waits = card.trouble is not None and card.trouble.until is not None
        return "Its last attempt failed; it tries again by itself." if waits else pages_cards.WORKER_FREE
    if card.next is None:
        return "It is disabled: it runs only when you trigger it."
    due = clock.parse_iso(card.next.iso) <= clock.now()
    return f"{card.words}; next {'due now' if due else card.next.relative}."


def _settings(job: Job) -> tuple[tuple[str, str], ...]:
    platforms = {platform.id: NAMES[platform.type] for platform in job.project.platforms}
    chosen = job.platform_ids
    names = ", ".join(platforms[one] for one in chosen if one in platforms) if chosen is not None else ""
    retries = plural(job.max_retries, "retry", "retries")
    waits = (
        f", the first after {view.span(job.retry_delay)}, each wait twice as long" if job.max_retries else ""
    )
    return (
        ("Schedule", f"{job.schedule} ({job.timezone})"),
        ("Platforms", "All that are connected" if chosen is None else names or "None: choose one"),
        ("After a failure", retries + waits),
        ("Pause", _pausing(job)),
        ("Time limit", view.span(job.time_limit)),
        ("Missed runs", MISSED[job.on_missed]),
        *((("On a push", _on_push(job)),) if job.run_on_push else ()),
        ("A post is written", SIGNIFICANCE[job.significance] + NEWS[job.significance]),
        ("Written by", WRITERS[job.writer] + (FALLS_BACK if job.falls_back else "")),
        ("First run", _first_run(job)),
        ("You are told", TOLD[job.notify]),
    )


def _pausing(job: Job) -> str:
    if job.pause_after == 0:
        return "Never"
    rule = "After a failed run" if job.pause_after == 1 else f"After {job.pause_after} failed runs in a row"
    return f"{rule}; {job.failures_in_row} by now" if job.failures_in_row else rule


def _on_push(job: Job) -> str:
    if job.project.source_type != "GITHUB":
        return "Nothing: a local repository sends no webhook"
    if job.project.webhook_secret is None:
        return "Nothing yet: the project's webhook is off"
    return "Runs ten minutes after the last one, an hour after the first at most"


def _first_run(job: Job) -> str:
    if job.cursor_until is not None and job.cursor_read is None and job.carried_since is not None:
        return f"Nothing told yet; everything since {view.exactly(job.cursor_until, job.timezone).words}"
    if job.cursor_until is not None:
        return f"Done; told up to {view.exactly(job.cursor_until, job.timezone).words}"
    if since := job.first_run.get("since"):
        return f"Everything since {view.exactly(clock.parse_iso(since), job.timezone).words}"
    return f"The last {plural(int(job.first_run.get('days', 7)), 'day')}"


def counts(job: Job) -> tuple[int, tuple[str, ...]]:
    """How many drafts it made, and what rejected ones gave back, by platform, as far as no post has told it
    again; in one query."""
    drafts = select(cast(null(), GivenBack.platform_id.type), func.count()).where(Draft.job_id == job.id)
    given = select(GivenBack.platform_id, func.count()).where(GivenBack.job_id == job.id)
    rows = db.session.execute(drafts.union_all(given.group_by(GivenBack.platform_id)))
    found: dict[str | None, int] = {row[0]: row[1] for row in rows}
    names = {platform.id: NAMES[platform.type] for platform in job.project.platforms}
    back = [f"{givenback.counted(found[one])} for {name}" for one, name in names.items() if one in found]
    return found.get(None, 0), tuple(back)
