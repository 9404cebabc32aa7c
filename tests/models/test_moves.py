"""The tables of legal moves are what the documentation shows, and what the databases of all tests enforce."""

import re
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from models import DRAFT_MOVES, LIVE, MOVES, ORDER_MOVES, Draft, DraftState, Execution, Ordered, origins
from models.values import Status
from pipeline import control
from tests.pipeline.conftest import make_job

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BORN = {Status.QUEUED, Status.SKIPPED}
DRAWN = {
    "States of an execution": (MOVES, BORN),
    "States of a draft": (DRAFT_MOVES, {DraftState.DRAFT}),
    "States of an order to write anew": (ORDER_MOVES, {Ordered.QUEUED}),
}


@pytest.mark.parametrize("heading", DRAWN)
def test_the_diagram_shows_the_legal_moves_and_no_others(heading):
    moves, born = DRAWN[heading]
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    drawn = re.findall(r"^    (\[\*\]|[A-Z]+) --> ([A-Z]+): \S", section, re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert {target for origin, target in drawn if origin == "[*]"} == born
    legal = {(str(origin), str(target)) for origin, targets in moves.items() for target in targets}
    assert {move for move in drawn if move[0] != "[*]"} == legal


@pytest.mark.parametrize("target", DraftState)
@pytest.mark.parametrize("origin", DraftState)
def test_a_database_of_the_tests_refuses_an_illegal_move_of_a_draft(session, clock, origin, target):
    execution = control.trigger(session, make_job(session))[0]
    draft = Draft(
        execution_id=execution.id, user_id=execution.user_id, platform_type="DEVTO", content="x", state=origin
    )
    session.add(draft)
    session.commit()
    move = update(Draft).where(Draft.id == draft.id).values(state=target)
    if origin == target or target in DRAFT_MOVES.get(origin, ()):
        session.execute(move)
    else:
        with pytest.raises(DBAPIError, match="illegal move"):
            session.execute(move)


def test_every_state_is_reached_and_only_live_ones_are_left():
    assert BORN | {target for targets in MOVES.values() for target in targets} == set(Status)
    assert set(LIVE) == {Status.QUEUED, Status.RUNNING, Status.RETRYING}


@pytest.mark.parametrize("target", Status)
@pytest.mark.parametrize("origin", Status)
def test_a_database_of_the_tests_refuses_an_illegal_move(session, clock, origin, target):
    job = make_job(session)
    execution = Execution(
        job_id=job.id, user_id=job.user_id, project_id=job.project_id, triggered_by="manual", status=origin
    )
    session.add(execution)
    session.commit()
    move = update(Execution).where(Execution.id == execution.id).values(status=target)
    if origin == target or origin in origins(target):
        session.execute(move)
    else:
        with pytest.raises(DBAPIError, match="illegal move"):
            session.execute(move)
