"""kit patterns

Expands only: a table that the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kit_patterns",
        sa.Column("kit_id", sa.String(length=26), nullable=False),
        sa.Column("place", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False),
        sa.Column("ptn", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kit_id"], ["kits.id"], name=op.f("fk_kit_patterns_kit_id_kits"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kit_id", "place", name=op.f("pk_kit_patterns")),
    )


def downgrade() -> None:
    op.drop_table("kit_patterns")
