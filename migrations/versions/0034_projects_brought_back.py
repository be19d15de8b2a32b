"""projects brought back

Expands only: two tables that the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kit_bases",
        sa.Column("kit_id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("store_key", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kit_id"], ["kits.id"], name=op.f("fk_kit_bases_kit_id_kits"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_kit_bases_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kit_id", name=op.f("pk_kit_bases")),
    )
    for column in ("user_id", "store_key"):
        op.create_index(op.f(f"ix_kit_bases_{column}"), "kit_bases", [column])
    op.create_table(
        "project_uploads",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("store_key", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_project_uploads_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_uploads")),
    )
    for column in ("user_id", "store_key", "created_at"):
        op.create_index(op.f(f"ix_project_uploads_{column}"), "project_uploads", [column])


def downgrade() -> None:
    op.drop_table("project_uploads")
    op.drop_table("kit_bases")
