"""card exports

Expands only: a table that the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_exports",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("kit_id", sa.String(length=26), nullable=True),
        sa.Column("kit_name", sa.String(length=32), nullable=False),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("store_key", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_card_exports_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kit_id"], ["kits.id"], name=op.f("fk_card_exports_kit_id_kits"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_exports")),
    )
    op.create_index("ix_card_exports_newest", "card_exports", ["user_id", "created_at", "id"])
    for column in ("kit_id", "store_key", "created_at"):
        op.create_index(op.f(f"ix_card_exports_{column}"), "card_exports", [column])


def downgrade() -> None:
    op.drop_table("card_exports")
