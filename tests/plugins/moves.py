"""Every test's database refuses a move between states that the tables of legal moves do not have."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models import DRAFT_MOVES, MOVES, ORDER_MOVES

GUARDED: dict[str, tuple[str, Mapping[str, Sequence[str]]]] = {
    "execution": ("status", MOVES),
    "draft": ("state", DRAFT_MOVES),
    "regeneration": ("status", ORDER_MOVES),
}
"""By table: the column, and its legal moves."""
_POSTGRES_FUNCTION = """
CREATE FUNCTION refuse() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'illegal move of %', TG_TABLE_NAME; END
$$ LANGUAGE plpgsql
"""


def lawless(session: Session, table: str = "execution") -> None:
    """Take the guard away, for a test that puts rows into states instead of moving them there."""
    on = "" if session.get_bind().dialect.name == "sqlite" else f" ON {table}"
    session.execute(text(f"DROP TRIGGER legal_moves_of_{table}{on}"))
    session.commit()


def guard(connection: Connection) -> None:
    """Add the triggers to a database that has the schema."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.execute(text(_POSTGRES_FUNCTION))
    for table, (column, moves) in GUARDED.items():
        named, illegal = f"legal_moves_of_{table}", _illegal(column, moves)
        if is_sqlite:
            refused = f"BEGIN SELECT RAISE(ABORT, 'illegal move of {table}'); END"
            trigger = f"CREATE TRIGGER {named} BEFORE UPDATE OF {column} ON {table} WHEN {illegal} {refused}"
        else:
            when = f"FOR EACH ROW WHEN ({illegal}) EXECUTE FUNCTION refuse()"
            trigger = f"CREATE TRIGGER {named} BEFORE UPDATE ON {table} {when}"
        connection.execute(text(trigger))


def _illegal(column: str, moves: Mapping[str, Sequence[str]]) -> str:
    legal = " OR ".join(
        f"(OLD.{column} = '{origin}' AND NEW.{column} = '{target}')"
        for origin, targets in moves.items()
        for target in targets
    )
    return f"NEW.{column} <> OLD.{column} AND NOT ({legal})"
