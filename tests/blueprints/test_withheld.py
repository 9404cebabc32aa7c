"""Pages and API say how many things were withheld and why, and never what."""

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from blueprints.pages_withheld import sentences
from models import Project
from models.values import ACTIVITY, Activity, Commit, FileChange, Held, Issue, Person, PullRequest, Window
from pipeline.heldback import sifted
from pipeline.privacy import Wishes
from tests.blueprints.pages import Visitor, beside, step, text

AT = datetime(2025, 10, 3, 9, tzinfo=UTC)
TOKEN = "ghp_" + "Xq7Vd2LmT9pRk4Zs8WbY3cHf6JnG1aEuKo5T"
PROJECT = {
    "name": "Lib",
    "sourceType": "GITHUB",
    "githubRepoOwner": "username",
    "githubRepoName": "awesome-lib",
}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


def commit(sha: str, message: str, *files: str) -> Commit:
    return Commit(sha, message, Person("Jane"), AT, files=tuple(map(FileChange, files or ("x.py",))))


def scanned(*commits: Commit, **more) -> dict:
    """A scan as its step stores it."""
    found = Activity("username/awesome-lib", Window(AT - timedelta(days=1), AT), commits=commits, **more)
    safe = sifted(found, Wishes(("falcon",), ("*.pem",)), Held, lambda tag, sha: False)
    return ACTIVITY.dump_python(safe, mode="json")


@pytest.fixture
def execution(rows, user):
    row = rows.execution(
        rows.job(rows.project(user)), status="COMPLETED", outcome="SUCCESS",
        window_since=AT - timedelta(days=1), window_until=AT, summary="1 commit",
    )  # fmt: skip
    result = scanned(
        commit("c1", f"Add x with {TOKEN}"),
        commit("c2", "Begin project Falcon"),
        commit("c3", "Renew", "server.pem"),
        commit("c4", "Compare the hosts (#7)"),
        pulls=(PullRequest(7, "Compare hosts", AT, labels=("security",), body="Fixes #5"),),
        issues=(Issue(5, "Redirects go anywhere", AT),),
        cuts=("Of 2,431 commits the newest 2,000 were read.",),
    )
    step(rows, row, "scan", status="COMPLETED", started_at=AT, result=result)
    return row


def lines(response, name: str) -> list[str]:
    """What stands in the form's text area."""
    area = re.search(rf'<textarea[^>]*\bname="{name}"[^>]*>\n([^<]*)', response.get_data(as_text=True))
    return html.unescape(area[1]).splitlines()


SECRETS = (TOKEN, "Falcon", "Renew", "server.pem", "Compare", "Redirects")


def test_the_page_says_how_many_and_why_but_not_what(visitor, execution):
    page = visitor.see(f"/executions/{execution.id}")
    shown = text(page)
    assert (
        "5 items withheld: 3 items of security fixes until a release carries them, 1 by your words, 1 by your"
        " paths. What looks like a secret is masked in 1 item. Of 2,431 commits the newest 2,000 were read."
    ) in shown
    assert "Add x with [withheld]" in shown
    assert not any(secret in page.get_data(as_text=True) for secret in SECRETS)


def test_the_api_counts_by_reason_and_shows_nothing(api, execution):
    answer = api.get(f"/api/executions/{execution.id}")
    found = answer.get_json()["data"]["activity"]
    assert found["withheld"] == {"security": 3, "word": 1, "path": 1, "secret": 1}
    assert found["cuts"] == ["Of 2,431 commits the newest 2,000 were read."]
    assert [one["sha"] for one in found["commits"]] == ["c1"]
    listed = api.get("/api/cron/executions?include=content").get_data(as_text=True)
    assert not any(secret in answer.get_data(as_text=True) + listed for secret in SECRETS)


def test_nothing_withheld_is_not_spoken_of(visitor, api, rows, user):
    row = rows.execution(rows.job(rows.project(user)), status="COMPLETED", outcome="SUCCESS")
    step(rows, row, "scan", status="COMPLETED", started_at=AT, result=scanned(commit("c1", "Add x")))
    assert "withheld" not in text(visitor.see(f"/executions/{row.id}"))
    found = api.get(f"/api/executions/{row.id}").get_json()["data"]["activity"]
    assert (found["withheld"], found["cuts"]) == ({}, [])


def test_a_window_that_is_withheld_whole_does_not_claim_that_nothing_happened(visitor, rows, user):
    row = rows.execution(rows.job(rows.project(user)), status="COMPLETED", outcome="NO_ACTIVITY")
    step(rows, row, "scan", status="COMPLETED", started_at=AT, result=scanned(commit("c1", "Falcon")))
    shown = text(visitor.see(f"/executions/{row.id}"))
    assert "All that happened in this window is withheld, so nothing was written." in shown
    assert "1 item withheld: 1 by your words. " in shown


def test_a_scan_of_before_this_was_told_still_shows(visitor, rows, user):
    row = rows.execution(rows.job(rows.project(user)), status="COMPLETED", outcome="SUCCESS")
    old = {"repository": "o/r", "commits": [], "pulls": [], "issues": [], "releases": []}
    step(rows, row, "scan", status="COMPLETED", started_at=AT, result=old)
    assert "No activity in this window." in text(visitor.see(f"/executions/{row.id}"))


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ([], ()),
        (["security"], ("1 item withheld: 1 security fix until a release carries it.",)),
        (["word", "word"], ("2 items withheld: 2 by your words.",)),
        (["secret"], ("What looks like a secret is masked in 1 item.",)),
        (
            ["secret"] * 3 + ["path"],
            ("1 item withheld: 1 by your paths.", "What looks like a secret is masked in 3 items."),
        ),
    ],
)
def test_the_sentences(reasons, said):
    assert sentences({"kind": "commit", "key": str(n), "reason": r} for n, r in enumerate(reasons)) == said


def test_the_form_takes_one_entry_a_line(visitor, rows):
    form = PROJECT | {
        "withholdWords": "Falcon\r\n\r\n  Project X \r\n",
        "withholdPaths": "*.pem\r\ndocs/internal/**",
    }
    visitor.follow(visitor.post("/projects/new", form))
    project = rows.all(Project)[0]
    assert project.withhold == {"words": ["Falcon", "Project X"], "paths": ["*.pem", "docs/internal/**"]}
    page = visitor.get(f"/projects/{project.id}/edit")
    assert lines(page, "withholdWords") == ["Falcon", "Project X"]
    assert lines(page, "withholdPaths") == ["*.pem", "docs/internal/**"]
    visitor.post(f"/projects/{project.id}/edit", PROJECT | {"withholdWords": "", "withholdPaths": ""})
    assert rows.get(Project, project.id).withhold == {"words": [], "paths": []}
    visitor.post(f"/projects/{project.id}/edit", PROJECT)
    assert rows.get(Project, project.id).withhold == {"words": [], "paths": []}


def test_a_wrong_entry_is_named_and_nothing_typed_is_lost(visitor, rows):
    form = PROJECT | {"withholdWords": "Falcon\nx", "withholdPaths": "# internal\n*.pem"}
    answer = visitor.post("/projects/new", form)
    assert answer.status_code == 422
    assert beside(answer, "withholdWords") == "“x” is too short: a word needs at least 2 characters."
    assert "“# internal” is no path" in beside(answer, "withholdPaths")
    assert lines(answer, "withholdWords") == ["Falcon", "x"]
    assert "<details open>\n<summary>What the posts must not tell" in answer.get_data(as_text=True)
    assert rows.all(Project) == []


def test_what_is_withheld_is_nobody_elses(stranger, api):
    made = api.post("/api/projects", {**PROJECT, "withhold": {"words": ["Falcon"]}})
    path = f"/api/projects/{made.get_json()['data']['id']}"
    assert stranger.get(path).status_code == 404
    assert stranger.patch(path, {"withhold": {"words": []}}).status_code == 404
    assert "Falcon" not in json.dumps(stranger.get("/api/projects").get_json())
