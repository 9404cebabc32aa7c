"""What the API shows of each row. Every function returns finished values; none of them asks the database."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from blueprints import shapes, shapes_draft, shapes_notices
from blueprints.shapes import Json
from lib import clock
from lib.errors import parted
from models import (
    Attempt,
    Draft,
    DraftVersion,
    Execution,
    Job,
    Notification,
    Platform,
    Project,
    Regeneration,
    Step,
    User,
)
from models.values import Activity, Commit, Outcome
from pipeline.jobs import status_of
from pipeline.schedule import Schedule, Slot
from pipeline.tariff import units
from pipeline.versions import post_of
from pipeline.wishes import EVENTS, Wishes
from platforms.export import Exported
from platforms.export import export as as_file
from sources.check import Checked

LATER = frozenset({"spending", "estimate"})
"""What is no column, and is shown only where it is asked for."""


def _values(model: type[shapes.View], row: object, **more: Any) -> Json:
    """The model's fields, taken from the row where `more` has none and the row has them."""
    known = {
        name: getattr(row, name) for name in model.model_fields if name not in more and name not in LATER
    }
    return known | more


def _json(model: type[shapes.View], row: object, **more: Any) -> Json:
    view = model.model_validate(_values(model, row, **more))
    return view.model_dump(mode="json", by_alias=True, exclude_unset=True)


def project(row: Project, spending: Json | None = None) -> Json:
    """`spending`: what its posts cost, where that is asked for."""
    money: Json = {"monthly_budget": units(row.budget)} | ({} if spending is None else {"spending": spending})
    about = {"has_token": row.github_token is not None, "has_webhook": row.webhook_secret is not None}
    withhold = {"words": [], "paths": []} | (row.withhold or {})
    return _json(shapes.ProjectView, row, bots=row.bots or [], withhold=withhold, **about, **money)


def connection(found: Checked) -> Json:
    seen = found.seen
    return _json(
        shapes.ConnectionView,
        found,
        lacks=list(found.lacks),
        token_expires_at=seen.token_expires if seen else None,
        budget=None
        if seen is None or seen.budget is None
        else _values(shapes.BudgetView, seen.budget, at=clock.now()),
    )


def platform(row: Platform) -> Json:
    return _json(shapes.PlatformView, row, can_publish=row.credentials is not None)


def job(row: Job, live: Execution | None, estimate: Json | None = None) -> Json:
    """`live`: its execution that is queued, running or waiting to retry, if there is one. `estimate`: what
    its next run costs, where that is asked for."""
    money = {} if estimate is None else {"estimate": estimate}
    return _json(shapes.JobView, row, status=status_of(row, live), **money)


def preview(schedule: Schedule, slots: Sequence[Slot]) -> Json:
    shown = [_values(shapes.SlotView, slot) for slot in slots]
    about = {"schedule": schedule.cron, "words": schedule.words(), "warnings": schedule.warnings()}
    return _json(shapes.PreviewView, None, slots=shown, **about)


def execution(row: Execution, drafts: Mapping[str, Draft] | None = None, cost: Json | None = None) -> Json:
    """`drafts`, by id, are the posts of its output; None leaves the posts' text out. `cost`: what models
    cost for it."""
    return _json(shapes.ExecutionView, row, **_story(row, drafts), cost=cost)


def execution_detail(
    row: Execution,
    attempts: Iterable[Attempt],
    steps: Iterable[Step],
    drafts: Mapping[str, Draft],
    activity: Activity | None,
    cost: Json | None,
) -> Json:
    """`activity` is what its scan stored, None before that."""
    return _json(
        shapes.ExecutionDetailView,
        row,
        cost=cost,
        **_story(row, drafts),
        attempts=[_values(shapes.AttemptView, attempt) for attempt in attempts],
        steps=[_values(shapes.StepView, step) for step in steps],
        activity=None if activity is None else _scanned(activity),
    )


def _scanned(found: Activity) -> Json:
    return {
        "summary": found.summary,
        "has_activity": found.has_activity,
        "commits": [_commit(commit) for commit in found.commits],
        "pull_requests": [_values(shapes.PullRequestView, pull, state="closed") for pull in found.pulls],
        "issues": [_values(shapes.IssueView, issue, state="closed") for issue in found.issues],
        "releases": [_values(shapes.ReleaseView, release) for release in found.releases],
        "withheld": Counter(one.reason for one in found.withheld),
        "cuts": list(found.cuts),
    }


def _commit(commit: Commit) -> Json:
    files = [file.path for file in commit.files]
    return _values(shapes.CommitView, commit, author=commit.author.name, files_changed=files)


def _story(row: Execution, drafts: Mapping[str, Draft] | None) -> Json:
    window = None
    if row.window_since is not None:
        window = {"since": row.window_since, "until": row.window_until}
    error, remedy = parted(row.error) if row.error else (None, None)
    told = {"window": window, "metadata": _metadata(row), "output": _output(row.output, drafts)}
    return told | {"error": error, "remedy": remedy}


_QUIET = (Outcome.NO_ACTIVITY, Outcome.NOT_SIGNIFICANT)


def _metadata(row: Execution) -> Json:
    found = {"project_id": row.project_id, "user_id": row.user_id}
    if row.outcome not in _QUIET:
        return found
    little = row.outcome == Outcome.NOT_SIGNIFICANT
    activity = {"has_activity": little, "summary": row.summary or "No activity"}
    return found | {"message": row.reason if little else "No GitHub activity detected", "activity": activity}


def _output(output: Json | None, drafts: Mapping[str, Draft] | None) -> Json | None:
    if output is None:
        return None
    return {**output, "results": [_result(result, drafts) for result in output["results"]]}


def _result(result: Json, drafts: Mapping[str, Draft] | None) -> Json:
    shown = {key: value for key, value in result.items() if key != "content"}
    if drafts is None or not result["success"]:
        return shown
    draft = drafts.get(result["draftId"] or "")
    content = result.get("content") if draft is None else _values(shapes.ContentView, draft)
    if content is not None and result["platformType"] == "LINKEDIN":
        content = {"content": content["content"]}
    return {**shown, "content": content}


def statistics(row: Job, recent: Iterable[Execution]) -> Json:
    """Of a job's whole life, read off its row; `recent` are its latest executions."""
    successes, runs = row.success_count, row.run_count
    return _json(
        shapes.StatisticsView,
        row,
        total_runs=runs,
        total_success=successes,
        total_failures=row.failure_count,
        success_rate=f"{100 * successes / runs if runs else 0:.2f}",
        avg_duration=round(row.total_duration / successes) if successes else None,
        last_run=row.last_run_at,
        next_run=row.next_run_at,
        recent_executions=[_values(shapes.RecentView, execution) for execution in recent],
    )


def draft(row: Draft) -> Json:
    return _json(shapes_draft.DraftView, row, **_review(row))


def draft_detail(row: Draft, order: Regeneration | None) -> Json:
    """`order`: the latest to write it anew."""
    return _json(
        shapes_draft.DraftDetailView,
        row,
        **_review(row),
        claims=row.claims or [],
        sources=row.sources or [],
        regeneration=None if order is None else _values(shapes_draft.RegenerationView, order),
    )


def _review(row: Draft) -> Json:
    return {"checks": [*row.checks, *(row.remarks or [])]}


def version(row: DraftVersion) -> Json:
    return _json(shapes_draft.VersionView, row)


def notification(row: Notification) -> Json:
    return _json(shapes.NotificationView, row, read=row.is_read)


def preferences(user: User) -> Json:
    wishes = Wishes.of(user)
    return _json(
        shapes_notices.PreferencesView,
        wishes,
        events={
            event: {"app": event not in wishes.app_off, "email": event not in wishes.email_off}
            for event in EVENTS
        },
        timezone=user.timezone,
        next_digest_at=user.digest_at,
        email=user.email,
        is_verified=user.verified_at is not None,
    )


def export(row: Draft) -> Exported:
    """The draft as a file that its platform's own importer reads; LinkedIn's is its text alone."""
    return as_file(row.platform_type, post_of(row))


def file_headers(row: Draft, file: Exported) -> dict[str, str]:
    """Of a download: named after the post, in letters that every system takes."""
    plain = unicodedata.normalize("NFKD", row.title or row.platform_type.lower()).encode("ascii", "ignore")
    slug = "-".join(re.findall("[a-z0-9]+", plain.decode().lower()))[:60].strip("-") or row.id
    return {
        "Content-Type": f"{file.mime}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{slug}.{file.ending}"',
    }
