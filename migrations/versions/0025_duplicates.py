"""duplicates

Expands only: three new tables, and nullable columns and indexes of a table that the previous version neither
reads nor writes. What was in it already is due to be compared.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
IS_DUE = sa.text("compare_at IS NOT NULL")
VECTOR_INDEXES = {
    "ix_sample_vectors_audio": ["user_id", "audio_sha256"],
    "ix_sample_vectors_due": ["compare_at"],
    "ix_sample_vectors_due_of_user": ["user_id", "compare_at"],
}


def upgrade() -> None:
    op.add_column("sample_vectors", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.add_column("sample_vectors", sa.Column("audio_sha256", sa.String(length=64), nullable=True))
    op.add_column("sample_vectors", sa.Column("bit_depth", sa.Integer(), nullable=True))
    op.add_column("sample_vectors", sa.Column("compare_at", TIME, nullable=True))
    op.execute("UPDATE sample_vectors SET compare_at = created_at")
    for name, columns in VECTOR_INDEXES.items():
        is_due = IS_DUE if "due" in name else None
        op.create_index(name, "sample_vectors", columns, sqlite_where=is_due, postgresql_where=is_due)
    _make_tables()


def downgrade() -> None:
    for table in ("duplicate_cleanups", "duplicate_members", "duplicate_groups"):
        op.drop_table(table)
    for name in VECTOR_INDEXES:
        op.drop_index(name, "sample_vectors")
    for name in ("fingerprint", "audio_sha256", "bit_depth", "compare_at"):
        op.drop_column("sample_vectors", name)


def _make_tables() -> None:
    op.create_table(
        "duplicate_groups",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("anchor_id", sa.String(length=26), nullable=False),
        sa.Column("kept_id", sa.String(length=26), nullable=True),
        sa.Column("is_chosen", sa.Boolean(), nullable=False),
        sa.Column("told_apart", sa.String(length=26), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("spare_bytes", sa.BigInteger(), nullable=False),
        _foreign_key("duplicate_groups", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_groups")),
    )
    op.create_index("ix_duplicate_groups_space", "duplicate_groups", ["user_id", "spare_bytes", "id"])
    op.create_table(
        "duplicate_members",
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.Column("group_id", sa.String(length=26), nullable=False),
        _foreign_key("duplicate_members", "sample_id", "samples"),
        _foreign_key("duplicate_members", "group_id", "duplicate_groups"),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_duplicate_members")),
    )
    op.create_index(op.f("ix_duplicate_members_group_id"), "duplicate_members", ["group_id"])
    op.create_table(
        "duplicate_cleanups",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("group_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        _foreign_key("duplicate_cleanups", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_cleanups")),
    )
    op.create_index("ix_duplicate_cleanups_user", "duplicate_cleanups", ["user_id", "requested_at"])
    op.create_index(op.f("ix_duplicate_cleanups_state"), "duplicate_cleanups", ["state"])


def _foreign_key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
