"""What the list of drafts counts by: one index answers it.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-27 12:40:00.000000

"""

from alembic import op

# revision identifiers, used by Alembic.
revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_draft_counts", "draft", ["user_id", "state", "platform_type", "job_id"])


def downgrade():
    op.drop_index("ix_draft_counts", "draft")
