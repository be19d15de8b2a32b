"""collections

Expands only: two tables, and columns that the previous version leaves at their defaults. The trigger that
notes changes of a sample for the search index follows the new columns too.
"""

import sqlalchemy as sa
from alembic import op

from app.models.table_locks import lock_tables

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NAME, FOLDER = sa.String(length=100), sa.String(length=487)
TIME = sa.DateTime(timezone=True)
TRIGGER = "note_samples_update"
NOTE_CHANGE = "INSERT INTO sample_changes (user_id, sample_id) VALUES (NEW.user_id, NEW.id)"
INDEXED = (
    "user_id, format, duration_s, kind, sound, bpm, key, described, corrections, folded_text, search_text,"
    " liked, created_at, deleted_at"
)
PLACE = "collection_id, folder"


def upgrade() -> None:
    lock_tables(op.get_bind(), "users", "direct_uploads", "samples", mode="ACCESS EXCLUSIVE")
    op.create_table(
        "collections",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("folded_name", sa.String(length=300), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_collections_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("user_id", "folded_name", name=op.f("uq_collections_user_id_folded_name")),
    )
    op.create_index(op.f("ix_collections_deleted_at"), "collections", ["deleted_at"])
    op.create_table(
        "sample_moves",
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.Column("moved_at", TIME, nullable=False),
        sa.Column("collection_id", sa.String(length=26), nullable=True),
        sa.Column("folder", FOLDER, nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_sample_moves_sample_id_samples"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_sample_moves")),
    )
    op.create_index("ix_sample_moves_time", "sample_moves", ["moved_at", "sample_id"])
    op.add_column("direct_uploads", sa.Column("collection", NAME, nullable=False, server_default=""))
    op.add_column("direct_uploads", sa.Column("folder", FOLDER, nullable=False, server_default=""))
    op.add_column("samples", sa.Column("collection_id", sa.String(length=26), nullable=True))
    op.add_column("samples", sa.Column("folder", FOLDER, nullable=False, server_default=""))
    _note_updates_of(f"{INDEXED}, {PLACE}")


def downgrade() -> None:
    _note_updates_of(INDEXED)
    for column in ("folder", "collection_id"):
        op.drop_column("samples", column)
    for column in ("folder", "collection"):
        op.drop_column("direct_uploads", column)
    op.drop_table("sample_moves")
    op.drop_table("collections")


def _note_updates_of(columns: str) -> None:
    """Make the trigger again, for updates of these columns; PostgreSQL keeps what it calls."""
    timing = f"AFTER UPDATE OF {columns} ON samples"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {TRIGGER}")
        op.execute(f"CREATE TRIGGER {TRIGGER} {timing} BEGIN {NOTE_CHANGE}; END")
        return
    op.execute(f"DROP TRIGGER {TRIGGER} ON samples")
    op.execute(f"CREATE TRIGGER {TRIGGER} {timing} FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()")
