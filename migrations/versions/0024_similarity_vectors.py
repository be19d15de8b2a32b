"""similarity vectors

Expands only: one new table, which locks no other. The previous version neither reads nor writes it, so
samples that it makes have no vector until they are measured again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sample_vectors",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"],
            ["samples.id"],
            name=op.f("fk_sample_vectors_sample_id_samples"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sample_vectors_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sample_vectors")),
        sa.UniqueConstraint("sample_id", name=op.f("uq_sample_vectors_sample_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sample_vectors_user", "sample_vectors", ["user_id", "number"])


def downgrade() -> None:
    op.drop_table("sample_vectors")
