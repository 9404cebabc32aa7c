"""The shapes of what the API answers about drafts."""

from blueprints.shapes import Instant, View
from models.values import PlatformType


class UsageView(View):
    """Tokens are null where the server did not count. `prompt` is the version of the prompts, `seconds` how
    long the model took, `cost` in units of the currency, null where there was no price."""

    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt: str = ""
    calls: int = 1
    seconds: float | None = None
    cost: float | None = None
    currency: str | None = None


class DraftView(View):
    """`checks` are sentences: what the platform will not take, then what the ledger of claims left out or
    added. `usage` is null for a post that no model wrote."""

    id: str
    execution_id: str
    platform_id: str | None
    platform_type: PlatformType
    state: str
    title: str
    subtitle: str | None
    content: str
    tags: list[str]
    version: int
    checks: list[str]
    usage: UsageView | None
    created_at: Instant
    updated_at: Instant | None
    decided_at: Instant | None


class ClaimView(View):
    """One sentence as it was written, and what it rests on."""

    text: str
    refs: list[str]


class SourceView(View):
    """What a ref stands for."""

    ref: str
    kind: str
    title: str
    url: str | None = None


class RegenerationView(View):
    """An order to write the draft anew; `version` is the one that it made."""

    id: str
    status: str
    instruction: str
    from_version: int
    version: int | None
    attempt: int
    error: str | None
    next_try_at: Instant | None
    created_at: Instant
    completed_at: Instant | None


class DraftDetailView(DraftView):
    """A sentence of the text that is none of the `claims` is its owner's."""

    claims: list[ClaimView]
    sources: list[SourceView]
    regeneration: RegenerationView | None


class GivenBackView(View):
    """How many items went back to the job."""

    items: int


class VersionView(View):
    """`madeBy` is MODEL, TEMPLATE or USER; `approvedAt` when this very version was approved."""

    number: int
    made_by: str
    title: str
    subtitle: str | None
    content: str
    tags: list[str]
    instruction: str
    created_at: Instant
    approved_at: Instant | None
