"""kits

Expands only: four tables that the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_kits()
    _make_pads()
    _make_changes()


def downgrade() -> None:
    for table in ("kit_changes", "kit_pads", "kit_banks", "kits"):
        op.drop_table(table)


def _make_kits() -> None:
    op.create_table(
        "kits",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("tempo", sa.Integer(), nullable=False),
        sa.Column("tempo_source", sa.String(length=8), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        _foreign_key("kits", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kits")),
    )
    op.create_index("ix_kits_user", "kits", ["user_id", "deleted_at", "id"])
    op.create_index(op.f("ix_kits_deleted_at"), "kits", ["deleted_at"])
    op.create_table(
        "kit_banks",
        sa.Column("kit_id", sa.String(length=26), nullable=False),
        sa.Column("bank", sa.String(length=1), nullable=False),
        sa.Column("tempo", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("protect", sa.Boolean(), nullable=False),
        _foreign_key("kit_banks", "kit_id", "kits"),
        sa.PrimaryKeyConstraint("kit_id", "bank", name=op.f("pk_kit_banks")),
    )


def _make_pads() -> None:
    op.create_table(
        "kit_pads",
        sa.Column("kit_id", sa.String(length=26), nullable=False),
        sa.Column("pad", sa.String(length=3), nullable=False),
        sa.Column("sample_id", sa.String(length=26), nullable=True),
        sa.Column("sample_name", sa.String(length=200), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        _foreign_key("kit_pads", "kit_id", "kits"),
        _foreign_key("kit_pads", "sample_id", "samples", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("kit_id", "pad", name=op.f("pk_kit_pads")),
    )
    op.create_index(op.f("ix_kit_pads_sample_id"), "kit_pads", ["sample_id"])


def _make_changes() -> None:
    op.create_table(
        "kit_changes",
        sa.Column("kit_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("words", sa.String(length=120), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _foreign_key("kit_changes", "kit_id", "kits"),
        sa.PrimaryKeyConstraint("kit_id", "number", name=op.f("pk_kit_changes")),
    )


def _foreign_key(table: str, column: str, other: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)
