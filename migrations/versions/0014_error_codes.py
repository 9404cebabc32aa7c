"""What an error is called, so that nobody has to read it.

Revision ID: 0014
Revises: 0009
Create Date: 2026-11-27 14:45:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("execution", "attempt", "step")


def upgrade():
    for table in TABLES:
        op.add_column(table, sa.Column("error_code", sa.String(length=40), nullable=True))


def downgrade():
    # Not in a batch: see 0002.
    for table in reversed(TABLES):
        op.execute(f"ALTER TABLE {table} DROP COLUMN error_code")
