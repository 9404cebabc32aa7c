"""Every test's database refuses a draft that a run wrote and its platform would not take.

What is wrong with a draft stands in its `checks`. Drafts that tests make by hand have no platform's id. A
test that breaks a limit on purpose is marked `breaks_limits`.
"""

import pytest
from sqlalchemy import Connection, inspect, text

from models.base import make_engine

MARK = "breaks_limits"
_BROKEN = "NEW.platform_id IS NOT NULL AND CAST(NEW.checks AS TEXT) <> '[]'"
_SQLITE = f"""
CREATE TRIGGER within_limits BEFORE INSERT ON draft WHEN {_BROKEN}
BEGIN SELECT RAISE(ABORT, 'a draft that its platform would not take'); END
"""
_POSTGRESQL = (
    """
    CREATE FUNCTION refuse_draft() RETURNS trigger AS $$
    BEGIN RAISE EXCEPTION 'a draft that its platform would not take: %', NEW.checks; END
    $$ LANGUAGE plpgsql
    """,
    f"""
    CREATE TRIGGER within_limits BEFORE INSERT ON draft FOR EACH ROW WHEN ({_BROKEN})
    EXECUTE FUNCTION refuse_draft()
    """,
)


def guard(connection: Connection) -> None:
    """Add the trigger to a database that has the schema."""
    for statement in (_SQLITE,) if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.execute(text(statement))


def release(url: str, node: pytest.Item) -> None:
    """Take the trigger away for a test that breaks limits on purpose."""
    if node.get_closest_marker(MARK):
        engine = make_engine(url)
        with engine.begin() as connection:
            on = "" if connection.dialect.name == "sqlite" else " ON draft"
            connection.execute(text(f"DROP TRIGGER within_limits{on}"))
        engine.dispose()


def look(url: str, node: pytest.Item) -> None:
    """As the trigger does, at the end of a test whose database was made by the product itself."""
    engine = make_engine(url)
    with engine.connect() as connection:
        if inspect(connection).has_table("draft") and not node.get_closest_marker(MARK):
            query = "SELECT checks FROM draft WHERE platform_id IS NOT NULL AND CAST(checks AS TEXT) <> '[]'"
            assert connection.execute(text(query)).scalars().all() == []
    engine.dispose()
