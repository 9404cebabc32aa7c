"""The pages of an execution in its states, with all that they can show."""

from datetime import datetime, timedelta
from typing import Any

from tests.blueprints.conftest import Rows
from tests.blueprints.pages import attempt, step

KINDS = ("HASHNODE", "DEVTO", "LINKEDIN")
HELPS = " – enter a new one in the project's settings"
TRACE = """Error: GitHub API error: Bad credentials
    at _attempt (pipeline/execute.py:66)
    at send (requests/sessions.py:703)
    at _exchange (lib/http.py:190)
Caused by: HTTPError"""
FAILURES = {  # code: status, step, error
    "token_refused": ("RETRYING", "scan", f"GitHub API error: Bad credentials{HELPS}"),
    "rate_limited": ("RETRYING", "scan", "GitHub API error: All 60 requests of this hour are used up."),
    "repository_gone": ("FAILED", "scan", "GitHub API error: Not Found. Either it is gone, or private."),
    "branch_gone": ("FAILED", "scan", "GitHub API error: there is no branch main"),
    "budget_spent": ("FAILED", "write", "The monthly budget of 5.00 USD is spent."),
    "model_refused": ("FAILED", "write", "The model refused to write this post"),
    "model_unreachable": ("RETRYING", "write", "Model API error: no answer within 90 s"),
    "no_platform": ("FAILED", "", "No platform is connected for this job: connect one in the project."),
    "timeout": ("TIMEOUT", "scan", "The run took longer than the job's time limit."),
    "worker_died": ("FAILED", "scan", "The worker that ran this attempt stopped."),
    "unexpected": ("FAILED", "write", f"Unexpected error: KeyError: {'Verylongname' * 21}"),
}


def add(rows: Rows, see: Any, project: Any, at: datetime, strange: str) -> None:
    """`see` notes a state's name and path; `strange` is a text that a stranger wrote."""
    for code in FAILURES:
        _failed(rows, see, project, at, code)
    job = rows.job(project, name="Watched")
    _running(rows, see, job, at)
    whole = _whole(rows, rows.job(project, name="Told whole"), at, strange)
    for part in ("", "/raw", "/receipt"):
        see(f"execution-whole{part.replace('/', '-')}", f"/executions/{whole.id}{part}")
    _partial(rows, see, rows.job(project, name="Told in part"), at)
    _dry(rows, see, rows.job(project, name="Tried out"), at)


def _failed(rows: Rows, see: Any, project: Any, at: datetime, code: str) -> None:
    status, where, error = FAILURES[code]
    waits, began = status == "RETRYING", at - timedelta(minutes=12)
    said = {"error": error, "error_code": code}
    execution = rows.execution(
        rows.job(project, name=f"Failed: {code}"),
        status=status,
        outcome=None if waits else status,
        stack_trace=TRACE,
        attempt=2,
        failures=2,
        started_at=began,
        completed_at=None if waits else at,
        next_retry_at=at + timedelta(minutes=10) if waits else None,
        duration=8000,
        **said,
    )
    for number, minutes in ((1, 0), (2, 5)):
        start = began + timedelta(minutes=minutes)
        ended = {"started_at": start, "completed_at": start + timedelta(seconds=4), "duration": 4000}
        attempt(rows, execution, number, status="FAILED", stack_trace=TRACE, **ended, **said)
        if where == "write":
            scan = {"started_at": start, "completed_at": start + timedelta(seconds=1), "duration": 1000}
            step(rows, execution, "scan", attempt=number, status="COMPLETED", **scan)
        if where:
            kind = "DEVTO" if where == "write" else None
            step(rows, execution, where, attempt=number, status="FAILED", platform_type=kind, **ended, **said)
    see(f"execution-failed-{code.replace('_', '-')}", f"/executions/{execution.id}")
    if code == "token_refused":
        see("execution-failed-receipt", f"/executions/{execution.id}/receipt")


def _running(rows: Rows, see: Any, job: Any, at: datetime) -> None:
    began = at - timedelta(seconds=9)
    execution = rows.execution(
        job, status="RUNNING", outcome=None, attempt=1, started_at=began, heartbeat_at=at,
        window_since=at - timedelta(days=1), window_until=began,
    )  # fmt: skip
    attempt(rows, execution, 1, started_at=began)
    _scan(rows, execution, began, "A change")
    for kind, took in zip(KINDS, (3000, None, None), strict=True):
        written = began + timedelta(seconds=2)
        ended = {"completed_at": written + timedelta(milliseconds=took), "duration": took} if took else {}
        done = "COMPLETED" if took else "RUNNING"
        step(rows, execution, "write", platform_type=kind, status=done, started_at=written, **ended)
    see("execution-watched", f"/executions/{execution.id}")


def _scan(rows: Rows, execution: Any, began: datetime, title: str) -> None:
    day = (began - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    home = "https://github.com/username/awesome-lib"
    activity = {
        "repository": "username/awesome-lib",
        "url": home,
        "window": {"since": day, "until": day},
        "requests": 7,
        "commits": [
            {"sha": f"{number:040x}", "message": title, "author": {"name": "Jane Smith"}, "date": day,
             "url": f"{home}/commit/{number}"}
            for number in range(14)
        ],
        "pulls": [{"number": 42, "title": title, "merged_at": day, "url": f"{home}/pull/42"}],
        "releases": [{"tag": "v1.0", "name": "", "published_at": day}],
        "withheld": [
            {"kind": "commit", "key": why, "reason": why} for why in ("security", "word", "secret")
        ],
        "cuts": ["Only the newest 14 commits were read."],
    }  # fmt: skip
    ended = {"completed_at": began + timedelta(seconds=2), "duration": 2000}
    step(rows, execution, "scan", status="COMPLETED", started_at=began, **ended, result=activity)


def _ran(rows: Rows, job: Any, at: datetime, **values: Any) -> Any:
    began = at - timedelta(minutes=3)
    lasting = {"started_at": began, "completed_at": began + timedelta(seconds=14), "duration": 14_000}
    window = {"window_since": at - timedelta(days=1), "window_until": began}
    execution = rows.execution(
        job, attempt=1, summary="14 commits, 1 merged PR, 1 release", **lasting, **window, **values
    )
    attempt(rows, execution, 1, status="COMPLETED", **lasting)
    _scan(rows, execution, began, "A change")
    return execution


def _output(*results: dict[str, Any]) -> dict[str, Any]:
    return {"activity": {"summary": "14 commits", "hasActivity": True}, "results": list(results)}


def _result(kind: str, **values: Any) -> dict[str, Any]:
    empty = {"success": True, "error": None, "draftId": None}
    return {"platformId": f"plat_{kind.lower()}", "platformType": kind} | empty | values


def _whole(rows: Rows, job: Any, at: datetime, strange: str) -> Any:
    from models import Spend
    from tests.blueprints.pages import change

    execution = _ran(rows, job, at, items_processed=3, items_success=3)
    usage = {"model": "gpt-5-mini", "prompt": "3", "prompt_tokens": 1234, "completion_tokens": 567}
    sources = [{"ref": "c1", "kind": "commit", "title": strange, "url": "https://github.com/a/b/commit/1"}]
    text = f"# What is new\n\n{strange}\n\n" + "The build understands TypeScript now. " * 20
    results = []
    for kind in KINDS:
        by_model = kind != "LINKEDIN"
        draft = rows.draft(
            execution, kind, title="" if kind == "LINKEDIN" else f"{strange} of {kind}", content=text,
            usage=usage if by_model else None, sources=sources, checks=["The title is too long."],
        )  # fmt: skip
        more = {} if by_model else {"fellBack": True, "givenBack": 2}
        results.append(_result(kind, draftId=draft.id, **more))
        spent = {"model": "gpt-5-mini", "prompt_tokens": 1234, "completion_tokens": 567, "cost": 12_345}
        rows.add(
            Spend(
                project_id=job.project_id, execution_id=execution.id, platform_id=f"plat_{kind.lower()}",
                at=at, **spent,
            )
        )  # fmt: skip
    change(rows, execution, output=_output(*results))
    _mails(rows, execution, at)
    return execution


def _mails(rows: Rows, execution: Any, at: datetime) -> None:
    from models import EmailDelivery

    common = {
        "execution_id": execution.id,
        "user_id": execution.user_id,
        "subject": "s",
        "text": "t",
        "html": "h",
    }
    late = "The mail server did not answer"
    refused = "The mail server refused the recipient: 550 no such user"
    for number, values in enumerate((
        {"status": "SENT", "sent_at": at, "attempts": 1},
        {"status": "PENDING"},
        {"status": "PENDING", "error": late, "next_try_at": at + timedelta(minutes=4)},
        {"status": "FAILED", "error": refused, "attempts": 9},
    )):  # fmt: skip
        rows.add(EmailDelivery(recipient=f"someone{number}@example.com", **common, **values))


def _partial(rows: Rows, see: Any, job: Any, at: datetime) -> None:
    from tests.blueprints.pages import change

    counted = {"items_processed": 2, "items_success": 1, "items_failed": 1}
    execution = _ran(rows, job, at, outcome="PARTIAL", **counted)
    draft = rows.draft(execution, "HASHNODE")
    error = "The monthly budget of 5.00 USD is spent."
    failed = {"error": error, "error_code": "budget_spent", "duration": 10}
    step(rows, execution, "write", platform_type="DEVTO", status="FAILED", started_at=at, permanent=True,
         completed_at=at, **failed)  # fmt: skip
    missing = _result("DEVTO", success=False, error=error, errorCode="budget_spent")
    change(rows, execution, output=_output(_result("HASHNODE", draftId=draft.id), missing))
    see("execution-partial-told", f"/executions/{execution.id}")


def _dry(rows: Rows, see: Any, job: Any, at: datetime) -> None:
    said = {"title": "What would be said", "content": "One line.\n\nAnd another one.", "tags": ["python"]}
    execution = _ran(
        rows, job, at, dry_run=True, moves_cursor=False, output=_output(_result("DEVTO", content=said))
    )
    see("execution-dry-run-told", f"/executions/{execution.id}")
