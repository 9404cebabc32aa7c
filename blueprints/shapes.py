"""The shapes of what the API answers, as pydantic models: they make the JSON and its description."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from lib import clock
from models.values import Outcome, PlatformType, Status, WithheldReason
from pipeline.forecast import Basis
from pipeline.schedule import Frequency

Instant = Annotated[
    datetime, PlainSerializer(clock.iso), WithJsonSchema({"type": "string", "format": "date-time"})
]
Json = dict[str, Any]


class View(BaseModel):
    """Attribute names inside, camelCase outside. A key with a default may be absent."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BudgetView(View):
    """GitHub's limit as it was `at` that instant: requests left until `reset`, out of `limit` an hour."""

    limit: int
    remaining: int
    reset: Instant
    at: Instant


class WithholdView(View):
    """What no post may tell."""

    words: list[str] = []
    paths: list[str] = []


class VoiceView(View):
    """How the posts sound."""

    audience: str = ""
    tone: str = ""
    language: str = ""
    instructions: str = ""
    examples: list[str] = []
    banned: list[str] = []


class ModelSpendView(View):
    """One model's part of a month; `unpriced` of its calls are not in the cost, as no price is known."""

    model: str
    cost: float
    calls: int
    unpriced: int


class MonthView(View):
    """What was spent in one calendar month of UTC. `cost` counts calls whose tokens nobody told by what was
    set aside for them."""

    month: str
    cost: float
    models: list[ModelSpendView]


class SpendingView(View):
    """The newest month first, which is the present one. `why` says why no model is asked now, null where one
    may be."""

    currency: str
    months: list[MonthView]
    why: str | None


class ProjectView(View):
    """`tokenExpiresAt` and `githubBudget` are of the last scan or test, null where GitHub told none.
    `monthlyBudget` is in units of the currency, null for no limit; `spending` stands where one project is
    read."""

    id: str
    name: str
    description: str
    source_type: str
    github_repo_owner: str | None
    github_repo_name: str | None
    github_branch: str | None
    has_token: bool
    has_webhook: bool
    github_budget: BudgetView | None
    token_expires_at: Instant | None
    git_path: str | None
    voice: VoiceView
    bots: list[str]
    withhold: WithholdView
    monthly_budget: float | None
    spending: SpendingView | None = None
    last_synced_at: Instant | None
    created_at: Instant


class ConnectionView(View):
    """`lacks` are what the token may not do, as GitHub names it (issues=read)."""

    works: bool
    sentence: str
    lacks: list[str]
    token_expires_at: Instant | None
    budget: BudgetView | None


class PlatformView(View):
    id: str
    project_id: str
    type: PlatformType
    is_connected: bool
    settings: Json
    can_publish: bool
    created_at: Instant


class EstimateView(View):
    """What the next run costs if it writes all its `posts`, in units of the currency; null where there is no
    price. `basis`: RUNS is the mean of the last runs, BOUND the most that posts may take, FREE no model,
    UNKNOWN no price."""

    cost: float | None
    currency: str
    posts: int
    basis: Basis


class JobView(View):
    """`pushAt` is when a run is due because of a push. `carriedSince` is the end of the first window that was
    too little for a post and is carried over, null where nothing is. `skippedUntil` is the last slot that was
    left out. `estimate` stands where one job is read."""

    id: str
    project_id: str
    type: str
    name: str
    description: str
    frequency: Frequency
    time_config: Json
    schedule: str
    timezone: str
    is_enabled: bool
    status: str
    next_run_at: Instant | None
    paused_at: Instant | None
    paused_until: Instant | None
    skipped_until: Instant | None
    last_run_at: Instant | None
    last_success: Instant | None
    last_failure: Instant | None
    run_count: int
    success_count: int
    failure_count: int
    failures_in_row: int
    max_retries: int
    retry_delay: int
    time_limit: int
    pause_after: int
    on_missed: str
    notify: str
    first_run: Json
    platform_ids: list[str] | None
    run_on_push: bool
    push_at: Instant | None
    significance: str
    carried_since: Instant | None
    writer: str
    falls_back: bool
    estimate: EstimateView | None = None
    created_at: Instant


class SlotView(View):
    at: Instant
    local: str
    note: str | None


class PreviewView(View):
    schedule: str
    words: str
    slots: list[SlotView]
    warnings: list[str]


class ActivityView(View):
    summary: str
    has_activity: bool


class ContentView(View):
    """LinkedIn's has no title and no tags."""

    title: str = ""
    content: str
    tags: list[str] = []


class ResultView(View):
    """`givenBack` counts the items of rejected posts that this one tells again, absent where there are
    none; so is `errorCode` where there is no error, or none that has a name, and `fellBack` but where the
    model failed for good and the template writer wrote the post."""

    platform_id: str
    platform_type: PlatformType
    success: bool
    error: str | None
    draft_id: str | None
    content: ContentView | None = None
    given_back: int = 0
    error_code: str | None = None
    fell_back: bool = False


class OutputView(View):
    activity: ActivityView
    results: list[ResultView]


class MetadataView(View):
    """`message` and `activity` say why nothing was written, where that is no failure."""

    project_id: str
    user_id: str
    message: str = ""
    activity: ActivityView | None = None


class WindowView(View):
    since: Instant
    until: Instant | None


class CostView(View):
    """What models cost for an execution, in units of the currency; null where no price is known. `unpriced`
    calls are not in it. `isEstimate`: the tokens of some call nobody told, so that what was set aside for it
    counts."""

    amount: float | None
    currency: str
    prompt_tokens: int
    completion_tokens: int
    calls: int
    unpriced: int
    is_estimate: bool


class ExecutionView(View):
    """`failures` are the attempts that failed by themselves, `recoveries` those whose worker died. `error` is
    what happened, `remedy` what helps where somebody knows; attempts and steps say both in one sentence.
    `errorCode` is what the failure is called, the same for all of its kind, and null for what has no name.
    `cost` is null where no model was asked."""

    id: str
    job_id: str
    status: Status
    outcome: Outcome | None
    triggered_by: str
    scheduled_for: Instant | None
    created_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    duration: int | None
    items_processed: int
    items_success: int
    items_failed: int
    window: WindowView | None
    failures: int
    recoveries: int
    next_retry_at: Instant | None
    retry_of: str | None
    dry_run: bool
    reason: str | None
    missed: Json | None
    metadata: MetadataView
    output: OutputView | None
    error: str | None
    error_code: str | None
    remedy: str | None
    stack_trace: str | None
    cost: CostView | None = None


class AttemptView(View):
    number: int
    status: str
    started_at: Instant
    completed_at: Instant | None
    duration: int | None
    error: str | None
    error_code: str | None
    stack_trace: str | None
    reused: list[str]


class StepView(View):
    name: str
    platform_id: str | None
    platform_type: str | None
    attempt: int
    status: str
    started_at: Instant
    completed_at: Instant | None
    duration: int | None
    error: str | None
    error_code: str | None


class CommitView(View):
    sha: str
    message: str
    author: str
    date: Instant
    files_changed: list[str]
    more_files: int
    url: str | None


class PullRequestView(View):
    number: int
    title: str
    state: str
    merged_at: Instant
    url: str | None


class IssueView(View):
    number: int
    title: str
    state: str
    closed_at: Instant
    url: str | None


class ReleaseView(View):
    tag: str
    name: str
    published_at: Instant
    url: str | None


class ScannedView(ActivityView):
    """What the scan found; strangers wrote its texts. `withheld` counts the items that were left out, or
    masked (secret), by reason; `cuts` says what caps left out."""

    commits: list[CommitView]
    pull_requests: list[PullRequestView]
    issues: list[IssueView]
    releases: list[ReleaseView]
    withheld: dict[WithheldReason, int]
    cuts: list[str]


class ExecutionDetailView(ExecutionView):
    activity: ScannedView | None
    attempts: list[AttemptView]
    steps: list[StepView]


class RecentView(View):
    id: str
    status: Status
    started_at: Instant | None
    duration: int | None


class StatisticsView(View):
    total_runs: int
    total_success: int
    total_failures: int
    success_rate: str
    avg_duration: int | None
    last_run: Instant | None
    last_success: Instant | None
    next_run: Instant | None
    recent_executions: list[RecentView]


class NotificationView(View):
    id: str
    type: str
    title: str
    message: str
    link: str
    read: bool
    execution_id: str | None
    created_at: Instant


class DeletedView(View):
    id: str


class ReadAllView(View):
    read: int
