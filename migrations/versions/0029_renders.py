"""renders

Expands only: two tables and two columns that the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

from app.models.table_locks import lock_tables

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lock_tables(op.get_bind(), "users", "samples", "processing_jobs", mode="ACCESS EXCLUSIVE")
    op.create_table(
        "renders",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("recipe_sha256", sa.String(length=64), nullable=False),
        sa.Column("store_key", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("bpm", sa.Double(), nullable=True),
        sa.Column("loudness_db", sa.Double(), nullable=True),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("done", sa.JSON(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_renders_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_renders_sample_id_samples"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renders")),
        sa.UniqueConstraint("sample_id", "recipe_sha256", name=op.f("uq_renders_sample_id_recipe_sha256")),
    )
    op.create_index("ix_renders_used", "renders", ["user_id", "used_at", "id"])
    op.create_index(op.f("ix_renders_store_key"), "renders", ["store_key"])
    op.create_table(
        "shaping_presets",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_shaping_presets_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shaping_presets")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_shaping_presets_user_id_name")),
    )
    op.add_column("processing_jobs", sa.Column("choices", sa.JSON(), nullable=True))
    op.add_column("samples", sa.Column("parent_id", sa.String(length=26), nullable=True))


def downgrade() -> None:
    # The previous version has no words for such jobs.
    op.execute("DELETE FROM processing_jobs WHERE purpose IN ('render', 'preview', 'slice')")
    op.drop_column("samples", "parent_id")
    op.drop_column("processing_jobs", "choices")
    op.drop_table("shaping_presets")
    op.drop_table("renders")
