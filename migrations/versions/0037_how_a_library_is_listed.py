"""how a library is listed

Expands only: two columns with defaults, which the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

from app.models.table_locks import lock_tables

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lock_tables(op.get_bind(), "users", mode="ACCESS EXCLUSIVE")
    for name, size in (("library_sort", 12), ("hidden_columns", 80)):
        op.add_column("users", sa.Column(name, sa.String(length=size), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("hidden_columns", "library_sort"):
        op.drop_column("users", name)
