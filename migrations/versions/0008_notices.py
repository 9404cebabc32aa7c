"""What each person wants to be told, how a job's last told run ended, and what a mail is about.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-27 11:50:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: see 0002.
    op.add_column("user_account", sa.Column("notices", sa.JSON(), nullable=True))
    op.add_column("job", sa.Column("told_outcome", sa.String(length=20), nullable=True))
    op.add_column("email_delivery", sa.Column("event", sa.String(length=20), nullable=True))


def downgrade():
    # Not in a batch: see 0002.
    op.execute("ALTER TABLE email_delivery DROP COLUMN event")
    op.execute("ALTER TABLE job DROP COLUMN told_outcome")
    op.execute("ALTER TABLE user_account DROP COLUMN notices")
