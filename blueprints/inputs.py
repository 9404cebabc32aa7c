"""Reading what was sent, as JSON or by form: values as the pipeline takes them, or every mistake at once."""

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict

from blueprints import bodies, bodies_base, disclosure
from blueprints import voice as voices
from lib import clock, passwords
from models import Job, Platform, Project
from pipeline.schedule import Schedule, ScheduleError

Details = list[dict[str, str]]
Model = TypeVar("Model", bound=BaseModel)
MIN_PASSWORD, MAX_PASSWORD = 8, 1000
COMMON = "Is one of the first that are guessed. Take another one, such as four words of no known sentence."
WITHHOLD = {"withholdWords": "words", "withholdPaths": "paths"}
"""The fields of a form, one entry a line, and their places in the API's `withhold`."""
_EMAIL = re.compile(r"[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")

_PATTERNS = {
    bodies.OWNER: "Must be the account's name alone, such as octocat: letters, digits and -, at most 39.",
    bodies.REPOSITORY: "Must be the name alone, without a slash: the owner has a field of its own.",
    bodies_base.PRINTABLE: "Must have letters, digits and signs of ASCII only, and no spaces.",
}
_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "Is needed.",
    "extra_forbidden": lambda _: "Is an unknown field: check its spelling or leave it out.",
    "string_type": lambda _: "Must be text.",
    "string_unicode": lambda _: "Must be text in valid Unicode.",
    "string_too_short": lambda _: "Must not be empty.",
    "string_too_long": lambda about: f"Must have at most {about['max_length']} characters.",
    "string_pattern_mismatch": lambda about: _PATTERNS[about["pattern"]],
    "int_type": lambda _: "Must be a whole number.",
    "int_from_float": lambda _: "Must be a whole number.",
    "int_parsing": lambda _: "Must be a whole number.",
    "int_parsing_size": lambda _: "Is too large a number.",
    "bool_type": lambda _: "Must be true or false.",
    "list_type": lambda _: "Must be a list.",
    "dict_type": lambda _: "Must be an object.",
    "model_type": lambda _: "Must be an object.",
    "literal_error": lambda about: f"Must be {about['expected'].replace(chr(39), '')}.",
    "enum": lambda about: f"Must be {about['expected'].replace(chr(39), '')}.",
    "greater_than_equal": lambda about: f"Must be at least {about['ge']}.",
    "less_than_equal": lambda about: f"Must be at most {about['le']}.",
}


class InputError(Exception):
    """What was sent cannot be used. `details` names each field as the API does, and says what it wants."""

    def __init__(self, details: Details) -> None:
        self.details = details
        self.message = _summary(details)
        super().__init__(self.message)


def _summary(details: Details) -> str:
    """One sentence that names every field."""
    if len(details) == 1:
        field, message = details[0]["field"], details[0]["message"]
        return f"{field}: {message}" if field else message
    *head, last = dict.fromkeys(detail["field"] or "the body" for detail in details)
    return f"Please correct {', '.join(head)} and {last}." if head else f"Please correct {last}."


def detail(field: str, message: str) -> dict[str, str]:
    """One entry of `details`."""
    return {"field": field, "message": message}


def parse(model: type[Model], data: object, at: str = "") -> Model:
    """What was given. `at`: where in the body it stands. Raises InputError."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError([_translate(mistake, at) for mistake in error.errors()]) from None


def check(model: type[BaseModel], data: object, at: str = "") -> tuple[dict[str, Any], Details]:
    """What was given, by attribute name, or all that is wrong with it."""
    try:
        return parse(model, data, at).model_dump(exclude_unset=True), []
    except InputError as error:
        return {}, error.details


def _accepted(values: dict[str, Any], details: Details) -> dict[str, Any]:
    if details:
        raise InputError(details)
    return values


def _translate(mistake: ErrorDetails, at: str) -> dict[str, str]:
    field = ".".join(filter(None, [at, *map(str, mistake["loc"])]))[:100]
    say = _SENTENCES.get(mistake["type"])
    return detail(field, say(mistake.get("ctx", {})) if say else mistake["msg"])


def read_project(
    data: dict[str, Any], *, partial: bool, git_root: Path | None, current: Project | None = None
) -> dict[str, Any]:
    """Values for `pipeline.projects.create` or, where `partial`, for `edit` of the project `current`."""
    values, details = check(bodies.ProjectEdit if partial else bodies.ProjectBody, data)
    if not details:
        details = _source_mistakes(values, current, partial, git_root)
    if current is not None and "voice" in values:
        values["voice"] = {**current.voice, **values["voice"]}
    if current is not None and "withhold" in values:
        values["withhold"] = {**(current.withhold or {}), **values["withhold"]}
    if "monthly_budget" in values:
        values["budget"] = values.pop("monthly_budget")
    return _accepted(values, details)


def _source_mistakes(
    values: dict[str, Any], current: Project | None, partial: bool, git_root: Path | None
) -> Details:
    """What the kind of source needs, judged by the project as it would be."""

    def after(name: str) -> Any:
        return values[name] if name in values else getattr(current, name, None)

    details = []
    if after("source_type") == "GIT":
        if values.get("git_path") is not None:
            details += _path_mistakes(values["git_path"], git_root)
        elif after("git_path") is None:
            details.append(detail("gitPath", "Is needed for a local repository: the path of its folder."))
    elif not partial or current is not None:
        needed = {"github_repo_owner": "githubRepoOwner", "github_repo_name": "githubRepoName"}
        details = [
            detail(key, "Is needed for GitHub.") for name, key in needed.items() if after(name) is None
        ]
    return details


def _path_mistakes(path: str, git_root: Path | None) -> Details:
    from sources import git
    from sources.base import SourceError

    try:
        git.resolve(path, git_root)
    except SourceError as error:
        return [detail("gitPath", error.message)]
    return []


def read_platform(data: dict[str, Any], *, partial: bool, current: Platform | None = None) -> dict[str, Any]:
    """Values for `pipeline.projects.add_platform` or, where `partial`, `edit_platform`."""
    values, details = check(bodies.PlatformEdit if partial else bodies.PlatformBody, data)
    kind = current.type if current is not None else values.get("type", data.get("type"))
    if current is not None and values.get("type", kind) != kind:
        details.append(detail("type", "Cannot be changed: add another platform and delete this one."))
    if "settings" in values:
        values["settings"] = disclosure.merged(values["settings"], current.settings if current else {})
        said = disclosure.refusals(values["settings"].get("disclosure", ""), str(kind))
        details += [detail("settings.disclosure", sentence) for sentence in said]
    model = bodies.CREDENTIALS.get(kind) if isinstance(kind, str) else None
    if model is not None and isinstance(data.get("credentials"), dict):
        _, more = check(model, data["credentials"], "credentials")
        details += more
    return _accepted(values, details)


def read_job(
    data: dict[str, Any],
    *,
    partial: bool,
    current: Job | None,
    platforms: Collection[Platform] | None,
    model: type[BaseModel] | None = None,
    local: bool = False,
) -> dict[str, Any]:
    """Values for `pipeline.jobs`: `JobFields(**values)`, or the changes for `edit`.

    `platforms`: those of the job's project; None leaves platformIds unchecked. `model`: a body with more
    fields than the job's own. `local`: whether the project reads a local repository. A PATCH of some keys
    of timeConfig keeps the others.
    """
    values, details = check(model or (bodies.JobEdit if partial else bodies.JobBody), data)
    if not partial or data.keys() & {"frequency", "timeConfig"}:
        values, details = _with_schedule(values, details, data, current)
    details += _first_run_mistakes(data.get("firstRun"), details)
    if platforms is not None:
        details += _platform_mistakes(data.get("platformIds"), {platform.id for platform in platforms})
    if local and data.get("runOnPush") is True:
        details.append(detail("runOnPush", "Needs a project on GitHub: a local repository sends no webhook."))
    if "first_run" in values:
        values["first_run"] = {key: value for key, value in values["first_run"].items() if value is not None}
    if values.get("platform_ids"):
        values["platform_ids"] = list(dict.fromkeys(values["platform_ids"]))
    return _accepted(values, details)


def _with_schedule(
    values: dict[str, Any], details: Details, data: dict[str, Any], current: Job | None
) -> tuple[dict[str, Any], Details]:
    rest = {name: value for name, value in values.items() if name not in ("frequency", "time_config")}
    if any(d["field"] in ("frequency", "timeConfig") for d in details):
        return rest, details
    schedule, more = _schedule(*_merged(data, current))
    return {**rest, "schedule": schedule}, details + more


def _merged(data: dict[str, Any], current: Job | None) -> tuple[object, object]:
    if current is None:
        return data.get("frequency"), data.get("timeConfig")
    given = data.get("timeConfig", {})
    config = {**current.time_config, **given} if isinstance(given, dict) else given
    return data.get("frequency", current.frequency), config


def _schedule(frequency: object, time_config: object) -> tuple[Schedule | None, Details]:
    try:
        return Schedule.parse(frequency, time_config), []
    except ScheduleError as error:
        return None, [detail(field, message) for field, message in error.details]


def _first_run_mistakes(first_run: object, details: Details) -> Details:
    if not isinstance(first_run, dict) or any(d["field"].startswith("firstRun") for d in details):
        return []
    given = [key for key in ("days", "since") if first_run.get(key) is not None]
    return [] if len(given) == 1 else [detail("firstRun", "Must have either days (1, 7 or 30) or since.")]


def _platform_mistakes(ids: object, known: set[str]) -> Details:
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        return []
    if not ids:
        return [detail("platformIds", "Must name at least one platform.")]
    strangers = [one for one in ids if one not in known]
    return (
        [detail("platformIds", f"{strangers[0]!r:.70} is no platform of this project.")] if strangers else []
    )


def read_trigger(data: dict[str, Any]) -> dict[str, Any]:
    """`job_id`, `dry_run` and `since` (an instant or None)."""
    values = parse(bodies.TriggerBody, data).model_dump()
    return {**values, "since": None if values["since"] is None else clock.parse_iso(values["since"])}


def read_preview(data: dict[str, Any]) -> Schedule:
    """The schedule to preview."""
    body = parse(bodies.PreviewBody, data)
    schedule, details = _schedule(body.frequency, body.time_config)
    if schedule is None:
        raise InputError(details)
    return schedule


def email_said(email: str) -> str | None:
    """What is wrong with an address in lower case."""
    wrong = len(email) > 254 or not _EMAIL.fullmatch(email) or ".." in email
    return "Must be an address such as you@example.com." if wrong else None


def password_said(password: str, *known: str) -> str | None:
    """What is wrong with a new password. `known`: of its account, such as the address."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"Must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."
    return COMMON if passwords.is_common(password, *known) else None


def read_user(email: str, password: str) -> dict[str, str]:
    """The email in lower case and the password as it is."""
    email, details = email.strip().lower(), []
    if said := email_said(email):
        details.append(detail("email", said))
    if said := password_said(password, email):
        details.append(detail("password", said))
    return _accepted({"email": email, "password": password}, details)


_CHOICES = ("onMissed", "notify", "significance", "writer")
_SWITCHES = ("isEnabled", "runOnPush", "fallsBack")


def job_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """The flat form of a job as the API's nested body; what is no number stays text, for the error to name.

    Fields have the API's names. An absent switch (`_SWITCHES`) is off. `platformIds` is a list, unless
    `allPlatforms` is on. `firstRun` is 1, 7, 30 or `since`, with the instant in `since`.
    """
    data: dict[str, Any] = _given(form, "name", "description", "frequency", *_CHOICES)
    numbers = _given(form, "maxRetries", "retryDelay", "timeLimit", "pauseAfter")
    data |= {key: _number(text) for key, text in numbers.items()}
    data |= {switch: switch in form for switch in _SWITCHES}
    data["platformIds"] = None if "allPlatforms" in form else form.getlist("platformIds")
    if "firstRun" in form:
        first = form["firstRun"]
        data["firstRun"] = {"since": form.get("since", "")} if first == "since" else {"days": _number(first)}
    return data | {"timeConfig": schedule_form(form)["timeConfig"]}


def schedule_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """The body of a preview: `frequency` and `timeConfig` from a flat form. Its `time` is `HH:MM`; `hour`
    and `minute` are taken as well."""
    config: dict[str, Any] = _given(form, "timezone", "expression")
    if "time" in form:
        time = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00(?:\.0+)?)?", form["time"].strip())
        config |= {"hour": int(time[1]), "minute": int(time[2])} if time else {"hour": form["time"]}
    config |= {key: _number(text) for key, text in _given(form, "hour", "minute", "dayOfMonth").items()}
    if "dayOfWeek" in form:
        config["dayOfWeek"] = [_number(day) for day in form.getlist("dayOfWeek")]
    return {**_given(form, "frequency"), "timeConfig": config}


def project_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """The flat form of a project. An empty `githubToken` leaves the stored one, `removeToken` removes it."""
    data: dict[str, Any] = _given(form, "name", "description", "sourceType")
    optional = _given(form, "githubRepoOwner", "githubRepoName", "githubBranch", "gitPath")
    data |= {key: text.strip() or None for key, text in optional.items()}
    if form.get("githubToken"):
        data["githubToken"] = form["githubToken"].strip()
    elif "removeToken" in form:
        data["githubToken"] = None
    voice = voices.from_form(form)
    if "monthlyBudget" in form:
        data["monthlyBudget"] = _amount(form["monthlyBudget"])
    if "bots" in form:
        data["bots"] = [line for line in form["bots"].splitlines() if line.strip()]
    withhold = {key: form[name].splitlines() for name, key in WITHHOLD.items() if name in form}
    for key, lines in withhold.items():
        withhold[key] = [line for line in lines if line.strip()]
    return data | ({"voice": voice} if voice else {}) | ({"withhold": withhold} if withhold else {})


def platform_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """The flat form of a platform. Empty credentials leave those stored, `removeCredentials` removes them."""
    data: dict[str, Any] = {**_given(form, "type"), "isConnected": "isConnected" in form}
    secrets = _given(form, "apiKey", "token", "publicationId", "accessToken")
    filled = {key: text.strip() for key, text in secrets.items() if text.strip()}
    if filled:
        data["credentials"] = filled
    elif "removeCredentials" in form:
        data["credentials"] = None
    return data


def _given(form: MultiDict[str, str], *keys: str) -> dict[str, str]:
    return {key: form[key] for key in keys if key in form}


def _number(text: str) -> int | str:
    text = text.strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text


def _amount(text: str) -> float | str | None:
    """A number with or without decimals; none where the field was left empty."""
    text = text.strip()
    return float(text) if re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", text) else text or None
