"""The product's walkthrough, driven over HTTP: real web and worker processes, with real local servers in the
place of GitHub, the model and the mail server. Ids, clock and generated text aside, every object has the
walkthrough's keys and values."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.standins.github import GitHubStandIn, awesome_lib
from tests.standins.github import error as github_error
from tests.standins.llm import LlmStandIn
from tests.standins.mail import Mailbox, html_of, text_of
from tests.standins.server import Answer
from tests.standins.stack import Api, Stack, until

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(300)]

PLATFORMS = ["HASHNODE", "DEVTO", "LINKEDIN"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "SKIPPED")
DAILY = {"frequency": "DAILY", "timeConfig": {"hour": 9, "minute": 0, "timezone": "UTC"}}


class World:
    """The product and its surroundings, and the walkthrough's objects in it."""

    def __init__(self, github: GitHubStandIn, llm: LlmStandIn, mailbox: Mailbox, stack: Stack) -> None:
        self.github, self.llm, self.mailbox, self.stack = github, llm, mailbox, stack
        stack.flask("user", "create", "user@example.com", "--password-stdin", stdin="correct horse\n")
        self.api = Api(stack.url, stack.flask("token", "create", "user@example.com"))

    def ended(self, execution_id: str, seconds: float = 60) -> dict:
        def look():
            execution = self.api("GET", f"/api/executions/{execution_id}")
            return execution if execution["status"] in ENDED else None

        return until(look, seconds, f"end of {execution_id}")

    def triggered(self, **more) -> dict:
        started = self.api("POST", "/api/cron/trigger", {"jobId": self.job["id"], **more}, status=202)
        assert started["triggeredBy"] == "manual"
        assert started["status"] in ("QUEUED", "RUNNING")
        return self.ended(started["id"])

    def mail(self, number: int):
        return until(lambda: self.mailbox.messages[number : number + 1], 20, f"mail number {number + 1}")[0]

    def newest_notification(self) -> dict:
        return self.api("GET", "/api/notifications")[0]


@pytest.fixture
def world(blank_database_url, tmp_path):
    with GitHubStandIn() as github, LlmStandIn() as llm, Mailbox() as mailbox:
        github.move_dates(datetime.now(UTC) - timedelta(minutes=40))
        environ = {
            "INSTANCE_PATH": str(tmp_path / "instance"),
            "DATABASE_URL": blank_database_url,
            "GITHUB_API_URL": github.url,
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": f"{llm.url}/v1",
            "OPENAI_MODEL": "stand-in",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mailbox.port),
            "BASE_URL": "http://repocast.example",
        }
        with Stack(environ) as stack:
            yield World(github, llm, mailbox, stack)


def has(found: dict, **expected) -> None:
    """The object has these keys with these values; it may have more."""
    assert {key: found.get(key, "absent") for key in expected} == expected


def test_the_walkthrough(world):
    step_1_the_job_is_created(world)
    step_2_a_slot_comes_due(world)
    step_3_the_history_is_looked_at(world)
    step_4_it_is_triggered_by_hand(world)
    scenario_no_activity(world)
    scenario_one_platform_fails(world)
    scenario_complete_failure(world)


def step_1_the_job_is_created(w: World) -> None:
    w.project = w.api(
        "POST",
        "/api/projects",
        {
            "name": "My Open Source Library",
            "sourceType": "GITHUB",
            "githubRepoOwner": "username",
            "githubRepoName": "awesome-lib",
        },
        status=201,
    )
    has(w.project, githubRepoOwner="username", githubRepoName="awesome-lib", lastSyncedAt=None)
    w.platforms = [
        w.api("POST", f"/api/projects/{w.project['id']}/platforms", {"type": kind}, status=201)
        for kind in PLATFORMS
    ]
    for platform, kind in zip(w.platforms, PLATFORMS, strict=True):
        has(platform, type=kind, isConnected=True)
    w.job = w.api(
        "POST",
        "/api/cron/schedule",
        {
            "projectId": w.project["id"],
            "type": "GENERATE_CONTENT",
            "name": "Daily Content Generation",
            "description": "Generate blog posts from GitHub activity",
            **DAILY,
            "isEnabled": True,
            "maxRetries": 3,
            "retryDelay": 300,
        },
        status=201,
    )
    now = datetime.now(UTC)
    nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
    upcoming = nine if nine > now else nine + timedelta(days=1)
    has(
        w.job,
        projectId=w.project["id"],
        type="GENERATE_CONTENT",
        name="Daily Content Generation",
        schedule="0 9 * * *",
        timezone="UTC",
        isEnabled=True,
        status="IDLE",
        nextRunAt=upcoming.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        runCount=0,
        successCount=0,
        failureCount=0,
        maxRetries=3,
        retryDelay=300,
    )
    assert w.job["id"].startswith("cron_")
    assert INSTANT.fullmatch(w.job["createdAt"])


def step_2_a_slot_comes_due(w: World) -> None:
    """The next minute stands for nine o'clock: a real clock is not moved."""
    minutely = {"frequency": "CUSTOM", "timeConfig": {"expression": "* * * * *", "timezone": "UTC"}}
    slot = w.api("PATCH", f"/api/cron/schedules/{w.job['id']}", minutely)["nextRunAt"]
    path = f"/api/cron/executions?jobId={w.job['id']}"
    (running,) = until(lambda: w.api("GET", path), 75, "scheduled execution")
    nine = w.api("PATCH", "/api/cron/schedule", {"jobId": w.job["id"], **DAILY})
    has(running, jobId=w.job["id"], triggeredBy="scheduled", scheduledFor=slot)
    w.execution = done = w.ended(running["id"])
    has(
        done,
        jobId=w.job["id"],
        status="COMPLETED",
        outcome="SUCCESS",
        itemsProcessed=3,
        itemsSuccess=3,
        itemsFailed=0,
        triggeredBy="scheduled",
        error=None,
    )
    assert {"projectId": w.project["id"], "userId": done["metadata"]["userId"]} == done["metadata"]
    assert done["metadata"]["userId"].startswith("user_")
    assert done["startedAt"] >= slot
    assert done["duration"] >= 0
    has(done["output"]["activity"], summary="3 commits, 1 merged PR, 1 closed issue", hasActivity=True)
    _the_activity_is_the_walkthroughs(done["activity"])
    _each_platform_has_its_post(w, done["output"]["results"])
    _the_job_has_moved_on(w, done, nine["nextRunAt"])
    _its_owner_was_told(w, done)


def _the_activity_is_the_walkthroughs(activity: dict) -> None:
    has(activity, hasActivity=True, summary="3 commits, 1 merged PR, 1 closed issue")
    shown = [(c["message"], c["author"], c["filesChanged"]) for c in activity["commits"]]
    assert shown == [
        ("Fix build errors", "John Doe", ["package.json"]),
        ("Update documentation", "Jane Smith", ["README.md"]),
        ("Add TypeScript support", "John Doe", ["src/index.ts", "tsconfig.json"]),
    ]
    assert all({"sha", "date"} <= commit.keys() for commit in activity["commits"])
    (pull,) = activity["pullRequests"]
    has(pull, number=42, title="Add CI/CD pipeline", state="closed")
    assert INSTANT.fullmatch(pull["mergedAt"])
    (issue,) = activity["issues"]
    has(issue, number=15, title="Support Node 18", state="closed")
    assert INSTANT.fullmatch(issue["closedAt"])


def _each_platform_has_its_post(w: World, results: list[dict]) -> None:
    for result, platform in zip(results, w.platforms, strict=True):
        has(result, platformId=platform["id"], platformType=platform["type"], success=True, error=None)
        content = result["content"]
        assert "awesome-lib" in content["content"]
        if platform["type"] == "LINKEDIN":
            assert set(content) == {"content"}
        else:
            assert content["title"]
            assert content["tags"]
        draft = w.api("GET", f"/api/drafts/{result['draftId']}")
        has(draft, platformType=platform["type"], state="DRAFT", version=1, content=content["content"])


def _the_job_has_moved_on(w: World, done: dict, next_run: str) -> None:
    job = w.api("GET", f"/api/cron/schedules/{w.job['id']}")
    has(
        job,
        lastRunAt=done["startedAt"],
        lastSuccess=done["startedAt"],
        nextRunAt=next_run,
        runCount=1,
        successCount=1,
        failureCount=0,
        status="IDLE",
    )
    project = w.api("GET", f"/api/projects/{w.project['id']}")
    assert project["lastSyncedAt"] == done["window"]["until"]


def _its_owner_was_told(w: World, done: dict) -> None:
    mail = w.mail(0)
    took = _seconds(done)
    assert mail["To"] == "user@example.com"
    assert mail["Subject"] == "✅ Daily Content Generation completed successfully"
    assert text_of(mail).strip().splitlines()[:10] == [
        "Job: Daily Content Generation",
        "Project: My Open Source Library",
        "Status: completed successfully",
        f"Duration: {took}",
        "",
        "Details:",
        "- Items processed: 3",
        "- Successful: 3",
        "",
        "[View Execution Details]",
    ]
    link = f"http://repocast.example/executions/{done['id']}"
    assert link in text_of(mail)
    assert link in html_of(mail)
    note = w.newest_notification()
    has(
        note,
        type="JOB_SUCCESS",
        title="Daily Content Generation completed successfully",
        message=f"Execution completed successfully in {took}",
        link=f"/projects/{w.project['id']}/cron/{w.job['id']}",
        read=False,
    )
    assert INSTANT.fullmatch(note["createdAt"])


def _seconds(execution: dict) -> str:
    from lib.words import duration

    return duration(execution["duration"])


def step_3_the_history_is_looked_at(w: World) -> None:
    answer = w.api.raw("GET", f"/api/cron/executions?jobId={w.job['id']}&stats=true")
    assert answer.status_code == 200
    body = answer.json()
    has(body, success=True, count=1)
    (listed,) = body["data"]
    keys = (
        "id jobId status startedAt completedAt duration itemsProcessed itemsSuccess itemsFailed triggeredBy"
    )
    has(listed, **{key: w.execution[key] for key in [*keys.split(), "metadata"]})
    assert "content" not in listed["output"]["results"][0]
    has(
        body["statistics"],
        totalRuns=1,
        totalSuccess=1,
        totalFailures=0,
        successRate="100.00",
        avgDuration=w.execution["duration"],
        lastRun=w.execution["startedAt"],
        lastSuccess=w.execution["startedAt"],
        nextRun=w.api("GET", f"/api/cron/schedules/{w.job['id']}")["nextRunAt"],
        recentExecutions=[{key: w.execution[key] for key in ("id", "status", "startedAt", "duration")}],
    )


def step_4_it_is_triggered_by_hand(w: World) -> None:
    before = w.api("GET", f"/api/cron/schedules/{w.job['id']}")["nextRunAt"]
    data = awesome_lib()
    w.github.repositories[0]["commits"][0]["sha"] = "new" + data["commits"][0]["sha"][3:]
    details = w.github.repositories[0]["commit_details"]
    details[w.github.repositories[0]["commits"][0]["sha"]] = details[data["commits"][0]["sha"]]
    done = w.triggered()
    has(done, status="COMPLETED", triggeredBy="manual", scheduledFor=None, itemsProcessed=3)
    has(done["output"]["activity"], summary="1 commit", hasActivity=True)
    assert w.api("GET", f"/api/cron/schedules/{w.job['id']}")["nextRunAt"] == before
    w.mail(1)


def scenario_no_activity(w: World) -> None:
    done = w.triggered()
    has(done, status="COMPLETED", outcome="NO_ACTIVITY", itemsProcessed=0, output=None)
    has(
        done["metadata"],
        message="No GitHub activity detected",
        activity={"hasActivity": False, "summary": "No activity"},
    )
    has(done["activity"], commits=[], pullRequests=[], issues=[], hasActivity=False, summary="No activity")
    assert len(w.mailbox.messages) == 2


def scenario_one_platform_fails(w: World) -> None:
    w.llm.fail_platform(
        "DEVTO", Answer(429, {"error": {"message": "slow down", "code": None}}, {"retry-after": "3600"})
    )
    done = w.triggered(since=(datetime.now(UTC) - timedelta(days=7)).isoformat())
    has(done, status="COMPLETED", outcome="PARTIAL", itemsProcessed=3, itemsSuccess=2, itemsFailed=1)
    shown = [(r["platformType"], r["success"], r["error"]) for r in done["output"]["results"]]
    assert shown == [("HASHNODE", True, None), ("DEVTO", False, "API rate limit"), ("LINKEDIN", True, None)]
    assert w.mail(2)["Subject"] == "⚠️ Daily Content Generation completed with errors"
    has(w.newest_notification(), type="JOB_PARTIAL", title="Daily Content Generation completed with errors")
    w.llm.heal()


def scenario_complete_failure(w: World) -> None:
    """Delays of one second stand for five minutes; they double all the same."""
    before = w.api("PATCH", f"/api/cron/schedules/{w.job['id']}", {"retryDelay": 1})
    w.github.fail_always("/repos/", github_error(401, "Bad credentials"))
    done = w.triggered()
    has(done, status="FAILED", outcome="FAILED", error="GitHub API error: Bad credentials", output=None)
    assert done["stackTrace"].startswith("Error: GitHub API error")
    assert [a["status"] for a in done["attempts"]] == ["FAILED"] * 4
    waits = [
        _instant(later["startedAt"]) - _instant(earlier["completedAt"])
        for earlier, later in zip(done["attempts"], done["attempts"][1:], strict=False)
    ]
    for wait, least in zip(waits, (1, 2, 4), strict=True):
        assert timedelta(seconds=least) <= wait <= timedelta(seconds=least + 3)
    job = w.api("GET", f"/api/cron/schedules/{w.job['id']}")
    has(job, lastFailure=done["completedAt"], runCount=before["runCount"] + 1, failureCount=1)
    assert w.mail(3)["Subject"] == "❌ Daily Content Generation failed after 3 retries"
    assert "GitHub API error: Bad credentials" in text_of(w.mail(3))
    has(w.newest_notification(), type="JOB_FAILED", title="Daily Content Generation failed after 3 retries")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
