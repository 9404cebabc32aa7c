"""What may be sent, as pydantic models: attribute names inside, camelCase outside, types taken strictly."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from blueprints.bodies_base import Body, line, printable, prose, within, without_default, wrong
from blueprints.bodies_voice import Settings, SettingsBody, VoiceBody
from lib import clock
from lib.words import cut
from pipeline.privacy import is_glob
from pipeline.tariff import UNIT

OWNER = r"^[A-Za-z0-9-]{1,39}$"
REPOSITORY = r"^[A-Za-z0-9._-]{1,100}$"
MAX_BUDGET = 1_000_000
MAX_BOTS, MAX_BOT = 100, 100
MAX_WITHHELD, MIN_WORD, MAX_WORD, MAX_GLOB = 100, 2, 100, 200
FIRST_RUN_DAYS = (1, 7, 30)
_NOT_IN_A_BRANCH = re.compile(r"[\s~^:?*\[\\\x7f]|\.\.|@\{|^[-/.]|[/.]$|\.lock$|//")


def _branch(name: str) -> str:
    if _NOT_IN_A_BRANCH.search(name):
        raise wrong("Must be a branch's name: no spaces, no .. and no - at its start.")
    return name


def _repository(name: str) -> str:
    if name in (".", "..") or name.endswith(".git"):
        raise wrong("Must be the repository's name as GitHub shows it, without .git.")
    return name


def _past(text: str) -> str:
    """An instant, in the one form in which it is kept."""
    try:
        instant = clock.parse_iso(text)
    except (ValueError, OverflowError):
        raise wrong("Must be an instant such as 2025-10-03T09:00:00Z.") from None
    if instant.year < 1970 or instant > clock.now():
        raise wrong("Must be an instant in the past, after 1970.")
    return clock.iso(instant) or ""


def _future(text: str) -> str:
    """An instant, in the one form in which it is kept."""
    try:
        instant = clock.parse_iso(text)
    except (ValueError, OverflowError):
        raise wrong("Must be an instant such as 2031-01-31T09:00:00Z.") from None
    if instant.year > 9000 or instant <= clock.now():
        raise wrong("Must be an instant in the future, such as 2031-01-31T09:00:00Z.")
    return clock.iso(instant) or ""


def _instant(text: str) -> str:
    try:
        return clock.iso(clock.parse_iso(text)) or ""
    except (ValueError, OverflowError):
        raise wrong("Must be an instant such as 2025-10-03T09:00:00Z.") from None


def _days(days: int) -> int:
    if days not in FIRST_RUN_DAYS:
        raise wrong("Must be 1, 7 or 30.")
    return days


def _budget(amount: Any) -> Any:
    """In millionths. Said here and not by bounds, as a float would let half a cent through."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise wrong("Must be a number such as 5 or 12.50, in the currency of the prices; empty for none.")
    exact = Decimal(str(amount))
    if not 0 <= exact <= MAX_BUDGET:
        raise wrong(f"Must be 0 or more, and at most {MAX_BUDGET:,}.")
    if (millionths := exact * UNIT) != int(millionths):
        raise wrong("Must have at most six decimals.")
    return int(millionths)


def _word(word: str) -> str:
    if len(word) < MIN_WORD:
        raise wrong(f"“{word}” is too short: a word needs at least {MIN_WORD} characters.")
    if len(word) > MAX_WORD:
        raise wrong(f"“{cut(word, 30)}” is too long: a word has at most {MAX_WORD} characters.")
    return word


def _glob(path: str) -> str:
    if len(path) > MAX_GLOB:
        raise wrong(f"“{cut(path, 30)}” is too long: a path has at most {MAX_GLOB} characters.")
    if not is_glob(path):
        raise wrong(f"“{cut(path, 30)}” is no path: write it as in .gitignore, such as docs/internal/**.")
    return path


def _few(entries: list[str]) -> list[str]:
    once = list(dict.fromkeys(entries))
    if len(once) > MAX_WITHHELD:
        raise wrong(f"Must have at most {MAX_WITHHELD} entries; it has {len(once)}.")
    return once


def _bot(name: str) -> str:
    name = name.removeprefix("@").strip()
    if not name:
        raise wrong("A bot needs a login or a name.")
    if len(name) > MAX_BOT:
        raise wrong(f"“{cut(name, 30)}” is too long: a login or name has at most {MAX_BOT} characters.")
    return name


def _bots(names: list[str]) -> list[str]:
    once = list({name.casefold(): name for name in reversed(names)}.values())[::-1]
    if len(once) > MAX_BOTS:
        raise wrong(f"Must have at most {MAX_BOTS} entries; it has {len(once)}.")
    return once


Name = Annotated[str, within(255, 1), AfterValidator(line)]
Id = Annotated[str, within(64, 1), AfterValidator(line)]
Path = Annotated[str, within(1000, 1), AfterValidator(line)]
Branch = Annotated[str, within(255, 1), AfterValidator(line), AfterValidator(_branch)]
Owner = Annotated[str, Field(pattern=OWNER)]
Repository = Annotated[str, Field(pattern=REPOSITORY), AfterValidator(_repository)]
Description = Annotated[str, within(2000), AfterValidator(prose)]
Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(_word),
    WithJsonSchema({"type": "string", "minLength": MIN_WORD, "maxLength": MAX_WORD}),
]
Glob = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(_glob),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_GLOB}),
]
_AT_MOST = Field(json_schema_extra={"maxItems": MAX_WITHHELD})
Bot = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(_bot),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_BOT}),
]
Bots = Annotated[list[Bot], AfterValidator(_bots), Field(json_schema_extra={"maxItems": MAX_BOTS})]
GithubToken = Annotated[str, printable(500)]
Credential = Annotated[str, printable(1000)]
Days = Annotated[
    int, AfterValidator(_days), WithJsonSchema({"type": "integer", "enum": list(FIRST_RUN_DAYS)})
]
Past = Annotated[str, AfterValidator(_past), WithJsonSchema({"type": "string", "format": "date-time"})]
Future = Annotated[str, AfterValidator(_future), WithJsonSchema({"type": "string", "format": "date-time"})]
Instant = Annotated[str, AfterValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Budget = Annotated[
    Any,
    AfterValidator(_budget),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_BUDGET}),
]
Frequency = Annotated[
    Any, WithJsonSchema({"type": "string", "enum": ["DAILY", "WEEKLY", "MONTHLY", "CUSTOM"]})
]
_WEEKDAY = {"type": "integer", "minimum": 0, "maximum": 6}
TimeConfig = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": False,
            "description": "WEEKLY needs dayOfWeek (0 is Sunday), MONTHLY dayOfMonth, CUSTOM expression.",
            "properties": {
                "hour": {"type": ["integer", "null"], "minimum": 0, "maximum": 23, "default": 9},
                "minute": {"type": ["integer", "null"], "minimum": 0, "maximum": 59, "default": 0},
                "timezone": {"type": ["string", "null"], "default": "UTC"},
                "dayOfWeek": {
                    "anyOf": [_WEEKDAY, {"type": "array", "items": _WEEKDAY, "minItems": 1}, {"type": "null"}]
                },
                "dayOfMonth": {"type": ["integer", "null"], "minimum": 1, "maximum": 31},
                "expression": {"type": ["string", "null"], "description": "Five cron fields."},
            },
        }
    ),
]


class WithholdBody(Body):
    """What no post may tell: whole words in any case, and paths as .gitignore has them."""

    words: Annotated[list[Word], AfterValidator(_few), _AT_MOST] = Field(default=[])
    paths: Annotated[list[Glob], AfterValidator(_few), _AT_MOST] = Field(default=[])


class ProjectBody(Body):
    """GITHUB needs githubRepoOwner and githubRepoName, GIT gitPath. githubToken is never shown again. bots
    are logins and names of machines, in any case: their work is routine, and posts never thank them.
    monthlyBudget is what models may cost in a calendar month (UTC), in MODEL_CURRENCY,
    with six decimals at most; null for no limit."""

    name: Name
    description: Description = ""
    source_type: Literal["GITHUB", "GIT"] = "GITHUB"
    github_repo_owner: Owner | None = None
    github_repo_name: Repository | None = None
    github_branch: Branch | None = None
    github_token: GithubToken | None = None
    git_path: Path | None = None
    voice: VoiceBody = VoiceBody()
    bots: Bots = Field(default=[])
    withhold: WithholdBody = WithholdBody()
    monthly_budget: Budget | None = None


class PlatformBody(Body):
    """credentials, never shown: DEVTO {apiKey}, HASHNODE {token, publicationId}, LINKEDIN {accessToken}."""

    type: Literal["HASHNODE", "DEVTO", "LINKEDIN"]
    is_connected: bool = True
    settings: Settings = SettingsBody()
    credentials: dict[str, Any] | None = None


class DevtoCredentials(Body):
    api_key: Credential


class HashnodeCredentials(Body):
    token: Credential
    publication_id: Credential


class LinkedinCredentials(Body):
    access_token: Credential


CREDENTIALS: dict[str, type[Body]] = {
    "DEVTO": DevtoCredentials,
    "HASHNODE": HashnodeCredentials,
    "LINKEDIN": LinkedinCredentials,
}


class FirstRun(Body):
    """How far back the first run reaches: one of the two."""

    days: Days | None = None
    since: Past | None = None


class PreviewBody(Body):
    frequency: Frequency
    time_config: TimeConfig


class JobBody(PreviewBody):
    """retryDelay and timeLimit are seconds; platformIds null means all connected platforms. As many failed
    executions in a row as pauseAfter says pause the job, 0 never; isEnabled true lets a paused one go on.
    runOnPush lets the project's webhook start a run, ten minutes after the last push.

    significance is how much must have happened for a post in a run that nobody triggered: OFF writes of
    everything; NORMAL of a release, a breaking change, a feature, a fix, a gain in speed, what closed an
    issue, or three smaller changes; STRICT of a release, a breaking change, a feature, or three fixes. Less
    is carried over to the next run, for 30 days at most. writer: AUTO is the model where the server has a
    key, else the template writer. With fallsBack the template writer steps in where the model fails for
    good."""

    name: Name
    description: Description = ""
    type: Literal["GENERATE_CONTENT"] = "GENERATE_CONTENT"
    is_enabled: bool = True
    max_retries: Annotated[int, Field(ge=0, le=10)] = 3
    retry_delay: Annotated[int, Field(ge=0, le=3600)] = 300
    time_limit: Annotated[int, Field(ge=30, le=3600)] = 600
    pause_after: Annotated[int, Field(ge=0, le=100)] = 5
    on_missed: Literal["RUN_ONCE", "SKIP"] = "RUN_ONCE"
    notify: Literal["ALL", "PROBLEMS", "NONE"] = "ALL"
    first_run: FirstRun = FirstRun(days=7)
    platform_ids: list[Id] | None = None
    run_on_push: bool = False
    significance: Literal["OFF", "NORMAL", "STRICT"] = "NORMAL"
    writer: Literal["AUTO", "TEMPLATE", "MODEL"] = "AUTO"
    falls_back: bool = False


class TriggerBody(Body):
    """`since` tells again from there; a dry run shows what would be said and moves nothing. Whoever triggers
    gets posts of whatever there is, however little."""

    job_id: Id
    dry_run: bool = False
    since: Past | None = None


class SkipBody(Body):
    """`slot` is the one that is meant, nextRunAt as it was read: where another one is next by now, nothing is
    left out."""

    slot: Instant | None = None


def editable(model: type[Body]) -> type[Body]:
    """The same model for a PATCH: every field may be left out."""
    may_be_absent = Field(default=None, json_schema_extra=without_default)
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        fields[name] = (kind, may_be_absent)
    return create_model(f"{model.__name__}Edit", __base__=model, **fields)


ProjectEdit = editable(ProjectBody)
PlatformEdit = editable(PlatformBody)
JobEdit = create_model(
    "JobBodyEdit",
    __base__=editable(JobBody),
    __doc__="No slot runs before pausedUntil; null ends such a pause.",
    paused_until=(Future | None, Field(default=None, json_schema_extra=without_default)),
)
