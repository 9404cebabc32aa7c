"""The condition that finds executions which have not ended, however many have."""

from sqlalchemy import bindparam

from models import LIVE, Execution

# The values stand in the statement itself: SQLite takes a partial index only where it sees that the condition
# is the index's own, and it does not look into parameters.
UNENDED = Execution.status.in_(
    bindparam("unended", [str(status) for status in LIVE], expanding=True, literal_execute=True)
)
