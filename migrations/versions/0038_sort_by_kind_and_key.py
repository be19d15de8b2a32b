"""sort by kind and key

Expands only: indexes in the order of the classes of sounds and of the keys, made while the table is written
to. They are a revision of their own, so that one that was interrupted can be made again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_search_rows_kind_sound": ("user_id", "live", "kind", "sound", sa.text("sample_id DESC")),
    "ix_search_rows_key": ("user_id", "live", "key", sa.text("sample_id DESC")),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.drop_index(name, table_name="search_rows", if_exists=True, postgresql_concurrently=True)
            op.create_index(name, "search_rows", list(columns), postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.drop_index(name, table_name="search_rows", postgresql_concurrently=True)
