"""The key of the form that made a job: a form sent twice makes one.

Revision ID: 0012
Revises: 0009
Create Date: 2026-11-27 14:50:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: see 0002.
    op.add_column("job", sa.Column("form_key", sa.String(length=32), nullable=True))
    op.create_index("uq_job_form", "job", ["project_id", "form_key"], unique=True)


def downgrade():
    # Not in a batch: see 0002.
    op.drop_index("uq_job_form", "job")
    op.execute("ALTER TABLE job DROP COLUMN form_key")
