"""class index

Expands only: an index of the search rows, by which the newest of a class are found.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = ["user_id", "live", "kind", "sound", "sample_id"]


def upgrade() -> None:
    op.create_index("ix_search_rows_class", "search_rows", COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_search_rows_class", table_name="search_rows")
