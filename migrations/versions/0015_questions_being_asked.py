"""questions being asked"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ai_asking",
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("asker", sa.String(length=26), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("question", name=op.f("pk_ai_asking")),
    )
    with op.batch_alter_table("ai_asking", schema=None) as batch_op:
        batch_op.create_index("ix_ai_asking_asker", ["asker"], unique=False)


def downgrade() -> None:
    op.drop_table("ai_asking")
