"""Money on the pages and in the API: the cap of a project, what is spent, what a run will cost."""

from datetime import UTC, datetime, timedelta

import pytest

from blueprints.pages_cost import usage_facts
from models import Execution, Platform, Project, Spend
from tests.blueprints.conftest import fields, statements
from tests.blueprints.pages import Visitor, beside, change, text, value
from tests.blueprints.test_pages_projects import PROJECT

AT = datetime(2025, 10, 3, 9, tzinfo=UTC)
OVER = (
    "Budget: 5.02 of 5.00 USD are spent this month. Models are asked again from 1 November 2025 (UTC) on, or"
    " as soon as the project's monthly budget is raised."
)


@pytest.fixture
def environ(environ) -> dict[str, str]:
    return environ | {
        "OPENAI_API_KEY": "k",
        "OPENAI_MODEL": "model-1",
        "MODEL_PRICES": '{"model-1": {"input": 1, "output": 2}}',
    }


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    project = rows.project(user, budget=5_000_000)
    for kind in ("HASHNODE", "DEVTO", "LINKEDIN"):
        rows.platform(project, kind)
    return project


@pytest.fixture
def job(rows, project):
    return rows.job(project)


@pytest.fixture
def spend(rows, project):
    def one(cost, **values):
        given = {"model": "model-1", "prompt_tokens": 1000, "completion_tokens": 500, "at": AT}
        return rows.add(Spend(project_id=project.id, cost=cost, **given | values))

    return one


def platforms_of(rows, project) -> list[str]:
    mine = [platform for platform in rows.all(Platform) if platform.project_id == project.id]
    return [platform.id for platform in sorted(mine, key=lambda platform: platform.created_at)]


class TestTheCap:
    @pytest.mark.parametrize(("sent", "kept"), [(5, 5_000_000), (12.5, 12_500_000), (0, 0), (0.000001, 1)])
    def test_is_set_and_read_back(self, api, rows, project, sent, kept):
        shown = api.patch(f"/api/projects/{project.id}", {"monthlyBudget": sent}).get_json()["data"]
        assert shown["monthlyBudget"] == sent
        assert rows.get(Project, project.id).budget == kept

    def test_is_taken_away(self, api, rows, project):
        assert api.patch(f"/api/projects/{project.id}", {"monthlyBudget": None}).status_code == 200
        assert rows.get(Project, project.id).budget is None

    def test_forgets_what_did_not_fit_the_old_one(self, api, rows, project):
        change(rows, project, budget_short=9)
        api.patch(f"/api/projects/{project.id}", {"monthlyBudget": 5})
        assert rows.get(Project, project.id).budget_short is None

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            (-1, "Must be 0 or more, and at most 1,000,000."),
            (1e9, "Must be 0 or more, and at most 1,000,000."),
            (0.0000001, "Must have at most six decimals."),
            ("5", "Must be a number such as 5 or 12.50"),
            (True, "Must be a number such as 5 or 12.50"),
            ([], "Must be a number such as 5 or 12.50"),
        ],
    )
    def test_is_a_sum_of_money(self, api, rows, project, sent, said):
        answer = api.patch(f"/api/projects/{project.id}", {"monthlyBudget": sent})
        assert (answer.status_code, fields(answer)) == (400, ["monthlyBudget"])
        assert said in answer.get_json()["error"]
        assert rows.get(Project, project.id).budget == 5_000_000

    @pytest.mark.parametrize("huge", ["1e400", "-1e400", "NaN"])
    def test_is_a_finite_number(self, api, project, huge):
        body = f'{{"monthlyBudget": {huge}}}'
        path = f"/api/projects/{project.id}"
        answer = api("PATCH", path, data=body, content_type="application/json")
        assert answer.status_code == 400

    def test_in_the_form(self, visitor, rows, project):
        at = f"/projects/{project.id}/edit"
        assert value(visitor.get(at), "monthlyBudget") == "5"
        visitor.follow(visitor.post(at, PROJECT | {"monthlyBudget": " 12.50 "}))
        assert rows.get(Project, project.id).budget == 12_500_000
        visitor.follow(visitor.post(at, PROJECT | {"monthlyBudget": ""}))
        assert rows.get(Project, project.id).budget is None

    def test_typed_wrong_is_kept_and_explained(self, visitor, rows, project):
        answer = visitor.post(f"/projects/{project.id}/edit", PROJECT | {"monthlyBudget": "5,00 $"})
        assert answer.status_code == 422
        assert "Must be a number such as 5 or 12.50, in the currency of the prices" in beside(
            answer, "monthlyBudget"
        )
        assert value(answer, "monthlyBudget") == "5,00 $"
        assert rows.get(Project, project.id).budget == 5_000_000


class TestAProject:
    def test_shows_its_months_by_model(self, visitor, api, project, spend):
        spend(1_200_000)
        spend(30_000, model="model-2", prompt_tokens=None)
        spend(None, model="model-3")
        spend(700_000, at=AT - timedelta(days=31))
        spend(1, at=AT - timedelta(days=400))
        page = text(visitor.get(f"/projects/{project.id}"))
        assert "What it costs 1.23 of 5.00 USD spent this month." in page
        assert (
            "October 2025 1.23 USD model-1 (1 call, 1.20 USD), model-2 (1 call, 0.030 USD) and model-3"
            " (1 call, 1 without a known price) September 2025 0.70 USD model-1 (1 call, 0.70 USD)"
        ) in page
        assert "2024" not in page
        assert "Over budget" not in page
        spending = api.get(f"/api/projects/{project.id}").get_json()["data"]["spending"]
        assert (spending["currency"], spending["why"], len(spending["months"])) == ("USD", None, 6)
        assert spending["months"][0] == {
            "month": "2025-10",
            "cost": 1.23,
            "models": [
                {"model": "model-1", "cost": 1.2, "calls": 1, "unpriced": 0},
                {"model": "model-2", "cost": 0.03, "calls": 1, "unpriced": 0},
                {"model": "model-3", "cost": 0.0, "calls": 1, "unpriced": 1},
            ],
        }

    def test_says_that_it_is_over_and_what_frees_it(self, visitor, api, project, spend):
        spend(5_020_000)
        page = text(visitor.get(f"/projects/{project.id}"))
        assert f"What it costs Over budget. {OVER.removeprefix('Budget: ')} Change the monthly budget" in page
        spending = api.get(f"/api/projects/{project.id}").get_json()["data"]["spending"]
        assert spending["why"] == OVER.removeprefix("Budget: ")

    def test_without_a_cap_shows_what_is_spent(self, visitor, rows, project, spend):
        change(rows, project, budget=None)
        spend(5_020_000)
        page = text(visitor.get(f"/projects/{project.id}"))
        assert "5.02 USD spent this month; no budget is set." in page
        assert "Over budget" not in page


class TestTheDashboard:
    @pytest.mark.parametrize(
        ("cost", "said"),
        [
            (3_999_999, None),
            (4_000_000, "My Open Source Library: 4.00 of 5.00 USD spent this month."),
            (5_020_000, f"My Open Source Library: {OVER.removeprefix('Budget: ')}"),
        ],
    )
    def test_names_who_is_near_the_cap_or_over_it(self, visitor, job, spend, cost, said):
        spend(cost)
        page = text(visitor.get("/dashboard"))
        assert (said in page) if said else ("spent this month" not in page)

    def test_asks_nothing_where_nobody_has_a_cap(self, visitor, rows, project, job, queries):
        change(rows, project, budget=None)
        visitor.get("/dashboard")
        queries.clear()
        visitor.get("/dashboard")
        without = statements(queries)
        assert not [query for query in queries if "FROM spend" in query]
        change(rows, project, budget=1)
        queries.clear()
        visitor.get("/dashboard")
        assert statements(queries) == without + 2


class TestBeforeARun:
    def at(self, job) -> str:
        return f"/projects/{job.project_id}/cron/{job.id}"

    def test_by_the_last_runs(self, visitor, api, rows, job, project, spend):
        execution = rows.execution(job)
        for platform in platforms_of(rows, project):
            spend(7_000, execution_id=execution.id, platform_id=platform)
        spend(1_179_000)
        page = text(visitor.get(self.at(job)))
        assert "A run costs about 0.021 USD for 3 posts. 1.20 of 5.00 USD spent this month." in page
        shown = api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]["estimate"]
        assert shown == {"cost": 0.021, "currency": "USD", "posts": 3, "basis": "RUNS"}

    def test_by_what_posts_may_take_where_nothing_ran(self, visitor, api, job):
        assert "A run costs at most about 0." in text(visitor.get(self.at(job)))
        assert api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]["estimate"]["basis"] == "BOUND"

    def test_nothing_for_the_template(self, visitor, api, rows, job):
        change(rows, job, writer="TEMPLATE")
        assert "A run costs nothing: the template writer asks no model." in text(visitor.get(self.at(job)))
        shown = api.get(f"/api/cron/schedules/{job.id}").get_json()["data"]["estimate"]
        assert (shown["cost"], shown["basis"]) == (0, "FREE")

    def test_over_the_budget_it_is_said_and_refused(self, visitor, api, rows, job, spend):
        spend(5_020_000)
        assert OVER in text(visitor.get(self.at(job)))
        answer = visitor.post(f"{self.at(job)}/trigger", htmx=True)
        assert answer.status_code == 409
        answer = api.post("/api/cron/trigger", {"jobId": job.id})
        assert (answer.status_code, answer.get_json()["error"]) == (409, OVER)
        assert rows.all(Execution) == []

    def test_over_the_budget_nothing_is_retried(self, visitor, api, rows, job, spend):
        spend(5_020_000)
        failed = rows.execution(job, status="FAILED", outcome="FAILED")
        answer = api.post(f"/api/executions/{failed.id}/retry")
        assert (answer.status_code, answer.get_json()["error"]) == (409, OVER)
        assert visitor.post(f"/executions/{failed.id}/retry", htmx=True).status_code == 409
        assert len(rows.all(Execution)) == 1


class TestAfterARun:
    @pytest.fixture
    def execution(self, rows, project, job, spend):
        platforms = platforms_of(rows, project)
        results = [
            {"platformId": platform, "platformType": kind, "success": True, "draftId": None, "error": None}
            for platform, kind in zip(platforms, ("HASHNODE", "DEVTO", "LINKEDIN"), strict=True)
        ]
        activity = {"summary": "1 commit", "hasActivity": True}
        execution = rows.execution(job, output={"activity": activity, "results": results[:2]})
        spend(2_000, execution_id=execution.id, platform_id=platforms[0])
        spend(3_000, execution_id=execution.id, platform_id=platforms[0], is_estimate=True)
        spend(None, execution_id=execution.id, platform_id=platforms[1])
        return execution

    def test_its_page_tells_the_cost_by_platform_and_in_all(self, visitor, execution):
        page = text(visitor.get(f"/executions/{execution.id}"))
        assert "Cost About 0.0050 USD, and 1 call without a price Tokens 3,000 in, 1,500 out" in page
        assert "About 0.0050 USD; tokens: 2,000 in, 1,000 out" in page
        assert "No price is known; tokens: 1,000 in, 500 out" in page

    def test_the_api_tells_it_of_one_and_of_all(self, api, rows, execution, job):
        rows.execution(job)
        told = {
            "amount": 0.005,
            "currency": "USD",
            "promptTokens": 3000,
            "completionTokens": 1500,
            "calls": 3,
            "unpriced": 1,
            "isEstimate": True,
        }
        assert api.get(f"/api/executions/{execution.id}").get_json()["data"]["cost"] == told
        listed = api.get(f"/api/cron/executions?jobId={job.id}").get_json()["data"]
        assert [row["cost"] for row in listed] == [None, told]

    def test_a_draft_tells_how_it_was_made(self, app, api, rows, execution):
        usage = {
            "model": "model-1-2025-08-07",
            "prompt_tokens": 1234,
            "completion_tokens": 567,
            "prompt": "a1b2c3",
            "calls": 2,
            "seconds": 3.4,
            "cost": 0.002368,
            "currency": "EUR",
        }
        draft = rows.draft(execution, "DEVTO", usage=usage)
        assert usage_facts(draft.usage) == (
            ("Model", "model-1-2025-08-07"),
            ("Prompts", "Version a1b2c3"),
            ("Tokens", "1,234 in, 567 out"),
            ("Cost", "0.0024 EUR"),
            ("Written in", "3s, 2 calls"),
        )
        assert api.get(f"/api/drafts/{draft.id}").get_json()["data"]["usage"] == {
            "model": "model-1-2025-08-07",
            "promptTokens": 1234,
            "completionTokens": 567,
            "prompt": "a1b2c3",
            "calls": 2,
            "seconds": 3.4,
            "cost": 0.002368,
            "currency": "EUR",
        }

    def test_a_draft_of_an_earlier_version_tells_what_it_knows(self, app, api, rows, execution):
        old = {"model": "model-1", "prompt_tokens": None, "completion_tokens": None}
        draft = rows.draft(execution, "DEVTO", usage=old)
        with app.test_request_context():
            assert usage_facts(draft.usage) == (
                ("Model", "model-1"),
                ("Tokens", "Not told by the server"),
                ("Cost", "Not known: MODEL_PRICES had no price for model-1"),
            )
        assert api.get(f"/api/drafts/{draft.id}").get_json()["data"]["usage"]["model"] == "model-1"
        assert usage_facts(None) == ()


def test_a_jobs_page_with_a_paid_model_asks_no_more_than_eight_questions(
    visitor, rows, job, spend, queries, clock
):
    path = f"/projects/{job.project_id}/cron/{job.id}"
    visitor.get(path)
    asked = []
    for count in (1, 40):
        for number in range(count):
            at = clock.now() - timedelta(hours=count + number)
            skipped = {"status": "SKIPPED", "outcome": "SKIPPED", "reason": "Late.", "scheduled_for": at}
            rows.execution(job, created_at=at, **skipped)
            spend(100, execution_id=rows.execution(job, created_at=at).id)
        for tail in ("", "?trigger=manual", "?outcome=FAILED&from=2025-01-01", "/trigger"):
            queries.clear()
            assert visitor.get(path + tail).status_code == 200
            asked.append(statements(queries))
    assert max(asked) <= 8
    assert asked[:4] == asked[4:], "rows cost none"
