"""Real weeks of real repositories through the whole run: GitHub's source, both writers, every platform."""

import json

import pytest
from sqlalchemy import select

from lib.secrets import SecretBox
from models import Draft, Execution, Project
from models.values import Post
from pipeline import control, execute
from pipeline.adapters import Adapters
from platforms import PLATFORMS
from tests.pipeline.conftest import make_job
from tests.standins.github import GitHubStandIn, parse
from tests.standins.llm import LlmStandIn
from writers.llm import LlmWriter

pytestmark = pytest.mark.loopback
WEEKS = [
    "coleifer__huey__2026-07-06_2026-07-13",
    "healthchecks__healthchecks__2025-09-01_2025-09-08",
    "pallets__flask__2025-08-18_2025-08-25",
]


@pytest.fixture(params=WEEKS, ids=[week.partition("__2")[0] for week in WEEKS])
def week(request, shared_data) -> dict:
    return json.loads((shared_data / "activity" / f"{request.param}.json").read_text())


@pytest.fixture(params=["template", "model"])
def adapters(request, week, settings):
    with GitHubStandIn(week, server_time=parse(week["_meta"]["window"]["to"])) as github, LlmStandIn() as llm:
        chosen = {"github_api_url": github.url}
        if request.param == "model":
            chosen |= {"openai_api_key": "key", "openai_base_url": f"{llm.url}/v1"}
        fields = settings.model_dump() | chosen
        built = Adapters(type(settings).model_validate(fields), SecretBox(["x" * 43 + "="]), patience=0)
        yield built
        if isinstance(built.writer, LlmWriter):
            built.writer.close()


def expected(counts: dict) -> str:
    words = (
        ("commits", "commit"),
        ("pulls", "merged PR"),
        ("issues", "closed issue"),
        ("releases", "release"),
    )
    told = [(counts[key], word) for key, word in words]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in told if n)


def test_a_recorded_week_becomes_three_posts(session, week, adapters):
    job = make_job(session, first_run={"since": week["_meta"]["window"]["from"]})
    owner, name = week["repository"]["full_name"].split("/")
    project = session.get_one(Project, job.project_id)
    project.github_repo_owner, project.github_repo_name = owner, name
    session.commit()
    execution, _ = control.trigger(session, job)
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    assert (done.status, done.outcome, done.error) == ("COMPLETED", "SUCCESS", None)
    assert done.summary == done.output["activity"]["summary"] == expected(week["_meta"]["counts"])
    drafts = session.scalars(select(Draft).where(Draft.execution_id == done.id)).all()
    assert sorted(draft.platform_type for draft in drafts) == ["DEVTO", "HASHNODE", "LINKEDIN"]
    for draft in drafts:
        assert draft.checks == []
        assert PLATFORMS[draft.platform_type].check(Post(draft.title, draft.content, tuple(draft.tags))) == []
        assert name.lower() in (draft.title + draft.content).lower()
