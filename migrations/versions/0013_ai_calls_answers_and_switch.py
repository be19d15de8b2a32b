"""ai calls, answers and switch"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ai_calls",
        sa.Column("usage_id", RowId, nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["usage_id"], ["api_usage.id"], name=op.f("fk_ai_calls_usage_id_api_usage"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("usage_id", name=op.f("pk_ai_calls")),
    )
    op.create_table(
        "ai_answers",
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("vibe", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ai_answers_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "question", name=op.f("pk_ai_answers")),
    )
    switch = op.create_table(
        "ai_switch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_because", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_switch")),
    )
    op.bulk_insert(switch, [{"id": 1}])
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.create_index("ix_api_usage_kind", ["kind", "effective_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.drop_index("ix_api_usage_kind")
    op.drop_table("ai_switch")
    op.drop_table("ai_answers")
    op.drop_table("ai_calls")
