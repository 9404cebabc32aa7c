"""What an execution was retried by is found without reading all the others, also after ANALYZE: an index of
hardly anything but NULL looked useless to SQLite.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-27 16:57:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_index("ix_execution_retry_of", "execution")
    retries = sa.text("retry_of IS NOT NULL")
    op.create_index(
        "ix_execution_retry", "execution", ["retry_of"], sqlite_where=retries, postgresql_where=retries
    )


def downgrade():
    op.drop_index("ix_execution_retry", "execution")
    op.create_index("ix_execution_retry_of", "execution", ["retry_of"])
