"""storage totals

Expands only: a table that the previous version neither reads nor writes, and an index of the ledger that is
made while it is written to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "storage_totals",
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_storage_totals_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_storage_totals")),
    )
    with op.get_context().autocommit_block():
        op.drop_index("ix_api_usage_numbered", "api_usage", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_api_usage_numbered", "api_usage", ["user_id", "kind", "id"], postgresql_concurrently=True
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_api_usage_numbered", "api_usage", postgresql_concurrently=True)
    op.drop_table("storage_totals")
