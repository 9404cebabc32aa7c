"""The way of an empty account, finished for its page: the steps, where it stands, and what the next one
asks."""

from dataclasses import dataclass

from flask import url_for

from blueprints import forms_start, inputs, pages_job, view
from blueprints.forms import Form
from blueprints.pages_cost import Ahead, ahead
from blueprints.pages_job import Coming
from blueprints.view import MARKS, Mark, Moment
from lib import clock
from lib.words import listed, plural
from models import LIVE, Execution, Job
from models.values import Outcome, Status
from pipeline.first_steps import FirstStep, Way
from pipeline.jobs import schedule_of
from platforms import NAMES

NOW, LATER = Mark("now", "Now", "live"), Mark("wait", "Later", "quiet")
ORDER = (FirstStep.REPOSITORY, FirstStep.PLATFORMS, FirstStep.SCHEDULE, FirstStep.RUN)
TITLES = {
    FirstStep.REPOSITORY: "Repository",
    FirstStep.PLATFORMS: "Platforms",
    FirstStep.SCHEDULE: "Schedule",
    FirstStep.RUN: "First run",
}
_AHEAD = {
    FirstStep.REPOSITORY: "Which repository is written about.",
    FirstStep.PLATFORMS: "Where the posts are meant to appear.",
    FirstStep.SCHEDULE: "When Repocast looks for something new.",
    FirstStep.RUN: "What the posts are like: as a dry run, or in earnest.",
}
_TRUTHS = {
    FirstStep.REPOSITORY: "Four short steps lead to your first posts. Leave whenever you like: this page goes"
    " on where you stopped.",
    FirstStep.PLATFORMS: "Step 2 of 4: choose where your posts are meant to appear.",
    FirstStep.SCHEDULE: "Step 3 of 4: choose when Repocast looks for something new.",
    FirstStep.RUN: "Step 4 of 4: see what the posts are like.",
}
WINDOWS: tuple[tuple[str, str], ...] = (
    ("1", "The last day"),
    ("7", "The last 7 days"),
    ("30", "The last 30 days"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One step: what was chosen once it is `done`, and `url` to change it; else what it is about."""

    step: FirstStep
    title: str
    mark: Mark
    said: str
    is_now: bool
    url: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """An execution as a notice; `until` is when it tries again."""

    id: str
    mark: Mark
    is_live: bool
    said: str
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the last step asks: the windows to choose from, which one at first, and what the run costs.
    `again`: an earlier one did not end well or found nothing."""

    windows: tuple[tuple[str, str], ...]
    window: str
    cost: Ahead
    again: bool


@dataclass(frozen=True, slots=True)
class StartPage:
    step: FirstStep
    title: str
    truth: str
    lines: tuple[Line, ...]
    project_id: str
    run: Run | None
    dry_run: Run | None
    ask: Asked | None
    job_name: str
    schedule: str
    next: Moment | None
    has_posts: bool

    @property
    def is_live(self) -> bool:
        return any(one is not None and one.is_live for one in (self.run, self.dry_run))


def page(way: Way) -> StartPage:
    job, run = way.job, way.run
    is_done = way.step == FirstStep.DONE
    wrote = is_done and (run is None or run.items_success > 0)
    at = 4 if is_done else ORDER.index(way.step)
    asks = job is not None and not wrote and not _is_live(run) and not _is_live(way.dry_run)
    return StartPage(
        step=way.step,
        title="First steps: done" if is_done else f"First steps, {at + 1} of 4: {TITLES[way.step]}",
        truth=_finished(wrote) if is_done else _TRUTHS[way.step],
        lines=tuple(_line(way, step, number, at) for number, step in enumerate(ORDER)),
        project_id=way.project.id if way.project else "",
        run=_run(run) if run else None,
        dry_run=_run(way.dry_run) if way.dry_run and not is_done else None,
        ask=_asked(job, run) if asks and job and way.step in (FirstStep.RUN, FirstStep.DONE) else None,
        job_name=job.name if job else "",
        schedule=f"{view.schedule(schedule_of(job).words())}." if job else "",
        next=view.upcoming(job.next_run_at, job.timezone) if job and job.next_run_at else None,
        has_posts=wrote,
    )


def _finished(wrote: bool) -> str:
    if wrote:
        return "All four steps are done: your first posts wait for your review."
    return "All four steps are done, and the first run found nothing to tell."


def _is_live(execution: Execution | None) -> bool:
    return execution is not None and execution.status in LIVE


def _line(way: Way, step: FirstStep, number: int, at: int) -> Line:
    if number < at:
        said, url, label = _chosen(way, step)
        return Line(step, TITLES[step], MARKS["COMPLETED"], said, False, url, label)
    return Line(step, TITLES[step], NOW if number == at else LATER, _AHEAD[step], number == at)


def _chosen(way: Way, step: FirstStep) -> tuple[str, str, str]:
    """What a step that is done came to, where that is changed, and what the link says."""
    project, job, run = way.project, way.job, way.run
    assert project is not None  # noqa: S101 - no step is done without one
    if step == FirstStep.REPOSITORY:
        return project.repository, url_for("projects.edit", project_id=project.id), "Change"
    if step == FirstStep.PLATFORMS:
        names = listed([NAMES[one.type] for one in project.platforms if one.is_connected])
        at = url_for("projects.show", project_id=project.id)
        return names or "None is connected now", f"{at}#platforms", "Change"
    assert job is not None  # noqa: S101 - nor these two without one
    if step == FirstStep.SCHEDULE:
        said = f"{view.schedule(schedule_of(job).words())}."
        return said, url_for("jobs.edit", project_id=project.id, job_id=job.id), "Change"
    if run is None:
        return "It ran.", url_for("jobs.show", project_id=project.id, job_id=job.id), "See the job"
    return _outcome(run), url_for("executions.show", execution_id=run.id), "See the run"


def _run(execution: Execution) -> Run:
    live, until, said = _is_live(execution), None, _outcome(execution)
    if execution.status == Status.QUEUED:
        said = "It waits for a free worker, then runs at once."
    elif execution.status == Status.RUNNING:
        said = "It is running now; this page follows it."
    elif execution.status == Status.RETRYING:
        said = f"The last attempt failed: {_ended(execution.error)} It tries again by itself."
        at = execution.next_retry_at
        until = view.upcoming(at, execution.job.timezone) if at and at > clock.now() else None
    return Run(execution.id, view.mark_of(execution), live, said, until)


def _outcome(execution: Execution) -> str:
    written, asked, read = execution.items_success, execution.items_processed, execution.summary
    verb = "would be written" if execution.dry_run else "written"
    if execution.outcome == Outcome.SUCCESS:
        return f"{plural(written, 'post')} {verb} from {read or 'the activity'}."
    if execution.outcome == Outcome.PARTIAL:
        return f"{written} of {asked} posts {verb}; its page says why not all."
    if execution.outcome in (Outcome.NO_ACTIVITY, Outcome.NOT_SIGNIFICANT):
        return "There was nothing to tell in its window, so nothing was written."
    if execution.status == Status.CANCELLED:
        return execution.reason or "It was cancelled."
    if execution.status == Status.TIMEOUT:
        return "It took longer than the job's time limit; nothing was written."
    return f"Nothing was written: {_ended(execution.error)}"


def _ended(error: str | None) -> str:
    said = (error or "no reason is known").strip()
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _asked(job: Job, run: Execution | None) -> Asked:
    since = job.first_run.get("since") if job.cursor_until is None else None
    windows, window = WINDOWS, str(job.first_run.get("days", 7))
    if since:
        day = view.dated(clock.parse_iso(since), job.timezone).words
        windows, window = (*WINDOWS, ("since", f"Since {day}")), "since"
    elif run is not None and run.outcome == Outcome.NO_ACTIVITY:
        window = "30"
    return Asked(windows, window, ahead(job), again=run is not None)


def coming(form: Form) -> Coming:
    """The next runs of the chosen schedule, or what is wrong with it."""
    try:
        return pages_job.coming(forms_start.job_form(form))
    except inputs.InputError as error:
        return Coming("", complaints=(error.details[0]["message"],))
