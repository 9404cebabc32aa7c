"""What an account holds beside its email: a name, how times and colours are shown, whether mail reaches it.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-27 10:40:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("name", sa.String(length=100), nullable=False, server_default=sa.text("''")),
    sa.Column("timezone", sa.String(length=64), nullable=False, server_default="UTC"),
    sa.Column("time_format", sa.String(length=2), nullable=False, server_default="12"),
    sa.Column("theme", sa.String(length=5), nullable=False, server_default="auto"),
    sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
)


def upgrade():
    # Not in a batch, which for an empty default makes the table anew on SQLite: see 0002.
    for column in COLUMNS:
        op.add_column("user_account", column.copy())
    # Who has an account already gets mails already.
    op.execute("UPDATE user_account SET verified_at = created_at")


def downgrade():
    # Not in a batch: see 0002.
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE user_account DROP COLUMN {column.name}")
