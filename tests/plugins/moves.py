"""Every test's database refuses a move between states that the table of legal moves does not have."""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models import MOVES

_LEGAL = " OR ".join(
    f"(OLD.status = '{origin}' AND NEW.status = '{target}')"
    for origin, targets in MOVES.items()
    for target in targets
)
_ILLEGAL = f"NEW.status <> OLD.status AND NOT ({_LEGAL})"
_SQLITE = f"""
CREATE TRIGGER legal_moves BEFORE UPDATE OF status ON execution WHEN {_ILLEGAL}
BEGIN SELECT RAISE(ABORT, 'illegal move of an execution'); END
"""
_POSTGRESQL = (
    """
    CREATE FUNCTION refuse() RETURNS trigger AS $$
    BEGIN RAISE EXCEPTION 'illegal move of an execution from % to %', OLD.status, NEW.status; END
    $$ LANGUAGE plpgsql
    """,
    f"""
    CREATE TRIGGER legal_moves BEFORE UPDATE ON execution FOR EACH ROW WHEN ({_ILLEGAL})
    EXECUTE FUNCTION refuse()
    """,
)


def lawless(session: Session) -> None:
    """Take the guard away, for a test that puts rows into states instead of moving them there."""
    on = "" if session.get_bind().dialect.name == "sqlite" else " ON execution"
    session.execute(text(f"DROP TRIGGER legal_moves{on}"))
    session.commit()


def guard(connection: Connection) -> None:
    """Add the trigger to a database that has the schema."""
    for statement in (_SQLITE,) if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.execute(text(statement))
