"""corrections, ai choices and a job's purpose"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OF_USER = "fk_api_usage_user_id_users"


def upgrade() -> None:
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.alter_column("vibe", new_column_name="described")
        batch_op.add_column(sa.Column("corrections", sa.JSON(), nullable=False, server_default="{}"))
    samples = sa.table(
        "samples",
        *(sa.column(name) for name in ("id", "bpm", "bpm_source", "key", "key_source")),
        sa.column("corrections", sa.JSON()),
    )
    connection = op.get_bind()
    corrected = sa.or_(samples.c.bpm_source == "user", samples.c.key_source == "user")
    for row in connection.execute(sa.select(samples).where(corrected)).all():
        own = {
            name: getattr(row, name) for name in ("bpm", "key") if getattr(row, f"{name}_source") == "user"
        }
        connection.execute(samples.update().where(samples.c.id == row.id).values(corrections=own))
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ai_allowed", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("ai_model", sa.String(length=120), nullable=True))
    with op.batch_alter_table("processing_jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("purpose", sa.String(length=12), nullable=False, server_default="upload")
        )
    with op.batch_alter_table("ai_answers", schema=None) as batch_op:
        batch_op.alter_column("vibe", new_column_name="answer")
        batch_op.add_column(sa.Column("shared_key", sa.String(length=64), nullable=True))
        batch_op.create_index("ix_ai_answers_shared_key", ["shared_key"], unique=False)
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.drop_constraint(OF_USER, type_="foreignkey")
        batch_op.alter_column("user_id", existing_type=sa.String(length=26), nullable=True)
        batch_op.create_foreign_key(OF_USER, "users", ["user_id"], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    op.execute("DELETE FROM api_usage WHERE user_id IS NULL")
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.drop_constraint(OF_USER, type_="foreignkey")
        batch_op.alter_column("user_id", existing_type=sa.String(length=26), nullable=False)
        batch_op.create_foreign_key(OF_USER, "users", ["user_id"], ["id"], ondelete="CASCADE")
    with op.batch_alter_table("ai_answers", schema=None) as batch_op:
        batch_op.drop_index("ix_ai_answers_shared_key")
        batch_op.drop_column("shared_key")
        batch_op.alter_column("answer", new_column_name="vibe")
    # The program before knows jobs of uploads only. Corrections other than of tempo and key are lost.
    op.execute(
        "DELETE FROM job_attempts WHERE job_id IN (SELECT id FROM processing_jobs WHERE purpose <> 'upload')"
    )
    op.execute("DELETE FROM processing_jobs WHERE purpose <> 'upload'")
    with op.batch_alter_table("processing_jobs", schema=None) as batch_op:
        batch_op.drop_column("purpose")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("ai_model")
        batch_op.drop_column("ai_allowed")
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.drop_column("corrections")
        batch_op.alter_column("described", new_column_name="vibe")
