"""The table of legal moves is what the documentation shows, and what the databases of all tests enforce."""

import re
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from models import LIVE, MOVES, Execution, origins
from models.values import Status
from tests.pipeline.conftest import make_job

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BORN = {Status.QUEUED, Status.SKIPPED}


def test_the_diagram_shows_the_legal_moves_and_no_others():
    drawn = re.findall(r"^    (\[\*\]|[A-Z]+) --> ([A-Z]+): \S", PAGE.read_text(), re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert {target for origin, target in drawn if origin == "[*]"} == BORN
    legal = {(str(origin), str(target)) for origin, targets in MOVES.items() for target in targets}
    assert {move for move in drawn if move[0] != "[*]"} == legal


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
