"""names within each sound

Expands only: an index of the samples of one sound by their names, made while the table is written to. It is a
revision of its own, so that one that was interrupted can be made again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

INDEX = "ix_search_rows_sound_name"
COLUMNS = ["user_id", "live", "sound", "name", sa.text("sample_id DESC")]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="search_rows", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "search_rows", COLUMNS, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="search_rows", if_exists=True, postgresql_concurrently=True)
