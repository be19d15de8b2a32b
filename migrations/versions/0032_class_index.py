"""class index

Expands only: an index of the search rows, made while they are written to, by which the newest of a class are
found.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = ["user_id", "live", "kind", "sound", "sample_id"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_search_rows_class", table_name="search_rows", if_exists=True, postgresql_concurrently=True
        )
        op.create_index("ix_search_rows_class", "search_rows", COLUMNS, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_search_rows_class", table_name="search_rows", postgresql_concurrently=True)
