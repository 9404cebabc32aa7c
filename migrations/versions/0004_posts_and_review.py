"""What posts, their review and their cost keep: versions, claims, what is given back, what was spent.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-27 02:10:00.000000

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COLUMNS = {
    "project": (
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.Column("budget_short", sa.BigInteger(), nullable=True),
    ),
    "job": (
        sa.Column("significance", sa.String(length=10), nullable=False, server_default="NORMAL"),
        sa.Column("carried_since", MOMENT, nullable=True),
        sa.Column("writer", sa.String(length=10), nullable=False, server_default="AUTO"),
        sa.Column("falls_back", sa.Boolean(), nullable=False, server_default="0"),
    ),
    "draft": (
        sa.Column("job_id", sa.String(length=40), nullable=True),
        sa.Column("subtitle", sa.String(length=500), nullable=True),
        sa.Column("remarks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("claims", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sources", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("given_back_at", MOMENT, nullable=True),
    ),
}
LIVE = sa.text("status IN ('QUEUED', 'RUNNING')")


def upgrade():
    for name, columns in COLUMNS.items():
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.add_column(column.copy())
    op.execute(
        "UPDATE draft SET job_id = (SELECT job_id FROM execution WHERE execution.id = draft.execution_id)"
    )
    op.create_index("ix_draft_job_history", "draft", ["job_id", "platform_id", "created_at", "id"])
    op.create_table(
        "draft_version",
        sa.Column("draft_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_by", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("subtitle", sa.String(length=500), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("instruction", sa.String(length=2000), nullable=False),
        sa.Column("remarks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("claims", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sources", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("usage", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["draft.id"], name="fk_draft_version_draft_id_draft", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("draft_id", "number", name="pk_draft_version"),
    )
    op.create_table(
        "regeneration",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("draft_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("instruction", sa.String(length=2000), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("heartbeat_at", MOMENT, nullable=True),
        sa.Column("next_try_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["draft.id"], name="fk_regeneration_draft_id_draft", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_regeneration"),
    )
    op.create_index(
        "uq_regeneration_live",
        "regeneration",
        ["draft_id"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index("ix_regeneration_draft", "regeneration", ["draft_id", "created_at"])
    op.create_index(
        "ix_regeneration_turn",
        "regeneration",
        ["created_at"],
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_table(
        "given_back",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("platform_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_given_back_job_id_job", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platform.id"], name="fk_given_back_platform_id_platform", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "platform_id", "kind", "key", name="pk_given_back"),
    )
    op.create_table(
        "spend",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("execution_id", sa.String(length=40), nullable=True),
        sa.Column("platform_id", sa.String(length=40), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("is_estimate", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name="fk_spend_execution_id_execution", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk_spend_project_id_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_spend"),
    )
    op.create_index("ix_spend_project", "spend", ["project_id", "at"])
    op.create_index("ix_spend_execution_id", "spend", ["execution_id"])


def downgrade():
    for name in ("spend", "given_back", "regeneration", "draft_version"):
        op.drop_table(name)
    op.drop_index("ix_draft_job_history", "draft")
    # Not in a batch: see 0002.
    for name, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {name} DROP COLUMN {column.name}")
