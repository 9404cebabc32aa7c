"""What a job's history is filtered by: one index answers for a rare trigger, however long the history is.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-27 14:55:00.000000

"""

from alembic import op

# revision identifiers, used by Alembic.
revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_execution_trigger", "execution", ["job_id", "triggered_by", "created_at", "id"])


def downgrade():
    op.drop_index("ix_execution_trigger", "execution")
