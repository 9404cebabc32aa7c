"""The digest of mails: when it is due, and what waits for it; and when somebody was reminded of drafts.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-27 14:50:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "digest_entry",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("job", sa.String(length=500), nullable=False),
        sa.Column("icon", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("posts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_digest_entry_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_entry")),
    )
    op.create_index(op.f("ix_digest_entry_user_id"), "digest_entry", ["user_id"])
    # Not in a batch: see 0002.
    op.add_column("user_account", sa.Column("digest_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_account", sa.Column("drafts_told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_user_account_digest_at"), "user_account", ["digest_at"])


def downgrade():
    op.drop_index(op.f("ix_user_account_digest_at"), "user_account")
    # Not in a batch: see 0002.
    op.execute("ALTER TABLE user_account DROP COLUMN drafts_told_at")
    op.execute("ALTER TABLE user_account DROP COLUMN digest_at")
    op.drop_table("digest_entry")
