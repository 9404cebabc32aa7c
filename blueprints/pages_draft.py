"""One draft as its page shows it: the preview, what it rests on, what became of it, and what can be done."""

from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy.orm import joinedload

from blueprints import pages_cost, pages_preview, view
from blueprints.access import settings
from blueprints.extensions import db
from blueprints.forms import Errors, Filled, no_errors
from blueprints.forms_draft import values_of
from blueprints.pages_claims import Passage, Review, review
from blueprints.pages_order import OrderPart, order_part
from blueprints.view import Mark, Moment
from models import Draft, DraftState, DraftVersion, Execution, Job
from pipeline import versions
from platforms import NAMES, PLATFORMS

STATES = {
    "DRAFT": Mark("wait", "Waits for review", "live"),
    "APPROVED": Mark("ok", "Approved", "ok"),
    "REJECTED": Mark("stop", "Rejected", "quiet"),
    "PUBLISHED": Mark("ok", "Published", "ok"),
}
MAKERS = {
    "USER": "Edited by you",
    "MODEL": "Written by the model",
    "TEMPLATE": "Written by the template writer",
}
_HOW = {
    "LINKEDIN": {"content": "utf16"},
    "DEVTO": {"title": "points", "subtitle": "points", "content": "bytes", "tags": "tags"},
    "HASHNODE": {"title": "points", "subtitle": "points", "tags": "tags"},
}
"""How the browser counts while somebody types; the rest is counted when it is saved."""


@dataclass(frozen=True, slots=True)
class CountLine:
    """How much is used of one limit. `how` the browser counts it, if it can."""

    name: str
    used: int
    limit: int
    unit: str
    how: str

    @property
    def is_over(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True, slots=True)
class Preview:
    title: Markup | None
    subtitle: Markup | None
    content: Markup
    tags: tuple[str, ...]
    is_card: bool
    author: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    number: int
    maker: str
    at: Moment
    instruction: str
    is_current: bool
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why what was typed was not saved. `version` stands there instead, where saving over it helps."""

    said: str
    version: int | None


@dataclass(frozen=True, slots=True)
class DraftPage:
    """`at` is when it was written. `fields` are those that its platform has. `saved`: when it was last
    changed. `follows`: its writer follows instructions."""

    id: str
    platform: str
    state: str
    mark: Mark
    heading: str
    truth: str
    job: str
    job_id: str
    project_id: str
    execution_id: str
    version: int
    is_open: bool
    can_reopen: bool
    can_give_back: bool
    at: Moment
    saved: Moment | None
    checks: tuple[str, ...]
    remarks: tuple[str, ...]
    preview: Preview
    passages: tuple[Passage, ...]
    has_claims: bool
    source: str
    facts: pages_cost.Facts
    fields: tuple[str, ...]
    counts: tuple[CountLine, ...]
    versions: tuple[VersionLine, ...]
    order: OrderPart | None
    follows: bool
    form: Filled
    errors: Errors
    conflict: Conflict | None


def page(
    draft: Draft,
    form: Filled | None = None,
    errors: Errors | None = None,
    conflict: Conflict | None = None,
) -> DraftPage:
    """`form`: what was typed, where it could not be saved."""
    options = joinedload(Execution.job).joinedload(Job.project)
    execution = db.session.get_one(Execution, draft.execution_id, options=[options])
    zone = execution.job.timezone
    rows = versions.all_of(db.session(), draft)
    found = review(draft, rows)
    rules = PLATFORMS[draft.platform_type].rules
    name = NAMES[draft.platform_type]
    return DraftPage(
        id=draft.id,
        platform=name,
        state=draft.state,
        mark=STATES[draft.state],
        heading=draft.title or f"{name} post",
        truth=_truth(draft, name, execution.summary or "its activity", zone),
        job=execution.job.name,
        job_id=execution.job_id,
        project_id=execution.project_id,
        execution_id=execution.id,
        version=draft.version,
        is_open=draft.state == DraftState.DRAFT,
        can_reopen=draft.state in (DraftState.APPROVED, DraftState.REJECTED) and draft.given_back_at is None,
        can_give_back=draft.state == DraftState.REJECTED and draft.given_back_at is None,
        at=view.exactly(draft.created_at, zone),
        saved=view.exactly(draft.updated_at, zone) if draft.updated_at else None,
        checks=tuple(draft.checks),
        remarks=tuple(draft.remarks or ()),
        preview=preview_of(draft, found, execution.job.project.name),
        passages=found.passages,
        has_claims=bool(draft.claims),
        source=draft.content,
        facts=_facts(draft),
        fields=("title", "subtitle", "content", "tags") if rules.title_max else ("content",),
        counts=tuple(counts(draft)),
        versions=tuple(version_line(row, draft, zone) for row in rows),
        order=order_part(draft, zone),
        follows=_follows(execution.job),
        form=values_of(draft) if form is None else form,
        errors=errors or no_errors(),
        conflict=conflict,
    )


def order_of(draft: Draft) -> OrderPart | None:
    """As the page shows it, at a tenth of the page's cost: it is asked for every other second."""
    return order_part(draft, db.session.get_one(Execution, draft.execution_id).job.timezone)


def _follows(job: Job) -> bool:
    """Whether whoever writes for this job follows an instruction: a model does."""
    return settings().openai_api_key is not None and job.writer != "TEMPLATE"


def _truth(draft: Draft, platform: str, summary: str, zone: str) -> str:
    written = f"Written for {platform} from {summary}."
    if draft.decided_at is None:
        return f"{written} It waits for your review."
    when = view.relative(draft.decided_at)
    if draft.state == DraftState.REJECTED:
        then = " What it told was given back to its job." if draft.given_back_at else ""
        return f"{written} You rejected it {when}.{then}"
    return f"{written} Version {draft.version} was approved {when}."


def preview_of(draft: Draft, found: Review, author: str) -> Preview:
    """As its platform will show it; `found` says what is marked."""
    title, subtitle, *blocks = found.spans
    is_card = draft.platform_type == "LINKEDIN"
    content = (
        pages_preview.plain_text(draft, found) if is_card else pages_preview.rendered(draft.content, blocks)
    )
    return Preview(
        title=pages_preview.line(draft.title, title) if draft.title else None,
        subtitle=pages_preview.line(draft.subtitle, subtitle) if draft.subtitle else None,
        content=content,
        tags=tuple(draft.tags),
        is_card=is_card,
        author=author,
    )


def _facts(draft: Draft) -> pages_cost.Facts:
    return pages_cost.usage_facts(draft.usage) or (("Written by", "the template writer"),)


def counts(draft: Draft) -> list[CountLine]:
    """How much of each limit is used, in the platform's own units."""
    how = _HOW[draft.platform_type]
    measured = PLATFORMS[draft.platform_type].measure(versions.post_of(draft))
    return [
        CountLine(name, count.used, count.limit, count.unit, how.get(name, ""))
        for name, count in measured.items()
    ]


def version_line(row: DraftVersion, draft: Draft, zone: str) -> VersionLine:
    return VersionLine(
        number=row.number,
        maker=MAKERS[row.made_by],
        at=view.past(row.created_at, zone, named=True),
        instruction=row.instruction,
        is_current=row.number == draft.version,
        is_approved=row.approved_at is not None,
    )
