"""Each way the services fail, through a whole run: where it ends, and the reason on its page."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.http import Limits
from lib.secrets import SecretBox
from models import Execution, User
from pipeline import control, execute
from pipeline.adapters import Adapters
from sources.github import GitHub
from tests.blueprints.pages import Visitor, text
from tests.pipeline.conftest import make_job
from tests.standins import llm as model
from tests.standins.github import GitHubStandIn, error
from tests.standins.llm import LlmStandIn
from tests.standins.server import Answer
from writers.llm import LlmWriter

pytestmark = pytest.mark.loopback
MINUTE = 60


class Impatient(Adapters):
    """Waits seconds where the product waits half a minute."""

    def source(self, project):
        url = self.settings.github_api_url
        return GitHub(url, "username", "awesome-lib", limits=Limits(read=2.0, total=4.0))

    def model(self, url):
        self.__dict__["writer"] = LlmWriter("key", f"{url}/v1", "stand-in", timeout=2.0, total=4.0)
        return self


@pytest.fixture
def world(settings):
    with GitHubStandIn() as github, LlmStandIn() as llm:
        github.move_dates(datetime.now(UTC) - timedelta(minutes=5))
        fields = settings.model_dump() | {"github_api_url": github.url}
        built = Impatient(type(settings).model_validate(fields), SecretBox(["x" * 43 + "="]), patience=0)
        built.model(llm.url)
        built.writer.prepare()
        yield github, llm, built
        built.writer.close()


@pytest.fixture
def ran(session, app, world):
    """Runs one attempt; the execution, and its page as its owner reads it."""

    def run() -> tuple[Execution, str]:
        job = make_job(session)
        execution, _ = control.trigger(session, job)
        execute.run(session, execution.id, world[2])
        done = session.get_one(Execution, execution.id, populate_existing=True)
        owner = session.get_one(User, done.user_id)
        session.commit()
        return done, text(Visitor(app, owner).get(f"/executions/{done.id}"))

    return run


GITHUB = [  # answer, status, minutes until the retry (None: it ends), reason
    (error(401, "Bad credentials"), "RETRYING", 5, "GitHub API error: Bad credentials"),
    (error(403, "Resource not accessible"), "RETRYING", 5, "GitHub API error: Resource not accessible"),
    (error(403, "Slow down", {"Retry-After": "120"}), "RETRYING", 2, "GitHub API error: Slow down"),
    (error(404, "Not Found"), "RETRYING", 5, "GitHub API error: Not Found"),
    (error(451, "Repository access blocked"), "FAILED", None, "GitHub API error: Repository access blocked"),
    (error(500, "Server Error"), "RETRYING", 5, "GitHub API error: Server Error"),
    (Answer(503, "<html>No"), "RETRYING", 5, "GitHub API error: HTTP 503 without a JSON answer"),
    (Answer(200, "<html>Hello"), "RETRYING", 5, "GitHub API error:"),
    (Answer(200, [], delay=10), "RETRYING", 5, "GitHub API error: no answer within"),
]


@pytest.mark.parametrize(("answer", "status", "minutes", "reason"), GITHUB, ids=lambda value: str(value)[:40])
def test_github_fails(ran, world, answer, status, minutes, reason):
    world[0].fail_always("/repos/", answer)
    done, page = ran()
    assert done.status == status
    assert done.error.startswith(reason)
    assert done.error in page
    if minutes is None:
        assert done.next_retry_at is None
    else:
        wait = (done.next_retry_at - done.attempts[0].completed_at).total_seconds()
        assert wait == pytest.approx(minutes * MINUTE, abs=1)
        assert "Next try:" in page


def test_an_empty_repository_is_no_failure(ran, world):
    world[0].fail_always("/commits", error(409, "Git Repository is empty."))
    for list_ in ("/pulls", "/issues", "/releases"):
        world[0].fail_always(list_, Answer(200, []))
    done, page = ran()
    assert (done.status, done.outcome) == ("COMPLETED", "NO_ACTIVITY")
    assert "No activity" in page


MODEL = [  # answer for one platform, reason
    (model.RATE_LIMIT, "API rate limit"),
    (model.NO_QUOTA, ""),
    (model.SERVER_ERROR, "Model API error: HTTP 500"),
    (model.REFUSAL, "The model refused to write this post"),
    (model.BROKEN_JSON, ""),
    (model.HTML, ""),
    (model.hang(10), "Model API error: no answer within"),
]


@pytest.mark.parametrize(("answer", "reason"), MODEL, ids=lambda value: str(value)[:50])
def test_the_model_fails_on_one_platform(ran, world, answer, reason):
    world[1].fail_platform("DEVTO", answer)
    done, page = ran()
    assert (done.status, done.outcome) == ("COMPLETED", "PARTIAL")
    (failed,) = [result for result in done.output["results"] if not result["success"]]
    assert failed["platformType"] == "DEVTO"
    assert failed["error"].startswith(reason)
    assert failed["error"] in page
    assert "sk-secret" not in page


@pytest.mark.parametrize(
    ("answer", "status"),
    [(model.SERVER_ERROR, "RETRYING"), (model.REFUSAL, "FAILED")],
    ids=["500", "refusal"],
)
def test_the_model_fails_on_every_platform(ran, world, answer, status):
    for platform in ("HASHNODE", "DEVTO", "LINKEDIN"):
        world[1].fail_platform(platform, answer)
    done, page = ran()
    assert done.status == status
    assert done.error in page
