"""Forms as templates want them: what was typed or is stored, and the sentence beside each field."""

import re
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from blueprints import voice
from blueprints.inputs import WITHHOLD, InputError
from models import Job, Project
from pipeline.schedule import DEFAULT_HOUR
from pipeline.tariff import typed as amount

Form = MultiDict[str, str]
Errors = dict[str, str]
NEW_JOB = {
    "name": "Daily Content Generation",
    "frequency": "DAILY",
    "time": "09:00",
    "timezone": "UTC",
    "dayOfMonth": "1",
    "expression": "0 9 * * 1-5",
    "maxRetries": "3",
    "retryDelay": "300",
    "timeLimit": "600",
    "pauseAfter": "5",
    "onMissed": "RUN_ONCE",
    "notify": "ALL",
    "significance": "NORMAL",
    "writer": "AUTO",
    "firstRun": "7",
    "allPlatforms": "on",
    "isEnabled": "on",
}
_INNER = {"timeConfig", "credentials", "settings"}
_SAID_BY = {
    "firstRun.since": "since",
    "firstRun.days": "firstRun",
    "timeConfig.hour": "time",
    "timeConfig.minute": "time",
}
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|")
"""What a browser shows in a field for times."""
_SENTENCES = {
    "time": "Must be a time of day such as 09:30, from 00:00 to 23:59.",
    "dayOfWeek": "Is needed: choose at least one day.",
}
"""What is said at these fields, whatever the API says of its own."""


class Filled(Form):
    """A form whose missing fields read as empty, for templates."""

    def __getitem__(self, name: str) -> str:
        try:
            return super().__getitem__(name)
        except KeyError:
            return ""


def typed() -> Filled:
    """What the user typed, to be shown again."""
    return Filled(request.form)


def job_typed() -> Filled:
    """The same for a job, whose time is one field; `hour` and `minute` are read as well."""
    form = typed()
    if re.fullmatch("[0-9]:[0-9]{2}", form["time"]):
        form["time"] = f"0{form['time']}"
    if "time" not in form and ("hour" in form or "minute" in form):
        form["time"] = f"{form['hour'] or DEFAULT_HOUR:0>2}:{form['minute']:0>2}"
    for name in ("hour", "minute"):
        form.poplist(name)
    return form


def no_errors() -> Errors:
    return {}


def errors_of(error: InputError, not_done: str = "saved") -> Errors:
    """The sentences by form field; `said` is the one that tops the form: nothing was `not_done`."""
    errors: Errors = {}
    for detail in error.details:
        name = _field(detail["field"])
        errors[name] = _SENTENCES.get(name) or f"{errors.get(name, '')} {detail['message']}".strip()
    errors["said"] = said(len(errors), error, not_done)
    return errors


def said(number: int, error: InputError, not_done: str = "saved") -> str:
    known = all(_field(detail["field"]) for detail in error.details)
    if not known:
        return error.message
    where = "the field marked below" if number == 1 else f"the {number} fields marked below"
    return f"Nothing was {not_done}: please correct {where}."


def error_at(name: str, message: str) -> Errors:
    """One sentence at one field."""
    return errors_of(InputError([{"field": name, "message": message}]))


def _field(path: str) -> str:
    """`timeConfig.hour` is the form's `hour`, `platformIds.0` its `platformIds`."""
    if path in _SAID_BY:
        return _SAID_BY[path]
    if path.startswith("voice."):
        return voice.field(path.removeprefix("voice."))
    for name, key in WITHHOLD.items():
        if path == f"withhold.{key}" or path.startswith(f"withhold.{key}."):
            return name
    head, _, tail = path.partition(".")
    return tail if head in _INNER and tail else head


def project_values(project: Project | None) -> Filled:
    """A project as its flat form; the token is never shown."""
    if project is None:
        return Filled({"sourceType": "GITHUB"})
    return Filled(
        {
            "name": project.name,
            "description": project.description,
            "sourceType": project.source_type,
            "githubRepoOwner": project.github_repo_owner or "",
            "githubRepoName": project.github_repo_name or "",
            "githubBranch": project.github_branch or "",
            "gitPath": project.git_path or "",
            **voice.to_form(project.voice),
            "monthlyBudget": "" if project.budget is None else amount(project.budget),
            "bots": "\n".join(project.bots or []),
            **{name: "\n".join((project.withhold or {}).get(key, [])) for name, key in WITHHOLD.items()},
        }
    )


def job_values(job: Job | None, timezone: str = "UTC") -> Filled:
    """A job as its flat form, the opposite of `inputs.job_form`; a new one starts in `timezone`."""
    if job is None:
        return Filled(NEW_JOB | {"timezone": timezone})
    config: dict[str, Any] = {
        key: job.time_config[key]
        for key in ("timezone", "dayOfMonth", "expression")
        if key in job.time_config
    }
    if "hour" in job.time_config:
        config["time"] = f"{job.time_config['hour']:02}:{job.time_config.get('minute', 0):02}"
    days = job.time_config.get("dayOfWeek", [])
    flat: dict[str, Any] = NEW_JOB | {key: str(value) for key, value in config.items()}
    flat |= {
        "name": job.name,
        "description": job.description,
        "frequency": job.frequency,
        "dayOfWeek": [str(day) for day in (days if isinstance(days, list) else [days])],
        "maxRetries": str(job.max_retries),
        "retryDelay": str(job.retry_delay),
        "timeLimit": str(job.time_limit),
        "pauseAfter": str(job.pause_after),
        "onMissed": job.on_missed,
        "notify": job.notify,
        "significance": job.significance,
        "writer": job.writer,
        "fallsBack": "on" if job.falls_back else "",
        "isEnabled": "on" if job.is_enabled else "",
        "runOnPush": "on" if job.run_on_push else "",
        "allPlatforms": "on" if job.platform_ids is None else "",
        "platformIds": list(job.platform_ids or []),
        **_first_run(job.first_run),
    }
    return Filled({name: value for name, value in flat.items() if value not in ("", [])})


def _first_run(first: dict[str, Any]) -> dict[str, str]:
    if since := first.get("since"):
        return {"firstRun": "since", "since": str(since)[:16]}
    return {"firstRun": str(first.get("days", 7))}
