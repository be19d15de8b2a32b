"""lately finished jobs of a user

Expands only: an index of the jobs of each user by their ends, made while the table is written to. It is a
revision of its own, so that one that was interrupted can be made again.
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

INDEX = "ix_processing_jobs_user_finished"
COLUMNS = ["user_id", "finished_at", "id"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="processing_jobs", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "processing_jobs", COLUMNS, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, table_name="processing_jobs", if_exists=True, postgresql_concurrently=True)
