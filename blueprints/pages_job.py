"""What the job's page, its form's preview and its confirmations show."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import cast, func, null, select

from blueprints import inputs, pages_cards, view
from blueprints.extensions import db
from blueprints.forms import Form, errors_of
from blueprints.pages_cards import Card, Run
from blueprints.pages_cost import Ahead, ahead
from blueprints.pages_paging import older_than, older_url, split
from blueprints.view import Moment
from lib import clock
from lib.words import plural
from models import Draft, Execution, GivenBack, Job
from pipeline import givenback, schedule
from pipeline.jobs import live_execution, schedule_of
from platforms import NAMES

PAGE_SIZE = 20
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
    history: tuple[Run, ...]
    older: str | None
    settings: tuple[tuple[str, str], ...]
    last_success: Moment | None
    last_failure: Moment | None
    draft_count: int
    push: Moment | None
    push_waits: bool
    given_back: tuple[str, ...]
    cursor: str | None
    cost: Ahead


def coming(form: Form) -> Coming:
    """By the function that will run them."""
    try:
        chosen = inputs.read_preview(inputs.schedule_form(form))
    except inputs.InputError as error:
        errors = errors_of(error)
        return Coming("", complaints=tuple(text for name, text in errors.items() if name != "said" and text))
    return coming_of(chosen)


def coming_of(chosen: schedule.Schedule) -> Coming:
    slots = tuple(
        (view.upcoming(slot.at, chosen.timezone), NOTES.get(slot.note or "", ""))
        for slot in schedule.preview(chosen, clock.now())
    )
    return Coming(f"{view.schedule(chosen.words())}.", slots, tuple(chosen.warnings()))


def page(job: Job, cursor: str | None) -> JobPage:
    card = pages_cards.card(job)
    query = select(Execution).options(pages_cards.LIST_COLUMNS).where(Execution.job_id == job.id)
    query = query.where(older_than(Execution, cursor))
    newest_first = query.order_by(Execution.created_at.desc(), Execution.id.desc()).limit(PAGE_SIZE + 1)
    rows, further = split(list(db.session.scalars(newest_first)), PAGE_SIZE)
    chosen = schedule_of(job)
    drafts, given_back = _counts(job)
    return JobPage(
        card=card,
        zone=job.timezone,
        description=job.description,
        repository=job.project.repository,
        truth=_truth(card),
        coming=coming_of(chosen) if job.next_run_at else Coming(f"{view.schedule(chosen.words())}."),
        history=tuple(pages_cards.run(execution, job.timezone) for execution in rows),
        older=older_url(further),
        settings=_settings(job),
        last_success=view.past(job.last_success, job.timezone, named=True) if job.last_success else None,
        last_failure=view.past(job.last_failure, job.timezone, named=True) if job.last_failure else None,
        draft_count=drafts,
        push=view.dated(job.push_at, job.timezone) if job.push_at else None,
        given_back=given_back,
        push_waits=card.is_live and job.push_at is not None and job.push_at <= clock.now(),
        cursor=cursor,
        cost=ahead(job),
    )


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


def _counts(job: Job) -> tuple[int, tuple[str, ...]]:
    """How many drafts it made, and what rejected ones gave back, by platform, as far as no post has told it
    again; in one query."""
    drafts = select(cast(null(), GivenBack.platform_id.type), func.count()).where(Draft.job_id == job.id)
    given = select(GivenBack.platform_id, func.count()).where(GivenBack.job_id == job.id)
    rows = db.session.execute(drafts.union_all(given.group_by(GivenBack.platform_id)))
    found: dict[str | None, int] = {row[0]: row[1] for row in rows}
    names = {platform.id: NAMES[platform.type] for platform in job.project.platforms}
    back = [f"{givenback.counted(found[one])} for {name}" for one, name in names.items() if one in found]
    return found.get(None, 0), tuple(back)


def disabling(job: Job) -> dict[str, Any]:
    live = live_execution(db.session(), job.id)
    consequences = [
        "It does not run until you enable it again; slots that pass meanwhile are not made up for."
    ]
    if live is not None and live.status == "RETRYING":
        consequences.append("The execution that waits for its retry ends as cancelled.")
    consequences.append("What happens meanwhile in the repository is not lost: the next run covers it.")
    return {
        "question": f"Disable “{job.name}”?",
        "truth": "Nothing is deleted, and “Trigger Now” still works.",
        "consequences": consequences,
        "button": "Disable",
        "keep": "Keep it running",
        "danger": False,
    }


def deleting(job: Job) -> dict[str, Any]:
    executions = db.session.scalar(
        select(func.count()).select_from(Execution).where(Execution.job_id == job.id)
    )
    return {
        "question": f"Delete “{job.name}”?",
        "truth": "This cannot be undone.",
        "consequences": [
            f"Its history goes with it: {plural(executions or 0, 'execution')} and "
            f"{plural(_counts(job)[0], 'draft')}.",
            "A run that is under way ends and stores nothing.",
            "A new job for this repository starts with a first run and may tell the same things again.",
        ],
        "button": "Delete the job",
        "keep": "Keep it",
        "danger": True,
    }
