"""What is asked each second, or by each run, must not read whole tables, however long the history is."""

import re

import pytest
from sqlalchemy import event

from lib import clock
from lib.settings import Price
from pipeline import claim, earlier, jobs, orders, outbox, pushes, regenerate, spending, take
from pipeline.forecast import forecast
from pipeline.housekeeping import Ward
from pipeline.spending import Cap
from pipeline.tariff import Tariff
from tests.pipeline.conftest import make_job

PRICED = Tariff("m", {"m": Price(input=1, output=1)})
QUESTIONS = {
    "what waits": lambda session, job: claim.waiting(session, limit=5),
    "what runs": lambda session, job: Ward().dead(session),
    "which is next": lambda session, job: take.take_next(session),
    "a job's live execution": lambda session, job: jobs.live_execution(session, job.id),
    "which slots are due": lambda session, job: claim._due(session, clock.now()),
    "which slots are near": lambda session, job: claim._near(session, clock.now()),
    "which pushes are due": lambda session, job: pushes.due(session),
    "who is over the budget": lambda session, job: spending.over(
        session.connection(), {job.project_id: Cap(1)}, PRICED
    ),
    "what a run will cost": lambda session, job: forecast(session, job, PRICED),
    "which mails are due": lambda session, job: outbox.due_mails(session, clock.now(), 5),
    "which orders wait or run": lambda session, job: orders.look(session, orders.ward()),
    "which order is next": lambda session, job: orders.take_next(session),
    "a draft's latest order": lambda session, job: regenerate.latest(session, "draft_1"),
    "which titles are used up": lambda session, job: earlier.earlier_titles(
        session.connection(), job.id, ["plat_1", "plat_2"]
    ),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("question", QUESTIONS)
def test_sqlite_answers_by_an_index(session, question):
    """PostgreSQL plans by the size of its tables, which a test has not; `bench/clock.py` shows it by time."""
    engine, job, plans = session.get_bind(), make_job(session), []

    def explain(connection, cursor, statement, parameters, *_):
        # A project has three platforms at most: those are sorted as they come.
        if re.match("SELECT|UPDATE", statement) and "FROM platform" not in statement:
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows)

    event.listen(engine, "before_cursor_execute", explain)
    QUESTIONS[question](session, job)
    assert plans
    made = {plan.removeprefix("CO-ROUTINE ") for plan in plans}  # what another part of the plan has found
    scans = [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]
    assert [plan for plan in scans if plan.removeprefix("SCAN ") not in made] == []
    assert [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan] == []
