"""Pausing of failing jobs, and recoveries that are counted apart from failures.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23 13:40:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DROPPED = (
    ("execution", "recoveries"),
    ("execution", "failures"),
    ("job", "paused_at"),
    ("job", "failures_in_row"),
    ("job", "pause_after"),
)
LIVE = sa.text("status IN ('QUEUED', 'RUNNING', 'RETRYING')")


def upgrade():
    count = {"nullable": False, "server_default": "0"}
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("pause_after", sa.Integer(), nullable=False, server_default="5"))
        job.add_column(sa.Column("failures_in_row", sa.Integer(), **count))
        job.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("execution") as execution:
        execution.add_column(sa.Column("failures", sa.Integer(), **count))
        execution.add_column(sa.Column("recoveries", sa.Integer(), **count))
    # What was tried before this migration failed by itself, for all that is known.
    op.execute("UPDATE execution SET failures = attempt WHERE status IN ('RETRYING', 'FAILED', 'TIMEOUT')")
    # In the order in which they are taken: the one before had to sort all that wait to find the first.
    op.drop_index("ix_execution_pending", table_name="execution")
    columns = ["created_at", "status", "next_retry_at"]
    op.create_index("ix_execution_turn", "execution", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_execution_retry_of", "execution", ["retry_of"])
    # Without it each execution that is deleted reads all notifications.
    op.create_index("ix_notification_execution_id", "notification", ["execution_id"])


def downgrade():
    op.drop_index("ix_notification_execution_id", table_name="notification")
    op.drop_index("ix_execution_retry_of", table_name="execution")
    op.drop_index("ix_execution_turn", table_name="execution")
    columns = ["status", "next_retry_at"]
    op.create_index("ix_execution_pending", "execution", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    # The version before knows no pause: without a next slot such a job would never run again.
    op.execute("UPDATE job SET next_run_at = CURRENT_TIMESTAMP WHERE paused_at IS NOT NULL AND is_enabled")
    # Not in a batch, which on SQLite makes the table anew: dropping the old one would delete, by its foreign
    # keys, whatever belongs to its rows.
    for table, column in DROPPED:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
