"""What only forms do, and the readers on their own; the API's tests send every bad field."""

from types import SimpleNamespace

import pytest
from werkzeug.datastructures import MultiDict

from blueprints.inputs import (
    InputError,
    job_form,
    platform_form,
    project_form,
    read_job,
    read_platform,
    read_preview,
    read_project,
    read_user,
    schedule_form,
)

JOB = [
    ("name", "Daily"),
    ("description", ""),
    ("frequency", "WEEKLY"),
    ("hour", "9"),
    ("minute", "05"),
    ("timezone", "Europe/Berlin"),
    ("dayOfWeek", "1"),
    ("dayOfWeek", "5"),
    ("dayOfMonth", ""),
    ("expression", ""),
    ("maxRetries", "3"),
    ("retryDelay", "300"),
    ("timeLimit", "600"),
    ("onMissed", "RUN_ONCE"),
    ("notify", "ALL"),
    ("isEnabled", "on"),
    ("firstRun", "30"),
    ("allPlatforms", "on"),
]


def errors(reader, *arguments, **options):
    with pytest.raises(InputError) as caught:
        reader(*arguments, **options)
    return {detail["field"]: detail["message"] for detail in caught.value.details}


def read_job_form(pairs, platforms=()):
    return read_job(job_form(MultiDict(pairs)), partial=False, current=None, platforms=platforms)


def test_a_jobs_form_reads_as_the_api_does():
    values = read_job_form(JOB)
    schedule = values.pop("schedule")
    assert (schedule.cron, schedule.timezone) == ("5 9 * * 1,5", "Europe/Berlin")
    assert values == {
        "name": "Daily",
        "description": "",
        "max_retries": 3,
        "retry_delay": 300,
        "time_limit": 600,
        "on_missed": "RUN_ONCE",
        "notify": "ALL",
        "is_enabled": True,
        "first_run": {"days": 30},
        "platform_ids": None,
        "run_on_push": False,
        "falls_back": False,
    }


def test_a_jobs_form_fits_the_pipeline():
    from pipeline.jobs import JobFields

    assert JobFields(**read_job_form(JOB)).max_retries == 3


def test_what_is_not_ticked_is_off():
    pairs = [pair for pair in JOB if pair[0] not in ("isEnabled", "allPlatforms")]
    assert errors(read_job_form, pairs) == {"platformIds": "Must name at least one platform."}
    platform = SimpleNamespace(id="plat_1")
    values = read_job_form([*pairs, ("platformIds", "plat_1")], [platform])
    assert (values["is_enabled"], values["platform_ids"]) == (False, ["plat_1"])


@pytest.mark.parametrize(
    ("field", "text", "named", "message"),
    [
        ("hour", "24", "timeConfig.hour", "Must be a whole number from 0 to 23."),
        ("hour", "", "timeConfig.hour", "Must be a whole number from 0 to 23."),
        ("minute", "half", "timeConfig.minute", "Must be a whole number from 0 to 59."),
        ("dayOfWeek", "Monday", "timeConfig.dayOfWeek", None),
        ("maxRetries", "", "maxRetries", "Must be a whole number."),
        ("maxRetries", "-1", "maxRetries", "Must be at least 0."),
        ("retryDelay", "1e3", "retryDelay", "Must be a whole number."),
        ("timeLimit", "9" * 40, "timeLimit", "Must be a whole number."),
        ("firstRun", "2", "firstRun.days", "Must be 1, 7 or 30."),
        ("firstRun", "since", "firstRun.since", "Must be an instant such as 2025-10-03T09:00:00Z."),
        ("name", " ", "name", "Must not be empty."),
    ],
)
def test_a_forms_mistakes_have_the_apis_names(field, text, named, message):
    pairs = [pair for pair in JOB if pair[0] != field] + [(field, text)]
    found = errors(read_job_form, pairs)
    assert list(found) == [named]
    assert message is None or found[named] == message


def test_a_first_run_since_a_date():
    pairs = [pair for pair in JOB if pair[0] != "firstRun"]
    values = read_job_form([*pairs, ("firstRun", "since"), ("since", "2025-01-31")])
    assert values["first_run"] == {"since": "2025-01-31T00:00:00.000Z"}


def test_the_preview_reads_the_same_form():
    assert read_preview(schedule_form(MultiDict(JOB))).cron == "5 9 * * 1,5"
    assert "frequency" in errors(read_preview, schedule_form(MultiDict()))


def test_a_projects_form():
    form = MultiDict(
        [
            ("name", "Lib"),
            ("sourceType", "GITHUB"),
            ("githubRepoOwner", "username"),
            ("githubRepoName", "awesome-lib"),
            ("githubBranch", " "),
            ("gitPath", ""),
            ("githubToken", ""),
            ("tone", "dry"),
        ]
    )
    assert read_project(project_form(form), partial=False, git_root=None) == {
        "name": "Lib",
        "source_type": "GITHUB",
        "github_repo_owner": "username",
        "github_repo_name": "awesome-lib",
        "github_branch": None,
        "git_path": None,
        "voice": {"tone": "dry"},
    }


def test_a_forms_token_is_kept_set_or_removed():
    assert "githubToken" not in project_form(MultiDict([("githubToken", "")]))
    assert project_form(MultiDict([("githubToken", " t ")]))["githubToken"] == "t"
    assert project_form(MultiDict([("removeToken", "on"), ("githubToken", "")]))["githubToken"] is None


def test_a_platforms_form():
    form = MultiDict([("type", "HASHNODE"), ("token", " t "), ("publicationId", "p"), ("isConnected", "on")])
    assert read_platform(platform_form(form), partial=False) == {
        "type": "HASHNODE",
        "is_connected": True,
        "credentials": {"token": "t", "publicationId": "p"},
    }
    assert platform_form(MultiDict([("removeCredentials", "on")])) == {
        "isConnected": False,
        "credentials": None,
    }
    assert "credentials" not in platform_form(MultiDict([("apiKey", " ")]))


def test_a_user():
    assert read_user(" Me@Example.COM ", "long enough") == {
        "email": "me@example.com",
        "password": "long enough",
    }
    assert set(errors(read_user, "me", "short")) == {"email", "password"}
    for email in ("", "a b@x.org", "a@b@x.org", "a@x.org, b@x.org", "a@x.org\nBcc: b@x.org", "<a@x.org>"):
        assert list(errors(read_user, email, "long enough")) == ["email"], email
    assert list(errors(read_user, "me@example.com", "x" * 1001)) == ["password"]


def test_the_sentence_names_every_field_once():
    details = [{"field": name, "message": "Is needed."} for name in ("a", "b", "b", "c")]
    assert InputError(details).message == "Please correct a, b and c."
    assert InputError(details[:1]).message == "a: Is needed."
    assert InputError([{"field": "", "message": "The body is empty."}]).message == "The body is empty."
