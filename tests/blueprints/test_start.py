"""The first steps: which one comes next, what each one takes and refuses, and that none is taken twice."""

import re
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, beside, change, text, value
from tests.standins.github import GitHubStandIn, awesome_lib

pytestmark = pytest.mark.loopback

NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
WEEKDAYS = {"preset": "WEEKDAYS", "timezone": "Europe/Berlin"}


@pytest.fixture
def github():
    with GitHubStandIn(awesome_lib(), server_time=NOW) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    """An empty repository."""
    folder = tmp_path / "repositories" / "my-lib"
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


@pytest.fixture
def environ(environ, github, folder):
    return environ | {"GITHUB_API_URL": github.url, "GIT_ROOT": str(folder.parent)}


@pytest.fixture(autouse=True)
def fresh_limits(app) -> None:
    """Every test may look ten times."""
    from blueprints.extensions import limiter

    limiter.reset()


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


@pytest.fixture
def job(rows, project):
    rows.platform(project, "DEVTO")
    return rows.job(project)


def count(rows, *names: str) -> list[int]:
    import models

    return [len(rows.all(getattr(models, name))) for name in names]


def only(rows, name: str):
    import models

    (row,) = rows.all(getattr(models, name))
    return row


def current(answer) -> str:
    """The heading of the step that comes next."""
    body = answer.get_data(as_text=True)
    assert body.count('aria-current="step"') == 1
    return re.search(r'aria-current="step">\s*<header><h2>(.*?)</h2>', body)[1]


def ended(rows, job, **values):
    """A run that counts and ended well, as the worker leaves it."""
    given = {"items_processed": 3, "items_success": 3, "summary": "2 commits"}
    change(rows, job, last_run_at=NOW, last_success=NOW, run_count=1, cursor_until=NOW)
    return rows.execution(job, **given | values)


def test_the_rows_say_which_step_comes_next(visitor, rows, user):
    assert current(visitor.get("/start")) == "Repository"
    project = rows.project(user)
    assert current(visitor.get("/start")) == "Platforms"
    platform = rows.platform(project, "DEVTO", is_connected=False)
    assert current(visitor.get("/start")) == "Platforms"
    change(rows, platform, is_connected=True)
    assert current(visitor.get("/start")) == "Schedule"
    job = rows.job(project)
    assert current(visitor.get("/start")) == "First run"
    rows.execution(job, dry_run=True)
    rows.execution(job, status="SKIPPED", outcome="SKIPPED")
    rows.execution(job, status="FAILED", outcome="FAILED", error="Bad credentials")
    assert current(visitor.get("/start")) == "First run"
    ended(rows, job)
    page = visitor.get("/start")
    assert 'aria-current="step"' not in page.get_data(as_text=True)
    assert "3 posts written from 2 commits" in text(page)


def test_steps_that_are_done_lead_to_where_they_are_changed(visitor, rows, project, job):
    page = visitor.get("/start")
    body = page.get_data(as_text=True)
    home = f"/projects/{project.id}"
    for path in (f"{home}/edit", f"{home}#platforms", f"{home}/cron/{job.id}/edit"):
        assert f'href="{path}"' in body
    assert "username/awesome-lib" in text(page)
    assert "Every day at 9:00 AM UTC." in text(page)


def test_another_accounts_rows_count_for_nothing(visitor, rows):
    theirs = rows.project(rows.user())
    ended(rows, rows.job(theirs))
    page = visitor.get("/start")
    assert current(page) == "Repository"
    assert theirs.id not in page.get_data(as_text=True)


def test_nobody_else_sees_it(app, clock):
    assert Visitor(app).get("/start").location.startswith("/login")


@pytest.mark.parametrize(
    "typed",
    [
        "username/awesome-lib",
        " https://github.com/username/awesome-lib ",
        "https://github.com/username/awesome-lib.git",
        "https://www.github.com/username/awesome-lib/pulls?q=is%3Aopen#top",
        "github.com/username/awesome-lib",
        "git@github.com:username/awesome-lib.git",
        "ssh://git@github.com/username/awesome-lib.git",
    ],
)
def test_a_repository_by_any_of_its_addresses(visitor, rows, typed):
    answer = visitor.post("/start/repository", {"repository": typed})
    assert "“awesome-lib” is connected." in visitor.follow(answer)
    project = only(rows, "Project")
    assert (project.name, project.repository) == ("awesome-lib", "username/awesome-lib")
    assert project.github_id is not None, "what the look learned is kept"
    assert current(visitor.get("/start")) == "Platforms"


def test_a_folder_of_this_machine(visitor, rows, folder):
    visitor.post("/start/repository", {"repository": str(folder)})
    project = only(rows, "Project")
    assert (project.name, project.source_type, project.git_path) == ("my-lib", "GIT", str(folder))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Is needed. Must be owner/name"),
        ("https://github.com/username", "Must be owner/name"),
        ("https://[", "Must be owner/name"),
        ("https://gitlab.com/a/b", "gitlab.com cannot be read: only repositories at GitHub can"),
        ("bitbucket.org/a/b", "bitbucket.org cannot be read"),
        ("user name/lib", "The owner: must be the account's name alone"),
        ("/etc", "The path leads outside GIT_ROOT."),
        ("nowhere", "There is no folder nowhere under GIT_ROOT."),
    ],
)
def test_what_is_no_repository_is_refused_at_its_field(visitor, rows, typed, said):
    answer = visitor.post("/start/repository", {"repository": typed})
    assert answer.status_code == 422
    assert said in beside(answer, "repository")
    assert value(answer, "repository") == typed
    in_place = visitor.post("/start/repository", {"repository": typed}, htmx=True)
    assert in_place.status_code == 422
    assert f"Repository: {said}" in text(in_place)
    assert count(rows, "Project") == [0]


def test_a_wrong_token_is_named(visitor, rows):
    form = {"repository": "username/awesome-lib", "githubToken": "two words"}
    answer = visitor.post("/start/repository", form)
    assert "no spaces" in beside(answer, "githubToken")
    assert "two words" not in answer.get_data(as_text=True)
    assert "Access token: " in text(visitor.post("/start/repository", form, htmx=True))


def test_what_cannot_be_read_is_stored_only_on_demand(visitor, rows, github):
    form = {"repository": "username/gone"}
    answer = visitor.post("/start/repository", form)
    assert answer.status_code == 422
    assert "Connect it anyway" in text(answer)
    assert value(answer, "repository") == "username/gone"
    assert count(rows, "Project") == [0]
    asked = len(github.requests)
    assert visitor.post("/start/repository", form | {"anyway": "1"}).status_code == 303
    assert len(github.requests) == asked
    assert only(rows, "Project").repository == "username/gone"


def test_the_connection_is_tested_in_place_and_stores_nothing(visitor, rows, github):
    form = {"repository": "username/awesome-lib", "githubToken": "ghp_typed"}
    answer = visitor.post("/start/repository/test", form, htmx=True)
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).strip().startswith('<div id="tested"')
    assert "Works: username/awesome-lib (public) can be read" in text(answer)
    assert "Connect it anyway" not in text(answer)
    page = visitor.post("/start/repository/test", form)
    assert "Works: " in text(page)
    assert value(page, "repository") == "username/awesome-lib"
    assert "ghp_typed" not in page.get_data(as_text=True)
    assert count(rows, "Project") == [0]


def test_a_token_is_sealed(visitor, rows, app):
    visitor.post("/start/repository", {"repository": "username/awesome-lib", "githubToken": "ghp_typed"})
    sealed = only(rows, "Project").github_token
    assert app.extensions["secret_box"].open(sealed) == "ghp_typed"


def test_platforms_are_all_on_at_first_and_one_is_needed(visitor, rows, project):
    boxes = re.findall(r'<input type="checkbox"[^>]*>', visitor.get("/start").get_data(as_text=True))
    assert len(boxes) == 3
    assert all("checked" in box for box in boxes)
    answer = visitor.post("/start/platforms")
    assert answer.status_code == 422
    assert "Choose at least one platform" in beside(answer, "platforms")
    rows.platform(project, "LINKEDIN", is_connected=False)
    visitor.post("/start/platforms", {"platforms": ["DEVTO", "LINKEDIN"]})
    from models import Platform

    assert {(one.type, one.is_connected) for one in rows.all(Platform)} == {
        ("DEVTO", True),
        ("LINKEDIN", True),
    }
    assert current(visitor.get("/start")) == "Schedule"


def test_a_schedule_is_shown_before_it_is_made(visitor, rows, project, user):
    rows.platform(project, "DEVTO")
    change(rows, user, timezone="Europe/Berlin")
    page = visitor.get("/start")
    assert value(page, "timezone") == "Europe/Berlin"
    assert "Every weekday at 9:00 AM Europe/Berlin." in text(page)
    friday = {"preset": "FRIDAY", "timezone": "Europe/Berlin"}
    shown = visitor.post("/start/schedule/preview", friday, htmx=True)
    assert "Every Friday at 5:00 PM" in text(shown)
    assert "Today at 5:00 PM CEST" in text(shown)
    plain = visitor.post("/start/schedule/preview", friday)
    assert "Every Friday at 5:00 PM" in text(plain)
    assert re.search(r'value="FRIDAY" checked', plain.get_data(as_text=True))
    assert count(rows, "Job") == [0]
    visitor.post("/start/schedule", friday)
    job = only(rows, "Job")
    assert (job.name, job.frequency, job.timezone) == ("Weekly Content Generation", "WEEKLY", "Europe/Berlin")
    assert job.time_config["dayOfWeek"] == 5
    assert job.next_run_at == datetime(2025, 10, 3, 15, tzinfo=UTC)
    assert current(visitor.get("/start")) == "First run"


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"preset": "DAILY", "timezone": "Mars"}, "timezone", "There is no time zone 'Mars'"),
        ({"preset": "NEVER", "timezone": "UTC"}, "preset", "Choose one of these times."),
    ],
)
def test_a_schedule_that_is_none_is_refused(visitor, rows, project, form, field, said):
    rows.platform(project, "DEVTO")
    answer = visitor.post("/start/schedule", form)
    assert answer.status_code == 422
    assert said in beside(answer, field)
    assert value(answer, "timezone") == form["timezone"]
    assert said in text(visitor.post("/start/schedule/preview", form, htmx=True))
    assert count(rows, "Job") == [0]


@pytest.mark.parametrize(("preset", "days"), [("WEEKDAYS", [1, 2, 3, 4, 5]), ("DAILY", None)])
def test_each_schedule_is_what_it_says(visitor, rows, project, preset, days):
    rows.platform(project, "DEVTO")
    visitor.post("/start/schedule", {"preset": preset, "timezone": "UTC"})
    job = only(rows, "Job")
    assert (job.time_config["hour"], job.time_config.get("dayOfWeek")) == (9, days)
    assert job.is_enabled
    assert job.platform_ids is None


def test_a_dry_run_comes_first_and_leads_back(visitor, rows, job, bells):
    page = text(visitor.get("/start"))
    assert "A run costs nothing: the template writer asks no model." in page
    answer = visitor.post("/start/run", {"after": "", "firstRun": "30", "dryRun": "1"})
    from models import Job

    execution = only(rows, "Execution")
    assert execution.dry_run
    assert answer.location == f"/executions/{execution.id}"
    assert bells() == [("run", (execution.id,))]
    assert rows.get(Job, job.id).first_run == {"days": 30}
    assert 'href="/start"' in visitor.get(answer.location).get_data(as_text=True)
    assert "dry run: It waits for a free worker" in text(visitor.get("/start"))
    change(rows, execution, status="RUNNING")
    done = {"status": "COMPLETED", "outcome": "SUCCESS", "summary": "2 commits"}
    change(rows, execution, **done, items_processed=3, items_success=3)
    page = text(visitor.get("/start"))
    assert "3 posts would be written from 2 commits. See what would be said" in page
    assert "Run it now" in page


def test_the_first_run_is_followed_until_it_is_done(visitor, rows, job, bells):
    answer = visitor.post("/start/run", {"after": "", "firstRun": "1"})
    execution = only(rows, "Execution")
    assert answer.location == f"/executions/{execution.id}"
    assert not execution.dry_run
    page = visitor.get("/start")
    assert "Run it now" not in text(page)
    live = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', page.get_data(as_text=True))[1]
    assert visitor.get(live, htmx=True).status_code == 204
    change(rows, execution, status="RUNNING")
    assert "It is running now" in text(visitor.get(live, htmx=True))
    done = {"status": "COMPLETED", "outcome": "SUCCESS", "items_processed": 3, "items_success": 3}
    change(rows, execution, **done, summary="2 commits")
    change(rows, job, last_run_at=NOW, last_success=NOW, run_count=1)
    said = visitor.get(live, htmx=True)
    assert "your first posts wait for your review" in text(said)
    body = said.get_data(as_text=True)
    assert 'href="/drafts"' in body
    assert 'href="/dashboard"' in body
    assert "every 2s" not in body


def test_a_run_that_failed_says_why_and_is_tried_again(visitor, rows, job, bells):
    failed = rows.execution(job, status="FAILED", outcome="FAILED", error="GitHub answered 401")
    change(rows, job, last_run_at=NOW, last_failure=NOW, run_count=1)
    page = visitor.get("/start")
    assert "Failed Nothing was written: GitHub answered 401. See what happened" in text(page)
    assert value(page, "after") == failed.id
    answer = visitor.post("/start/run", {"after": failed.id, "firstRun": "7"})
    assert answer.location not in ("/start", f"/executions/{failed.id}")
    assert count(rows, "Execution") == [2]


def test_a_retry_that_waits_says_until_when(visitor, rows, job):
    at = NOW + timedelta(minutes=5)
    rows.execution(job, status="RETRYING", outcome=None, error="GitHub answered 401.", next_retry_at=at)
    page = text(visitor.get("/start"))
    assert "GitHub answered 401. It tries again by itself. Next try: Today at 9:05 AM UTC (in 5 min)" in page
    assert "Run it now" not in page


def test_where_nothing_was_found_it_reads_back_farther(visitor, rows, job, bells):
    nothing = {"outcome": "NO_ACTIVITY", "items_processed": 0, "items_success": 0, "summary": "No activity"}
    before = ended(rows, job, **nothing)
    page = visitor.get("/start")
    assert "the first run found nothing to tell" in text(page)
    assert "Review the drafts" not in text(page)
    assert re.search(r'value="30" checked', page.get_data(as_text=True))
    answer = visitor.post("/start/run", {"after": before.id, "firstRun": "30"})
    from models import Execution

    assert rows.get(Execution, answer.location.rpartition("/")[2]).tell_since == NOW - timedelta(days=30)


def test_a_first_run_since_a_date_keeps_it(visitor, rows, job, bells):
    from models import Job

    chosen = {"since": "2025-09-01T00:00:00.000Z"}
    change(rows, job, first_run=chosen)
    page = visitor.get("/start")
    assert "Since 1 Sep at 12:00 AM UTC" in text(page)
    assert re.search(r'value="since" checked', page.get_data(as_text=True))
    visitor.post("/start/run", {"after": "", "firstRun": "since"})
    assert rows.get(Job, job.id).first_run == chosen


def test_a_window_that_is_none_is_refused(visitor, rows, job):
    answer = visitor.post("/start/run", {"after": "", "firstRun": "365"})
    assert answer.status_code == 422
    assert "Choose how far the first run reads back." in text(answer)
    assert count(rows, "Execution") == [0]


def test_what_is_sent_twice_is_done_once(visitor, rows, bells):
    sent = [
        ("repository", {"repository": "username/awesome-lib"}, [1, 0, 0, 0]),
        ("platforms", {"platforms": ["DEVTO", "HASHNODE", "LINKEDIN"]}, [1, 3, 0, 0]),
        ("schedule", WEEKDAYS, [1, 3, 1, 0]),
        ("run", {"after": "", "firstRun": "7"}, [1, 3, 1, 1]),
    ]
    for step, form, made in sent:
        first, second = (visitor.post(f"/start/{step}", form) for _ in range(2))
        assert first.status_code == second.status_code == 303
        assert second.location == first.location
        assert count(rows, "Project", "Platform", "Job", "Execution") == made
    for step, form, _ in sent:
        visitor.post(f"/start/{step}", form)
    assert count(rows, "Project", "Platform", "Job", "Execution") == made
    execution, job = only(rows, "Execution"), only(rows, "Job")
    change(rows, execution, status="RUNNING")
    change(rows, execution, status="COMPLETED", outcome="SUCCESS", items_success=3)
    change(rows, job, last_run_at=NOW, last_success=NOW, run_count=1)
    assert visitor.post("/start/run", sent[-1][1]).location == f"/executions/{execution.id}"
    assert count(rows, "Execution") == [1]


def test_a_step_whose_turn_has_not_come_leads_to_the_one_that_has(visitor, rows):
    for step in ("platforms", "schedule", "schedule/preview", "run"):
        assert visitor.post(f"/start/{step}", WEEKDAYS).location == "/start"
    assert count(rows, "Project", "Platform", "Job", "Execution") == [0, 0, 0, 0]


def test_two_at_once_make_one(rows, user, app, sessions):
    """The second has looked before the first was stored."""
    from models import Project
    from pipeline import first_steps, projects
    from pipeline.first_steps import FirstStep

    box = app.extensions["secret_box"]
    values = {"name": "a", "source_type": "GITHUB", "github_repo_owner": "a", "github_repo_name": "b"}
    with sessions() as other:
        assert first_steps.way(other, user.id).step == FirstStep.REPOSITORY
        other.commit()
        with sessions() as one:
            projects.create(one, user.id, values, box)
            one.commit()
        assert first_steps.connect(other, user.id, values, box) is None
        other.rollback()
    assert len(rows.all(Project)) == 1


def test_an_account_is_led_here_and_finds_back(app, clock, visitor, rows, user):
    new = Visitor(app)
    answer = new.post("/register", {"email": "new@example.com", "password": "correct horse"})
    assert answer.location == "/start"
    assert "Four short steps" in new.follow(answer)
    assert "Begin with the first steps" in text(visitor.get("/dashboard"))
    project = rows.project(user)
    assert "Go on with the first steps" in text(visitor.get("/dashboard"))
    job = rows.job(project)
    assert 'href="/start"' in visitor.get("/dashboard").get_data(as_text=True)
    execution = ended(rows, job)
    assert 'href="/start"' not in visitor.get("/dashboard").get_data(as_text=True)
    assert 'href="/start"' in visitor.get(f"/executions/{execution.id}").get_data(as_text=True)
    change(rows, job, run_count=2)
    assert 'href="/start"' not in visitor.get(f"/executions/{execution.id}").get_data(as_text=True)


def test_its_queries_are_few(visitor, rows, user, queries):
    counts = []
    for _ in range(2):
        for _ in range(5):
            project = rows.project(user)
            rows.platform(project, "DEVTO")
            job = rows.job(project)
            for number in range(4):
                rows.execution(job, dry_run=number % 2 == 0, status="FAILED", outcome="FAILED")
        queries.clear()
        assert visitor.get("/start").status_code == 200
        counts.append(statements(queries))
    assert counts[0] == counts[1] <= 8


@pytest.fixture
def model(app, monkeypatch):
    """A model with a price."""
    from lib.settings import load

    settings = app.extensions["repocast"]
    environ = {"INSTANCE_PATH": str(settings.instance_path), "DATABASE_URL": settings.database_url}
    key = {"OPENAI_API_KEY": "sk-test", "OPENAI_MODEL": "m", "SECRET_KEY": "tests-only"}
    prices = {"MODEL_PRICES": '{"m": {"input": 1, "output": 2}}'}
    monkeypatch.setitem(app.extensions, "repocast", load(environ | key | prices))


def test_what_a_run_costs_is_said_before_it(model, visitor, rows, project, job, queries):
    change(rows, project, budget=5_000_000)
    queries.clear()
    page = visitor.get("/start")
    assert statements(queries) <= 8
    assert re.search(r"A run costs at most about [\d.]+ USD for 1 post\.", text(page))


def test_a_spent_budget_is_said_at_the_button(model, visitor, rows, project, job):
    change(rows, project, budget=0)
    answer = visitor.post("/start/run", {"after": "", "firstRun": "7"})
    assert answer.status_code == 409
    assert "budget" in text(answer)
    assert count(rows, "Execution") == [0]
