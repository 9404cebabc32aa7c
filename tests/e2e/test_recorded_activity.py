"""Real weeks of real repositories through the whole run: GitHub's source, both writers, every platform."""

import json
import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from lib.secrets import SecretBox
from models import Draft, Execution, Project
from models.values import Activity, Digest, Post
from pipeline import control, execute
from pipeline.adapters import Adapters
from pipeline.digest import digest
from platforms import PLATFORMS
from sources.github import GitHub
from tests.e2e.recorded_lists import LISTS, MERGES_OF_BRANCHES, Expected
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


@pytest.fixture
def scanned(week) -> Activity:
    owner, name = week["repository"]["full_name"].split("/")
    with GitHubStandIn(week, server_time=parse(week["_meta"]["window"]["to"])) as github:
        return GitHub(github.url, owner, name).scan(parse(week["_meta"]["window"]["from"]))


@pytest.fixture
def shown(scanned) -> Digest:
    return digest(scanned, cadence="weekly", zone=ZoneInfo("UTC"))


def test_a_recorded_week_is_joined_item_for_item(week, shown):
    found = {
        Expected(
            item.ref,
            sum(kind == "commit" for kind, _ in item.folded),
            tuple(issue.ref for issue in item.closes),
            tuple(sorted(person.name for person in item.people)),
        )
        for item in shown.items
    }
    name = week["repository"]["name"]
    assert found == set(LISTS[name])
    left_out = [(kind, key[:7], reason) for (kind, key), reason in shown.left_out]
    assert left_out == [("commit", sha, "merge") for sha in MERGES_OF_BRANCHES.get(name, ())]


def test_all_of_a_recorded_week_is_accounted_for_once(scanned, shown):
    told = [key for item in shown.items for key in (item.key, *item.folded)]
    read = [*told, *(key for key, _ in shown.left_out)]
    assert Counter(read) == Counter(item.key for item in things(scanned))


def things(activity: Activity) -> tuple:
    return (*activity.commits, *activity.pulls, *activity.issues, *activity.releases)


def test_no_pull_request_of_a_recorded_week_is_told_as_a_commit(scanned, shown):
    told_twice = {
        (item.ref, number)
        for item in shown.items
        for number in re.findall(r"#(\d+)", item.title if item.kind == "commit" else "")
    }
    assert told_twice == set()
    merged = {pull.merge_sha for pull in scanned.pulls}
    assert merged.isdisjoint(item.key[1] for item in shown.items if item.kind == "commit")


def test_the_lines_of_a_recorded_pull_request_are_those_of_its_merge(week, shown):
    """As its page on GitHub shows them: what several commits change back and forth counts once."""
    by_number = {item.number: item for item in shown.items if item.kind == "pull"}
    for pull in week["pulls"]:
        merge = week["commit_details"][pull["merge_commit_sha"]]
        item = by_number[pull["number"]]
        counted = (merge["stats"]["additions"], merge["stats"]["deletions"])
        assert (item.additions, item.deletions) == counted
        assert sorted(item.files) == sorted(file["filename"] for file in merge["files"])
        assert item.more_files == 0


def test_what_github_itself_committed_is_known(week, scanned):
    logins = {c["sha"]: (c["committer"] or {}).get("login") for c in week["commits"]}
    assert {c.sha: c.by_forge for c in scanned.commits} == {
        sha: who == "web-flow" for sha, who in logins.items()
    }
