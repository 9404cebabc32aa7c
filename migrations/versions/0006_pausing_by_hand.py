"""A job's owner pauses it until a date and leaves slots out; a job's history is filtered by outcome.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-27 11:50:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("paused_until", "skipped_until")


def upgrade():
    for name in COLUMNS:
        op.add_column("job", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_execution_outcome", "execution", ["job_id", "outcome", "created_at", "id"])


def downgrade():
    op.drop_index("ix_execution_outcome", "execution")
    # Not in a batch: see 0002.
    for name in reversed(COLUMNS):
        op.execute(f"ALTER TABLE job DROP COLUMN {name}")
