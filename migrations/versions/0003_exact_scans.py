"""What exact scans, pushes and privacy keep: the repository's id, cursors, held back items, deliveries.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23 17:05:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PROJECT = (
    sa.Column("github_former", sa.String(length=201), nullable=True),
    sa.Column("github_id", sa.BigInteger(), nullable=True),
    sa.Column("github_budget", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("token_expires_at", MOMENT, nullable=True),
    sa.Column("token_warned", sa.Integer(), nullable=True),
    sa.Column("webhook_secret", sa.Text(), nullable=True),
    sa.Column("bots", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("withhold", sa.JSON(none_as_null=True), nullable=True),
)
JOB = (
    sa.Column("cursor_etag", sa.String(length=255), nullable=True),
    sa.Column("cursor_read", MOMENT, nullable=True),
    sa.Column("run_on_push", sa.Boolean(), nullable=False, server_default="0"),
    sa.Column("push_since", MOMENT, nullable=True),
    sa.Column("push_at", MOMENT, nullable=True),
)


def upgrade():
    with op.batch_alter_table("project") as project:
        for column in PROJECT:
            project.add_column(column.copy())
    with op.batch_alter_table("job") as job:
        for column in JOB:
            job.add_column(column.copy())
    op.create_index("ix_job_push", "job", ["push_at"])
    op.create_table(
        "held_back",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_held_back_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "kind", "key", name="pk_held_back"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("guid", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_webhook_delivery_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "guid", name="pk_webhook_delivery"),
    )
    op.create_index("ix_webhook_delivery_received_at", "webhook_delivery", ["received_at"])


def downgrade():
    op.drop_table("webhook_delivery")
    op.drop_table("held_back")
    op.drop_index("ix_job_push", table_name="job")
    # Not in a batch: see 0002.
    for table, columns in (("job", JOB), ("project", PROJECT)):
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")
