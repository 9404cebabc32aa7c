"""What helps against a failure, told from its code alone: the same on page, card and in the mail."""

from dataclasses import dataclass

from lib.codes import Code
from models import Execution, Job
from models.values import Outcome, Status

FAILED = (Status.FAILED, Status.TIMEOUT, Status.RETRYING)
_PROJECT = "/projects/{project}"
_EDIT = f"{_PROJECT}/edit"
_JOB = f"{_PROJECT}/cron/{{job}}/edit"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A link: what its button says, and the path of the page where it is done."""

    label: str
    path: str


_TOKEN = Remedy("Replace the token", f"{_EDIT}#f-githubToken")
_NEW_TOKEN = Remedy("Enter a token", f"{_EDIT}#f-githubToken")
_REPOSITORY = Remedy("Correct the repository", f"{_EDIT}#f-githubRepoName")
_FOLDER = Remedy("Correct the folder", f"{_EDIT}#f-gitPath")
_WRITER = Remedy("Choose another writer", f"{_JOB}#f-writer")
_REMEDIES: dict[str, Remedy | None] = {
    Code.TOKEN_REFUSED: _TOKEN,
    Code.TOKEN_MISSING: _NEW_TOKEN,
    Code.ACCESS_DENIED: _TOKEN,
    Code.RATE_LIMITED: None,
    Code.REPOSITORY_GONE: _REPOSITORY,
    Code.REPOSITORY_OTHER: _REPOSITORY,
    Code.REPOSITORY_BLOCKED: Remedy("Connect another repository", f"{_EDIT}#f-githubRepoName"),
    Code.REPOSITORY_UNNAMED: Remedy("Name the repository", f"{_EDIT}#f-githubRepoName"),
    Code.BRANCH_GONE: Remedy("Choose another branch", f"{_EDIT}#f-githubBranch"),
    Code.FOLDER_REFUSED: _FOLDER,
    Code.GIT_FAILED: None,
    Code.SOURCE_UNREACHABLE: None,
    Code.SOURCE_ADDRESS: Remedy("Test the connection", f"{_PROJECT}#repository"),
    Code.MODEL_KEY_REFUSED: _WRITER,
    Code.MODEL_UNKNOWN: _WRITER,
    Code.MODEL_QUOTA: _WRITER,
    Code.MODEL_RATE_LIMITED: None,
    Code.MODEL_UNREACHABLE: None,
    Code.MODEL_ANSWER: None,
    Code.MODEL_REFUSED: _WRITER,
    Code.MODEL_REJECTED: _WRITER,
    Code.MODEL_NOT_SET: _WRITER,
    Code.BUDGET_SPENT: Remedy("Raise the budget", f"{_EDIT}#f-monthlyBudget"),
    Code.NO_PLATFORM: Remedy("Connect a platform", f"{_PROJECT}#platforms"),
    Code.SECRET_UNREADABLE: Remedy("Enter the token again", f"{_EDIT}#f-githubToken"),
    Code.TIMEOUT: Remedy("Raise the time limit", f"{_JOB}#f-timeLimit"),
    Code.WORKER_DIED: None,
    Code.WORKER_STOPPED: None,
    Code.SUPERSEDED: None,
    Code.UNEXPECTED: None,
}
"""None: nothing is to be mended, and to try again is what helps."""


def code_of(execution: Execution) -> str | None:
    """What its failure is called: its own, or of one that is partly done the first failed platform's."""
    if execution.outcome != Outcome.PARTIAL:
        return execution.error_code
    results = (execution.output or {}).get("results", [])
    return next((one["errorCode"] for one in results if one.get("errorCode")), None)


def remedy_of(execution: Execution) -> Remedy | None:
    """The one thing to mend before it is tried again; None where nothing is, nothing failed, or nobody named
    the failure. Needs the execution's job and its project."""
    if execution.status not in FAILED and execution.outcome != Outcome.PARTIAL:
        return None
    return remedy_for(code_of(execution), execution.job)


def remedy_for(code: str | None, job: Job) -> Remedy | None:
    """What helps a job whose run failed of this. Needs its project."""
    found, project = _REMEDIES.get(code or ""), job.project
    if project.source_type == "GIT":
        found = _FOLDER if code == Code.REPOSITORY_GONE else found
    elif code == Code.RATE_LIMITED and project.github_token is None:
        found = _NEW_TOKEN
    if found is None:
        return None
    return Remedy(found.label, found.path.format(project=project.id, job=job.id))


def mailed(execution: Execution, base_url: str) -> dict[str, str] | None:
    """The same as a mail's template formats it: `label` and the whole `link`."""
    found = remedy_of(execution)
    return {"label": found.label, "link": base_url + found.path} if found else None
