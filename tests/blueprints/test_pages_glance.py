"""Polls: nothing is made anew while nothing changed, and nothing that changes is missed."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from models import GivenBack, Job, Pulse, Spend
from tests.blueprints.conftest import statements
from tests.blueprints.pages import Visitor, attempt, change, step

DAY = timedelta(days=1)
MOST = 3
"""Statements of a poll that has nothing to tell."""


@pytest.fixture
def environ(environ) -> dict[str, str]:
    """With a price, so that there is a budget to keep."""
    prices = '{"m": {"input": 1, "output": 2}}'
    return environ | {"OPENAI_API_KEY": "k", "OPENAI_MODEL": "m", "MODEL_PRICES": prices}


@pytest.fixture
def visitor(app, clock, user) -> Visitor:
    return Visitor(app, user)


@pytest.fixture
def project(rows, user):
    return rows.project(user)


@pytest.fixture
def job(rows, project):
    return rows.job(project)


class Poll:
    """A fragment's, as a browser sends it: with the stamp that the answer before brought."""

    def __init__(self, visitor: Visitor, page: str, fragment: str) -> None:
        body = visitor.get(page).get_data(as_text=True)
        tag = re.search(rf'<\w+ id="{fragment}"[^>]*>', body)[0]
        self._client, self._path = visitor._client, html.unescape(re.search(r'hx-get="([^"]*)"', tag)[1])
        self._stamp = {}
        for _ in range(2):
            assert self().status_code == 204

    def __call__(self):
        answer = self._client.get(self._path, headers={"HX-Request": "true", "X-Live": "1", **self._stamp})
        if "X-Glance" in answer.headers:
            self._stamp = {"X-Glance": answer.headers["X-Glance"]}
        return answer


def run(rows, job, **values):
    return rows.execution(job, **{"status": "RUNNING", "outcome": None} | values)


def forget(rows, job):
    with rows._sessions() as session:
        session.execute(delete(Job).where(Job.id == job.id))
        session.commit()


def spend(rows, project, cost, **values):
    return rows.add(Spend(project_id=project.id, model="m", cost=cost, **values))


ANY = {
    "a run starts": lambda s: run(s.rows, s.job),
    "it ends": lambda s: change(s.rows, s.live, status="COMPLETED", outcome="SUCCESS"),
    "it waits to retry": lambda s: change(s.rows, s.live, status="RETRYING", error="Bad credentials"),
    "paused": lambda s: change(s.rows, s.job, paused_at=s.clock.now(), next_run_at=None),
    "paused by hand": lambda s: change(s.rows, s.job, paused_until=s.clock.now() + DAY),
    "disabled": lambda s: change(s.rows, s.job, is_enabled=False, next_run_at=None),
    "edited": lambda s: change(s.rows, s.job, time_config={"hour": 8, "minute": 0, "timezone": "UTC"}),
    "renamed": lambda s: change(s.rows, s.job, name="Another name"),
    "project renamed": lambda s: change(s.rows, s.project, name="Another project"),
    "claimed": lambda s: change(s.rows, s.job, next_run_at=s.job.next_run_at + DAY),
    "skipped": lambda s: s.rows.execution(
        s.job, status="SKIPPED", outcome="SKIPPED", created_at=s.clock.now(), scheduled_for=s.clock.now()
    ),
    "an hour passes": lambda s: s.clock.advance(3_600),
    "midnight passes": lambda s: s.clock.advance(54_060),
    "24 hours": lambda s: change(s.rows, s.user, time_format="24"),
}
DASHBOARD = ANY | {
    "deleted": lambda s: forget(s.rows, s.job),
    "added": lambda s: s.rows.job(s.project, name="New"),
    "a draft comes": lambda s: s.rows.draft(s.ended, "DEVTO", created_at=s.clock.now()),
    "a draft is approved": lambda s: change(s.rows, s.draft, state="APPROVED"),
    "the token ends soon": lambda s: change(s.rows, s.project, token_expires_at=s.clock.now() + DAY),
    "the token ends": lambda s: s.clock.advance(172_800),
    "the budget is spent": lambda s: spend(s.rows, s.project, 1_000_000),
    "what was set aside is settled": lambda s: change(s.rows, s.spent, cost=950_000),
}
JOB = ANY | {
    "a draft comes": lambda s: s.rows.draft(s.ended, "DEVTO"),
    "something is given back": lambda s: s.rows.add(
        GivenBack(
            job_id=s.job.id, platform_id=s.platform.id, kind="commit", key="1", item={}, since=s.clock.now()
        )
    ),
    "pushed": lambda s: change(s.rows, s.job, push_at=s.clock.now() + timedelta(minutes=10)),
    "left out": lambda s: change(s.rows, s.job, skipped_until=s.clock.now() + DAY),
    "described": lambda s: change(s.rows, s.job, description="What it is for"),
}
EXECUTION = {
    "it ends": ANY["it ends"],
    "it waits to retry": ANY["it waits to retry"],
    "a step begins": lambda s: step(s.rows, s.live, "scan", started_at=s.clock.now()),
    "a step ends": lambda s: change(s.rows, s.step, status="COMPLETED", completed_at=s.clock.now()),
    "another attempt": lambda s: attempt(s.rows, s.live, 2, started_at=s.clock.now()),
    "the bar grows": lambda s: s.clock.advance(20),
    "project renamed": ANY["project renamed"],
    "renamed": ANY["renamed"],
    "something is spent": lambda s: spend(s.rows, s.project, 5, execution_id=s.live.id),
}
"""What may happen while somebody looks. `s`: what there is before."""


class Scene:
    def __init__(self, rows, clock, user, project, job, happens: str) -> None:
        self.rows, self.clock, self.user, self.project, self.job = rows, clock, user, project, job
        self.platform = rows.platform(project, "DEVTO")
        self.ended = rows.execution(job, created_at=clock.now() - DAY)
        if happens.startswith(("it ", "a step", "another", "the bar", "something is spent")):
            self.live = run(rows, job, started_at=clock.now(), attempt=1)
        if happens == "a draft is approved":
            self.draft = rows.draft(self.ended, "DEVTO", created_at=clock.now())
        if happens == "the token ends":
            change(rows, project, token_expires_at=clock.now() + DAY)
        if happens in ("the budget is spent", "what was set aside is settled"):
            change(rows, project, budget=1_000_000)
            self.spent = spend(rows, project, 100_000, at=clock.now(), is_estimate=True)
        if happens == "a step ends":
            self.step = step(rows, self.live, "scan", started_at=clock.now())


@pytest.mark.parametrize("happens", DASHBOARD)
def test_the_dashboard_misses_nothing(visitor, rows, clock, user, project, job, queries, happens):
    scene = Scene(rows, clock, user, project, job, happens)
    _changes(Poll(visitor, "/dashboard", "pulse"), DASHBOARD[happens], scene, queries)


@pytest.mark.parametrize("happens", JOB)
def test_the_jobs_page_misses_nothing(visitor, rows, clock, user, project, job, queries, happens):
    scene = Scene(rows, clock, user, project, job, happens)
    _changes(Poll(visitor, f"/projects/{project.id}/cron/{job.id}", "job"), JOB[happens], scene, queries)


@pytest.mark.parametrize("happens", EXECUTION)
def test_a_live_executions_page_misses_nothing(visitor, rows, clock, user, project, job, queries, happens):
    scene = Scene(rows, clock, user, project, job, "it ends")
    if happens == "a step ends":
        scene.step = step(rows, scene.live, "scan", started_at=clock.now())
    attempt(rows, scene.live, 1, started_at=clock.now())
    _changes(Poll(visitor, f"/executions/{scene.live.id}", "execution"), EXECUTION[happens], scene, queries)


def _changes(poll, change_it, scene, queries):
    queries.clear()
    same = poll()
    assert (same.status_code, same.data) == (204, b"")
    assert statements(queries) <= MOST
    change_it(scene)
    answer = poll()
    assert answer.status_code == 200
    assert answer.data


def test_a_stamp_counts_for_what_it_was_given_for(visitor, rows, clock, user, project, job):
    """A fragment that was replaced meanwhile by an older answer is brought up to date."""
    old = Poll(visitor, "/dashboard", "pulse")
    change(rows, job, name="Another name")
    new = Poll(visitor, "/dashboard", "pulse")
    old._stamp = new._stamp
    assert "Another name" in old().get_data(as_text=True)


def test_a_poll_of_what_is_gone_or_anothers_says_so(visitor, app, rows, clock, project, job):
    poll = Poll(visitor, f"/projects/{project.id}/cron/{job.id}", "job")
    stranger = Visitor(app, rows.user())
    stamped = {"HX-Request": "true", **poll._stamp}
    assert stranger._client.get(poll._path, headers=stamped).status_code == 404
    forget(rows, job)
    assert poll().status_code == 404


def test_the_badge_tells_from_tick_to_tick_nothing_new(visitor, rows, clock, user):
    pulse = rows.add(Pulse(name="tick", at=clock.now()))
    poll = Poll(visitor, "/dashboard", "badge")
    for _ in range(3):
        clock.advance(50)
        assert poll().status_code == 204
        clock.advance(10)
        change(rows, pulse, at=clock.now())
    clock.advance(300)
    assert "no run starts" in poll().get_data(as_text=True)


def test_what_runs_is_shown_anew_every_few_seconds(visitor, rows, clock, job):
    live = run(rows, job, started_at=clock.now(), attempt=1)
    attempt(rows, live, 1, started_at=clock.now())
    step(rows, live, "scan", started_at=clock.now())
    poll = Poll(visitor, f"/executions/{live.id}", "execution")
    clock.advance(5)
    news = poll()
    assert news.status_code == 200
    poll._path = html.unescape(re.search(r'hx-get="([^"]*)"', news.get_data(as_text=True))[1])
    clock.advance(2)
    assert poll().status_code == 204


def test_what_is_near_is_told_by_the_second(visitor, rows, clock, project):
    rows.job(project, next_run_at=clock.now() + timedelta(seconds=40))
    poll = Poll(visitor, "/dashboard", "pulse")
    clock.advance(4)
    assert "in 36 s" in poll().get_data(as_text=True)


def test_the_year_is_told_once_it_is_another(visitor, rows, clock, job):
    clock.move_to(datetime(2025, 12, 31, 12, tzinfo=UTC))
    rows.execution(job, created_at=clock.now())
    poll = Poll(visitor, "/dashboard", "pulse")
    clock.advance(86_400)
    assert "Success, 31 Dec 2025" in poll().get_data(as_text=True)
