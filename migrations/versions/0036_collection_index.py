"""collection index

Expands only: an index of the samples of a collection, made while they are written to. It is a revision of its
own, so that one that was interrupted can be made again.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INDEX = "ix_samples_collection"
COLUMNS = ["collection_id", "deleted_at", "folder", "size_bytes", "created_at"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="samples", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "samples", COLUMNS, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="samples", postgresql_concurrently=True)
